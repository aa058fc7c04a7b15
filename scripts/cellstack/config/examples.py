"""Read the table of example objects of a classifier, and find all errors in it.

Imported when Snakemake parses the workflow, so it imports nothing heavy and opens no image.
"""

import re
from collections.abc import Collection, Mapping
from typing import TypeAlias, TypedDict

from cellstack.config import sheet, table_rows
from cellstack.config.table_rows import COORDINATES, Cells
from cellstack.config.values import quote
from cellstack.files.spreadsheets import as_number

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
    table = table_rows.filled_cells(cells)
    if check:
        errors = sheet.unknown_columns(path, cells, COLUMNS)
        for number, row in table:
            errors += [f"{path} row {number}: {error}" for error in _row_errors(row, kinds)]
        errors += _class_errors(path, table)
    if errors:
        return {}, errors
    examples: Examples = {}
    for _, row in table:
        point = [as_number(row[column]) for column in COORDINATES]
        stacks = examples.setdefault(row["object"], {})
        stacks.setdefault(row["stack"], []).append({"point": point, "name": row["class"]})
    return examples, []


def _row_errors(row: Cells, kinds: Mapping[str, Collection[str]]) -> list[str]:
    """Return the errors of a row, without its place."""
    errors = table_rows.stack_errors(row, REQUIRED, kinds) + table_rows.object_errors(row, kinds)
    name = row.get("class")
    if name is not None and not CLASS_NAME.fullmatch(name):
        errors.append(
            f"class {quote(name)} is not a valid name; use letters, digits and hyphens, beginning "
            "with a letter or digit"
        )
    return errors + table_rows.number_errors(row, COORDINATES)


def _class_errors(path: str, table: Collection[tuple[int, Cells]]) -> list[str]:
    """Return an error for each kind of object that has examples of fewer than two classes."""
    classes: dict[str, set[str]] = {}
    for _, row in table:
        classes.setdefault(row.get("object", ""), set()).add(row.get("class", ""))
    errors = [
        f"{path}: all examples of {kind} have the class {next(iter(names))!r}; add examples of "
        "another class"
        for kind, names in classes.items()
        if kind in sheet.CHANNEL_OF and len(names) == 1
    ]
    return errors if table else [f"{path}: it has no examples; add rows, or remove {KEY}"]
