"""A zip file whose bytes depend only on its content.

Entries are sorted, and have the same date and permissions.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from cellstack.errors import InputError
from cellstack.publish.private_paths import is_outside

DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can contain
PERMISSIONS = 0o100644  # a regular file, readable by all
CHUNK_BYTES = 1024**2
COMPRESSED = {".gz", ".h5ad", ".jpg", ".parquet", ".png", ".tif", ".tiff", ".zip"}
CHECKSUMS = "SHA256SUMS"


class File(NamedTuple):
    """A file of the archive in its description; size in bytes and SHA-256."""

    name: str
    size: int
    sha256: str


class Entry(NamedTuple):
    """A file of the archive.

    Attributes
    ----------
    name : str
        Path in the archive.
    content : pathlib.Path or bytes
        A file, or the content itself.
    """

    name: str
    content: Path | bytes

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in parts."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        with self.content.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    @property
    def size(self) -> int:
        """Number of bytes."""
        if isinstance(self.content, bytes):
            return len(self.content)
        return self.content.stat().st_size

    def described(self) -> File:
        """Return name, size and checksum."""
        return File(self.name, self.size, self.sha256())

    def sha256(self) -> str:
        """Return the SHA-256 of the content, as 64 hexadecimal digits."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()


def write_zip(path: Path, entries: Iterable[Entry]) -> None:
    """Write a zip file that depends only on the names and the content of its entries.

    Parameters
    ----------
    path : pathlib.Path
        A temporary file; it is overwritten.
    entries : iterable of Entry

    Raises
    ------
    InputError
        Two entries have the same name, or a name leads out of the archive.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_zip(Path(folder, "a.zip"), [Entry("b", b"2"), Entry("a", b"1")])
    ...     zipfile.ZipFile(Path(folder, "a.zip")).namelist()
    ['a', 'b']
    """
    ordered = sorted(entries, key=lambda entry: entry.name)
    for before, entry in zip([None, *ordered], ordered, strict=False):
        if before is not None and before.name == entry.name:
            raise InputError(f"{entry.name}: two files have this path in the archive; rename one")
        if is_outside(entry.name):
            raise InputError(f"{entry.name}: lies outside the archive")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in ordered:
            info = zipfile.ZipInfo(entry.name, DATE)
            info.create_system = 3  # Unix, on any system
            info.external_attr = PERMISSIONS << 16
            is_compressed = PurePosixPath(entry.name).suffix in COMPRESSED
            info.compress_type = zipfile.ZIP_STORED if is_compressed else zipfile.ZIP_DEFLATED
            info.file_size = entry.size
            with archive.open(info, "w") as target:
                for chunk in entry.chunks():
                    target.write(chunk)


def checksum_entry(files: Iterable[File]) -> Entry:
    r"""Return the list of checksums, in the format of ``sha256sum``.

    Examples
    --------
    >>> checksum_entry([File("b", 1, "22"), File("a", 1, "11")]).content
    b'11  a\n22  b\n'
    """
    lines = [f"{file.sha256}  {file.name}\n" for file in sorted(files)]
    return Entry(CHECKSUMS, "".join(lines).encode())


def json_entry(name: str, content: Any) -> Entry:
    """Return an entry with an object as JSON."""
    return Entry(name, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
