"""Seed points that were set by hand, as napari writes them."""

from pathlib import Path

import numpy as np

from cellstack import table_io
from cellstack.errors import InputError

COLUMNS = ("axis-0", "axis-1", "axis-2")


def read_points(path):
    """Read the points of a layer that napari saved as CSV.

    Parameters
    ----------
    path : path-like
        A table with the columns axis-0, axis-1 and axis-2 for z, y and x; others, such as index, are not read.

    Returns
    -------
    (N, 3) ndarray of float64
        In the units of the file.

    Raises
    ------
    InputError
        There is no such file, it is no such table, it has a fourth axis, or a coordinate is not a finite number.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such file: save the seed points there, or choose another method of find_seeds")
    try:
        columns = table_io.read_columns(path)
        rows = list(table_io.read_rows(path))
    except (StopIteration, UnicodeDecodeError):
        raise InputError(f"{path}: this is no CSV table: save the points layer of napari as CSV") from None
    if not set(COLUMNS) <= set(columns) or "axis-3" in columns:
        raise InputError(
            f"{path}: the columns are {', '.join(columns)}: save points of a 3D layer, with {', '.join(COLUMNS)} and no more axes"
        )
    points = np.array([_coordinates(path, number, row) for number, row in enumerate(rows, start=2)])
    return points.reshape(-1, len(COLUMNS))


def _coordinates(path, number, row):
    cells = [row[column] for column in COLUMNS]
    try:
        point = [float(cell) for cell in cells]
    except (TypeError, ValueError):  # None where the row is short
        point = [np.nan]
    if not np.isfinite(point).all():
        raise InputError(f"{path}: line {number} has the coordinates {cells}: give three numbers")
    return point
