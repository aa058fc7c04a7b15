"""Tables as text, read and written row by row, so that no digit changes and no table is held in memory.

The csv module is enough for it, and starts in a hundredth of the time of pandas, which counts in jobs that run once per stack.
"""

import csv
from pathlib import Path

from cellstack import whole_files


def read_rows(path):
    """Read a CSV table row by row, all cells as text.

    Parameters
    ----------
    path : path-like
        The table.

    Yields
    ------
    dict of str to str
        Cells by column, in the order of the columns.
    """
    with Path(path).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def read_columns(path):
    """Read the names of the columns of a CSV table."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return next(csv.reader(file))


def write_rows(path, columns, rows):
    """Write a CSV table row by row.

    Parameters
    ----------
    path : path-like
        The table; it appears when it is complete.
    columns : list of str
        Its header.
    rows : iterable of dict of str to str
        Cells by column; one that is missing is left empty.
    """
    with whole_files.whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def as_text(row):
    """Turn the values of a row into text: floats with nine significant digits, None and not-a-number as an empty cell.

    Parameters
    ----------
    row : dict of str to object
        Text, numbers or None by column.

    Returns
    -------
    dict of str to str
        The cells.
    """
    return {column: _as_cell(value) for column, value in row.items()}


def _as_cell(value):
    if value is None or value != value:  # only not-a-number differs from itself
        return ""
    return f"{value:.9g}" if isinstance(value, float) else str(value)
