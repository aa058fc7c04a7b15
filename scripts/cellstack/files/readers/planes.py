"""Reader of stacks whose planes are separate files."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from cellstack.errors import InputError
from cellstack.files.readers.image_source import ImageSource, Planes


def open_planes(
    files: list[Path], open_file: Callable[[Path], AbstractContextManager[ImageSource]]
) -> ImageSource:
    """Open a stack whose planes are separate files.

    Parameters
    ----------
    files : list of pathlib.Path
        The planes in order.
    open_file : callable
        Opens one of them.

    Returns
    -------
    ImageSource
        Each file is opened when its plane is read. There is no voxel size along z, which a file of
        a single plane does not contain.

    Raises
    ------
    InputError
        A file contains several planes or, when the planes are read, differs from the first one
        in shape, type or number of channels.
    """
    with open_file(files[0]) as source:
        first = _check_single(source)

    def read_planes(channel: int) -> Planes:
        for path in files:
            with open_file(path) as source:
                plane = _check_single(source)
                if _kind(plane) != _kind(first):
                    raise InputError(
                        f"{path}: is a plane of {_kind(plane)}, but {files[0]} is one of "
                        f"{_kind(first)}: name the planes of one stack in the sheet"
                    )
                yield from plane.planes(channel)

    return replace(
        first,
        files=files,
        format=f"{first.format} planes",
        count=len(files),
        spacing={axis: size for axis, size in first.spacing.items() if axis != "z"},
        planes=read_planes,
    )


def _check_single(source: ImageSource) -> ImageSource:
    if source.count > 1:
        raise InputError(
            f"{source.files[0]}: contains {source.count} planes, but each of several files must "
            "contain one: name a single stack in the sheet"
        )
    return source


def _kind(plane: ImageSource) -> str:
    return f"{plane.shape} {plane.dtype.name} with {len(plane.channels)} channel(s)"
