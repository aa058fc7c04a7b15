"""Reader of stacks whose planes are separate files."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from cellstack.core.counting import agree, counted
from cellstack.errors import InputError
from cellstack.files.readers import voxel_size
from cellstack.files.readers.image_source import ImageSource, Planes
from cellstack.files.readers.voxel_size import StoredSize

MAX_SHOWN = 5  # names of files in a message


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
        a single plane does not contain; but `measure_z` if it contains its position.

    Raises
    ------
    InputError
        A file contains several planes, or belongs to a set with further files; or, when the planes
        are read, one differs from the first in shape, type or number of channels.
    """
    with open_file(files[0]) as source:
        first = _check_single(source)
    files = _in_order_of_set(files, first)
    flags = set(first.flags)  # without those about all planes, which are added later

    def read_planes(channel: int) -> Planes:
        for path in files:
            with open_file(path) as source:
                plane = _check_single(source)
                if _kind(plane) != _kind(first):
                    raise InputError(
                        f"{path}: is a plane of {_kind(plane)}, but {files[0]} is one of "
                        f"{_kind(first)}: name the planes of one stack in the sheet"
                    )
                if set(plane.flags) != flags:
                    flag = min(flags.symmetric_difference(plane.flags))
                    raise InputError(
                        f"{path}: differs from {files[0]}, since only for one of them {flag!r} "
                        "holds: export all planes in the same way"
                    )
                yield from plane.planes(channel)

    def measure_z() -> StoredSize | None:
        positions = []
        for path in files:
            with open_file(path) as source:
                positions.append(source.z_position)
        return voxel_size.from_positions(positions)

    return replace(
        first,
        files=files,
        other_files=[path for path in first.other_files if path not in files],
        format=f"{first.format} planes",
        count=len(files),
        spacing={axis: size for axis, size in first.spacing.items() if axis != "z"},
        planes=read_planes,
        measure_z=None if first.z_position is None else measure_z,
    )


def _in_order_of_set(files: list[Path], first: ImageSource) -> list[Path]:
    """Return files in the order of the set that the metadata of one of them describe."""
    position = {name: number for number, name in enumerate(first.set_files)}
    given = {path.name for path in files}
    missing = [name for name in first.set_files if name not in given]
    renamed = len(missing) == len(files) - 1 == len(position) - 1
    if not missing and given <= position.keys():
        return sorted(files, key=lambda path: position[path.name])
    if missing and not renamed:
        shown = ", ".join(missing[:MAX_SHOWN]) + (", ..." if len(missing) > MAX_SHOWN else "")
        raise InputError(
            f"{first.files[0]}: belongs to a set of {len(position)} files according to its OME "
            f"metadata, but {len(missing)} {agree(len(missing), 'is', 'are')} not among the "
            f"planes: {shown}: copy {agree(len(missing), 'it', 'them')} into the folder, and give "
            "the folder or a pattern that matches all"
        )
    return files


def _check_single(source: ImageSource) -> ImageSource:
    if source.count > 1:
        raise InputError(
            f"{source.files[0]}: contains {source.count} planes, but each of several files must "
            "contain one: name a single stack in the sheet"
        )
    return source


def _kind(plane: ImageSource) -> str:
    return f"{plane.shape} {plane.dtype.name} with {counted(len(plane.channels), 'channels')}"
