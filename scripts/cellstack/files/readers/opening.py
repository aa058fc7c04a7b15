"""The entry point for images from outside: a file, several files of planes, or a folder."""

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from cellstack.errors import InputError
from cellstack.files import fingerprints, images
from cellstack.files.readers import (
    czi,
    image_source,
    ims,
    jpeg,
    lif,
    limits,
    nd2,
    oif,
    parts,
    plane_choice,
    planes,
    png,
    tiff,
    zarr,
)
from cellstack.files.readers.image_source import ImageSource
from cellstack.files.readers.parts import Part

# Readers by the end of the file name; any other file is read as a TIFF. A reader imports its
# optional package when it is called.
READERS: dict[str, Callable[[Path, Part | None], AbstractContextManager[ImageSource]]] = {
    ".czi": czi.open_czi,
    ".ims": ims.open_ims,
    ".jpeg": jpeg.open_jpeg,
    ".jpg": jpeg.open_jpeg,
    ".lif": lif.open_lif,
    ".nd2": nd2.open_nd2,
    ".oib": oif.open_oif,
    ".oif": oif.open_oif,
    ".png": png.open_png,
}
ZIP_SIGNATURE = b"PK\x03\x04"


def called(image: Sequence[Path]) -> str:
    """Return the name of an image in messages."""
    return str(image[0]) if len(image) == 1 else f"{image[0]} and {len(image) - 1} more"


def shown(path: Path) -> str:
    """Return a path as stored in records: unchanged if relative, only its name if absolute.

    Records are published, and the folders of a computer are private.
    """
    return path.name if path.is_absolute() else path.as_posix()


@contextmanager
def open_image(image: Sequence[Path], part: Part | None = None) -> Iterator[ImageSource]:
    """Open an image of any supported format.

    Parameters
    ----------
    image : list of pathlib.Path
        A file, a glob pattern, a folder (an OME-Zarr, or planes), or several files of one plane
        each. Planes in separate files are put into the order of the number in their names that
        counts planes, see :func:`cellstack.files.readers.plane_choice.choose_planes`.
    part : Part, optional
        The scene and the time point to be read, if the file has several. By default the file must
        contain a single stack.

    Yields
    ------
    ImageSource
        Valid within the context.

    Raises
    ------
    InputError
        A file is missing, is not an image, differs from the other planes, or is changed while it
        is read; or the names of the files are not those of the planes of one stack.
    """
    name = called(image)
    try:
        with ExitStack() as stack:
            with image_source.input_errors(name), limits.limited_memory(limits.HEADER_BYTES):
                files, notices = _in_order(_find_files(image))
                before = _identities(files)
                source = stack.enter_context(_open_files(files, part))
                source.flags += notices
            yield source
        with image_source.input_errors(name):
            after = _identities(files)
    except InputError as error:
        message = image_source.one_line(str(error))
        if message == str(error):
            raise
        raise InputError(message) from error
    changed = [path for path in files if before[path] != after.get(path)]
    if changed:
        raise InputError(
            f"{changed[0]}: was changed while it was read: "
            "run the same command again when the file is complete"
        )


@contextmanager
def _open_files(files: list[Path], part: Part | None) -> Iterator[ImageSource]:
    if len(files) > 1:
        yield planes.open_planes(files, partial(_open_file, part=part, one_of_many=True))
    elif images.is_zarr(files[0]):
        parts.refuse_axes(str(files[0]), part)
        yield zarr.open_zarr(files[0], part)
    else:
        with _open_file(files[0], part) as source:
            yield source


def _identities(files: Sequence[Path]) -> dict[Path, tuple[int, int, int, str]]:
    """Return for each file or folder what changes when it, or a file in it, is written."""
    found = {path: path.stat() for path in files if path.exists()}
    return {
        path: (
            stat.st_ino,
            stat.st_size,
            stat.st_mtime_ns,
            fingerprints.stamp_of([path]) if path.is_dir() else "",
        )
        for path, stat in found.items()
    }


def _find_files(image: Sequence[Path]) -> list[Path]:
    if len(image) == 1:
        files = [Path(path) for path in images.find_images(str(image[0]))]
    else:
        files = list(image)
    missing = [path for path in files if not path.exists()] if files else image
    if missing:
        raise InputError(
            f"{missing[0]}: there is no such file, or the folder contains no plane "
            f"({', '.join(images.PLANE_SUFFIXES)}): correct image in the sheet"
        )
    for path in files:
        images.check_regular(path)
        if path.is_dir() and (len(files) > 1 or not images.is_zarr(path)):
            suffix = next((each.suffix for each in files if each.suffix), "")
            raise InputError(
                f"{path}: is a folder among files: name that folder, or use a pattern that matches "
                f"only files, such as {glob.escape(str(path.parent))}/*{suffix or '.tif'}"
            )
    if len(image) == 1 and image[0].is_dir():
        _check_links(image[0], files)
    return files


def _in_order(files: list[Path]) -> tuple[list[Path], list[str]]:
    """Return files in the order of their planes, and what the user should know about them."""
    if len(files) < 2:
        return files, []
    parents = sorted({path.parent for path in files})
    top = Path(os.path.commonpath(parents))
    listed = []
    for parent in parents:
        with suppress(OSError):  # the planes in it are known, and can be read
            listed += [path.relative_to(top).as_posix() for path in parent.iterdir()]
    by_name = {path.relative_to(top).as_posix(): path for path in files}
    folder = "" if top == Path() else str(top)
    chosen = plane_choice.choose_planes(list(by_name), listed, folder)
    return [by_name[name] for name in chosen.names], [chosen.notice] if chosen.notice else []


def _check_links(folder: Path, files: Sequence[Path]) -> None:
    """Raise an error if a plane of a folder is a link to a file outside the folder."""
    top = folder.resolve()
    for path in files:
        if path.is_symlink() and not path.resolve().is_relative_to(top):
            pattern = f"{glob.escape(str(folder))}/*{path.suffix}"
            raise InputError(
                f"{path}: is a link to a file outside its folder: copy the file into the folder, "
                f"or name the planes with a pattern, such as {pattern}"
            )


@contextmanager
def _open_file(path: Path, part: Part | None, one_of_many: bool = False) -> Iterator[ImageSource]:
    with path.open("rb") as file:
        if file.read(len(ZIP_SIGNATURE)) == ZIP_SIGNATURE:
            raise InputError(
                f"{path}: is a zip file, such as a zipped OME-Zarr: unzip it, and give the folder "
                "or file in it"
            )
    if path.suffix.lower() in READERS:
        parts.refuse_axes(str(path), part)
    reader = READERS.get(path.suffix.lower(), partial(tiff.open_tiff, one_of_many=one_of_many))
    with reader(path, part) as source:
        yield source
