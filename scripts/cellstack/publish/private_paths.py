"""Paths outside the folder of the study, such as absolute ones.

They are private, and an archive has other paths instead.
"""

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from cellstack.config.sheet import read_table

WILDCARDS = re.compile(r"[*?\[]")


def is_outside(path: str) -> bool:
    """Return whether a path is absolute, or leads out of the working directory.

    Examples
    --------
    >>> [is_outside(path) for path in ("/a/b.tif", "../b.tif", "a/../b.tif", "a..b.tif")]
    [True, True, False, False]
    """
    return Path(path).is_absolute() or Path(os.path.normpath(path)).parts[:1] == ("..",)


def place(path: str, where: str, file: str | None = None) -> str:
    """Return the path in the archive of a file that the sheet or the configuration names.

    Parameters
    ----------
    path : str
        A path, a pattern or an address, as it is written there.
    where : str
        Folder in the archive for files outside the folder of the study.
    file : str, optional
        One of the files that it refers to; by default the path itself.

    Returns
    -------
    str
        An address is not changed.

    Examples
    --------
    >>> place("images/./a.tif", "inputs/a"), place("/home/me/a.tif", "inputs/a")
    ('images/a.tif', 'inputs/a/a.tif')
    >>> place("/home/me/z*/*.tif", "inputs/a", "/home/me/z1/b.tif")
    'inputs/a/z1/b.tif'
    """
    if "://" in path:
        return path
    given = path if file is None else file
    if is_outside(path):
        common = os.path.dirname(WILDCARDS.split(path.rstrip("/"))[0])  # noqa: PTH120 (a pattern)
        given = f"{where}/{os.path.relpath(given, common or '/')}"
    return PurePosixPath(os.path.normpath(given)).as_posix()


def without_private_paths(value: Any, key: str = "config") -> Any:
    """Replace paths outside the folder of the study in a configuration.

    Parameters
    ----------
    value : object
        A configuration, or a part of it.
    key : str
        Its place in the configuration.

    Returns
    -------
    object

    Examples
    --------
    >>> without_private_paths({"stacks": "/home/me/stacks.csv", "diameter_um": {"nuclei": 10}})
    {'stacks': 'inputs/stacks/stacks.csv', 'diameter_um': {'nuclei': 10}}
    """
    if isinstance(value, Mapping):
        return {
            name: part if name == "study" else without_private_paths(part, str(name))
            for name, part in value.items()
            # folders outside have their default names in the archive
            if key != "pathvars" or not is_outside(str(part))
        }
    if isinstance(value, list):
        return [without_private_paths(part, key) for part in value]
    if isinstance(value, str) and is_outside(value):
        return place(value, f"inputs/{key}")
    return value


def folder_of(row: Mapping[str, str], column: str) -> str:
    """Return the folder in the archive for files outside the study that a row of a table names.

    Examples
    --------
    >>> folder_of({"stack": "a", "object": "cells", "image": "/home/me/b.tif"}, "image")
    'inputs/a/cells/image'
    """
    cells = {name.casefold(): cell for name, cell in row.items()}
    return f"inputs/{cells['stack']}/{cells.get('channel') or cells['object']}/{column}"


def portable_sheet(
    path: str, columns: Sequence[str], where: str = "inputs"
) -> tuple[str, Path | bytes]:
    """Return the path of the sheet in the archive, and the sheet without private paths.

    Parameters
    ----------
    path : str
        A sheet that can be read, or a table of corrections.
    columns : sequence of str
        The columns with paths.
    where : str
        Folder in the archive for a table outside the folder of the study.

    Returns
    -------
    name : str
    content : pathlib.Path or bytes
        The file as it is, or if it names a path outside the folder of the study, a table in which
        that is replaced.
    """
    name = place(path, where)
    rows = [row for row in read_table(path, "config.stacks")[0] if row]
    replaced = [
        {
            column: place(cell, folder_of(row, column.casefold()))
            if column.casefold() in columns and is_outside(cell)
            else cell
            for column, cell in row.items()
        }
        for row in rows
    ]
    if replaced == rows:
        return name, Path(path)
    table = io.StringIO()
    suffix = PurePosixPath(name).suffix
    if suffix == ".xlsx":
        name, suffix = f"{name}.csv", ".csv"
    separator = "," if suffix == ".csv" else "\t"
    writer = csv.DictWriter(table, list(rows[0]), delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(replaced)
    return name, table.getvalue().encode()
