"""The entry point for images from outside: a file, several files of planes, or a folder."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from cellstack.errors import InputError
from cellstack.files import images
from cellstack.files.readers import planes, png, tiff, zarr
from cellstack.files.readers.image_source import ImageSource


def called(image: Sequence[Path]) -> str:
    """Return the name of an image in messages."""
    return str(image[0]) if len(image) == 1 else f"{image[0]} and {len(image) - 1} more"


def shown(path: Path) -> str:
    """Return a path as stored in records: unchanged if relative, only its name if absolute.

    Records are published, and the folders of a computer are private.
    """
    return path.name if path.is_absolute() else path.as_posix()


@contextmanager
def open_image(image: Sequence[Path]) -> Iterator[ImageSource]:
    """Open an image of any supported format.

    Parameters
    ----------
    image : list of pathlib.Path
        A file, a glob pattern, a folder (an OME-Zarr, or planes), or several files of one plane
        each. Planes in separate files are put into natural order: 2 before 10.

    Yields
    ------
    ImageSource
        Valid within the context.

    Raises
    ------
    InputError
        A file is missing, is not an image, differs from the other planes, or is changed while it
        is read.
    """
    files = _find_files(image)
    before = _identities(files)
    if len(files) > 1:
        yield planes.open_planes(files, partial(_open_file, one_of_many=True))
    elif images.is_zarr(files[0]):
        yield zarr.open_zarr(files[0])
    else:
        with _open_file(files[0]) as source:
            yield source
    changed = [path for path, identity in _identities(files).items() if before[path] != identity]
    if changed:
        raise InputError(
            f"{changed[0]}: was changed while it was read: "
            "run the same command again when the file is complete"
        )


def _identities(files: Sequence[Path]) -> dict[Path, tuple[int, int, int]]:
    """Return for each file or folder the metadata that change when it is written or replaced."""
    found = {path: path.stat() for path in files if path.exists()}
    return {path: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in found.items()}


def _find_files(image: Sequence[Path]) -> list[Path]:
    if len(image) == 1:
        files = [Path(path) for path in images.find_images(str(image[0]))]
    else:
        files = images.in_natural_order(list(image))
    missing = [path for path in files if not path.exists()] if files else image
    if missing:
        raise InputError(
            f"{missing[0]}: there is no such file, or the folder contains no plane "
            f"({', '.join(images.PLANE_SUFFIXES)}): correct image in the sheet"
        )
    return files


@contextmanager
def _open_file(path: Path, one_of_many: bool = False) -> Iterator[ImageSource]:
    if path.suffix.lower() == ".png":
        yield png.open_png(path)
    elif path.is_dir():
        raise InputError(f"{path}: is a folder among files: name the files in it")
    else:
        with tiff.open_tiff(path, one_of_many) as source:
            yield source
