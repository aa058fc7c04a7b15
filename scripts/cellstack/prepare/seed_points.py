"""Seed points set by hand, in the CSV format of napari."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cellstack.errors import InputError
from cellstack.files import spreadsheets

COLUMNS = ("axis-0", "axis-1", "axis-2")


def read_points(path: str | Path) -> NDArray[np.float64]:
    r"""Read the points of a points layer that napari saved as CSV.

    Parameters
    ----------
    path : path-like
        A table, see :func:`cellstack.files.spreadsheets.read_cells`, with the columns axis-0,
        axis-1 and axis-2 for z, y and x. Other columns, such as index, are ignored.

    Returns
    -------
    (n, 3) ndarray of float
        In the units of the file.

    Raises
    ------
    InputError
        The file is missing or not such a table, has a fourth axis, or a coordinate is not a finite
        number.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "points.csv"
    ...     _ = path.write_text("index,axis-0,axis-1,axis-2\n0,1.5,20,30\n")
    ...     read_points(path)
    array([[ 1.5, 20. , 30. ]])
    """
    if not Path(path).is_file():
        raise InputError(
            f"{path}: there is no such file: save the seed points there, or choose another method "
            "of find_seeds"
        )
    try:
        columns, *lines = spreadsheets.read_cells(str(path))
    except (OSError, ValueError, csv.Error):
        raise InputError(
            f"{path}: this is not a CSV table: save the points layer of napari as CSV"
        ) from None
    if not set(COLUMNS) <= set(columns) or "axis-3" in columns:
        raise InputError(
            f"{path}: the columns are {', '.join(columns)}: save the points of a 3D layer, with "
            f"the axes {', '.join(COLUMNS)} only"
        )
    points = [
        _coordinates(path, number, columns, line)
        for number, line in enumerate(lines, spreadsheets.FIRST_ROW)
        if any(line)
    ]
    return np.array(points, float).reshape(-1, len(COLUMNS))


def _coordinates(
    path: str | Path, number: int, columns: Sequence[str], line: Sequence[str]
) -> list[float]:
    row = dict(zip(columns, line, strict=False))
    cells = [row.get(column, "") for column in COLUMNS]
    try:
        point = [spreadsheets.as_number(cell) for cell in cells]
    except ValueError:
        point = [np.nan]
    if not np.isfinite(point).all() or any(line[len(columns) :]):
        raise InputError(
            f"{path}: line {number} has the cells {', '.join(line)}: give three coordinates with a "
            "decimal point, and a cell for each column"
        )
    return point
