"""Reader of OME-Zarr, versions 0.1 to 0.4 (Zarr 2) and 0.5 (Zarr 3)."""

import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cellstack.core.counting import counted
from cellstack.errors import InputError
from cellstack.files.readers import image_source, parts
from cellstack.files.readers.image_source import ImageSource, Planes
from cellstack.files.readers.parts import Part
from cellstack.files.readers.voxel_size import StoredSize

MAX_NAMED = 10  # groups in a message
MAX_CHUNK_BYTES = 2**30
NOT_TIMES = "; if they are planes, correct `axes` in its metadata"
AXIS_TYPES = {"channel": "C", "time": "T"}
VERSIONS = ("0.1", "0.2", "0.3", "0.4", "0.5")
FIXED_AXES = "tczyx"  # of versions 0.1 and 0.2, which do not name them
CHUNK = re.compile(r"(?:c[/.])?(\d+(?:[/.]\d+)*)")  # path of a chunk below its array
FOLDER_OF_CHUNKS = re.compile(r"c|\d+")


def open_zarr(folder: Path, part: Part | None = None) -> ImageSource:
    """Open the highest resolution of an OME-Zarr.

    Parameters
    ----------
    folder : pathlib.Path
        The group with the attribute ``multiscales``.
    part : Part, optional
        The image and the time point to be read, if there are several.

    Returns
    -------
    ImageSource

    Raises
    ------
    InputError
        The folder is not an OME-Zarr image, or does not contain a single stack.

    References
    ----------
    .. [1] https://ngff.openmicroscopy.org/0.5/
    """
    from cellstack.files.readers import zarr_store

    store = zarr_store.ContainedStore(folder)
    return replace(describe(str(folder), store, part), files=[folder])


def describe(name: str, store: Any, part: Part | None) -> ImageSource:
    """Return the image in a Zarr store, see :func:`open_zarr`.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    store : zarr.abc.store.Store
        A local store, or one with the attribute `absent`: the keys that it was asked for and does
        not have.
    part : Part or None

    Returns
    -------
    ImageSource
        Without files.
    """
    import zarr  # takes as long as all other readers together, and most images are TIFF

    zarr.config.set({"threading.max_workers": 1})  # one chunk at a time, as a job has one core
    with image_source.input_errors(name):
        group = zarr.open_group(store, mode="r")
        attributes = _without_nulls(group.attrs.asdict())
        attributes = attributes.get("ome", attributes)
        if not attributes.get("multiscales"):
            inside = "unknown groups"
            if isinstance(store, zarr.storage.LocalStore):  # others may not list their content
                inside = ", ".join(sorted(group.group_keys())[:MAX_NAMED]) or "no group"
            raise InputError(
                f"{name}: is a Zarr without an OME-Zarr image, it contains {inside}: "
                "name the folder of one image in it"
            )
        labels_of_images = [each.get("name") for each in attributes["multiscales"]]
        number = parts.pick_scene(name, labels_of_images, part)
        multiscale = attributes["multiscales"][number]
        version = _version(name, attributes)
        level = _finest([each for each in multiscale["datasets"] if each])
        array: Any = group[level["path"]]
        described_axes = _axes(name, multiscale, version)
        axes = [_axis_letter(axis) for axis in described_axes]
        if len(axes) != array.ndim:
            raise InputError(
                f"{name}: names {counted(len(axes), 'axes')}, but its array has {array.ndim}: "
                "correct `axes` in its metadata, or export it again"
            )
        roles = image_source.axis_roles(name, axes, array.shape, colour=False)
        if min((*array.chunks, *(array.shards or ())), default=1) < 1:
            raise InputError(f"{name}: has chunks of length 0: export it again")
        chunk_bytes = math.prod(array.chunks) * array.dtype.itemsize
        if chunk_bytes > MAX_CHUNK_BYTES:
            raise InputError(
                f"{name}: has chunks of {array.chunks} voxels, {chunk_bytes / 1e9:,.1f} GB each: "
                "write it with smaller chunks"
            )
        channels = image_source.axis_length(roles, array.shape, "C")
        times = image_source.axis_length(roles, array.shape, "T")
        time = parts.pick_time(name, times, part, "" if "Z" in roles else NOT_TIMES)
        described = attributes.get("omero", {}).get("channels", [])
        labels = [channel.get("label") if channel else None for channel in described]
        return ImageSource(
            files=[],
            format=f"OME-Zarr {version} (Zarr {group.metadata.zarr_format})",
            axes="".join(axes),
            shape=array.shape,
            dtype=array.dtype.newbyteorder("="),
            count=image_source.axis_length(roles, array.shape, "Z"),
            plane_shape=(array.shape[roles.index("Y")], array.shape[roles.index("X")]),
            channels=image_source.channel_names(labels, channels),
            planes=lambda channel: _read_planes(name, array, roles, channel, time),
            count_chunks=lambda channel: _count_chunks(array, roles, channel, time),
            spacing=_spacing(name, multiscale, level, described_axes),
            scene=parts.label(number, labels_of_images),
            time=time if times > 1 else None,
        )


def _finest(levels: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the level with the smallest voxels: the first one, unless a writer sorted otherwise.

    Examples
    --------
    >>> levels = [
    ...     {"path": path, "coordinateTransformations": [{"type": "scale", "scale": scale}]}
    ...     for path, scale in (("0", [2, 0.8, 0.8]), ("1", [2, 0.4, 0.4]))
    ... ]
    >>> _finest(levels)["path"]
    '1'
    """
    sizes = [_voxel_volume(level) for level in levels]
    return levels[0] if None in sizes else levels[int(np.argmin(np.array(sizes, float)))]


def _voxel_volume(level: Mapping[str, Any]) -> float | None:
    """Return the product of all scales of a level; None if it is not known."""
    scales = [
        scale
        for each in level.get("coordinateTransformations", [])
        if each and isinstance(scale := each.get("scale"), list)
    ]
    values = [value for scale in scales for value in scale]
    is_known = values and all(isinstance(value, int | float) and value > 0 for value in values)
    return math.prod(values) if is_known else None


def _without_nulls(value: Any) -> Any:
    """Return JSON without entries that are null: they count as absent."""
    if isinstance(value, dict):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_nulls(part) for part in value]
    return value


def _version(name: str, attributes: Mapping[str, Any]) -> str:
    """Return the version of OME-Zarr that an image declares, 0.4 if it declares none."""
    declared = attributes.get("version") or attributes["multiscales"][0].get("version", "0.4")
    version = str(declared)
    if version not in VERSIONS:
        raise InputError(
            f"{name}: is OME-Zarr of version {version}, which is not supported: "
            f"save it as version {VERSIONS[-2]} or {VERSIONS[-1]}"
        )
    return version


def _axes(name: str, multiscale: Mapping[str, Any], version: str) -> list[dict[str, Any]]:
    """Return name, type and unit of each axis; versions before 0.4 have names only, or none."""
    axes = multiscale.get("axes")
    if axes is None and version in ("0.1", "0.2"):
        axes = list(FIXED_AXES)
    if axes is None:
        raise InputError(
            f"{name}: is OME-Zarr of version {version} without `axes`: "
            "add them to its metadata, or export it again"
        )
    return [{"name": axis} if isinstance(axis, str) else axis for axis in axes]


def _axis_letter(axis: Mapping[str, Any]) -> str:
    return AXIS_TYPES.get(axis.get("type", ""), str(axis["name"]).upper())


def _spacing(
    name: str,
    multiscale: Mapping[str, Any],
    level: Mapping[str, Any],
    axes: Sequence[Mapping[str, Any]],
) -> dict[str, StoredSize]:
    transformations = [
        *level.get("coordinateTransformations", []),
        *multiscale.get("coordinateTransformations", []),
    ]
    scales = [each.get("scale") for each in transformations if each and each["type"] == "scale"]
    if any(not isinstance(scale, list) or len(scale) != len(axes) for scale in scales):
        raise InputError(
            f"{name}: a scale in its metadata is not a list of {counted(len(axes), 'numbers')}, "
            "one for each axis: correct `coordinateTransformations`, or export it again"
        )
    found = {}
    for position, axis in enumerate(axes):
        role = axis["name"].lower()
        known = scales and all(scale[position] is not None for scale in scales)
        if known and role in ("z", "y", "x"):
            size = math.prod(scale[position] for scale in scales)
            found[role] = StoredSize(size, str(axis.get("unit", "")), "OME-Zarr scale")
    return found


def _read_planes(name: str, array: Any, roles: Sequence[str], channel: int, time: int) -> Planes:
    """Yield the planes of a channel at a time point; each chunk along z is read once."""
    count = image_source.axis_length(roles, array.shape, "Z")
    step = image_source.axis_length(roles, array.chunks, "Z")
    for first in range(0, count, step):
        planes = slice(first, first + step)
        where: dict[str, int | slice] = {"T": time, "C": channel, "Z": planes}
        with image_source.input_errors(name):
            slab = image_source.select_axes(array, roles, where, "ZYX")
        yield from slab if "Z" in roles else [slab]


def _count_chunks(array: Any, roles: Sequence[str], channel: int, time: int) -> tuple[int, int]:
    """Return how many chunks of a channel at a time point are absent, and how many it has.

    In a store that may not list its content, they are known when the planes have been read.
    """
    steps = array.shards or array.chunks  # a file contains a chunk, or a shard of several
    number = {"T": time, "C": channel}
    grid = [
        range(math.ceil(length / step))
        if role in ("Z", "Y", "X")
        else range(number.get(role, 0) // step, number.get(role, 0) // step + 1)
        for role, length, step in zip(roles, array.shape, steps, strict=True)
    ]

    def count(positions: Iterable[list[int]]) -> int:
        return sum(
            len(position) == len(grid)
            and all(place in along for place, along in zip(position, grid, strict=True))
            for position in positions
        )

    total = math.prod(map(len, grid))
    store, path = array.store_path.store, array.store_path.path
    if hasattr(store, "root"):
        return total - count(_stored_chunks(Path(store.root) / path)), total
    below = [key.removeprefix(f"{path}/") for key in store.absent if key.startswith(f"{path}/")]
    return count(_position(key) for key in below if CHUNK.fullmatch(key)), total


def _stored_chunks(folder: Path) -> Iterator[list[int]]:
    """Yield the position in the grid of each chunk in the folder of an array."""
    for path, folders, names in os.walk(folder, followlinks=True):
        below = Path(path).relative_to(folder)
        if len(below.parts) > len(FIXED_AXES):  # links can form a loop
            folders.clear()
        folders[:] = [name for name in folders if FOLDER_OF_CHUNKS.fullmatch(name)]
        for name in names:
            key = (below / name).as_posix()
            if CHUNK.fullmatch(key):
                yield _position(key)


def _position(key: str) -> list[int]:
    """Return the position in the grid of a chunk, from its path below its array."""
    return [int(number) for number in re.findall(r"\d+", key)]
