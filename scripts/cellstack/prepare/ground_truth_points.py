"""Ground truth as points: a table with the centre of each object."""

import csv
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cellstack.core.labels import label_type
from cellstack.core.types import Labels, Spacing
from cellstack.errors import InputError
from cellstack.files import spreadsheets

log = logging.getLogger(__name__)

VOXELS, MICROMETRES, NAPARI = (
    ("z", "y", "x"),
    ("z_um", "y_um", "x_um"),
    ("axis-0", "axis-1", "axis-2"),
)
FOURTH_AXIS = "axis-3"  # of napari
TIMES = ("t", "time", "timepoint", "frame")  # columns with the time point of a point


def read_points(path: str | Path, spacing: Spacing) -> NDArray[np.float64]:
    r"""Read the centres of objects.

    Parameters
    ----------
    path : path-like
        A table with a row per object, separated by commas if its name ends in .csv, by tabs if it
        ends in .tsv. Its columns are z, y and x in voxels, or z_um, y_um and x_um in um, or those
        of a points layer of napari: axis-0, axis-1 and axis-2 in voxels. Other columns are ignored.
    spacing : (3,) sequence of float
        Voxel size of the image along z, y, x in um.

    Returns
    -------
    (n, 3) ndarray of float
        In voxels of the image; the centre of the first voxel is at 0.

    Raises
    ------
    InputError
        The file is not such a table, or a coordinate is not a finite number.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "points.csv"
    ...     _ = path.write_text("z_um,y_um,x_um\n3,1,0.5\n")
    ...     read_points(path, (2.0, 0.5, 0.25))
    array([[1.5, 2. , 2. ]])
    """
    try:
        header, *lines = spreadsheets.read_cells(str(path))
    except (OSError, ValueError, csv.Error) as error:
        reason = str(error).strip().replace("\n", " ")
        raise InputError(
            f"{path}: is not a text table in UTF-8 ({reason}): save the points as .csv "
            "separated by commas, or as .tsv separated by tabs"
        ) from None
    names = [name.casefold() for name in header]
    columns = _find_columns(path, names)
    _check_lines(path, names, lines, columns)
    points = np.array(
        [
            _coordinates(path, number, dict(zip(names, line, strict=False)), columns)
            for number, line in enumerate(lines, spreadsheets.FIRST_ROW)
            if any(line)
        ],
        float,
    ).reshape(-1, 3)
    return points / np.asarray(spacing) if columns == MICROMETRES else points


def _find_columns(path: str | Path, names: Sequence[str]) -> tuple[str, str, str]:
    """Return the names of the columns with the coordinates."""
    found = [columns for columns in (VOXELS, MICROMETRES, NAPARI) if set(columns) <= set(names)]
    if len(found) > 1:
        raise InputError(
            f"{path}: the header has {', '.join(found[0])} and {', '.join(found[1])}: keep only "
            "one of them"
        )
    if not found or FOURTH_AXIS in names:
        known = [", ".join(columns) for columns in (VOXELS, MICROMETRES, NAPARI)]
        raise InputError(
            f"{path}: the columns are {', '.join(names)}: give the centres of objects in the "
            f"columns {known[0]} (voxels), or {known[1]} (um), or {known[2]} as saved by napari "
            "from a 3D layer"
        )
    return found[0]


def _check_lines(
    path: str | Path, names: Sequence[str], lines: Sequence[list[str]], columns: Sequence[str]
) -> None:
    """Raise an error if cells can belong to another column, or points to another time point."""
    twice = [column for column in columns if names.count(column) > 1]
    if twice:
        raise InputError(f"{path}: has the column {twice[0]} twice: keep only one of them")
    for number, line in enumerate(lines, spreadsheets.FIRST_ROW):
        if any(line[len(names) :]):
            raise InputError(
                f"{path}: row {number} has more cells than the header: write numbers with a "
                "decimal point, or separate the cells by semicolons"
            )
    for place, name in enumerate(names):
        times = {line[place] for line in lines if name in TIMES and place < len(line)}
        if len(times - {""}) > 1:
            raise InputError(
                f"{path}: has points of {len(times - {''})} time points in the column {name}: keep "
                "those of the time point of the stack"
            )


def _coordinates(
    path: str | Path, number: int, row: Mapping[str, str], columns: Sequence[str]
) -> list[float]:
    cells = [row.get(column, "") for column in columns]
    try:
        point = [spreadsheets.as_number(cell) for cell in cells]
    except ValueError:
        point = [np.nan]
    if not np.isfinite(point).all():
        raise InputError(
            f"{path}: row {number} has the coordinates {', '.join(cells) or 'none'}: give three "
            "numbers, with a decimal point"
        )
    return point


def label_points(
    points: NDArray[np.float64],
    name: str,
    *,
    stack_name: str,
    stack_shape: Sequence[int],
    downsample: Sequence[int],
) -> Labels:
    """Return an image with a different label in the voxel of each point.

    Parameters
    ----------
    points : (n, 3) ndarray of float
        In voxels of the image before downsampling. A point belongs to the voxel with the nearest
        centre.
    name, stack_name : str
        Names of the table and the stack in messages.
    stack_shape : (3,) sequence of int
        Shape of the stack, which was downsampled by the same factors.
    downsample : (3,) sequence of int
        Factors along z, y, x.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        Labels 1..n, in the order of the points. Points in incomplete blocks of voxels, which
        downsampling drops, are left out and logged.

    Raises
    ------
    InputError
        Points lie outside the stack, or two of them in the same voxel.

    Examples
    --------
    >>> points = np.array([[0, 0, 3.0], [0, 0, 1.4]])
    >>> names = {"name": "a.csv", "stack_name": "raw.tif"}
    >>> label_points(points, **names, stack_shape=(1, 1, 2), downsample=(1, 1, 2))
    array([[[2, 1]]], dtype=uint16)
    """
    shape, factors = np.asarray(stack_shape), np.asarray(downsample)
    voxels = np.floor(points + 0.5)
    # the image can have up to one incomplete block more than the stack along each axis
    outside = ((voxels < 0) | (voxels >= shape * factors + factors - 1)).any(axis=1)
    if outside.any():
        first = int(np.flatnonzero(outside)[0])
        number = first + spreadsheets.FIRST_ROW
        point = ", ".join(f"{coordinate:g}" for coordinate in points[first])
        size = ", ".join(map(str, shape * factors))
        raise InputError(
            f"{name}: {np.count_nonzero(outside)} of {len(points)} points lie outside {stack_name} "
            f"of {size} voxels along z, y, x, the first in row {number} at {point}: correct "
            "these rows, or the names of the columns if the unit or the order is another"
        )
    blocks = voxels.astype(int) // factors
    inside = (blocks < shape).all(axis=1)
    if not inside.all():
        log.warning(
            "%s: %d of %d points are left out, because downsampling drops their voxels",
            name,
            np.count_nonzero(~inside),
            len(points),
        )
    labels: Labels = np.zeros(stack_shape, label_type(len(points)))
    rows = np.flatnonzero(inside)
    for label, (row, block) in enumerate(zip(rows, blocks[inside], strict=True), 1):
        place = tuple(block)
        if labels[place]:
            other = rows[labels[place] - 1] + spreadsheets.FIRST_ROW
            raise InputError(
                f"{name}: the points in rows {other} and {row + spreadsheets.FIRST_ROW} lie in the "
                "same voxel: keep one point for each object"
            )
        labels[place] = label
    return labels
