"""CSV tables, read and written row by row as text.

No digit changes between reading and writing, and no table is held in memory. The csv module is
used because importing it takes a hundredth of the time of importing pandas, which matters in jobs
that run once per stack.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from cellstack.files.atomic import atomic_write


def read_rows(path: str | Path) -> Iterator[dict[str, str]]:
    """Read a CSV table row by row.

    Parameters
    ----------
    path : path-like

    Yields
    ------
    dict of str to str
        Cells as text by column, in the order of the columns.
    """
    with Path(path).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def read_columns(path: str | Path) -> list[str]:
    """Return the names of the columns of a CSV table."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return next(csv.reader(file))


def write_rows(
    path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]
) -> None:
    """Write a CSV table row by row, atomically.

    Parameters
    ----------
    path : path-like
    columns : list of str
        Names of the columns.
    rows : iterable of dict of str to str
        Cells by column. Missing cells are left empty.

    Raises
    ------
    ValueError
        A row has a cell in a column that is not in `columns`.

    See Also
    --------
    as_text : Format the cells of a row.
    """
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def as_text(row: Mapping[str, object]) -> dict[str, str]:
    """Format the values of a row as text.

    Parameters
    ----------
    row : dict of str to object
        Text, numbers or None, by column.

    Returns
    -------
    dict of str to str
        Cells by column: floats with nine significant digits, None and NaN as empty cells.

    Examples
    --------
    >>> as_text({"label": 1, "volume_um3": 1 / 3, "group": None})
    {'label': '1', 'volume_um3': '0.333333333', 'group': ''}
    """
    return {column: _as_cell(value) for column, value in row.items()}


def _as_cell(value: object) -> str:
    if value is None or value != value:  # only NaN differs from itself
        return ""
    return f"{value:.9g}" if isinstance(value, float) else str(value)
