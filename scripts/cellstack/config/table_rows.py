"""Errors in the rows of the tables besides the sheet: corrections, examples and marks.

Each row names a stack and a position in it. Imported when Snakemake parses the workflow, so it
imports nothing heavy.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import TypeAlias

from cellstack.config import settings, sheet
from cellstack.config.values import quote
from cellstack.files import spreadsheets

COORDINATES = ("z_um", "y_um", "x_um")

Cells: TypeAlias = dict[str, str]
"""The cells of a row that are not empty, by column in lower case."""


def filled_cells(rows: Iterable[Mapping[str, str]]) -> list[tuple[int, Cells]]:
    """Return the cells of each row that are not empty, with its number as in a spreadsheet.

    Empty rows are left out.

    Parameters
    ----------
    rows : iterable of dict
        From :func:`cellstack.config.sheet.read_table`.

    Examples
    --------
    >>> filled_cells([{}, {"Stack": "mouse1", "note": ""}])
    [(3, {'stack': 'mouse1'})]
    """
    return [
        (number, {column.casefold(): cell for column, cell in row.items() if column and cell})
        for number, row in enumerate(rows, spreadsheets.FIRST_ROW)
        if row
    ]


def stack_errors(row: Cells, required: Iterable[str], stacks: Collection[str]) -> list[str]:
    """Return the errors of a row that lacks a required cell or names an unknown stack."""
    errors = [f"{name} is missing; fill it in" for name in required if name not in row]
    stack = row.get("stack")
    if stack is not None and stack not in stacks:
        errors.append(f"unknown stack {quote(stack)}; {settings.suggest(stack, stacks)}")
    return errors


def object_errors(row: Cells, kinds: Mapping[str, Collection[str]]) -> list[str]:
    """Return the errors of a row whose kind of object is unknown, or not in its stack.

    Parameters
    ----------
    row : dict of str to str
    kinds : dict of str to collection of str
        Kinds of object that each stack of the sheet has a channel for, by stack.
    """
    stack, kind = row.get("stack"), row.get("object")
    if kind is not None and kind not in sheet.CHANNEL_OF:
        return [f"unknown object {quote(kind)}; {settings.suggest(kind, sheet.CHANNEL_OF)}"]
    if kind is not None and stack is not None and kind not in kinds.get(stack, [kind]):
        return [
            f"stack {quote(stack)} has no channel {sheet.CHANNEL_OF[kind]!r}, which shows "
            f"{kind}; correct the object, or delete the row"
        ]
    return []


def number_errors(
    row: Cells, columns: Iterable[str], above_0: Mapping[str, str] | None = None
) -> list[str]:
    """Return the errors of cells that are not numbers of um.

    Parameters
    ----------
    row : dict of str to str
    columns : iterable of str
        Columns of numbers of any sign. Empty cells are allowed.
    above_0 : dict of str to str, optional
        Columns of numbers above 0, with what they are.

    Examples
    --------
    >>> number_errors({"z_um": "-1", "size_um": "0"}, ["z_um"], {"size_um": "a size"})
    ["size_um '0' is not valid; give a size in um, above 0, with a decimal point"]
    """
    above_0 = above_0 or {}
    errors = []
    for column in (*columns, *above_0):
        if column not in row:
            continue
        number = math.nan
        with suppress(ValueError):
            number = spreadsheets.as_number(row[column])
        if not math.isfinite(number) or (column in above_0 and number <= 0):
            what = f"{above_0[column]} in um, above 0" if column in above_0 else "a number of um"
            errors.append(
                f"{column} {quote(row[column])} is not valid; give {what}, with a decimal point"
            )
    return errors
