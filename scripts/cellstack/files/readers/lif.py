"""Reader of LIF, the format of Leica microscopes."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from cellstack.errors import InputError
from cellstack.files.readers import acquisition, image_source, optional, parts
from cellstack.files.readers.image_source import ImageSource, Planes
from cellstack.files.readers.parts import Part
from cellstack.files.readers.voxel_size import StoredSize

DESCRIPTION = "./Data/Image/ImageDescription/"
SPATIAL = {"1": "x", "2": "y", "3": "z"}  # axes by Leica's number
WAVELENGTHS = {"λ": "5", "Λ": "9"}  # numbers of the axes of emission and excitation
SETTINGS = "./Data/Image/Attachment[@Name='HardwareSetting']"
MARK = "\N{INFORMATION SEPARATOR ONE}"  # which no name contains
COPY = re.compile(rf"{MARK}\d+")
RED_GREEN_BLUE = {"1", "2", "3"}  # ChannelTag


class _Layout(NamedTuple):
    """The axes of an image as it is stored, each with its role."""

    roles: Mapping[str, str]
    sizes: Mapping[str, int]


@contextmanager
def open_lif(path: Path, part: Part | None = None) -> Iterator[ImageSource]:
    """Open a LIF file.

    Parameters
    ----------
    path : pathlib.Path
    part : Part, optional
        The image and the time point to be read, if the file has several.

    Yields
    ------
    ImageSource
        Valid within the context, which closes the file. Wavelengths of a spectral image are its
        channels. An image that was scanned in x-z is read if it has several positions in y.

    Raises
    ------
    InputError
        The file is not a LIF, is incomplete, or does not contain a single stack: it has several
        images or time points of which `part` names none, tiles that are not merged, no axis y, or
        other axes.
    """
    name = str(path)
    library = optional.load("liffile", "liffile", name, "LIF files")
    with ExitStack() as stack:
        with image_source.input_errors(name):
            file = stack.enter_context(library.LifFile(path))
            if file.type != library.LifFileType.LIF:
                raise ValueError(f"a file of type {file.type.name}, not LIF")
            source = _describe(name, path, file, part)
        yield source


def _describe(name: str, path: Path, file: Any, part: Part | None) -> ImageSource:
    _number_names(file.xml_element)
    images = list(file.images)
    names = [COPY.sub("", each.path) for each in images]
    number = parts.pick_scene(name, names, part)
    image = images[number]
    scene = parts.label(number, names)
    place = f"{name}: scene {scene}" if scene else name
    root = image.xml_element
    layout = _find_layout(place, image, root)
    roles, sizes = list(layout.roles.values()), list(layout.sizes.values())
    channels = image_source.axis_length(roles, sizes, "C")
    times = image_source.axis_length(roles, sizes, "T")
    time = parts.pick_time(place, times, part)
    if image.nbytes > image.memory_block.size:
        raise InputError(
            f"{place}: is damaged or incomplete ({image.memory_block.size:,} bytes for "
            f"{image.nbytes:,}): copy or export it again"
        )
    return ImageSource(
        files=[path],
        format="LIF",
        axes="".join(layout.sizes),
        shape=tuple(sizes),
        dtype=image.dtype.newbyteorder("="),
        count=image_source.axis_length(roles, sizes, "Z"),
        plane_shape=(sizes[roles.index("Y")], sizes[roles.index("X")]),
        channels=image_source.channel_names(_channel_names(root, layout), channels),
        planes=lambda channel: _read_planes(name, image, layout, {"C": channel, "T": time}),
        spacing=_spacing(root),
        scene=scene,
        time=time if times > 1 else None,
        acquisition=_acquisition(image, root),
        notices=[image_source.REDUCED] if "S" in roles else [],
    )


def _number_names(element: Element) -> None:
    """Add a mark to each name that another element in the same place has.

    liffile finds images by name, and only the last one of a name.
    """
    seen: set[str] = set()
    for number, child in enumerate(element):
        if child.tag == "Element":
            name = child.get("Name", "")
            if name in seen:
                child.set("Name", f"{name}{MARK}{number}")
            seen.add(name)
        _number_names(child)


def _find_layout(place: str, image: Any, root: Element) -> _Layout:
    sizes = dict(image.sizes)
    if sizes.get("M", 1) > 1:
        raise InputError(
            f"{place}: contains {sizes['M']} tiles that are not merged: in LAS X apply Mosaic "
            "Merge, save the project, and select the merged image with scene in the sheet"
        )
    tags = {each.get("ChannelTag") for each in root.findall(f"{DESCRIPTION}Channels/*")}
    colour = sizes.get("S", 1) >= 3 and tags >= RED_GREEN_BLUE
    spectral = [axis for axis in WAVELENGTHS if axis in sizes]
    axes = ["C" if [axis] == spectral and "C" not in sizes else axis for axis in sizes]
    roles = image_source.axis_roles(place, axes, list(sizes.values()), colour)
    return _Layout(dict(zip(sizes, roles, strict=True)), sizes)


def _channel_names(root: Element, layout: _Layout) -> list[str | None]:
    """Return the dyes of the channels or, where there are none, the colours of their display."""
    for axis, number in WAVELENGTHS.items():
        dimension = root.find(f"{DESCRIPTION}Dimensions/*[@DimID='{number}']")
        if layout.roles.get(axis) == "C" and dimension is not None:
            first, length = float(dimension.get("Origin", "")), float(dimension.get("Length", ""))
            wavelengths = np.linspace(first, first + length, layout.sizes[axis])
            return [f"{wavelength * 1e9:.0f} nm" for wavelength in wavelengths]
    names = []
    for channel in root.findall(f"{DESCRIPTION}Channels/ChannelDescription"):
        dyes = [each for each in channel if each.findtext("Key") == "DyeName"]
        names.append(dyes[0].findtext("Value") if dyes else channel.get("LUTName"))
    return names


def _spacing(root: Element) -> dict[str, StoredSize]:
    """Return the voxel size; Leica stores the distance of the first voxel from the last one."""
    found = {}
    for dimension in root.findall(f"{DESCRIPTION}Dimensions/DimensionDescription"):
        axis, count = (
            SPATIAL.get(dimension.get("DimID", "")),
            int(dimension.get("NumberOfElements", 1)),
        )
        if axis is not None and count > 1:
            size = abs(float(dimension.get("Length", ""))) / (count - 1)
            found[axis] = StoredSize(
                size, dimension.get("Unit", ""), f"LIF Length of {axis.upper()}"
            )
    return found


def _acquisition(image: Any, root: Element) -> dict[str, Any]:
    attachment = root.find(SETTINGS)
    settings = Element("none") if attachment is None else next(iter(attachment), Element("none"))
    taken = image.timestamps
    channels = root.findall(f"{DESCRIPTION}Channels/ChannelDescription")
    bits = {channel.get("Resolution") for channel in channels}
    return acquisition.describe(
        {
            "date": None if taken is None or not len(taken) else taken[0],
            "microscope": settings.get("MicroscopeModel"),
            "system": None if attachment is None else attachment.get("SystemTypeName"),
            "objective": settings.get("ObjectiveName"),
            "magnification": settings.get("Magnification"),
            "numerical_aperture": settings.get("NumericalAperture"),
            "immersion": settings.get("Immersion"),
            "bit_depth": bits.pop() if len(bits) == 1 else None,
        }
    )


def _read_planes(name: str, image: Any, layout: _Layout, where: Mapping[str, int]) -> Planes:
    """Yield the planes of a channel at a time point.

    Frames in x and y are read when they are needed; if the frames have other axes, all of the
    channel are read first.
    """
    inner = image.frames.frame_dims
    inner_roles = [layout.roles[axis] for axis in inner]
    outer = {axis: role for axis, role in layout.roles.items() if axis not in inner}
    fixed = {axis: where.get(role, 0) for axis, role in outer.items() if role in "CT1"}
    free = [axis for axis in outer if axis not in fixed]

    def read(indices: Mapping[str, int]) -> NDArray[Any]:
        with image_source.input_errors(name):
            frame: NDArray[Any] = image.frame(**fixed, **indices)
        return frame

    if {"Y", "X"} <= set(inner_roles):
        for z in range(layout.sizes[free[0]] if free else 1):
            frame = read(dict.fromkeys(free, z))
            yield image_source.select_axes(frame, inner_roles, where, "YXS")
        return
    lengths = [layout.sizes[axis] for axis in free]
    frames = np.array(
        [read(dict(zip(free, index, strict=True))) for index in product(*map(range, lengths))]
    )
    volume = frames.reshape(*lengths, *frames.shape[1:])
    roles = [*(layout.roles[axis] for axis in free), *inner_roles]
    for z in range(image_source.axis_length(roles, volume.shape, "Z")):
        yield image_source.select_axes(volume, roles, {**where, "Z": z}, "YXS")
