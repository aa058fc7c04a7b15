"""Read the table of corrections, and find all errors in it.

Imported when Snakemake parses the workflow, so it imports nothing heavy and opens no image.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias, TypedDict

from cellstack.config import settings, sheet, table_rows
from cellstack.config.table_rows import COORDINATES, Cells
from cellstack.config.values import quote
from cellstack.files import images
from cellstack.files.spreadsheets import as_number

MERGE, SPLIT, DELETE, ADD, REDRAW, ACCEPT = (
    "merge",
    "split",
    "delete",
    "add",
    "redraw",
    "accept",
)
ACTIONS = (MERGE, SPLIT, DELETE, ADD, REDRAW, ACCEPT)
OF_SEVERAL_POINTS = (MERGE, SPLIT)
IMAGE_POSITION = ("image_z_um", "image_y_um", "image_x_um")
REQUIRED = ("stack", "object", "action", *COORDINATES)
COLUMNS = (*REQUIRED, "id", "diameter_um", "image", *IMAGE_POSITION, "note")  # in order
ACTIONS_WITH = {  # column: actions that use it
    "diameter_um": (ADD,),
    **dict.fromkeys(("image", *IMAGE_POSITION), (ADD, REDRAW)),
}


class Correction(TypedDict):
    """One correction of the objects of a stack.

    The number of its row is not stored: otherwise the stack would run again if a row were inserted
    above.
    """

    action: str
    """One of :data:`ACTIONS`."""
    points: list[list[float]]
    """Positions along z, y, x in um; the centre of the first voxel is at 0."""
    diameter_um: float | None
    """Diameter of an object to be added; None for that of its stack."""
    image: str | None
    """Path of a label image that has the new outline."""
    image_position_um: list[float] | None
    """Centre of the first voxel of this image along z, y, x in um; None if it has
    the shape of the stack."""


Corrections: TypeAlias = dict[str, dict[str, list[Correction]]]
"""Corrections in the order of the table, by stack and kind of object."""
Rows: TypeAlias = dict[str, dict[str, list[list[int]]]]
"""The rows of each of the :data:`Corrections`, counted as in a spreadsheet."""


def read_corrections(
    path: str, kinds: Mapping[str, Collection[str]], *, check: bool
) -> tuple[Corrections, Rows, list[str]]:
    """Read the table of corrections.

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
    corrections : dict
    rows : dict
    errors : list of str
        One line per error, with row, value and fix. If there are any, there are no corrections.
    """
    cells, errors = sheet.read_table(path, "config.corrections", REQUIRED)
    if errors:
        return {}, {}, errors
    table = table_rows.filled_cells(cells)
    if check:
        errors = sheet.unknown_columns(path, cells, COLUMNS)
        for number, row in table:
            errors += [f"{path} row {number}: {error}" for error in _row_errors(row, kinds)]
        errors += _group_errors(path, table)
    if errors:
        return {}, {}, errors
    corrections: Corrections = {}
    rows: Rows = {}
    places: dict[tuple[str, ...], int] = {}
    for number, row in table:
        key = _key(number, row)
        found = corrections.setdefault(row["stack"], {}).setdefault(row["object"], [])
        numbers = rows.setdefault(row["stack"], {}).setdefault(row["object"], [])
        point = [as_number(row[column]) for column in COORDINATES]
        if key in places:
            found[places[key]]["points"].append(point)
            numbers[places[key]].append(number)
            continue
        places[key] = len(found)
        position = [as_number(row.get(column, "0")) for column in IMAGE_POSITION]
        correction: Correction = {
            "action": row["action"],
            "points": [point],
            "diameter_um": as_number(row["diameter_um"]) if "diameter_um" in row else None,
            "image": row.get("image"),
            "image_position_um": position if row.keys() & set(IMAGE_POSITION) else None,
        }
        found.append(correction)
        numbers.append([number])
    return corrections, rows, []


def _key(number: int, row: Cells) -> tuple[str, ...]:
    """Return the key that all rows of one correction share."""
    own = f"id {row['id']}" if "id" in row else f"row {number}"
    return row.get("stack", ""), row.get("object", ""), own


def _row_errors(row: Cells, kinds: Mapping[str, Collection[str]]) -> list[str]:
    """Return the errors of a row, without its place."""
    errors = table_rows.stack_errors(row, REQUIRED, kinds) + table_rows.object_errors(row, kinds)
    action = row.get("action")
    if action is not None and action not in ACTIONS:
        errors.append(f"unknown action {quote(action)}; {settings.suggest(action, ACTIONS)}")
    errors += table_rows.number_errors(
        row, (*COORDINATES, *IMAGE_POSITION), {"diameter_um": "a diameter"}
    )
    for column, actions in ACTIONS_WITH.items():
        if column in row and action in ACTIONS and action not in actions:
            errors.append(
                f"{column} has no effect with {action}; remove it, or use {' or '.join(actions)}"
            )
    image = row.get("image")
    if action == REDRAW and image is None:
        errors.append("image is missing; give the label image that has the new outline")
    elif image is None and action == ADD and row.keys() & set(IMAGE_POSITION):
        errors.append("image is missing, but its position is given; give both or neither")
    elif image is not None and not images.find_images(image):
        errors.append(
            f"image {quote(image)} does not exist; correct the path, which is relative to the "
            "working directory"
        )
    return errors


def _group_errors(path: str, table: Iterable[tuple[int, Cells]]) -> list[str]:
    """Return the errors of the number of points, and of rows that cannot belong together."""
    groups: dict[tuple[str, ...], list[tuple[int, Cells]]] = {}
    for number, row in table:
        groups.setdefault(_key(number, row), []).append((number, row))
    errors = []
    for (*_, own), members in groups.items():
        first, row = members[0]
        action = row.get("action")
        for number, other in members[1:]:
            if other.get("action") != action:
                errors.append(
                    f"{path} row {number}: action {quote(other.get('action'))} differs from "
                    f"{quote(action)} in row {first}, which has the same {own}; "
                    "give one of them another id"
                )
        if action in OF_SEVERAL_POINTS and len(members) == 1:
            errors.append(
                f"{path} row {first}: {action} has one point; give it two or more rows with the "
                "same id"
            )
        elif action in ACTIONS and action not in OF_SEVERAL_POINTS and len(members) > 1:
            errors.append(
                f"{path} row {members[1][0]}: {action} has {len(members)} points with the same "
                f"{own}; give each of these rows another id"
            )
    return errors
