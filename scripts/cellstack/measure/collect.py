"""Concatenation of the tables of all stacks, with additional columns of the sheet."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from cellstack.errors import InputError

SheetCells: TypeAlias = Mapping[str, Mapping[str, object]]
"""Cells of the sheet by column, by ``"stack/object"``."""


def join_columns(
    headers: Iterable[list[str]], user_columns: SheetCells, after: str
) -> tuple[list[str], list[str]]:
    """Return the columns of a table that combines several tables and the sheet.

    Parameters
    ----------
    headers : iterable of list of str
        The columns of each table.
    user_columns : dict of str to dict of str to object
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
) -> Iterator[dict[str, object]]:
    """Concatenate the rows of several tables and add the cells of the sheet to each.

    Parameters
    ----------
    tables : iterable of iterable of dict of str to str
        The rows of each table, with the columns ``stack`` and ``object``.
    user_columns : dict of str to dict of str to object
        Cells of the sheet by column, by ``"stack/object"``.

    Yields
    ------
    dict of str to object
        The rows, in the order of the tables.
    """
    for rows in tables:
        for row in rows:
            yield {**row, **user_columns.get(f"{row['stack']}/{row['object']}", {})}
