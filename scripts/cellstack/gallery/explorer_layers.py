"""Layers of the page to explore a stack: planes as small image files, all with the same pixels.

A large stack is reduced: pixels of a grey image are averaged in squares of x and y, those of labels
are sampled, and some planes are left out.
"""

import math
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cellstack.core.counting import significant
from cellstack.core.planes import Stack
from cellstack.core.types import Spacing

MAX_VOXELS = 4_000_000  # of a layer; a stack of 60 x 256 x 256 is not reduced
PERCENTILES = (0.5, 99.7)  # shown as black and white at first
HIGHEST_PERCENTILE = 99.99  # a few hot pixels would leave few grey levels for all others
QUALITY = 85  # of JPEG
TOP = 255  # of the grey levels


class Grid(NamedTuple):
    """Pixels of the page."""

    shape: tuple[int, int, int]
    """Of the stack."""
    planes: int
    """Every n-th plane is shown."""
    pixels: int
    """Side of the squares of x and y that are averaged."""

    @property
    def shown(self) -> tuple[int, int, int]:
        """Planes, rows and columns of the page; incomplete squares at the sides are left out."""
        z, y, x = self.shape
        return len(range(self.first, z, self.planes)), y // self.pixels, x // self.pixels

    @property
    def first(self) -> int:
        """First plane that is shown, the middle one of those it stands for."""
        return min(self.planes, self.shape[0]) // 2


class Layer(TypedDict):
    """A stack as it is on the page."""

    group: str
    title: str
    kind: str
    """``"grey"`` or ``"labels"``."""
    start: list[int]
    """First plane, row and column of the page that the layer covers."""
    low: float
    """Value of the darkest grey level."""
    high: float
    limits: list[int]
    """Grey levels shown as black and white at first."""
    planes: list[str]
    """Image files in base64: JPEG in grey, or PNG with labels as red + 256 green + 65536 blue."""


def choose_grid(shape: Sequence[int], spacing: Spacing, max_voxels: int = MAX_VOXELS) -> Grid:
    """Choose how much a stack is reduced.

    Parameters
    ----------
    shape : (3,) sequence of int
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    max_voxels : int
        Maximum number of voxels on the page.

    Returns
    -------
    Grid
        Pixels of x and y are averaged first, until they are as large as the distance of planes.

    Examples
    --------
    >>> choose_grid((60, 1024, 1024), (1.0, 0.25, 0.25))
    Grid(shape=(60, 1024, 1024), planes=1, pixels=4)
    >>> choose_grid((600, 600, 600), (0.5, 0.5, 0.5)).shown
    (150, 150, 150)
    """
    z, y, x = (int(size) for size in shape)
    planes = pixels = 1
    while math.prod(Grid((z, y, x), planes, pixels).shown) > max_voxels:
        more_planes, more_pixels = planes < z, pixels < min(y, x)
        if not more_planes and not more_pixels:
            break
        is_finer = pixels * max(spacing[1:]) <= planes * spacing[0]
        if more_pixels and (is_finer or not more_planes):
            pixels += 1
        else:
            planes += 1
    return Grid((z, y, x), planes, pixels)


def grey_layer(
    stack: Stack, grid: Grid, group: str, title: str, start: Sequence[int] = (0, 0, 0)
) -> Layer:
    """Return a layer of intensities or other numbers.

    Parameters
    ----------
    stack : (z, y, x) ndarray or stack
        The stack, or a region of it. Only the planes that are shown are read.
    grid : Grid
    group, title : str
    start : (3,) sequence of int
        First voxel of the region.

    Returns
    -------
    Layer
    """
    chosen, first = _choose(stack, grid, start)
    side = grid.pixels
    planes = np.stack(
        [
            plane.reshape(plane.shape[0] // side, side, -1, side).mean((1, 3), np.float32)
            for plane in chosen
        ]
    )
    known = planes[np.isfinite(planes)] if np.isfinite(planes).any() else np.zeros(1, np.float32)
    low, high = float(known.min()), float(np.percentile(known, HIGHEST_PERCENTILE))
    high = high if high > low else low + 1.0
    scaled = (planes - low) * (TOP / (high - low)) + 0.5
    levels = np.nan_to_num(scaled.clip(0, TOP)).astype(np.uint8)
    limits = [int(level) for level in np.percentile(levels, PERCENTILES)]
    if limits[0] == limits[1]:
        limits = [0, TOP]
    return {
        "group": group,
        "title": title,
        "kind": "grey",
        "start": first,
        "low": float(f"{low:.6g}"),
        "high": float(f"{high:.6g}"),
        "limits": limits,
        "planes": [_encode(plane, "JPEG", quality=QUALITY, optimize=True) for plane in levels],
    }


def label_layer(labels: Stack, grid: Grid, group: str, title: str) -> Layer:
    """Return a layer of labels, or of a mask, which is drawn as outlines; see :func:`grey_layer`.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of unsigned int or bool
    grid : Grid
    group, title : str

    Returns
    -------
    Layer
    """
    chosen, first = _choose(labels, grid, (0, 0, 0))
    side = grid.pixels
    planes = []
    for plane in chosen:
        sampled = plane[side // 2 :: side, side // 2 :: side].astype(np.uint32)
        colors = np.stack([sampled >> shift & 0xFF for shift in (0, 8, 16)], axis=-1)
        planes.append(_encode(colors.astype(np.uint8), "PNG"))
    return {
        "group": group,
        "title": title,
        "kind": "labels",
        "start": first,
        "low": 0.0,
        "high": 0.0,
        "limits": [0, 0],
        "planes": planes,
    }


def _choose(
    stack: Stack, grid: Grid, start: Sequence[int]
) -> tuple[Iterator[NDArray[Any]], list[int]]:
    """Return the planes of a region that are shown, cut to complete squares, and their position."""
    side = grid.pixels
    shown = range(grid.first, grid.shape[0], grid.planes)
    numbers = [i for i, z in enumerate(shown) if start[0] <= z < start[0] + len(stack)]
    rows, columns = (
        slice(-first % side, -first % side + (size - -first % side) // side * side)
        for first, size in zip(start[1:], stack.shape[1:], strict=True)
    )
    planes = (np.asarray(stack[shown[i] - start[0], rows, columns]) for i in numbers)
    return planes, [numbers[0], *(-(-first // side) for first in start[1:])]


def _encode(image: NDArray[np.uint8], form: str, **options: int) -> str:
    file = BytesIO()
    Image.fromarray(image).save(file, form, **options)
    return b64encode(file.getvalue()).decode()


def describe_objects(rows: Sequence[Mapping[str, str]], kind: str) -> dict[str, dict[int, str]]:
    """Return what is known about the objects of a kind.

    Parameters
    ----------
    rows : list of dict of str to str
        Rows of objects.csv.
    kind : str
        nuclei or cells.

    Returns
    -------
    dict of str to dict of int to str
        By group and title of a layer, separated by a slash, the volume and the flags of each label.

    Examples
    --------
    >>> row = {"label": "1", "segmentation_label": "4", "volume_um3": "512.25", "flags": ""}
    >>> describe_objects([row], "nuclei")
    {'nuclei/labels': {1: '512 µm³'}, 'nuclei/segmentation': {4: 'measured as 1, 512 µm³'}}
    """
    described: dict[str, dict[int, str]] = {f"{kind}/labels": {}, f"{kind}/segmentation": {}}
    for row in rows:
        flags = f", {row['flags']}" if row["flags"] else ""
        text = f"{significant(float(row['volume_um3']), 3)} µm³{flags}"
        described[f"{kind}/labels"][int(row["label"])] = text
        number = int(row["segmentation_label"])
        described[f"{kind}/segmentation"][number] = f"measured as {row['label']}, {text}"
    return described
