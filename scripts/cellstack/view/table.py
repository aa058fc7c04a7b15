"""Rows of the table of corrections, added and removed without changing the others."""

import csv
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from cellstack.config.corrections import COLUMNS, IMAGE_POSITION, Correction
from cellstack.config.table_rows import COORDINATES
from cellstack.errors import InputError
from cellstack.files import spreadsheets
from cellstack.files.atomic import atomic_write


def append_corrections(
    path: str | Path, stack: str, object: str, corrections: Sequence[Correction]
) -> None:
    """Add corrections at the end of a table, which is created if necessary.

    Parameters
    ----------
    path : path-like
        A text table, see :mod:`cellstack.config.corrections`.
    stack : str
        Name of the stack in the sheet.
    object : str
        Kind of object: nuclei or cells.
    corrections : list of Correction

    Raises
    ------
    InputError
        The table is not a text file, or cannot be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> correction = {"action": "delete", "points": [[1.5, 2, 3]], "diameter_um": None}
    >>> correction |= {"image": None, "image_position_um": None}
    >>> with TemporaryDirectory() as folder:
    ...     append_corrections(f"{folder}/a.csv", "mouse1", "nuclei", [correction])
    ...     _read(f"{folder}/a.csv")[1]
    [['mouse1', 'nuclei', 'delete', '1.5', '2', '3', '', '', '', '', '', '', '']]
    """
    header, rows = _read(path)
    names = [name.casefold() for name in header]
    used = {row[names.index("id")] for row in rows} if "id" in names else set()
    numbers = (str(number) for number in count(1) if str(number) not in used)
    added = []
    for correction in corrections:
        number = next(numbers) if len(correction["points"]) > 1 else ""
        for point in correction["points"]:
            row = {"stack": stack, "object": object, "action": correction["action"], "id": number}
            row |= {name: _text(value) for name, value in zip(COORDINATES, point, strict=True)}
            if correction["diameter_um"] is not None:
                row["diameter_um"] = _text(correction["diameter_um"])
            if correction["image"] is not None:
                row["image"] = correction["image"]
            position = correction["image_position_um"]
            if position is not None:
                row |= dict(zip(IMAGE_POSITION, map(_text, position), strict=True))
            added.append(row)
    new = [name for row in added for name in row if name not in names and row[name]]
    header, names = [*header, *dict.fromkeys(new)], [*names, *dict.fromkeys(new)]
    rows = [[*row, *[""] * (len(names) - len(row))] for row in rows]
    _write(path, header, rows + [[row.get(name, "") for name in names] for row in added])


def remove_last(path: str | Path, stack: str, object: str) -> str | None:
    """Remove the last correction of a stack and kind of object from a table.

    Parameters
    ----------
    path : path-like
    stack : str
        Name of the stack in the sheet.
    object : str
        Kind of object: nuclei or cells.

    Returns
    -------
    str or None
        Its action; None if there is no correction.
    """
    header, rows = _read(path)
    names = [name.casefold() for name in header]
    cells = [dict(zip(names, row, strict=False)) for row in rows]
    mine = [
        number
        for number, row in enumerate(cells)
        if (row.get("stack"), row.get("object")) == (stack, object)
    ]
    if not mine:
        return None
    first: dict[str, int] = {}
    for number in mine:
        first.setdefault(cells[number].get("id") or f"row {number}", number)
    own, start = max(first.items(), key=lambda item: item[1])
    removed = {number for number in mine if cells[number].get("id") == own} | {start}
    _write(path, header, [row for number, row in enumerate(rows) if number not in removed])
    return cells[start]["action"]


def _read(path: str | Path) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table; without a table, those of an empty one."""
    if Path(path).suffix.lower() in spreadsheets.WORKBOOKS:
        raise InputError(f"{path}: corrections cannot be added to workbooks; save it as .csv")
    if not Path(path).exists():
        return list(COLUMNS), []
    try:
        header, *rows = spreadsheets.read_cells(str(path))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(
            f"{path}: is not a text table in UTF-8 ({error}); save it as .csv separated by commas"
        ) from None
    return header, [[*row, *[""] * (len(header) - len(row))] for row in rows if any(row)]


def _write(path: str | Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    separator = spreadsheets.separator_of(str(path)) if Path(path).exists() else None
    usual = spreadsheets.SEPARATORS.get(Path(path).suffix.lower(), "\t")
    with (
        atomic_write(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        table = csv.writer(file, delimiter=separator or usual, lineterminator="\n")
        table.writerows([header, *rows])


def _text(number: float) -> str:
    return f"{number:.9g}"
