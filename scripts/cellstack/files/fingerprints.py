"""Detect changes of input files: first by their size and time, then by their content.

Imported by every job and when Snakemake parses the workflow, so it imports nothing heavy.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cellstack.errors import InputError
from cellstack.files.atomic import atomic_write

MAX_BYTES = 2 * 1024**3  # larger images are not read only to compare them
CHUNK_BYTES = 1024**2


def stamp_of(files: Sequence[str | Path]) -> str:
    """Return a hash of the sizes and modification times of files, in the order given.

    Parameters
    ----------
    files : sequence of path-like
        Files and OME-Zarr folders. Of a folder, the names, sizes and times of all files in it
        count. A file that does not exist counts with size and time 0.

    Returns
    -------
    str
        16 hexadecimal digits.

    Examples
    --------
    >>> stamp_of(["no file"]) == stamp_of(["no other file"]) != stamp_of([])
    True
    """
    found: list[tuple[int, int] | str] = []
    for file in files:
        try:
            status = Path(file).stat()
        except OSError:
            found.append((0, 0))
            continue
        is_folder = stat.S_ISDIR(status.st_mode)
        found.append(_digest_of(file) if is_folder else (status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]


def _digest_of(folder: str | Path) -> str:
    """Return a hash of the names, sizes and times of all files in a folder, without reading them.

    Links to folders are not followed.
    """
    lines, folders = [], [os.fspath(folder)]
    start = len(folders[0])
    while folders:
        top = folders.pop()
        try:
            with os.scandir(top) as entries:
                found = list(entries)
        except OSError:  # not readable, or removed at this moment
            lines.append(repr(top[start:]))
            continue
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
                continue
            line = repr(entry.path[start:])
            with suppress(OSError):  # a broken link, or removed at this moment
                status = entry.stat(follow_symlinks=not entry.is_dir())
                line += f" {status.st_size} {status.st_mtime_ns}"
            lines.append(line)
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def record_path(output: str | Path) -> Path:
    """Return the path of the record that describes the files from which an output was made.

    Examples
    --------
    >>> str(record_path("results/a/channels/nuclei/raw.tif"))
    'results/a/channels/nuclei/.raw.tif.source.json'
    """
    return Path(output).with_name(f".{Path(output).name}.source.json")


def known_stamp(files: Sequence[str | Path], output: str | Path) -> str:
    """Return the stamp of files, or the recorded stamp if only their times have changed.

    Parameters
    ----------
    files : sequence of path-like
    output : path-like
        The file that was made from them, see :func:`write_record`.

    Returns
    -------
    str
        See :func:`stamp_of`. The files are read only if their times differ from the recorded ones
        and their sizes do not; the new times are then added to the record.
    """
    stamp, path = stamp_of(files), record_path(output)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        recorded, same = str(record["stamp"]), list(record["same"])
        sizes, content = record["sizes"], record["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return stamp
    if stamp == recorded or stamp in same:
        return recorded
    try:
        if _sizes(files) != sizes or content_of(files) != content:
            return stamp
    except OSError:
        return stamp
    _write(path, record | {"same": [*same, stamp][-10:]})
    return recorded


def write_record(files: Sequence[str | Path], output: str | Path, stamp: str) -> None:
    """Record the files from which an output was made, for :func:`known_stamp`.

    Nothing is recorded if the files have changed since the stamp was taken, or if they are too
    large to be read only for this.

    Parameters
    ----------
    files : sequence of path-like
    output : path-like
        The file that was made from them.
    stamp : str
        The stamp of these files before the output was made.
    """
    if known_stamp(files, output) == stamp != stamp_of(files):
        return  # only the times differ from those recorded
    try:
        record = {"stamp": stamp, "same": [], "sizes": _sizes(files), "sha256": content_of(files)}
    except OSError:
        return
    if stamp_of(files) == stamp and record["sha256"] is not None:
        _write(record_path(output), record)


def _write(path: Path, record: Mapping[str, object]) -> None:
    """Write a record. If this fails, new times count as a change."""
    with suppress(OSError, InputError), atomic_write(path) as temporary:
        temporary.write_text(json.dumps(record), encoding="utf-8")


def _parts(files: Sequence[str | Path]) -> Iterator[tuple[str, Path]]:
    """Yield the files, and the files in folders with their path in the folder."""
    for file in map(Path, files):
        if file.is_dir():
            for part in sorted(each for each in file.rglob("*") if each.is_file()):
                yield str(part.relative_to(file)), part
        else:
            yield "", file


def _sizes(files: Sequence[str | Path]) -> list[int]:
    """Return the sizes of files; 0 for a folder, since the hash of its content covers them."""
    return [0 if Path(file).is_dir() else Path(file).stat().st_size for file in files]


def content_of(files: Sequence[str | Path]) -> str | None:
    """Return a hash of the content of files; None if they exceed 2 GB in total.

    Parameters
    ----------
    files : sequence of path-like
        Files, and folders with all files in them.

    Returns
    -------
    str or None
        64 hexadecimal digits. For a single file, it is that of `sha256sum`; otherwise names and
        sizes count too.

    Raises
    ------
    OSError
        A file cannot be read.
    """
    digest, left = hashlib.sha256(), MAX_BYTES
    parts = list(_parts(files))
    for name, part in parts:
        size = part.stat().st_size
        left -= size
        if left < 0:
            return None
        if len(parts) > 1 or name:
            digest.update(f"{name}:{size}:".encode())
        with part.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()
