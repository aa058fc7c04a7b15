"""Seed points set by hand, in the CSV format of napari."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cellstack.errors import InputError
from cellstack.files.tables import read_columns, read_rows

COLUMNS = ("axis-0", "axis-1", "axis-2")


def read_points(path: str | Path) -> NDArray[np.float64]:
    r"""Read the points of a points layer that napari saved as CSV.

    Parameters
    ----------
    path : path-like
        A table with the columns axis-0, axis-1 and axis-2 for z, y and x. Other columns, such as
        index, are ignored.

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
        columns = read_columns(path)
        rows = list(read_rows(path))
    except (StopIteration, UnicodeDecodeError):
        raise InputError(
            f"{path}: this is not a CSV table: save the points layer of napari as CSV"
        ) from None
    if not set(COLUMNS) <= set(columns) or "axis-3" in columns:
        raise InputError(
            f"{path}: the columns are {', '.join(columns)}: save the points of a 3D layer, with "
            f"the axes {', '.join(COLUMNS)} only"
        )
    points = np.array([_coordinates(path, number, row) for number, row in enumerate(rows, start=2)])
    return points.reshape(-1, len(COLUMNS))


def _coordinates(path: str | Path, line: int, row: Mapping[str, str]) -> list[float]:
    cells = [row[column] for column in COLUMNS]
    try:
        point = [float(cell) for cell in cells]
    except (TypeError, ValueError):  # None if the row is too short
        point = [np.nan]
    if not np.isfinite(point).all():
        raise InputError(f"{path}: line {line} has the coordinates {cells}: give three numbers")
    return point
