"""Reader of IMS, the format of Imaris 5.5 and newer, which is HDF5."""

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from cellstack.errors import InputError
from cellstack.files.readers import acquisition, image_source, optional, parts
from cellstack.files.readers.image_source import ImageSource, Planes
from cellstack.files.readers.parts import Part
from cellstack.files.readers.voxel_size import StoredSize

AXES = "XYZ"  # numbered 0, 1, 2 in the file
MAX_CHUNK_BYTES = 2**30


@contextmanager
def open_ims(path: Path, part: Part | None = None) -> Iterator[ImageSource]:
    """Open an IMS file.

    Parameters
    ----------
    path : pathlib.Path
    part : Part, optional
        The time point to be read, if the file has several.

    Yields
    ------
    ImageSource
        Valid within the context, which closes the file. It has the full resolution.

    Raises
    ------
    InputError
        The file is not an IMS, refers to other files, or has several time points of which `part`
        names none.

    References
    ----------
    .. [1] https://imaris.oxinst.com/support/imaris-file-format
    """
    name = str(path)
    library = optional.load("h5py", "h5py", name, "IMS files")
    with ExitStack() as stack:
        with image_source.input_errors(name):
            file = stack.enter_context(library.File(path, "r", locking=False))
            source = _describe(name, path, file, part)
        yield source


def _describe(name: str, path: Path, file: Any, part: Part | None) -> ImageSource:
    about = _open(name, file, "DataSetInfo/Image")
    times = _count(_open(name, file, "DataSet/ResolutionLevel 0"), "TimePoint")
    parts.pick_scene(name, [None], part)
    time = parts.pick_time(name, times, part)
    group = _open(name, file, f"DataSet/ResolutionLevel 0/TimePoint {time}")
    stacks = [
        _open(name, group, f"Channel {number}/Data") for number in range(_count(group, "Channel"))
    ]
    # the arrays are padded to complete chunks
    count, height, width = (int(_text(about, axis)) for axis in reversed(AXES))
    for stack in stacks:
        if stack.ndim != 3 or any(
            length < 1 or length > stored
            for length, stored in zip((count, height, width), stack.shape, strict=True)
        ):
            raise InputError(
                f"{name}: declares a stack of {(count, height, width)} voxels, but contains "
                f"{stack.shape}: export it again"
            )
        chunks = stack.chunks or stack.shape
        if _is_sparse(stack, (count, height, width)):
            raise InputError(
                f"{name}: is incomplete (blocks of voxels are missing): copy or export it again"
            )
        chunk_bytes = math.prod(chunks) * stack.dtype.itemsize
        if chunk_bytes > MAX_CHUNK_BYTES:
            raise InputError(
                f"{name}: has chunks of {chunk_bytes / 1e9:,.1f} GB: "
                "export it again with smaller chunks"
            )

    def read_planes(channel: int) -> Planes:
        stack = stacks[channel]
        step = stack.chunks[0] if stack.chunks else 1
        for first in range(0, count, step):  # each chunk along z is read once
            with image_source.input_errors(name):
                slab = stack[first : min(first + step, count), :height, :width]
            yield from slab

    described = [
        _open(name, file, f"DataSetInfo/Channel {number}") for number in range(len(stacks))
    ]
    return ImageSource(
        files=[path],
        format="IMS",
        axes="TCZYX",
        shape=(times, len(stacks), count, height, width),
        dtype=stacks[0].dtype.newbyteorder("="),
        count=count,
        plane_shape=(height, width),
        channels=image_source.channel_names(
            [_text(each, "Name") for each in described], len(stacks)
        ),
        planes=read_planes,
        spacing=_spacing(about),
        time=time if times > 1 else None,
        acquisition=acquisition.describe(
            {
                "date": _text(about, "RecordingDate"),
                "microscope": _text(about, "MicroscopeMode"),
                "magnification": _text(about, "LensPower"),
                "numerical_aperture": _text(about, "NumericalAperture"),
            },
            [
                {
                    "name": _text(each, "Name"),
                    "excitation_nm": _text(each, "LSMExcitationWavelength"),
                    "emission_nm": _text(each, "LSMEmissionWavelength"),
                }
                for each in described
            ],
        ),
    )


def _open(name: str, group: Any, path: str) -> Any:
    """Return a group or an array; raise an error if it is in another file or is missing."""
    for part in path.split("/"):
        link = group.get(part, getlink=True)
        if link is None:
            raise ValueError(f"{part} of {path} is missing")
        if type(link).__name__ != "HardLink":
            raise InputError(f"{name}: {part} refers to another place or file: export it again")
        group = group[part]
    if getattr(group, "external", None) or getattr(group, "is_virtual", False):
        raise InputError(f"{name}: {path} refers to other files: export it as a single file")
    return group


def _is_sparse(stack: Any, shape: tuple[int, ...]) -> bool:
    """Return whether voxels of a stack are not stored; HDF5 reads them as zeros."""
    if stack.chunks is None:
        return bool(stack.id.get_storage_size() < stack.size * stack.dtype.itemsize)
    needed = (-(-length // size) for length, size in zip(shape, stack.chunks, strict=True))
    return bool(stack.id.get_num_chunks() < math.prod(needed))


def _count(group: Any, kind: str) -> int:
    """Return the number of members ``kind 0``, ``kind 1``, ... of a group."""
    count = 0
    while f"{kind} {count}" in group:
        count += 1
    if count == 0:
        raise ValueError(f"{kind} 0 is missing")
    return count


def _text(group: Any, key: str) -> str:
    """Return an attribute, which IMS stores as an array of characters; empty if it is missing."""
    value = group.attrs.get(key)
    return "" if value is None else b"".join(value.tolist()).decode("utf-8", "replace")


def _spacing(about: Any) -> dict[str, StoredSize]:
    """Return the voxel size: the extent of the stack, divided by its number of voxels."""
    found = {}
    unit = _text(about, "Unit")
    for number, axis in enumerate(AXES):
        low, high = _text(about, f"ExtMin{number}"), _text(about, f"ExtMax{number}")
        if low and high:
            size = abs(float(high) - float(low)) / int(_text(about, axis))
            found[axis.lower()] = StoredSize(size, unit, f"IMS ExtMax{number}")
    return found
