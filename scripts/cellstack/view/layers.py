"""The layers of a viewer that show a stack: channels, objects, flags, seeds and masks.

They are described as tuples, as in plugins of napari, but napari is not imported.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellstack.core.types import Spacing
from cellstack.errors import InputError
from cellstack.files.stacks import read_stack
from cellstack.files.tables import read_rows

Layer: TypeAlias = tuple[Any, dict[str, Any], str]
"""Data, properties and type of a layer, such as ``"image"``."""
Features: TypeAlias = dict[str, list[Any]]
"""Columns of the table of a layer of labels, with the label in the column ``index``."""

KINDS = ("nuclei", "cells")
COLORS = {"nuclei": "cyan", "membrane": "magenta"}
OTHER_COLORS = ("yellow", "green", "red", "blue")
CONTRAST_PERCENTILES = (0.5, 99.8)
MAX_VALUES = 1_000_000  # of a channel, from which the contrast is computed
SIZE_OF_POINT = 0.3  # of the diameter of an object
HIDDEN = {"seeds.tif": "seeds", "mask_clean.tif": "mask", "background.tif": "background"}


def stack_layers(folder: str | Path) -> list[Layer]:
    """Return the layers that show the results of a stack.

    Parameters
    ----------
    folder : path-like
        Folder of the stack in the results, such as ``results/mouse1``.

    Returns
    -------
    list of tuple
        From bottom to top. All have the voxel size in um as their scale, so positions are in um;
        the centre of the first voxel is at 0.

    Raises
    ------
    InputError
        The folder has no channels.
    """
    folder = Path(folder)
    channels = sorted((folder / "channels").glob("*/raw.tif"), key=_order)
    if not channels:
        raise InputError(
            f"{folder}: has no channels; give the folder of a stack, such as results/STACK, after "
            "a run of the workflow"
        )
    layers = [_channel(path, number) for number, path in enumerate(channels)]
    for kind in KINDS:
        layers += _objects(folder / kind, kind)
    return layers


def _order(path: Path) -> tuple[bool, str]:
    """Order channels by name, after those in which objects are segmented."""
    return path.parent.name not in COLORS, path.parent.name


def _channel(path: Path, number: int) -> Layer:
    stack, spacing = read_stack(path, mapped=True)
    name = path.parent.name
    step = max(1, stack.size // MAX_VALUES)
    values = stack.reshape(-1)[::step]
    low, high = np.percentile(values[np.isfinite(values)], CONTRAST_PERCENTILES).tolist()
    properties = {
        "colormap": COLORS.get(name, OTHER_COLORS[number % len(OTHER_COLORS)]),
        "contrast_limits": (low, high if high > low else low + 1),
        "blending": "additive",
    }
    return stack, _common(name, spacing) | properties, "image"


def _common(name: str, spacing: Spacing) -> dict[str, Any]:
    return {"name": name, "scale": tuple(spacing), "units": ("um",) * 3}


def _objects(folder: Path, kind: str) -> list[Layer]:
    """Return the layers of one kind of object; none if it was not looked for."""
    layers: list[Layer] = []
    for file, name in HIDDEN.items():
        if (folder / file).exists():
            image, spacing = read_stack(folder / file)
            properties = _common(f"{kind} {name}", spacing) | {"visible": False}
            layers.append((image, properties, "labels"))
    if not (folder / "segmentation.tif").exists():
        return layers
    segmentation, spacing = read_stack(folder / "segmentation.tif")
    rows = list(read_rows(folder / "objects.csv")) if (folder / "objects.csv").exists() else []
    if (folder / "labels.ome.tif").exists():
        labels = read_stack(folder / "labels.ome.tif")[0]
        properties = _common(f"{kind} measured", spacing) | {"visible": False, "opacity": 0.5}
        layers.append((labels, properties | {"features": _features(rows, "label")}, "labels"))
    properties = _common(f"{kind} segmentation", spacing) | {"opacity": 0.5}
    table = _features(rows, "segmentation_label")
    layers.append((segmentation, properties | {"features": table}, "labels"))
    flagged = [row for row in rows if row["flags"]]
    if flagged:
        centroids = [[float(row[f"centroid_{axis}_um"]) for axis in "zyx"] for row in flagged]
        diameter = np.median([float(row["equivalent_diameter_um"]) for row in flagged])
        features = {name: [row[name] for row in flagged] for name in ("label", "flags")}
        layers.append(_points(f"{kind} flagged", centroids, spacing, features, diameter, "yellow"))
    record = folder / "corrections.csv"
    summary = folder / "summary.csv"
    # the record is kept when all corrections are undone
    undone = summary.exists() and any(
        row.get("count_corrections") == "0" for row in read_rows(summary)
    )
    unfit = [
        row
        for row in (read_rows(record) if record.exists() and not undone else ())
        if row["status"] == "not applied"
    ]
    if unfit:
        places = [[float(row[f"{axis}_um"]) for axis in "zyx"] for row in unfit]
        reasons = {"flags": [f"{row['action']}: {row['reason']}" for row in unfit]}
        name = f"{kind} corrections not applied"
        layers.append(_points(name, places, spacing, reasons, 10 * min(spacing), "red"))
    return layers


def _points(
    name: str,
    places_um: Sequence[Sequence[float]],
    spacing: Spacing,
    features: Mapping[str, Sequence[str]],
    diameter_um: float,
    color: str,
) -> Layer:
    """Return a layer of points with their flags as texts."""
    properties = {
        "features": features,
        "text": {"string": "{flags}", "color": color, "size": 9, "anchor": "upper_left"},
        "size": SIZE_OF_POINT * diameter_um / min(spacing),
        "face_color": "transparent",
        "border_color": color,
        "projection_mode": "all",  # shown on the planes near them too, see `add_layers`
    }
    return np.array(places_um) / spacing, _common(name, spacing) | properties, "points"


def _features(rows: Sequence[Mapping[str, str]], label: str) -> Features:
    """Return the table of measured objects by column, with numbers if all cells are numbers."""
    columns: Features = {"index": [int(row[label]) for row in rows]}
    for name in rows[0] if rows else ():
        cells = [row[name] for row in rows]
        try:
            columns[name] = [float(cell) if cell else np.nan for cell in cells]
        except ValueError:
            columns[name] = cells
    return columns


def colors_by(
    index: Sequence[int], values: Sequence[float]
) -> dict[int | None, NDArray[np.float64]]:
    """Return a colour for each label, from blue for the lowest value to yellow for the highest.

    Parameters
    ----------
    index : sequence of int
        Labels.
    values : sequence of float
        Their values; NaN is grey.

    Returns
    -------
    dict of int to (4,) ndarray of float
        Red, green, blue and opacity by label; for None, the colour of other labels.

    Examples
    --------
    >>> colors = colors_by([1, 2], [10.0, 20.0])
    >>> colors[1].round(1).tolist(), colors[None].tolist()
    ([0.3, 0.0, 0.3, 1.0], [0.5, 0.5, 0.5, 0.5])
    """
    from matplotlib import colormaps

    numbers = np.asarray(values, float)
    known = np.isfinite(numbers)
    low, high = (numbers[known].min(), numbers[known].max()) if known.any() else (0.0, 0.0)
    scaled = (numbers - low) / (high - low if high > low else 1.0)
    grey = np.full(4, 0.5)
    colors: dict[int | None, NDArray[np.float64]] = {None: grey, 0: np.zeros(4)}
    for label, value in zip(index, scaled.tolist(), strict=True):
        colors[label] = np.array(colormaps["viridis"](value)) if np.isfinite(value) else grey
    return colors
