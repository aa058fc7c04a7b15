"""The files that belong to an image of the sheet."""

import glob
import os
import stat
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from cellstack.errors import InputError

PathLike = TypeVar("PathLike", str, Path)

REMOTE = ("http://", "https://", "s3://")
SEPARATOR = ";"  # of several files in a cell of the sheet
PLANE_SUFFIXES = (".tif", ".tiff", ".png")
LOSSY_SUFFIXES = (".jpg", ".jpeg")  # planes of folders without others, which may have previews


def is_remote(path: str) -> bool:
    """Return whether a cell of the sheet is the address of a remote OME-Zarr.

    Examples
    --------
    >>> is_remote("https://example.org/image.zarr")
    True
    """
    return path.startswith(REMOTE)


def find_secret(address: str) -> str:
    """Return why an address must not be recorded with the results; empty if it may be.

    Examples
    --------
    >>> find_secret("https://example.org/image.zarr")
    ''
    >>> find_secret("https://example.org/image.zarr?token=1234").partition(", which")[0]
    'an address contains a user name, a password or a query'
    """
    try:
        parts = urlsplit(address)
    except ValueError:  # such as an incomplete IPv6 address; reading it fails later
        return ""
    if parts.username is None and not parts.query:
        return ""
    return (
        "an address contains a user name, a password or a query, which would be published with the "
        "results: download the image, and give its folder"
    )


def is_zarr(folder: Path) -> bool:
    """Return whether a folder is a Zarr group, that is, contains its metadata files."""
    return any((folder / name).exists() for name in ("zarr.json", ".zgroup", ".zattrs"))


def is_folder(path: str) -> bool:
    """Return whether a path is a folder; False if the path is too long to exist."""
    return os.path.isdir(path)  # noqa: PTH112 (Path.is_dir raises for such a path)


def check_regular(path: Path) -> None:
    """Raise an error if a path that exists is neither a file nor a folder.

    Reading a pipe waits for another program, and reading a device may never end.

    Raises
    ------
    InputError
        It is a pipe, a socket or a device.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError(
            f"{path}: is a pipe, a socket or a device: copy the image to a file, and name that"
        )


def find_images(path: str) -> list[str]:
    """Return the files to which a cell of the sheet refers.

    Parameters
    ----------
    path : str
        A file, an OME-Zarr folder, a folder of planes, a glob pattern of planes, or several of
        them separated by ``;``.

    Returns
    -------
    list of str
        The file or OME-Zarr folder, or the planes in natural order. Empty if there are none, or
        one of several does not exist.

    Raises
    ------
    InputError
        A folder cannot be read.
    """
    if os.path.isfile(path):  # noqa: PTH113 (Path.is_file raises for a path that is too long)
        return [path]
    if SEPARATOR in path:
        listed = [find_images(part.strip()) for part in path.split(SEPARATOR) if part.strip()]
        every = [file for files in listed for file in files]
        return in_natural_order(list(dict.fromkeys(every))) if all(listed) else []
    if is_folder(path):
        folder = Path(path)
        try:
            if is_zarr(folder):
                return [path]
            files = [plane for plane in folder.iterdir() if not plane.name.startswith(".")]
            for suffixes in (PLANE_SUFFIXES, LOSSY_SUFFIXES):
                found = [str(plane) for plane in files if plane.suffix.lower() in suffixes]
                if found:
                    break
        except OSError as error:
            raise InputError(
                f"{path}: the folder cannot be read ({error.strerror}): change its permissions"
            ) from error
    else:
        found = glob.glob(path)  # noqa: PTH207 (Path.glob refuses absolute patterns)
    return in_natural_order(found)


def in_natural_order(paths: list[PathLike]) -> list[PathLike]:
    """Sort paths so that plane 2 comes before plane 10.

    Examples
    --------
    >>> in_natural_order(["p10.tif", "p2.tif"])
    ['p2.tif', 'p10.tif']
    """
    if len(paths) < 2:
        return paths
    from natsort import natsorted, ns  # not needed for the most frequent case, a single file

    ordered: list[PathLike] = natsorted(sorted(paths), alg=ns.PATH)
    return ordered
