"""Tables of many stacks joined to one, row by row, with the user's own columns; text that a spreadsheet would run is disarmed."""

import re

from cellstack.errors import InputError

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def disarm(text):
    """Put a single quote before a text that a spreadsheet would run as a formula.

    Parameters
    ----------
    text : str
        A text of the user.

    Returns
    -------
    str
        `text` itself where it is harmless or a plain number.

    References
    ----------
    .. [1] OWASP, "CSV Injection".
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(text) else text


def disarm_sheet(user_columns):
    """Make the user's own columns safe for a spreadsheet.

    Parameters
    ----------
    user_columns : dict of str to dict of str to str
        Cells by column, by ``"stack/object"``.

    Returns
    -------
    dict of str to dict of str to str
        The same, names and cells through :func:`disarm`.
    """
    return {key: {disarm(name): disarm(str(value)) for name, value in cells.items()} for key, cells in user_columns.items()}


def join_columns(headers, user_columns, after):
    """Unite the columns of several tables and of the sheet.

    Parameters
    ----------
    headers : iterable of list of str
        The columns of each table.
    user_columns : dict of str to dict of str to str
        Cells of the sheet by column, by ``"stack/object"``.
    after : str
        The column that those of the sheet follow.

    Returns
    -------
    columns : list of str
        All columns, each where it is met first.
    own : list of str
        Those that come from the sheet.

    Raises
    ------
    InputError
        If a column of the sheet bears the name of one in the tables.
    """
    columns = list(dict.fromkeys(name for header in headers for name in header))
    own = list(dict.fromkeys(name for cells in user_columns.values() for name in cells))
    for name in own:
        if name in columns:
            raise InputError(f"the sheet's column {name!r} bears the name of a column of the results: rename it in the sheet")
    place = columns.index(after) + 1
    return columns[:place] + own + columns[place:], own


def join_rows(tables, user_columns):
    """Add the cells of the sheet to the rows of several tables, one after the other.

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
            yield row | user_columns.get(f"{row['stack']}/{row['object']}", {})
