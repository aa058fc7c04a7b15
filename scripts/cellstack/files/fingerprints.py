"""Detect changes of input files: first by their size and time, then by their content.

Imported by every job and when Snakemake parses the workflow, so it imports nothing heavy.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cellstack.errors import InputError
from cellstack.files.atomic import atomic_write

MAX_BYTES = 2 * 1024**3  # larger images are not read only to compare them
CHUNK_BYTES = 1024**2
MAX_SAME = 10  # stamps in a record


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
        and their sizes do not; the new times are then added to the record. Further files that were
        read, such as the other files of a set, count too.
    """
    record = _read(files, output)
    if record is None:
        return stamp_of(files)
    read = [*files, *record.others]
    stamp = stamp_of(read)
    if stamp in record.same:
        return record.stamp
    try:
        if _sizes(read) != record.sizes or record.sha256 is None:
            return stamp
        if content_of(read) != record.sha256:
            return stamp
    except OSError:
        return stamp
    _write(output, files, record._replace(same=[*record.same, stamp][-MAX_SAME:]))
    return record.stamp


def write_record(
    files: Sequence[str | Path],
    output: str | Path,
    stamp: str,
    others: Sequence[str | Path] = (),
) -> None:
    """Record the files from which an output was made, for :func:`known_stamp`.

    Nothing is recorded if the files have changed since the stamp was taken. If they are too large
    to be read only for this, only `others` are recorded.

    Parameters
    ----------
    files : sequence of path-like
    output : path-like
        The file that was made from them.
    stamp : str
        The stamp of these files before the output was made.
    others : sequence of path-like
        Further files and folders that were read, such as the other files of a set. From now on
        their changes count too.
    """
    before = _read(files, output)
    read = [*files, *others]
    now = stamp_of(read)
    if before is not None and before.stamp == stamp and now in before.same:
        return  # only the times differ from those recorded
    if stamp not in (stamp_of(files), stamp_of([*files, *(before.others if before else ())])):
        return
    try:
        record = _Record(stamp, [now], _sizes(read), content_of(read), list(map(Path, others)))
    except OSError:
        return
    if stamp_of(read) == now and (record.sha256 is not None or others):
        _write(output, files, record)


class _Record(NamedTuple):
    """The files from which an output was made.

    Attributes
    ----------
    stamp : str
        The stamp of the job that made the output.
    same : list of str
        Stamps of these files at all times at which they had the same content.
    sizes : list of int
        See :func:`_sizes`.
    sha256 : str or None
        See :func:`content_of`.
    others : list of pathlib.Path
        Files that were read besides those that the sheet names.
    """

    stamp: str
    same: list[str]
    sizes: list[int]
    sha256: str | None
    others: list[Path]


def _read(files: Sequence[str | Path], output: str | Path) -> _Record | None:
    """Return the record of an output; None if there is none."""
    try:
        record = json.loads(record_path(output).read_text(encoding="utf-8"))
        folder = Path(files[0]).parent
        others = [folder / name for name in record.get("others", [])]
        same = [*record["same"], *([] if others else [record["stamp"]])]
        return _Record(str(record["stamp"]), same, record["sizes"], record["sha256"], others)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None


def _write(output: str | Path, files: Sequence[str | Path], record: _Record) -> None:
    """Write a record. If this fails, new times count as a change."""
    folder = Path(files[0]).parent
    content = record._asdict() | {
        "others": [os.path.relpath(other, folder) for other in record.others]
    }
    with suppress(OSError, InputError), atomic_write(record_path(output)) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


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
