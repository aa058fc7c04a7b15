"""Set up a study for the images in a folder: sheet, configuration, Snakefile and profile."""

import csv
import io
import time
from collections.abc import Callable, Mapping, Sequence
from os.path import relpath
from pathlib import Path
from typing import NamedTuple

from cellstack.errors import InputError
from cellstack.files import atomic, spreadsheets
from cellstack.init import stacks as study_stacks
from cellstack.init.contents import is_plane, read_contents
from cellstack.init.find_images import Found, FoundImage, find_images
from cellstack.init.stacks import COLUMNS, Key, Options, Part, StudyStack

SECONDS_BETWEEN_REPORTS = 5.0
SHEET, CONFIG, SNAKEFILE = "stacks.csv", "config.yaml", "Snakefile"
PROFILE = "profiles/default/config.yaml"
CONFIG_TEXT = """\
# Settings of this study. A key that is not set here has its default; all keys are explained in
# {reference}

stacks: {sheet} # the sheet: one row per stack and channel

# Typical diameter of a nucleus in um: a number, or auto to estimate it for each stack.
diameter_um:
{nuclei}
{cells}

# Column of the sheet whose groups of stacks are compared; add one to the sheet first.
# group_by: condition
"""
SNAKEFILE_TEXT = '''\
"""Process the stacks in {sheet} with cellstack: snakemake --cores all"""

from snakemake.utils import min_version

min_version("9.20")


include: "{library}"


check_yaml("{config}")


configfile: "{config}"


module cellstack:
    snakefile:
        "{workflow}"
    config:
        config


use rule * from cellstack


# progress, the list of failed stacks, and the record of how each result was made
onstart:
    cellstack.onstart()


onsuccess:
    cellstack.onsuccess()


onerror:
    cellstack.onerror()
'''


class Outcome(NamedTuple):
    """What was found and written.

    Attributes
    ----------
    stacks : list of StudyStack
    unread : dict of str to str
        Why images cannot be read, by path.
    found : Found
    written, kept : list of str
        Names of the files of the study that were written or extended, and of those that existed
        and were not changed.
    other_diameter : bool
        Whether a diameter was given that an existing configuration does not have.
    """

    stacks: list[StudyStack]
    unread: dict[str, str]
    found: Found
    written: list[str]
    kept: list[str]
    other_diameter: bool


def init_study(
    images: Path,
    study: Path,
    workflow: Path,
    options: Options,
    *,
    dry_run: bool = False,
    report: Callable[[str], None] = print,
) -> Outcome:
    """Set up a study for the images in a folder.

    Parameters
    ----------
    images : pathlib.Path
        Folder that is searched, with its subfolders.
    study : pathlib.Path
        Folder of the study. Existing files are kept, but rows for new images are added to the
        sheet.
    workflow : pathlib.Path
        Folder of cellstack, with its Snakefile.
    options : Options
    dry_run : bool
        Whether to write nothing.
    report : callable
        Called with a line about the progress, at most once every few seconds.

    Returns
    -------
    Outcome

    Raises
    ------
    InputError
        The folder of images does not exist or contains no image, or the sheet of the study cannot
        be extended.
    """
    if not images.is_dir():
        raise InputError(f"{images}: is not a folder: give the folder that contains the images")
    seldom = _seldom(report)
    found = find_images(images, is_plane, study, seldom)
    if not found.images:
        raise InputError(
            f"{images}: contains no image that cellstack can read: give another folder"
        )
    parts, unread = _read_all(found.images, seldom)

    def path_in_sheet(image: FoundImage) -> str:
        return _path_in_sheet(image.path, study)

    sheet = study / SHEET
    header, in_sheet = _read_sheet(sheet)
    arranged = study_stacks.arrange(parts, options, path_in_sheet, in_sheet)
    rows = [row for stack in arranged for row in stack.rows]
    text = _rows_as_text(sheet, header, rows)
    written: list[str] = []
    if rows and not dry_run:
        _append(sheet, text)
        written.append(SHEET)
    texts = {
        CONFIG: CONFIG_TEXT.format(
            reference=workflow / "config" / "README.md", sheet=SHEET, **_diameters(options)
        ),
        SNAKEFILE: SNAKEFILE_TEXT.format(
            sheet=SHEET,
            config=CONFIG,
            workflow=(workflow / "Snakefile").as_posix(),
            library=(workflow / "rules/library.smk").as_posix(),
        ),
        PROFILE: (workflow / PROFILE).read_text(encoding="utf-8"),
    }
    kept = [name for name in texts if (study / name).exists()]
    for name, content in texts.items():
        if name not in kept and not dry_run:
            with atomic.atomic_write(study / name) as temporary:
                temporary.write_text(content, encoding="utf-8")
            written.append(name)
    other_diameter = (
        CONFIG in kept
        and options.diameter is not None
        and _diameters(options)["nuclei"].strip()
        not in map(str.strip, (study / CONFIG).read_text(encoding="utf-8").splitlines())
    )
    return Outcome(arranged, unread, found, written, kept, other_diameter)


def _seldom(report: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that passes on a line at most every few seconds."""
    last = time.monotonic()

    def pass_on(line: str) -> None:
        nonlocal last
        if time.monotonic() - last > SECONDS_BETWEEN_REPORTS:
            last = time.monotonic()
            report(line)

    return pass_on


def _read_all(
    images: Sequence[FoundImage], report: Callable[[str], None]
) -> tuple[list[Part], dict[str, str]]:
    """Return the stacks in all images, and why others cannot be read."""
    parts: list[Part] = []
    unread: dict[str, str] = {}
    in_sets: set[Path] = set()
    for number, image in enumerate(images, 1):
        report(f"read {number} of {len(images)} images")
        if image.files[0] in in_sets:
            continue
        if image.problem:
            unread[image.path] = image.problem
            continue
        for contents in read_contents(image.files):
            in_sets.update(image.files[0].parent / name for name in contents.set_files)
            if contents.problem:
                place = "" if contents.scene is None else f" scene {contents.scene}"
                unread[image.path + place] = contents.problem
            else:
                parts.append(Part(image, contents))
    return parts, unread


def _path_in_sheet(path: str, study: Path) -> str:
    """Return a path relative to the study if the parent folder contains both, else absolute."""
    absolute = Path(path).absolute()
    beside = study.absolute().parent
    return relpath(absolute, study.absolute()) if absolute.is_relative_to(beside) else str(absolute)


def _diameters(options: Options) -> dict[str, str]:
    given = options.diameter
    nuclei = "# nuclei: 10" if given is None else f"nuclei: {_number(given)}"
    cell = options.cell_diameter
    cells = "# cells: 15" if cell is None else f"cells: {_number(cell)}"
    note = " # of a cell, for stacks with membranes and without nuclei"
    return {"nuclei": f"  {nuclei}", "cells": f"  {cells}{note}"}


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _read_sheet(sheet: Path) -> tuple[list[str], dict[Key, str]]:
    """Return the columns of a sheet, and the stack of each image in it; the default if absent."""
    if not sheet.exists():
        return list(COLUMNS), {}
    try:
        header, *lines = spreadsheets.read_cells(str(sheet))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(
            f"{sheet}: rows cannot be added ({error}): save it as a table in UTF-8"
        ) from error
    columns = [column.casefold() for column in header]
    in_sheet: dict[Key, str] = {}
    for line in lines:
        cells = dict(zip(columns, line, strict=False))
        key = (cells.get("image", ""), cells.get("scene", ""), cells.get("time", ""))
        in_sheet[key] = cells.get("stack", "")
    return columns, in_sheet


def _rows_as_text(sheet: Path, header: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows as text with the columns and the separator of the sheet."""
    needed = [column for column in COLUMNS if any(row.get(column) for row in rows)]
    missing = [column for column in needed if column not in header]
    if missing:
        raise InputError(
            f"{sheet}: has no column {' or '.join(missing)}, which new images need: add it to the "
            "header, and run the same command again"
        )
    separator = spreadsheets.separator_of(str(sheet)) if sheet.exists() else ","
    first = [] if sheet.exists() else [list(header)]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerows([*first, *([row.get(column, "") for column in header] for row in rows)])
    return text.getvalue()


def _append(sheet: Path, text: str) -> None:
    before = sheet.read_bytes() if sheet.exists() else b""
    if before.startswith(spreadsheets.UTF_16):
        raise InputError(f"{sheet}: rows cannot be added to a table in UTF-16: save it in UTF-8")
    line_end = b"\n" if before and not before.endswith(b"\n") else b""
    with atomic.atomic_write(sheet) as temporary:
        temporary.write_bytes(before + line_end + text.encode())
