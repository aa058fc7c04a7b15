"""Read the table of example objects of a classifier, and find all errors in it.

Imported when Snakemake parses the workflow, so it imports nothing heavy and opens no image.
"""

import math
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import TypeAlias, TypedDict

from cellstack.config import settings, sheet
from cellstack.config.corrections import COORDINATES
from cellstack.config.values import quote
from cellstack.files import spreadsheets

KEY = "config.classify_objects.examples"
REQUIRED = ("stack", "object", *COORDINATES, "class")
COLUMNS = (*REQUIRED, "note")  # in order
CLASS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


class Example(TypedDict):
    """An object whose class is known."""

    point: list[float]
    """A position in it along z, y, x in um; the centre of the first voxel is at 0."""
    name: str
    """Its class."""


Examples: TypeAlias = dict[str, dict[str, list[Example]]]
"""Examples in the order of the table, by kind of object and stack."""


def read_examples(
    path: str, kinds: Mapping[str, Collection[str]], *, check: bool
) -> tuple[Examples, list[str]]:
    """Read the table of examples.

    Parameters
    ----------
    path : str
        A table, see :func:`cellstack.files.spreadsheets.read_cells`.
    kinds : dict of str to collection of str
        Kinds of object that each stack of the sheet has a channel for, by stack.
    check : bool
        Whether to look for errors in the cells.

    Returns
    -------
    examples : dict
    errors : list of str
        One line per error, with row, value and fix. If there are any, there are no examples.
    """
    cells, errors = sheet.read_table(path, KEY, REQUIRED)
    if errors:
        return {}, errors
    table = [
        (number, {column.casefold(): cell for column, cell in row.items() if cell})
        for number, row in enumerate(cells, spreadsheets.FIRST_ROW)
        if row
    ]
    if check:
        errors = sheet.unknown_columns(path, cells, COLUMNS)
        for number, row in table:
            errors += [f"{path} row {number}: {error}" for error in _row_errors(row, kinds)]
        errors += _class_errors(path, [row for _, row in table])
    if errors:
        return {}, errors
    examples: Examples = {}
    for _, row in table:
        point = [spreadsheets.as_number(row[column]) for column in COORDINATES]
        stacks = examples.setdefault(row["object"], {})
        stacks.setdefault(row["stack"], []).append({"point": point, "name": row["class"]})
    return examples, []


def _row_errors(row: Mapping[str, str], kinds: Mapping[str, Collection[str]]) -> list[str]:
    """Return the errors of a row, without its place."""
    errors = [f"{name} is missing; fill it in" for name in REQUIRED if name not in row]
    stack, kind, name = row.get("stack"), row.get("object"), row.get("class")
    if stack is not None and stack not in kinds:
        errors.append(f"unknown stack {quote(stack)}; {settings.suggest(stack, kinds)}")
    if kind is not None and kind not in sheet.CHANNEL_OF:
        errors.append(f"unknown object {quote(kind)}; {settings.suggest(kind, sheet.CHANNEL_OF)}")
    elif kind is not None and stack is not None and kind not in kinds.get(stack, [kind]):
        errors.append(
            f"stack {quote(stack)} has no channel {sheet.CHANNEL_OF[kind]!r}, which shows "
            f"{kind}; correct the object, or delete the row"
        )
    if name is not None and not CLASS_NAME.fullmatch(name):
        errors.append(
            f"class {quote(name)} is not a valid name; use letters, digits and hyphens, beginning "
            "with a letter or digit"
        )
    for column in COORDINATES:
        number = math.nan
        with suppress(ValueError):
            number = spreadsheets.as_number(row.get(column, "0"))
        if not math.isfinite(number):
            errors.append(
                f"{column} {quote(row[column])} is not valid; give a number of um, with a decimal "
                "point"
            )
    return errors


def _class_errors(path: str, table: Collection[Mapping[str, str]]) -> list[str]:
    """Return an error for each kind of object that has examples of fewer than two classes."""
    classes: dict[str, set[str]] = {}
    for row in table:
        classes.setdefault(row.get("object", ""), set()).add(row.get("class", ""))
    errors = [
        f"{path}: all examples of {kind} have the class {next(iter(names))!r}; add examples of "
        "another class"
        for kind, names in classes.items()
        if kind in sheet.CHANNEL_OF and len(names) == 1
    ]
    return errors if table else [f"{path}: it has no examples; add rows, or remove {KEY}"]
