"""The sheet: its rows, one per stack and channel, and all errors in it.

Imported when Snakemake parses the workflow, so it imports nothing heavy and opens no image.
"""

import csv
import difflib
import math
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

from cellstack.config import columns, object_columns, renamed, settings, values
from cellstack.config.lengths import AUTO
from cellstack.config.settings import Schema
from cellstack.config.values import quote
from cellstack.core.counting import agree
from cellstack.files import images, spreadsheets

Row: TypeAlias = dict[str, Any]

CHANNEL_OF = object_columns.CHANNEL_OF
OBJECT_OF = {channel: name for name, channel in CHANNEL_OF.items()}
CELLS_TO_NUCLEI = 1.4  # default diameter of a cell, relative to that of its nucleus
RESULT_FOLDERS = ("cells", "figures", "gallery")
MIN_SIMILARITY = 0.8  # above it, a column name is treated as a misspelling of a known one
MIN_LETTERS = 5  # shorter names resemble too many others
UNIT = r"(?:_(?:um|nm|microns?|micromet(?:er|re)s?|nanomet(?:er|re)s?))"
OTHER_LENGTH = re.compile(  # names of the voxel size, with its axis, or without if it is isotropic
    rf"([zyx]){UNIT}|(?:d([zyx])|([zyx])_?(?:step|spacing|pitch|resolution|voxel|pixel)(?:_?size)?"
    rf"|(?:voxel|pixel|step)_?size(?:_([zyx]))?|spacing(?:_([zyx]))?){UNIT}?"
)
OTHER_DIAMETER = re.compile(
    rf"(?:nucle(?:us|i|ar)|cells?|cellular|objects?|typical|expected)_(?:diameter|size){UNIT}?"
)
OTHER_INCLUDE = ("exclude", "excluded", "ignore", "ignored", "omit", "skip", "skipped")
MAX_SHOWN = 8  # columns in a message
YES, NO = ("true", "yes", "1"), ("false", "no", "0")


def read_sheet(path: str, schema: Schema) -> tuple[list[Row], list[str]]:
    """Read a sheet.

    Parameters
    ----------
    path : str
        A table, see :func:`cellstack.files.spreadsheets.read_cells`.
    schema : dict
        JSON schema of a row.

    Returns
    -------
    rows : list of dict
        For each row in order, the cells that are not empty by column, with the defaults of the
        schema. Numbers and booleans are converted; a cell that cannot be converted stays text,
        so that checking it against the schema finds the error. In an empty row ``include`` is
        false.
    errors : list of str
        Why the sheet cannot be read. If there are any, there are no rows.
    """
    cells, errors = read_table(path, "config.stacks", schema["required"])
    known = {column.casefold(): column for column in schema["properties"]}
    header = list(dict.fromkeys(column for row in cells for column in row))
    names = {column: known.get(column.casefold(), column) for column in header}
    for name, count in Counter(names.values()).items():
        if count > 1:
            written = " and ".join(repr(column) for column in header if names[column] == name)
            errors.append(f"{path}: columns {written} have the same name; remove all but one")
    if errors:
        return [], errors
    cells = [{names[column]: cell for column, cell in row.items()} for row in cells]
    return [_convert(row, schema) for row in cells], []


def rows_in_use(rows: Iterable[Row]) -> dict[str, dict[str, Row]]:
    """Return the rows of a sheet without errors that are in use, by stack and channel."""
    stacks: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row["include"]:
            stacks.setdefault(row["stack"], {})[row["channel"]] = row
    return stacks


def read_table(
    path: str, key: str, required: Collection[str] = ()
) -> tuple[list[dict[str, str]], list[str]]:
    """Read a table of text that the configuration names.

    Parameters
    ----------
    path : str
        A table, see :func:`cellstack.files.spreadsheets.read_cells`.
    key : str
        The configuration key that names it, such as ``"config.stacks"``.
    required : collection of str
        Columns that it must have, in lower case.

    Returns
    -------
    rows : list of dict of str to str
        For each row in order, the cells by column, without surrounding blanks; an empty row has
        none, and keeps its place so that rows count as in a spreadsheet.
    errors : list of str
        Why the table cannot be read, one line each. If there are any, there are no rows.
    """
    try:
        header, *lines = spreadsheets.read_cells(path)
    except FileNotFoundError:
        return [], [
            f"{key}: {path!r} does not exist; "
            "correct the path, which is relative to the working directory"
        ]
    except ModuleNotFoundError:
        return [], [
            f"{key}: {path!r} is an Excel workbook, which is read with the package openpyxl; "
            "install it with `python -m pip install openpyxl`, or save the table as .csv"
        ]
    except (OSError, ValueError, csv.Error) as error:
        reason = str(error).strip().replace("\n", " ")
        if path.lower().endswith(spreadsheets.WORKBOOKS):
            return [], [
                f"{key}: {path!r} cannot be read as an Excel workbook ({reason}); "
                "open and save it in a spreadsheet, or save the table as .csv"
            ]
        return [], [
            f"{key}: {path!r} is not a text table in UTF-8 ({reason}); "
            "save it in UTF-8, as .csv separated by commas, or as .tsv separated by tabs"
        ]
    present = {column.casefold() for column in header}
    missing = [column for column in required if column not in present]
    if missing:
        columns = ", ".join(header[:MAX_SHOWN]) + (", ..." * (len(header) > MAX_SHOWN))
        return [], [
            f"{path}: the header, which is the first line, has no column {' or '.join(missing)}; "
            f"it has {quote(columns)}: add what is missing, or remove the lines above the header"
        ]
    errors = [
        f"{path}: column {column!r} occurs {count} times; remove all but one"
        for column, count in Counter(filter(None, header)).items()
        if count > 1
    ]
    while lines and not any(lines[-1]):  # spreadsheets add empty rows
        lines.pop()
    errors += [
        f"{path} row {number}: has more cells than the header; "
        "remove the surplus cells, or quote cells that contain the separator"
        for number, row in enumerate(lines, spreadsheets.FIRST_ROW)
        if any(row[len(header) :])
    ]
    errors += _unnamed_columns(path, header, lines)
    rows = [dict(zip(header, line, strict=False)) if any(line) else {} for line in lines]
    return [] if errors else rows, errors


def _unnamed_columns(path: str, header: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Return an error for each column with cells but no name, except row numbers of pandas."""
    errors = []
    for place in [place for place, name in enumerate(header) if not name]:
        cells = [line[place] if place < len(line) else "" for line in lines]
        is_index = all(cell == str(number) for number, cell in enumerate(cells))
        first = next((number for number, cell in enumerate(cells) if cell), None)
        if first is not None and not is_index:
            errors.append(
                f"{path}: column {place + 1} has no name in the header, but {quote(cells[first])} "
                f"in row {first + spreadsheets.FIRST_ROW}; name it, or delete its cells"
            )
    return errors


def unknown_columns(
    path: str, rows: Iterable[Mapping[str, str]], columns: Collection[str]
) -> list[str]:
    """Return an error for each column of a table that has no meaning.

    Parameters
    ----------
    path : str
        The table, for the message.
    rows : iterable of dict
        From :func:`read_table`.
    columns : collection of str
        Those that are known, in lower case.
    """
    return [
        f"{path}: unknown column {quote(name)}; {settings.suggest(name.casefold(), columns)}; "
        "remarks belong in the column note"
        for name in dict.fromkeys(name for row in rows for name in row)
        if name and name.casefold() not in columns
    ]


def _convert(row: Mapping[str, str], schema: Schema) -> Row:
    if not row:
        return {"include": False}
    cells: Row = {column: cell for column, cell in row.items() if column and cell}
    for column, part in schema["properties"].items():
        kind, cell = settings.follow(part, schema).get("type"), cells.get(column)
        if "number" in (kind or ()) and cell is not None:
            with suppress(ValueError):
                number = spreadsheets.as_number(cell)
                cells[column] = number if math.isfinite(number) else cell
        elif kind == "integer" and cell is not None:
            with suppress(ValueError):
                cells[column] = int(cell)
        elif kind == "boolean" and cell is not None and cell.lower() in YES + NO:
            cells[column] = cell.lower() in YES
    completed: Row = settings.fill_defaults(cells, schema)
    return completed


def find_errors(
    rows: Collection[Row],
    schema: Schema,
    *,
    where: str,
    presets: Collection[str],
    diameters: Mapping[str, object],
    objects: Collection[str],
    made: Collection[str],
) -> list[str]:
    """List all errors of a sheet.

    Parameters
    ----------
    rows : list of dict
        All rows in order. Of rows with ``include`` false, only the names of the columns are
        checked.
    schema : dict
        JSON schema of a row.
    where : str
        Name of the sheet in messages.
    presets : collection of str
        Names of the presets.
    diameters : dict of str to object
        Diameters that the configuration gives, by kind of object.
    objects : collection of str
        Kinds of object to be found.
    made : collection of str
        Paths that need not exist yet, because a rule makes them.

    Returns
    -------
    list of str
        One line per error, with row, value and fix. Rows count as in a spreadsheet: row 2 is the
        first one below the header.
    """
    errors = []
    first_row: dict[tuple[str, str], int] = {}
    channels: dict[str, set[str]] = {}
    used = [
        (number, row)
        for number, row in enumerate(rows, spreadsheets.FIRST_ROW)
        if row["include"] is not False
    ]
    used_channels: dict[object, set[object]] = {}
    for _, row in used:
        used_channels.setdefault(row.get("stack"), set()).add(row.get("channel"))
    with_nuclei = {row.get("stack") for _, row in used if row.get("channel") == "nuclei"}
    for number, row in used:
        place = f"{where} row {number}"
        numbers = {column: cell for column, cell in row.items() if isinstance(cell, float)}
        errors += values.sort_out(numbers, place)[1]
        errors += settings.find_errors(row, schema, place)
        if "stack" not in row or "channel" not in row:
            continue
        stack, channel = row["stack"], row["channel"]
        first = first_row.setdefault((stack, channel), number)
        if first != number:
            errors.append(
                f"{place}: stack {stack!r}, channel {channel!r} is already in row {first}; "
                "remove one of the two rows"
            )
        channels.setdefault(stack, set()).add(channel)
        errors += _channel_errors(channel, place, used_channels[stack])
        if channel in RESULT_FOLDERS:
            errors.append(
                f"{place}: channel {channel!r} is the name of a folder of results; "
                "choose another name"
            )
        if row["preset"] not in presets:
            hint = settings.suggest(row["preset"], presets)
            errors.append(f"{place}: unknown preset {quote(row['preset'])}; {hint}")
        if channel == "nuclei" or (channel == "membrane" and stack not in with_nuclei):
            errors += _diameter_errors(row, place, diameters)
        for column in ("image", "ground_truth", "labels", "regions"):
            path = row.get(column)
            if path is None or path in made:
                continue
            if images.is_remote(path) and (secret := images.find_secret(path)):
                errors.append(f"{place}: {column}: {secret}")
            elif column == "image" and images.is_remote(path):
                continue
            elif not images.find_images(path):
                errors.append(f"{place}: {column} {quote(path)} {_why_absent(path)}")
    errors += _similar_names(channels, "the stacks", where)
    errors += _size_errors(used, where)
    errors += _region_errors([row for _, row in used], where)
    for stack, present in channels.items():
        errors += _similar_names(sorted(present), f"stack {quote(stack)}: the channels", where)
    names = dict.fromkeys(column for row in rows for column in row)
    errors += _column_errors(names, schema["properties"], where)
    wanted = [CHANNEL_OF[name] for name in objects]
    for stack, present in channels.items():
        if not present.intersection(wanted):
            errors.append(
                f"{where}: stack {stack!r} has no row for channel "
                f"{' or '.join(map(repr, wanted))}, so no object would be found in it; "
                "add one, or set `include` to false"
            )
    if not used:
        errors.append(f"{where}: no row is in use; add rows with stack, channel and image")
    return errors


def _size_errors(used: Iterable[tuple[int, Row]], where: str) -> list[str]:
    """List rows that give another voxel size than the row of another channel of the stack.

    Rows with different presets can differ, because presets can downsample channels.
    """
    errors = []
    first: dict[tuple[object, ...], tuple[int, object]] = {}
    for number, row in used:
        sizes = {name: row[name] for name in ("z_um", "y_um", "x_um") if name in row}
        other = []
        for column, size in sizes.items():
            key = (row.get("stack"), row.get("preset"), column)
            row_before, before = first.setdefault(key, (number, size))
            if size != before:
                other.append(f"{column} is {quote(size)}, but {quote(before)} in row {row_before}")
        if other:
            errors.append(
                f"{where} row {number}: {', '.join(other)} of the same stack; all channels of a "
                "stack need the same voxel size, correct one of them, or import the finer channel "
                "with a preset that sets import_stack.downsample"
            )
    return errors


def _region_errors(rows: Collection[Row], where: str) -> list[str]:
    """Return an error for each stack whose rows name different regions."""
    first: dict[object, str] = {}
    return [
        f"{where}: stack {row['stack']!r} has two images of regions, {quote(other)} and "
        f"{quote(row['regions'])}; name one, in any of its rows"
        for row in rows
        if "regions" in row and "stack" in row
        if (other := first.setdefault(row["stack"], row["regions"])) != row["regions"]
    ]


def _channel_errors(channel: str, place: str, present: Collection[object]) -> list[str]:
    """Refuse a channel that resembles one whose objects are found, and that the stack lacks."""
    missing = [known for known in OBJECT_OF if known not in present]
    meant = difflib.get_close_matches(channel.casefold(), missing, n=1, cutoff=MIN_SIMILARITY)
    if not meant:
        return []
    return [
        f"{place}: channel {channel!r} resembles {meant[0]!r}; "
        f"rename it to {meant[0]!r}, or choose a less similar name"
    ]


def _similar_names(names: Iterable[str], kind: str, where: str) -> list[str]:
    """Return an error for each name that some disks cannot distinguish from another."""
    errors = []
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(_folded(name), name)
        if other != name:
            errors.append(
                f"{where}: {kind} {quote(name)} and {quote(other)} would have the same folder on "
                "disks that ignore case; write them the same way, or choose another name"
            )
    return errors


def _folded(name: str) -> str:
    """Return a name without what a disk may ignore: case, and how Unicode composes letters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _diameter_errors(row: Row, place: str, diameters: Mapping[str, object]) -> list[str]:
    """Return the errors for a row whose objects need a diameter that is given."""
    kind = OBJECT_OF[row["channel"]]
    if "diameter_um" not in row and kind not in diameters:
        return [
            f"{place}: no diameter of the {kind}; "
            f"fill in diameter_um here or diameter_um.{kind} in the configuration"
        ]
    if kind == "cells" and row.get("diameter_um", diameters.get("cells")) == AUTO:
        return [
            f"{place}: diameter_um 'auto' of cells is derived from nuclei, "
            "and the stack has none; fill in a number of um"
        ]
    return []


def _column_errors(names: Collection[str], known: Collection[str], where: str) -> list[str]:
    """Refuse former names, and user columns that hide a result or resemble a known column."""
    errors = []
    for name in names:
        if name in renamed.COLUMNS:
            errors.append(f"{where}: column {renamed.advice(name, renamed.COLUMNS[name])}")
            continue
        plain = _plain_name(name)
        similar = difflib.get_close_matches(plain, known, n=1, cutoff=MIN_SIMILARITY)
        meant = [column for column in similar if column not in names]
        other = _other_name(plain) if plain not in known else ""
        if other:
            errors.append(f"{where}: column {name!r} is not read; {other}, or rename it")
        elif meant and (len(name) >= MIN_LETTERS or plain == meant[0]):
            errors.append(
                f"{where}: column {name!r} resembles {meant[0]!r}; "
                f"rename it to {meant[0]!r}, or choose a less similar name"
            )
        elif name not in known and columns.is_result(name):
            errors.append(
                f"{where}: column {name!r} has the name of a column of the results; rename it"
            )
    return errors


def _other_name(plain: str) -> str:
    """Return how to give what a column under another name probably contains; empty if unknown.

    Examples
    --------
    >>> _other_name("z_step")
    "give the voxel size in um in the column 'z_um'"
    """
    if length := OTHER_LENGTH.fullmatch(plain):
        isotropic = "yx" if plain.startswith("pixel") else "zyx"
        axes = [axis for axis in length.groups() if axis] or list(isotropic)
        names = ", ".join(f"'{axis}_um'" for axis in axes)
        return f"give the voxel size in um in the {agree(len(axes), 'column', 'columns')} {names}"
    if OTHER_DIAMETER.fullmatch(plain):
        return "give the diameter in um in the column 'diameter_um'"
    if plain in OTHER_INCLUDE:
        return "to leave rows out, give false in the column 'include'"
    return ""


def _plain_name(name: str) -> str:
    """Return the name of a column as a known one would be written.

    Examples
    --------
    >>> _plain_name("Diameter (µm)")
    'diameter_um'
    """
    letters = unicodedata.normalize("NFKC", name).casefold().replace("μ", "u")
    return "_".join(re.findall(r"[a-z0-9]+", letters))


def _other_spellings(path: str) -> list[str]:
    """Return paths that can be meant: for a shell or a browser, or with other letters.

    Examples
    --------
    >>> _other_spellings("file:///data/my%20image.tif")
    ['/data/my image.tif']
    """
    plain = unquote(path.removeprefix("file://"))
    spellings = [plain, os.path.expanduser(os.path.expandvars(plain))]  # noqa: PTH111
    spellings += [unicodedata.normalize(form, plain) for form in ("NFC", "NFD")]
    parent = Path(plain).parent
    spellings += [
        str(parent / name) for name in _names_in(parent).get(_folded(Path(plain).name), ())
    ]
    return [each for each in dict.fromkeys(spellings) if each != path]


@lru_cache(maxsize=8)
def _names_in(folder: Path) -> dict[str, list[str]]:
    """Return the names in a folder by how :func:`_folded` writes them."""
    names: dict[str, list[str]] = {}
    with suppress(OSError, ValueError):
        for each in sorted(folder.iterdir()):
            names.setdefault(_folded(each.name), []).append(each.name)
    return names


def _why_absent(path: str) -> str:
    if images.is_folder(path):
        suffixes = ", ".join(images.PLANE_SUFFIXES)
        return (
            f"is a folder that is not an OME-Zarr and contains no planes ({suffixes}); "
            "correct the path"
        )
    if images.is_remote(path):
        return "is an address, which only `image` can be; download it, and give its folder"
    meant = path.strip("'\"").replace("\\", "/")
    listed = [part.strip() for part in path.split(images.SEPARATOR) if part.strip()]
    if len(listed) > 1:
        missing = next(part for part in listed if not images.find_images(part))
        return (
            f"lists {missing}, which does not exist; correct the path, which is relative to the "
            "working directory"
        )
    if meant != path and images.find_images(meant):
        return f"does not exist; write {meant}, without quotation marks and with slashes"
    for other in _other_spellings(meant):
        if other != path and images.find_images(other):
            same = _folded(other) == _folded(path) and other.casefold() != path.casefold()
            hint = " (it looks the same, but its accents are composed in another way)" * same
            return f"does not exist; write {other}{hint}"
    relative = "" if Path(meant).is_absolute() else ", which is relative to the working directory"
    return f"does not exist; correct the path{relative}"
