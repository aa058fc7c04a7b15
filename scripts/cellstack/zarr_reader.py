"""OME-Zarr from outside, versions 0.4 (Zarr 2) and 0.5 (Zarr 3): the highest resolution of the first image."""

import math

from cellstack import image_source
from cellstack.errors import InputError
from cellstack.spacing import Found

KINDS = {"channel": "C", "time": "T"}


def open_zarr(folder):
    """Open an OME-Zarr and tell what it holds.

    Parameters
    ----------
    folder : pathlib.Path
        The group that holds `multiscales`.

    Returns
    -------
    ImageSource
        Nothing is to be closed.

    Raises
    ------
    InputError
        Where it is not an OME-Zarr image, or holds no single stack.

    References
    ----------
    .. [1] https://ngff.openmicroscopy.org/0.5/
    """
    import zarr  # costs as much as all other readers together, and most images are TIFF

    name = str(folder)
    with image_source.reading(name):
        group = zarr.open_group(folder, mode="r")
        attributes = group.attrs.asdict()
        attributes = attributes.get("ome", attributes)
        if not attributes.get("multiscales"):
            inside = ", ".join(sorted(group.group_keys())) or "no group"
            raise InputError(f"{name}: is a Zarr without an image of OME-Zarr, it holds {inside}: name the folder of one image in it")
        multiscale = attributes["multiscales"][0]
        level = multiscale["datasets"][0]
        array = group[level["path"]]
        axes = [KINDS.get(axis.get("type"), axis["name"].upper()) for axis in multiscale["axes"]]
        roles = image_source.axis_roles(name, axes, array.shape, colour=False)
        channels = image_source.length_of(roles, array.shape, "C")
        labels = [channel.get("label") for channel in attributes.get("omero", {}).get("channels", [])]
        return image_source.ImageSource(
            files=[folder],
            format=f"OME-Zarr (Zarr {group.metadata.zarr_format})",
            axes="".join(axes),
            shape=array.shape,
            dtype=array.dtype.newbyteorder("="),
            count=image_source.length_of(roles, array.shape, "Z"),
            plane_shape=(array.shape[roles.index("Y")], array.shape[roles.index("X")]),
            channels=image_source.channel_names(labels, channels),
            planes=lambda channel: _planes(name, array, roles, channel),
            spacing=_spacing(multiscale, level),
        )


def _spacing(multiscale, level):
    transformations = [*level.get("coordinateTransformations", []), *multiscale.get("coordinateTransformations", [])]
    scales = [each["scale"] for each in transformations if each["type"] == "scale"]
    return {
        axis["name"]: Found(math.prod(scale[position] for scale in scales), axis.get("unit", ""), "OME-Zarr scale")
        for position, axis in enumerate(multiscale["axes"])
        if scales and axis["name"] in ("z", "y", "x")
    }


def _planes(name, array, roles, channel):
    """Give the planes of a channel; chunks along z are read once."""
    count, step = (image_source.length_of(roles, shape, "Z") for shape in (array.shape, array.chunks))
    for first in range(0, count, step):
        where = {"C": channel, "Z": slice(first, first + step)}
        with image_source.reading(name):
            slab = image_source.cut(array, roles, where, "ZYX")
        yield from slab if "Z" in roles else [slab]
