"""CSV tables, read and written row by row as text.

No digit changes between reading and writing, and no table is held in memory. A single quote is
written before texts that a spreadsheet would run as formulas, and removed on reading. The csv
module is used because importing it takes a hundredth of the time of importing pandas, which matters
in jobs that run once per stack.
"""

import csv
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from cellstack.files.atomic import atomic_write

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
FORMULA_STARTS = ("=", "+", "-", "@")  # also as full-width and other variants
BREAKS = ("\t", "\r", "\n")
INVISIBLE = "\ufeff\u200b\0"  # characters that may precede a formula, as blanks may


def disarm(text: str) -> str:
    """Escape a text that a spreadsheet would run as a formula.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        The text with a single quote before it; unchanged if it is harmless or a plain number. A
        text that looks escaped gets another quote, so that :func:`restore` returns the original.

    References
    ----------
    .. [1] OWASP, "CSV Injection".

    Examples
    --------
    >>> disarm("=1+2"), disarm("-3"), disarm("control")
    ("'=1+2", '-3', 'control')
    """
    if text[:1].isalnum():  # nearly all cells
        return text
    return f"'{text}" if _is_formula(text.lstrip("'")) else text


def restore(text: str) -> str:
    """Return the text that :func:`disarm` escaped.

    Examples
    --------
    >>> restore("'=1+2"), restore("'a'")
    ('=1+2', "'a'")
    """
    return text[1:] if text[:1] == "'" and _is_formula(text.lstrip("'")) else text


def _is_formula(text: str) -> bool:
    bare = text.lstrip().lstrip(INVISIBLE).lstrip()
    starts = unicodedata.normalize("NFKC", bare[:1]).startswith(FORMULA_STARTS)
    return (starts or text.startswith(BREAKS)) and not NUMBER.fullmatch(text)


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
        reader = csv.DictReader(file)
        reader.fieldnames = [restore(name) for name in reader.fieldnames or ()]
        for row in reader:
            yield {
                column: restore(cell) if isinstance(cell, str) else cell
                for column, cell in row.items()
            }


def read_columns(path: str | Path) -> list[str]:
    """Return the names of the columns of a CSV table."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return [restore(name) for name in next(csv.reader(file))]


def write_rows(
    path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]
) -> None:
    """Write a CSV table row by row, atomically, with formulas escaped, see :func:`disarm`.

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
        plain = csv.DictWriter(file, columns, lineterminator="\n")
        quoted = csv.DictWriter(file, columns, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for row in itertools.chain([{name: name for name in columns}], rows):
            cells = {
                column: disarm(cell) if isinstance(cell, str) else cell
                for column, cell in row.items()
            }
            # the csv module does not quote a carriage return, and reads it as the end of a row
            returns = any(isinstance(cell, str) and "\r" in cell for cell in cells.values())
            (quoted if returns else plain).writerow(cells)


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
