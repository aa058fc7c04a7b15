"""The TIFF files in which stacks pass between stages.

They contain the voxel size and are written atomically; the same input gives the same bytes.
Images from outside are read by :mod:`cellstack.files.readers.opening`.
"""

import colorsys
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain, product
from pathlib import Path
from typing import Any, cast

import numpy as np
import tifffile
from numpy.typing import NDArray

from cellstack import __version__
from cellstack.core.planes import ComputedStack, Planes
from cellstack.core.types import Box, Spacing
from cellstack.errors import InputError
from cellstack.files.atomic import atomic_write
from cellstack.files.mapped import map_parts

SOFTWARE = f"cellstack {__version__}"
IMAGEJ_TYPES = ("uint8", "uint16", "float32")
# Above this size a classic TIFF cannot hold all pages, and few readers support the format in which
# ImageJ stores such stacks
LARGE_BYTES = 2**32 - 2**25
TILE = 512  # pixels: side of the tiles of compressed labels
MAX_BUFFERED = 2**25  # bytes of tiles or planes that tifffile collects before it writes them
GOLDEN_RATIO = 0.618034  # steps of the hue by it give colours that differ
UM_PER_CM = 1e4
SPACING_TOLERANCE = 0.01  # channels may differ by as much as a file and the sheet
SPACING_KEY = "spacing_zyx_um"  # exact values; the resolution tags of TIFF are rounded fractions


def write_stack(
    path: str | Path,
    stack: Planes,
    spacing: Spacing,
    display: tuple[float, float] | None = None,
    is_labels: bool = False,
) -> None:
    """Write a stack as an uncompressed TIFF, of which any part can be read.

    Parameters
    ----------
    path : path-like
    stack : (Z, Y, X) ndarray or planes
        A stack that is not in memory is read plane by plane, twice without `display`. Stacks of
        uint8, uint16 and float32 below 4 GB are written as ImageJ TIFF, which Fiji opens with the
        right scale, and all others as OME-TIFF, those above 4 GB as BigTIFF.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    display : (2,) tuple of float, optional
        The values that Fiji shows as black and white, such as (0, 1) for a mask. By default, the
        minimum and the maximum, or 0 and the maximum for labels.
    is_labels : bool
        Whether Fiji shows the values as labels, in different colours.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_stack(f"{folder}/raw.tif", np.zeros((5, 6, 7), np.uint16), (0.5, 0.2, 0.2))
    ...     stack, spacing = read_stack(f"{folder}/raw.tif")
    >>> stack.shape, stack.dtype.name, spacing
    ((5, 6, 7), 'uint16', (0.5, 0.2, 0.2))
    """
    z, y, x = (float(step) for step in spacing)
    is_large = _is_large(stack)
    with atomic_write(path) as temporary:
        if stack.dtype.name in IMAGEJ_TYPES and not is_large:
            metadata: dict[str, Any] = {
                "axes": "TZCYXS",
                "spacing": z,
                "unit": "um",
                SPACING_KEY: f"{z!r} {y!r} {x!r}",
            }
            low, high = display or _value_range(stack, is_labels)
            if low < high:
                metadata |= {"min": float(low), "max": float(high)}
            if is_labels:
                metadata |= {"mode": "color", "LUTs": [label_colors()]}
            planes, rows, columns = stack.shape
            # all six axes of ImageJ; otherwise tifffile reads a last axis of length 1 as S
            shape = (1, planes, 1, rows, columns, 1)
            tifffile.imwrite(
                temporary,
                _pixels(stack, shape),
                shape=shape,
                dtype=stack.dtype,
                buffersize=MAX_BUFFERED,
                imagej=True,
                byteorder="<",
                photometric="minisblack",
                resolution=(1 / x, 1 / y),
                software=SOFTWARE,
                metadata=metadata,
            )
        else:
            tifffile.imwrite(
                temporary,
                _pixels(stack, stack.shape),
                shape=stack.shape,
                dtype=stack.dtype,
                buffersize=MAX_BUFFERED,
                ome=True,
                bigtiff=is_large,
                photometric="minisblack",
                software=SOFTWARE,
                metadata=ome_metadata(path, stack, spacing),
                **_resolution(spacing),
            )


def _is_large(stack: Planes) -> bool:
    """Return whether a stack needs a BigTIFF."""
    return stack.size * int(stack.dtype.itemsize) >= LARGE_BYTES


def _pixels(stack: Planes, shape: Sequence[int]) -> np.ndarray | Iterator[np.ndarray]:
    """Return the data of a stack, in a given shape, or its planes if it is not in memory."""
    return stack.reshape(shape) if isinstance(stack, np.ndarray) else iter(stack)


def _value_range(stack: Planes, is_labels: bool) -> tuple[float, float]:
    """Return the smallest and the largest finite value, for labels from 0."""
    if stack.size == 0:
        return 0.0, 0.0
    low, high = 0.0 if is_labels else np.nan, np.nan
    for plane in stack:
        high = float(np.fmax(high, np.fmax.reduce(plane, axis=None)))
        if not is_labels:
            low = float(np.fmin(low, np.fmin.reduce(plane, axis=None)))
    return (low, high) if np.isfinite([low, high]).all() else (0.0, 0.0)


@cache
def label_colors() -> NDArray[np.uint8]:
    """Return a colour table of ImageJ, of shape (3, 256): black, then different colours."""
    colors = [(0.0, 0.0, 0.0)]
    for i in range(255):
        hue = i * GOLDEN_RATIO % 1
        colors.append(colorsys.hsv_to_rgb(hue, (1.0, 0.6, 0.8)[i % 3], (1.0, 1.0, 0.75)[i % 3]))
    return np.round(255 * np.array(colors).T).astype(np.uint8)


def _resolution(spacing: Spacing) -> dict[str, Any]:
    """Return the pixel size for readers that ignore the metadata of OME, such as ImageJ."""
    _, y, x = spacing
    return {"resolution": (UM_PER_CM / x, UM_PER_CM / y), "resolutionunit": "CENTIMETER"}


def write_labels(path: str | Path, labels: Planes, spacing: Spacing, threads: int = 1) -> None:
    """Write labels as a compressed OME-TIFF.

    Parameters
    ----------
    path : path-like
    labels : (Z, Y, X) ndarray or planes of uint16 or uint32
        0 is background. A stack that is not in memory is read plane by plane. Planes larger than
        512 x 512 pixels are divided into tiles, and stacks above 4 GB are written as BigTIFF.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    threads : int
        Number of threads for the compression. The file does not depend on it.
    """
    is_tiled = max(labels.shape[1:]) > TILE
    with atomic_write(path) as temporary:
        tifffile.imwrite(
            temporary,
            _tiles(labels) if is_tiled else _pixels(labels, labels.shape),
            shape=labels.shape,
            dtype=labels.dtype,
            ome=True,
            bigtiff=_is_large(labels),
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 1},
            tile=(TILE, TILE) if is_tiled else None,
            maxworkers=threads,
            buffersize=MAX_BUFFERED,
            software=SOFTWARE,
            metadata=ome_metadata(path, labels, spacing),
            **_resolution(spacing),
        )


def _tiles(stack: Planes) -> Iterator[np.ndarray]:
    """Yield the tiles of all planes; those at the edges are filled up with 0."""
    _, rows, columns = stack.shape
    for plane in stack:
        for y, x in product(range(0, rows, TILE), range(0, columns, TILE)):
            part = plane[y : y + TILE, x : x + TILE]
            margins = [(0, TILE - length) for length in part.shape]
            yield np.pad(part, margins)


def write_channels(
    path: str | Path,
    stack: np.ndarray | Sequence[Planes],
    spacing: Spacing,
    names: Sequence[str],
    *,
    axes: str = "ZCYX",
    title: str | None = None,
    compression: str | None = "zlib",
) -> None:
    """Write a stack with several channels as an OME-TIFF.

    Parameters
    ----------
    path : path-like
    stack : ndarray of uint8, uint16 or float32, or list of planes
        Its axes are those of `axes`. Channels that are not in memory are a list, and the first
        axis; they are read plane by plane.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    names : list of str
        Names of the channels.
    axes : {"ZCYX", "CZYX"}
    title : str, optional
        Name of the image, by default that of the file.
    compression : {"zlib", None}
    """
    data: np.ndarray | Iterator[np.ndarray]
    if isinstance(stack, np.ndarray):
        data = whole = stack
    else:  # an array of the same shape and type, without memory
        shape = (len(stack), *stack[0].shape)
        whole = np.broadcast_to(np.zeros((), stack[0].dtype), shape)
        data = chain.from_iterable(stack)
    metadata = ome_metadata(path, whole, spacing)
    metadata |= {"axes": axes, "Channel": {"Name": list(names)}}
    if title is not None:
        metadata["Name"] = title
    with atomic_write(path) as temporary:
        tifffile.imwrite(
            temporary,
            data,
            shape=whole.shape,
            dtype=whole.dtype,
            buffersize=MAX_BUFFERED,
            ome=True,
            bigtiff=_is_large(whole),
            photometric="minisblack",
            compression=compression,
            software=SOFTWARE,
            metadata=metadata,
            **_resolution(spacing),
        )


def ome_metadata(path: str | Path, stack: Planes, spacing: Spacing) -> dict[str, Any]:
    """Return the metadata of a stack for tifffile's OME-TIFF writer.

    Parameters
    ----------
    path : path-like
        The file. Its name becomes the name of the image.
    stack : ndarray or planes
        Its shape, its type and the name of the file determine the UUID, which tifffile would
        otherwise draw at random.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.

    Returns
    -------
    dict
        For a single channel with the axes Z, Y, X.
    """
    name = Path(path).name
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"cellstack/{name}/{stack.shape}/{stack.dtype}")
    sizes = {f"PhysicalSize{axis}": float(step) for axis, step in zip("ZYX", spacing, strict=True)}
    units = {f"{key}Unit": "µm" for key in sizes}
    return {
        "axes": "ZYX",
        "UUID": f"urn:uuid:{identity}",
        "Name": name,
        "Creator": SOFTWARE,
        **sizes,
        **units,
    }


def read_stack(
    path: str | Path, mapped: bool = False
) -> tuple[NDArray[Any], tuple[float, float, float]]:
    """Read a stack that cellstack wrote.

    Parameters
    ----------
    path : path-like
        A file written by :func:`write_stack` or :func:`write_labels`.
    mapped : bool
        Whether to map the file into memory, if it is not compressed, so that only the parts that
        are used are read. The array is then read-only.

    Returns
    -------
    stack : (Z, Y, X) ndarray
        In the type in which it was written.
    spacing : tuple of float
        Voxel size along z, y and x in um, exactly as it was given.
    """
    with tifffile.TiffFile(path) as tif:
        series = tif.series[0]
        memmap = "memmap" if mapped and series.keyframe.is_memmappable else None
        stack = series.asarray(squeeze=False, out=memmap)
        axes = series.get_axes(squeeze=False)
        stack = stack.reshape([stack.shape[axes.index(axis)] for axis in "ZYX"])
        stack = np.asarray(stack)  # slicing an ndarray is faster than slicing a memmap
        return stack, _spacing(tif)


def _spacing(tif: tifffile.TiffFile) -> tuple[float, float, float]:
    """Return the voxel size in a file that cellstack wrote."""
    if tif.imagej_metadata:
        z, y, x = (float(step) for step in tif.imagej_metadata[SPACING_KEY].split())
    else:
        description: Any = tifffile.xml2dict(str(tif.ome_metadata))
        pixels = description["OME"]["Image"]["Pixels"]
        z, y, x = (float(pixels[f"PhysicalSize{axis}"]) for axis in "ZYX")
    return z, y, x


def open_stack(path: str | Path) -> tuple[ComputedStack, tuple[float, float, float]]:
    """Open a stack that cellstack wrote, to read parts of it.

    Unlike those of a memory-mapped stack, parts that were read do not stay in memory.

    Parameters
    ----------
    path : path-like
        A file written by :func:`write_stack`, or one written by :func:`write_labels`, of which
        planes are read fast, and boxes slowly.

    Returns
    -------
    stack : ComputedStack
        In the type in which it was written.
    spacing : tuple of float
        Voxel size along z, y and x in um.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_stack(f"{folder}/a.tif", np.eye(4, dtype=np.uint8)[None], (0.5, 0.2, 0.2))
    ...     stack, spacing = open_stack(f"{folder}/a.tif")
    ...     stack[0, 1:3]
    array([[0, 1, 0, 0],
           [0, 0, 1, 0]], dtype=uint8)
    """
    with tifffile.TiffFile(path) as tif:
        series = tif.series[0]
        lengths = series.get_shape(squeeze=False)
        axes = series.get_axes(squeeze=False)
        shape = tuple(lengths[axes.index(axis)] for axis in "ZYX")
        spacing = _spacing(tif)
        if series.dataoffset is not None:
            dtype = series.dtype.newbyteorder(tif.byteorder)
            return map_parts(path, dtype, shape, series.dataoffset), spacing
        return ComputedStack(shape, series.dtype, _read_segments(path, series, shape)), spacing


def _read_segments(
    path: str | Path, series: tifffile.TiffPageSeries, shape: tuple[int, ...]
) -> Callable[[Box], NDArray[Any]]:
    """Return a function that decompresses the strips or tiles of a part of a stack."""
    keyframe = series.keyframe
    places = [(page.dataoffsets, page.databytecounts) for page in series.pages if page is not None]
    height, width = keyframe.rowsperstrip, shape[2]
    if keyframe.is_tiled:
        height, width = keyframe.tilelength, keyframe.tilewidth
    across = -(-shape[2] // width)
    decode = keyframe.decode

    def read(box: Box) -> NDArray[Any]:
        planes, *sides = (range(side.start, side.stop, side.step) for side in box)
        part = np.empty([len(planes), *map(len, sides)], series.dtype)
        rows, columns = (
            range(min(side, default=0) // size, max(side, default=-1) // size + 1)
            for side, size in zip(sides, (height, width), strict=True)
        )
        plane = np.empty(shape[1:], series.dtype)
        with Path(path).open("rb") as file:
            for target, z in zip(part, planes, strict=True):
                for row, column in product(rows, columns):
                    index = row * across + column
                    file.seek(places[z][0][index])
                    segment = cast(Any, decode(file.read(places[z][1][index]), index)[0])
                    place = plane[row * height :, column * width :][:height, :width]
                    place[...] = segment[0, : place.shape[0], : place.shape[1], 0]
                target[...] = plane[box[1], box[2]]
        return part

    return read


def open_channel(
    path: str | Path, labels: str | Path, shape: tuple[int, ...], spacing: Spacing
) -> ComputedStack:
    """Open a channel in which objects are measured or cut out, to read parts of it.

    Parameters
    ----------
    path : path-like
        A file written by :func:`write_stack`.
    labels : path-like
        The file of the objects, for messages.
    shape : (3,) tuple of int
        Shape of the objects' stack.
    spacing : (3,) sequence of float
        Voxel size of the objects' stack along z, y and x in um.

    Returns
    -------
    ComputedStack

    Raises
    ------
    InputError
        The channel has another shape or voxel size.
    """
    values, steps = open_stack(path)
    if values.shape != shape:
        raise InputError(
            f"{path} has shape {values.shape}, {labels} has shape {shape}: "
            "all channels of a stack need the same shape; crop or resample the image, and use the "
            "same import_stack.downsample for all"
        )
    if not np.allclose(steps, spacing, rtol=SPACING_TOLERANCE):
        raise InputError(
            f"{path} has voxels of {steps} um, {labels} of {spacing} um: "
            "all channels of a stack need the same voxel size; correct z_um, y_um and x_um in the "
            "sheet"
        )
    return values
