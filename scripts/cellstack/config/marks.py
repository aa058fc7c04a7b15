"""Read the table of marks in figures, and find all errors in it.

Imported when Snakemake parses the workflow, so it imports nothing heavy and opens no image.
"""

import math
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import TypeAlias, TypedDict

from cellstack.config import settings, sheet
from cellstack.config.values import quote
from cellstack.files import spreadsheets

ARROW, BOX, TEXT = "arrow", "box", "text"
KINDS = (ARROW, BOX, TEXT)
COORDINATES = ("z_um", "y_um", "x_um")
SIZE = "size_um"
REQUIRED = ("stack", "kind", *COORDINATES, SIZE)
COLUMNS = (*REQUIRED, "text", "color", "note")
COLORS = ("white", "black", "yellow", "orange", "red", "magenta", "cyan", "lime", "blue")
HEX_COLOR = "#[0-9A-Fa-f]{6}"
DEFAULT_COLOR = "yellow"


class Mark(TypedDict):
    """A mark in the figures of a stack."""

    kind: str
    """One of :data:`KINDS`."""
    place_um: list[float]
    """Position along z, y, x in um; the centre of the first voxel is at 0."""
    size_um: float
    """Length of an arrow, side of a box. Planes up to half of it away show the mark."""
    text: str
    color: str


Marks: TypeAlias = dict[str, list[Mark]]
"""Marks in the order of the table, by stack."""
Rows: TypeAlias = dict[str, list[int]]
"""The row of each of the :data:`Marks`, counted as in a spreadsheet."""


def read_marks(path: str, stacks: Collection[str]) -> tuple[Marks, Rows, list[str]]:
    """Read the table of marks.

    Parameters
    ----------
    path : str
        A table, see :func:`cellstack.files.spreadsheets.read_cells`.
    stacks : collection of str
        Names of the stacks of the sheet.

    Returns
    -------
    marks : dict
    rows : dict
    errors : list of str
        One line per error, with row, value and fix. If there are any, there are no marks.
    """
    cells, errors = sheet.read_table(path, "config.figures.marks", REQUIRED)
    if errors:
        return {}, {}, errors
    errors = sheet.unknown_columns(path, cells, COLUMNS)
    marks: Marks = {}
    rows: Rows = {}
    for number, line in enumerate(cells, spreadsheets.FIRST_ROW):
        if not line:
            continue
        row = {column.casefold(): cell for column, cell in line.items() if column and cell}
        found = _row_errors(row, stacks)
        errors += [f"{path} row {number}: {error}" for error in found]
        if not found:
            marks.setdefault(row["stack"], []).append(
                {
                    "kind": row["kind"],
                    "place_um": [spreadsheets.as_number(row[column]) for column in COORDINATES],
                    "size_um": spreadsheets.as_number(row[SIZE]),
                    "text": row.get("text", ""),
                    "color": row.get("color", DEFAULT_COLOR),
                }
            )
            rows.setdefault(row["stack"], []).append(number)
    return ({}, {}, errors) if errors else (marks, rows, [])


def _row_errors(row: Mapping[str, str], stacks: Collection[str]) -> list[str]:
    """Return the errors of a row, without its place."""
    errors = [f"{name} is missing; fill it in" for name in REQUIRED if name not in row]
    stack, kind, color = row.get("stack"), row.get("kind"), row.get("color", DEFAULT_COLOR)
    if stack is not None and stack not in stacks:
        errors.append(f"unknown stack {quote(stack)}; {settings.suggest(stack, stacks)}")
    if kind is not None and kind not in KINDS:
        errors.append(f"unknown kind {quote(kind)}; {settings.suggest(kind, KINDS)}")
    if kind == TEXT and "text" not in row:
        errors.append("text is missing; fill it in, or use an arrow or a box")
    for column in (*COORDINATES, SIZE):
        if column not in row:
            continue
        number = math.nan
        with suppress(ValueError):
            number = spreadsheets.as_number(row[column])
        if not math.isfinite(number) or (column == SIZE and number <= 0):
            what = "a size in um, above 0" if column == SIZE else "a number of um"
            errors.append(
                f"{column} {quote(row[column])} is not valid; give {what}, with a decimal point"
            )
    if color not in COLORS and not re.fullmatch(HEX_COLOR, color):
        errors.append(
            f"unknown color {quote(color)}; {settings.suggest(color, COLORS)}; "
            "or give it as #rrggbb"
        )
    return errors


def place_errors(
    path: str,
    marks: list[Mark],
    rows: list[int],
    shape: tuple[int, ...],
    spacing: tuple[float, ...],
) -> list[str]:
    """Return an error for each mark that is outside of its stack.

    Parameters
    ----------
    path : str
        Of the table.
    marks, rows : list
        Marks of a stack, and the row of each.
    shape : (3,) tuple of int
    spacing : (3,) tuple of float
        Voxel size along z, y, x in um.

    Examples
    --------
    >>> mark = {"kind": "box", "place_um": [0, 9, 2], "size_um": 1, "text": "", "color": "red"}
    >>> place_errors("marks.csv", [mark], [2], (4, 8, 8), (1.0, 0.5, 0.5))
    ['marks.csv row 2: y_um 9 is outside of the stack; give a number from -0.25 to 3.75']
    """
    errors = []
    for mark, number in zip(marks, rows, strict=True):
        for column, at, size, step in zip(
            COORDINATES, mark["place_um"], shape, spacing, strict=True
        ):
            first, last = -step / 2, (size - 0.5) * step
            if not first <= at <= last:
                errors.append(
                    f"{path} row {number}: {column} {at:g} is outside of the stack; "
                    f"give a number from {first:.4g} to {last:.4g}"
                )
    return errors
