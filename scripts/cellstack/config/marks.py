"""Read the table of marks in figures, and find all errors in it.

Imported when Snakemake parses the workflow, so it imports nothing heavy and opens no image.
"""

import re
from collections.abc import Collection
from typing import TypeAlias, TypedDict

from cellstack.config import settings, sheet, table_rows
from cellstack.config.table_rows import COORDINATES, Cells
from cellstack.config.values import quote
from cellstack.files.spreadsheets import as_number

ARROW, BOX, TEXT = "arrow", "box", "text"
KINDS = (ARROW, BOX, TEXT)
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
    for number, row in table_rows.filled_cells(cells):
        found = _row_errors(row, stacks)
        errors += [f"{path} row {number}: {error}" for error in found]
        if not found:
            marks.setdefault(row["stack"], []).append(
                {
                    "kind": row["kind"],
                    "place_um": [as_number(row[column]) for column in COORDINATES],
                    "size_um": as_number(row[SIZE]),
                    "text": row.get("text", ""),
                    "color": row.get("color", DEFAULT_COLOR),
                }
            )
            rows.setdefault(row["stack"], []).append(number)
    return ({}, {}, errors) if errors else (marks, rows, [])


def _row_errors(row: Cells, stacks: Collection[str]) -> list[str]:
    """Return the errors of a row, without its place."""
    errors = table_rows.stack_errors(row, REQUIRED, stacks)
    kind, color = row.get("kind"), row.get("color", DEFAULT_COLOR)
    if kind is not None and kind not in KINDS:
        errors.append(f"unknown kind {quote(kind)}; {settings.suggest(kind, KINDS)}")
    if kind == TEXT and "text" not in row:
        errors.append("text is missing; fill it in, or use an arrow or a box")
    errors += table_rows.number_errors(row, COORDINATES, {SIZE: "a size"})
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
    """Return an error for each mark that is outside its stack.

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
    ['marks.csv row 2: y_um 9 is outside the stack; give a number from -0.25 to 3.75']
    """
    errors = []
    for mark, number in zip(marks, rows, strict=True):
        for column, at, size, step in zip(
            COORDINATES, mark["place_um"], shape, spacing, strict=True
        ):
            first, last = -step / 2, (size - 0.5) * step
            if not first <= at <= last:
                errors.append(
                    f"{path} row {number}: {column} {at:g} is outside the stack; "
                    f"give a number from {first:.4g} to {last:.4g}"
                )
    return errors
