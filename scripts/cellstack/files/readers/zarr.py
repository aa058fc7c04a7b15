"""Reader of OME-Zarr, versions 0.4 (Zarr 2) and 0.5 (Zarr 3)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cellstack.errors import InputError
from cellstack.files.readers import image_source, parts
from cellstack.files.readers.image_source import ImageSource, Planes
from cellstack.files.readers.parts import Part
from cellstack.files.readers.voxel_size import StoredSize

MAX_NAMED = 10  # groups in a message
MAX_CHUNK_BYTES = 2**30
AXIS_TYPES = {"channel": "C", "time": "T"}


def open_zarr(folder: Path, part: Part | None = None) -> ImageSource:
    """Open the highest resolution of the first image of an OME-Zarr.

    Parameters
    ----------
    folder : pathlib.Path
        The group with the attribute ``multiscales``.
    part : Part, optional
        The time point to be read, if there are several.

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

    source = describe(str(folder), zarr_store.ContainedStore(folder), part)
    return replace(source, files=[folder])


def describe(name: str, store: Any, part: Part | None) -> ImageSource:
    """Return the image in a Zarr store, see :func:`open_zarr`.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    store : zarr.abc.store.Store
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
        attributes: Any = group.attrs.asdict()
        attributes = attributes.get("ome", attributes)
        if not attributes.get("multiscales"):
            inside = "unknown groups"
            if isinstance(store, zarr.storage.LocalStore):  # others may not list their content
                inside = ", ".join(sorted(group.group_keys())[:MAX_NAMED]) or "no group"
            raise InputError(
                f"{name}: is a Zarr without an OME-Zarr image, it contains {inside}: "
                "name the folder of one image in it"
            )
        multiscale = attributes["multiscales"][0]
        level = multiscale["datasets"][0]
        array: Any = group[level["path"]]
        axes = [
            AXIS_TYPES.get(axis.get("type"), axis["name"].upper()) for axis in multiscale["axes"]
        ]
        roles = image_source.axis_roles(name, axes, array.shape, colour=False)
        chunk_bytes = math.prod(array.chunks) * array.dtype.itemsize
        if chunk_bytes > MAX_CHUNK_BYTES:
            raise InputError(
                f"{name}: has chunks of {array.chunks} voxels, {chunk_bytes / 1e9:,.1f} GB each: "
                "write it with smaller chunks"
            )
        channels = image_source.axis_length(roles, array.shape, "C")
        times = image_source.axis_length(roles, array.shape, "T")
        parts.pick_scene(name, [None], part)
        time = parts.pick_time(name, times, part)
        described = attributes.get("omero", {}).get("channels", [])
        labels = [channel.get("label") for channel in described]
        return ImageSource(
            files=[],
            format=f"OME-Zarr (Zarr {group.metadata.zarr_format})",
            axes="".join(axes),
            shape=array.shape,
            dtype=array.dtype.newbyteorder("="),
            count=image_source.axis_length(roles, array.shape, "Z"),
            plane_shape=(array.shape[roles.index("Y")], array.shape[roles.index("X")]),
            channels=image_source.channel_names(labels, channels),
            planes=lambda channel: _read_planes(name, array, roles, channel, time),
            spacing=_spacing(multiscale, level),
            time=time if times > 1 else None,
        )


def _spacing(multiscale: Mapping[str, Any], level: Mapping[str, Any]) -> dict[str, StoredSize]:
    transformations = [
        *level.get("coordinateTransformations", []),
        *multiscale.get("coordinateTransformations", []),
    ]
    scales = [each["scale"] for each in transformations if each["type"] == "scale"]
    found = {}
    for position, axis in enumerate(multiscale["axes"]):
        if scales and axis["name"] in ("z", "y", "x"):
            size = math.prod(scale[position] for scale in scales)
            found[axis["name"]] = StoredSize(size, str(axis.get("unit", "")), "OME-Zarr scale")
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
