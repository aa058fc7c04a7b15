"""Concatenation of the tables of all stacks, with additional columns of the sheet.

The text of the sheet is escaped, so that a spreadsheet does not run it as a formula.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from cellstack.errors import InputError

SheetCells: TypeAlias = Mapping[str, Mapping[str, str]]
"""Cells of the sheet by column, by ``"stack/object"``."""

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def disarm(text: str) -> str:
    """Escape a text that a spreadsheet would run as a formula.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        The text after a single quote; unchanged if it is harmless or a plain number.

    References
    ----------
    .. [1] OWASP, "CSV Injection".

    Examples
    --------
    >>> disarm("=1+2"), disarm("-3"), disarm("control")
    ("'=1+2", '-3', 'control')
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(text) else text


def disarm_sheet(user_columns: Mapping[str, Mapping[str, object]]) -> SheetCells:
    """Escape the names and cells of the user's columns, see :func:`disarm`.

    Parameters
    ----------
    user_columns : dict of str to dict of str to object
        Cells of the sheet by column, by ``"stack/object"``.

    Returns
    -------
    dict of str to dict of str to str
    """
    return {
        key: {disarm(name): disarm(str(value)) for name, value in cells.items()}
        for key, cells in user_columns.items()
    }


def join_columns(
    headers: Iterable[list[str]], user_columns: SheetCells, after: str
) -> tuple[list[str], list[str]]:
    """Return the columns of a table that combines several tables and the sheet.

    Parameters
    ----------
    headers : iterable of list of str
        The columns of each table.
    user_columns : dict of str to dict of str to str
        Cells of the sheet by column, by ``"stack/object"``.
    after : str
        The column after which those of the sheet are inserted.

    Returns
    -------
    columns : list of str
        All columns, in the order in which they first occur.
    from_sheet : list of str
        The columns of the sheet.

    Raises
    ------
    InputError
        A column of the sheet has the name of a column of the tables.

    Examples
    --------
    >>> headers = [["stack", "volume"], ["stack", "area"]]
    >>> join_columns(headers, {"a/nuclei": {"mouse": "7"}}, after="stack")
    (['stack', 'mouse', 'volume', 'area'], ['mouse'])
    """
    columns = list(dict.fromkeys(name for header in headers for name in header))
    from_sheet = list(dict.fromkeys(name for cells in user_columns.values() for name in cells))
    for name in from_sheet:
        if name in columns:
            raise InputError(
                f"the sheet has a column {name!r}, which is also a column of the results: "
                "rename it in the sheet"
            )
    place = columns.index(after) + 1
    return columns[:place] + from_sheet + columns[place:], from_sheet


def join_rows(
    tables: Iterable[Iterable[Mapping[str, str]]], user_columns: SheetCells
) -> Iterator[dict[str, str]]:
    """Concatenate the rows of several tables and add the cells of the sheet to each.

    Parameters
    ----------
    tables : iterable of iterable of dict of str to str
        The rows of each table, with the columns ``stack`` and ``object``.
    user_columns : dict of str to dict of str to str
        Cells of the sheet by column, by ``"stack/object"``.

    Yields
    ------
    dict of str to str
        The rows, in the order of the tables.
    """
    for rows in tables:
        for row in rows:
            yield {**row, **user_columns.get(f"{row['stack']}/{row['object']}", {})}
