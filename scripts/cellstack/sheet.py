"""The sheet of stacks: its rows, and every fault in it at once.

Imported while Snakemake parses the workflow, so it stays light, and opens no image.
"""

import csv
import difflib
import math
from collections import Counter
from contextlib import suppress
from pathlib import Path

from cellstack import columns, image_files, settings
from cellstack.sizes import AUTO

CHANNEL_OF = {"nuclei": "nuclei", "cells": "membrane"}  # object: the channel that shows it
OBJECT_OF = {channel: name for name, channel in CHANNEL_OF.items()}
CELLS_TO_NUCLEI = 1.4  # diameter of a cell over that of its nucleus, where only the latter is given
LIKENESS = 0.8  # from which on a column of five letters or more is taken for a known one with a slip of the pen
YES, NO = ("true", "yes", "1"), ("false", "no", "0")


def read_sheet(path, schema):
    """Read a sheet.

    Parameters
    ----------
    path : str
        A table with tabs, or with commas where its name ends in .csv.
    schema : dict
        JSON schema of a row.

    Returns
    -------
    rows : list of dict
        One per row, in order: the cells that are not empty, stripped, by column, with the defaults of the schema. Numbers and truth values
        are converted; a cell that is not what its column asks for stays text, and breaks the schema.
    faults : list of str
        Why the sheet cannot be read, one line, or nothing.
    """
    cells, faults = read_table(path, "config.stacks")
    return [_convert(row, schema) for row in cells], faults


def read_table(path, key):
    """Read a table of text that the configuration names.

    Parameters
    ----------
    path : str
        A table with tabs, or with commas where its name ends in .csv.
    key : str
        The key that names it, such as ``"config.stacks"``.

    Returns
    -------
    rows : list of dict of str to str
        One per row, in order: the cells by column, stripped.
    faults : list of str
        Why it cannot be read, one line each; there are no rows then.
    """
    separator = "," if str(path).endswith(".csv") else "\t"
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            header, *lines = csv.reader(file, delimiter=separator, strict=True)
    except FileNotFoundError:
        return [], [f"{key}: {path!r} does not exist; correct the path, which counts from the working directory"]
    except (OSError, ValueError, csv.Error) as error:  # a file without a line too, as there is no header to unpack
        reason = str(error).strip().replace("\n", " ")
        return [], [f"{key}: {path!r} is no table of text in UTF-8 ({reason}); save it with tabs, or as .csv with commas"]
    header = [column.strip() for column in header]
    faults = [f"{path}: column {column!r} stands twice; remove one" for column, count in Counter(filter(None, header)).items() if count > 1]
    cells = [[cell.strip() for cell in line] for line in lines if line]  # a blank line is no row
    while cells and not any(cells[-1]):  # nor are the empty ones that spreadsheets put at the end
        cells.pop()
    long = [number for number, row in enumerate(cells, 1) if any(row[len(header) :])]
    faults += [f"{path} row {number}: has more cells than the header has columns; remove or quote what is too much" for number in long]
    return [] if faults else [dict(zip(header, row, strict=False)) for row in cells], faults


def _convert(row, schema):
    cells = {column: cell for column, cell in row.items() if column and cell}
    for column, part in schema["properties"].items():
        kind, cell = settings.follow(part, schema).get("type"), cells.get(column)
        if "number" in (kind or ()) and cell is not None:
            with suppress(ValueError):
                cells[column] = float(cell) if math.isfinite(float(cell)) else cell
        elif kind == "boolean" and cell is not None and cell.lower() in YES + NO:
            cells[column] = cell.lower() in YES
    return settings.fill_defaults(cells, schema)


def find_faults(rows, schema, *, where, presets, diameters, objects, made):
    """Name everything that is wrong with the rows in use.

    Parameters
    ----------
    rows : list of dict
        All rows, in the order of the sheet.
    schema : dict
        JSON schema of a row.
    where : str
        What messages call the sheet.
    presets : collection of str
        Names of presets that there are.
    diameters : dict of str to object
        The diameter of each kind of object that the configuration gives.
    objects : collection of str
        Objects that are to be found.
    made : collection of str
        Paths that need not exist, since a rule makes them.

    Returns
    -------
    list of str
        One line per fault, with row, value and cure. Row 1 is the first below the header.
    """
    faults, first_row, channels = [], {}, {}
    used = [(number, row) for number, row in enumerate(rows, 1) if row["use"] is not False]
    with_nuclei = {row.get("stack") for _, row in used if row.get("channel") == "nuclei"}
    for number, row in used:
        place = f"{where} row {number}"
        faults += settings.find_faults(row, schema, place)
        key = (row.get("stack"), row.get("channel"))
        if None in key:
            continue
        stack, channel = key
        if key in first_row:
            faults.append(f"{place}: stack {stack!r}, channel {channel!r} stands in row {first_row[key]} already; remove one of them")
        first_row.setdefault(key, number)
        channels.setdefault(stack, set()).add(channel)
        if channel in ("cells", "figures", "gallery"):
            faults.append(f"{place}: channel {channel!r} is the name of a folder of results; choose another")
        if row["preset"] not in presets:
            faults.append(f"{place}: unknown preset {row['preset']!r}; {settings.suggest(row['preset'], list(presets))}")
        needed = channel == "nuclei" or (channel == "membrane" and stack not in with_nuclei)
        if needed and "diameter_um" not in row and OBJECT_OF[channel] not in diameters:
            kind = OBJECT_OF[channel]
            faults.append(f"{place}: no diameter of the {kind}; fill in diameter_um here or diameter_um.{kind} in the configuration")
        if needed and channel == "membrane" and row.get("diameter_um", diameters.get("cells")) == AUTO:
            faults.append(f"{place}: diameter_um 'auto' of cells goes by nuclei, and the stack has none; fill in a number of um")
        for column in ("image", "truth", "labels"):
            if column in row and row[column] not in made and not image_files.find_images(row[column]):
                faults.append(f"{place}: {column} {row[column]!r} {_absence(row[column])}")
    faults += _column_faults(dict.fromkeys(column for row in rows for column in row), schema["properties"], where)
    for stack, names in channels.items():
        shown = [CHANNEL_OF[name] for name in objects]
        if not names & set(shown):
            wanted = " or ".join(map(repr, shown))
            faults.append(
                f"{where}: stack {stack!r} has no row for channel {wanted}, so nothing would be found in it; add one, or `use` false"
            )
    if not used:
        faults.append(f"{where}: no row is in use; add rows with stack, channel and image")
    return faults


def _column_faults(names, known, where):
    """Refuse columns of the user's own that hide a result, or look like a known column with a slip of the pen."""
    faults = []
    for name in names:
        meant = [column for column in difflib.get_close_matches(name, known, n=1, cutoff=LIKENESS) if column not in names and len(name) > 4]
        if meant:
            faults.append(f"{where}: column {name!r} is like {meant[0]!r}; rename it to that, or to something less like it")
        elif name not in known and columns.is_result(name):
            faults.append(f"{where}: column {name!r} bears the name of a column of the results; rename it")
    return faults


def _absence(path):
    if image_files.is_folder(path):
        return f"is a folder without planes ({', '.join(image_files.PLANE_SUFFIXES)}) and no OME-Zarr; correct the path"
    return "does not exist; correct the path, which counts from the working directory"
