"""Reader of CZI, the format of Zeiss microscopes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from xml.etree.ElementTree import Element, fromstring

import numpy as np
from numpy.typing import NDArray

from cellstack.errors import InputError
from cellstack.files.readers import acquisition, image_source, optional, parts
from cellstack.files.readers.image_source import ImageSource, Planes
from cellstack.files.readers.parts import Part
from cellstack.files.readers.voxel_size import StoredSize

DTYPES = {
    "Gray8": "uint8",
    "Gray16": "uint16",
    "Gray32Float": "float32",
    "Bgr24": "uint8",
    "Bgr48": "uint16",
    "Bgr96Float": "float32",
}
OTHER_AXES = {
    "H": "phases",
    "I": "directions of illumination",
    "R": "rotations",
    "V": "views",
    "B": "blocks",
}
IMAGE = "Metadata/Information/Image/"
INSTRUMENT = "Metadata/Information/Instrument/"


_Box: TypeAlias = tuple[int, int, int, int]  # x, y, width, height


class _Block(NamedTuple):
    """A tile of one plane, at full resolution."""

    where: Mapping[str, int]  # position along the axes other than Y and X
    box: _Box
    pixel_type: str


class _Region(NamedTuple):
    """Place of the planes of one stack in a document."""

    scene: int | None
    box: _Box
    where: Mapping[str, int]  # position along the axes other than C, Z, Y and X
    pixel_types: Mapping[int, str]  # by channel
    z: Sequence[int]


@contextmanager
def open_czi(path: Path, part: Part | None = None) -> Iterator[ImageSource]:
    """Open a CZI file.

    Parameters
    ----------
    path : pathlib.Path
    part : Part, optional
        The scene and the time point to be read, if the file has several.

    Yields
    ------
    ImageSource
        Valid within the context, which closes the file.

    Raises
    ------
    InputError
        The file is not a CZI, a plane is missing, or it does not contain a single stack: it has
        several scenes or time points of which `part` names none, tiles that overlap, skewed
        planes, or other axes.
    """
    name = str(path)
    library = optional.load("pylibCZIrw.czi", "pylibCZIrw", name, "CZI files")
    with ExitStack() as stack:
        with image_source.input_errors(name):
            document = stack.enter_context(library.open_czi(name))
            source = _describe(name, path, document, part)
        yield source


def _describe(name: str, path: Path, document: Any, part: Part | None) -> ImageSource:
    text = document.raw_metadata
    root = fromstring(text) if text else Element("ImageDocument")
    blocks = _blocks(document)
    numbers = sorted({block.where.get("S", 0) for block in blocks})
    named = {
        scene.get("Index"): scene.get("Name")
        for scene in root.findall(f"{IMAGE}Dimensions/S/Scenes/Scene")
    }
    names = [named.get(str(number)) for number in numbers]
    position = parts.pick_scene(name, names, part)
    scene = numbers[position]
    blocks = [block for block in blocks if block.where.get("S", 0) == scene]
    _check_processed(name, root, blocks)
    times = _positions(blocks, "T")
    time = parts.pick_time(name, len(times), part)
    blocks = [block for block in blocks if block.where.get("T", 0) == times[time]]
    channels, z = _positions(blocks, "C"), _positions(blocks, "Z")
    box, notices = _check_tiles(name, blocks)
    pixel_types = {block.where.get("C", 0): block.pixel_type for block in blocks}
    unknown = sorted(set(pixel_types.values()) - set(DTYPES))
    if unknown:
        raise InputError(
            f"{name}: pixels of type {unknown[0]} are not supported: convert the image to 16 bit "
            "in ZEN, and save the result"
        )
    if any(pixel_type.startswith("Bgr") for pixel_type in pixel_types.values()):
        notices.append(image_source.REDUCED)
    first = blocks[0].where
    constant = {axis: value for axis, value in first.items() if axis not in "SMCZ"}
    region = _Region(first.get("S"), box, constant, pixel_types, z)
    described = _channels(root, channels)
    names_of_channels = [channel.get("Name") for channel in described]
    return ImageSource(
        files=[path],
        format="CZI",
        axes="TCZYX",
        shape=(len(times), len(channels), len(z), box[3], box[2]),
        dtype=np.result_type(*(np.dtype(DTYPES[each]) for each in pixel_types.values())),
        count=len(z),
        plane_shape=(box[3], box[2]),
        channels=image_source.channel_names(names_of_channels, len(channels)),
        planes=lambda channel: _read_planes(name, document, region, channels[channel]),
        spacing=_spacing(root),
        scene=parts.label(position, names),
        time=time if len(times) > 1 else None,
        acquisition=_acquisition(root, described),
        notices=notices,
    )


def _check_processed(name: str, root: Element, blocks: Sequence[_Block]) -> None:
    """Raise an error if a scene needs processing in ZEN before it is a stack."""
    shear = root.findtext(f"{IMAGE}Dimensions/Z/ZAxisShear", "None")
    if shear != "None":
        raise InputError(
            f"{name}: its planes are skewed (ZAxisShear {image_source.one_line(shear)}): "
            "deskew it in ZEN, and save the result"
        )
    for axis, plural in OTHER_AXES.items():
        count = len(_positions(blocks, axis))
        if count > 1:
            raise InputError(
                f"{name}: contains {count} {plural} (axis {axis}), but a single stack is needed: "
                "combine or separate them in ZEN, and save the result"
            )


def _blocks(document: Any) -> list[_Block]:
    """Return the tiles of a document at full resolution, without those of its pyramid."""
    blocks: list[_Block] = []

    def add(number: int, info: Any) -> bool:
        box, stored = info.logicalRect, info.physicalSize
        if (box.w, box.h) == (stored.w, stored.h):
            where = info.coordinate.to_dict()
            pixel_type = str(info.pixelType).rpartition(".")[2]
            blocks.append(_Block(where, (box.x, box.y, box.w, box.h), pixel_type))
        return True

    document.enumerate_subblocks(add)
    return blocks


def _positions(blocks: Sequence[_Block], axis: str) -> list[int]:
    """Return the sorted positions along an axis at which there are tiles."""
    return sorted({block.where.get(axis, 0) for block in blocks})


def _check_tiles(name: str, blocks: Sequence[_Block]) -> tuple[_Box, list[str]]:
    """Return the box that all tiles take up, and what the user should know about it."""
    planes: dict[tuple[int, int], list[_Box]] = {}
    for block in blocks:
        key = (block.where.get("C", 0), block.where.get("Z", 0))
        planes.setdefault(key, []).append(block.box)
    channels, z = _positions(blocks, "C"), _positions(blocks, "Z")
    for key in ((c, plane) for c in channels for plane in range(z[0], z[-1] + 1)):
        if key not in planes:
            raise InputError(
                f"{name}: is incomplete (plane {key[1]} of channel {key[0]} is missing): "
                "copy or export it again"
            )
    boxes = np.array([block.box for block in blocks])
    low, high = boxes[:, :2].min(axis=0), (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    (x, y), (width, height) = low.tolist(), (high - low).tolist()
    covered = math.inf
    for tiles in planes.values():
        if _overlap(np.array(tiles)):
            raise InputError(
                f"{name}: contains {len(tiles)} tiles that overlap and are not fused: in ZEN apply "
                "Stitching with the option Fuse Tiles, and save the result"
            )
        covered = min(covered, sum(tile[2] * tile[3] for tile in tiles))
    left = 1 - covered / (width * height)
    notices = [f"{left:.1%} of the area has no tile, and is 0"] if left else []
    return (x, y, width, height), notices


def _overlap(boxes: NDArray[np.int_]) -> bool:
    """Return whether any two boxes overlap.

    Parameters
    ----------
    boxes : (N, 4) ndarray of int
        x, y, width and height.
    """
    starts, ends = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    for number in range(1, len(boxes)):
        both = (starts[:number] < ends[number]) & (starts[number] < ends[:number])
        if both.all(axis=1).any():
            return True
    return False


def _read_planes(name: str, document: Any, region: _Region, channel: int) -> Planes:
    """Yield the planes of a channel, each read when it is needed."""
    pixel_type = region.pixel_types[channel]
    for z in region.z:
        with image_source.input_errors(name):
            plane: NDArray[Any] = document.read(
                roi=region.box,
                plane={**region.where, "C": channel, "Z": z},
                scene=region.scene,
                pixel_type=pixel_type,
            )
        yield plane[..., ::-1] if pixel_type.startswith("Bgr") else plane[..., 0]


def _channels(root: Element, channels: Sequence[int]) -> list[Element]:
    """Return the description of each channel, empty if there is none."""
    described = root.findall(f"{IMAGE}Dimensions/Channels/Channel")
    by_id = {channel.get("Id"): channel for channel in described}
    found = []
    for position, channel in enumerate(channels):
        in_order = described[position] if len(described) == len(channels) else Element("Channel")
        found.append(by_id.get(f"Channel:{channel}", in_order))
    return found


def _spacing(root: Element) -> dict[str, StoredSize]:
    """Return the voxel size, which a CZI gives in m; empty if the file has none."""
    found = {}
    for distance in root.findall("Metadata/Scaling/Items/Distance"):
        axis, value = distance.get("Id", ""), distance.findtext("Value")
        if axis in ("X", "Y", "Z") and value is not None:
            found[axis.lower()] = StoredSize(value, "m", f"CZI Scaling {axis}")
    return found


def _acquisition(root: Element, channels: Sequence[Element]) -> dict[str, Any]:
    used = root.find(f"{IMAGE}ObjectiveSettings/ObjectiveRef")
    objectives = root.findall(f"{INSTRUMENT}Objectives/Objective")
    named = [each for each in objectives if used is not None and each.get("Id") == used.get("Id")]
    objective = next(iter(named or objectives), Element("Objective"))
    microscope = root.find(f"{INSTRUMENT}Microscopes/Microscope")
    if microscope is None:
        microscope = Element("Microscope")
    return acquisition.describe(
        {
            "date": root.findtext(f"{IMAGE}AcquisitionDateAndTime"),
            "microscope": microscope.findtext("System") or microscope.get("Name"),
            "objective": objective.get("Name"),
            "magnification": objective.findtext("NominalMagnification"),
            "numerical_aperture": objective.findtext("LensNA"),
            "immersion": objective.findtext("Immersion"),
            "bit_depth": root.findtext(f"{IMAGE}ComponentBitCount"),
        },
        [
            {
                "name": channel.get("Name"),
                "fluorophore": channel.findtext("Fluor"),
                "mode": channel.findtext("AcquisitionMode"),
                "excitation_nm": channel.findtext("ExcitationWavelength"),
                "emission_nm": channel.findtext("EmissionWavelength"),
                "pinhole_airy": channel.findtext("PinholeSizeAiry"),
                "exposure_ms": _milliseconds(channel.findtext("ExposureTime")),
            }
            for channel in channels
        ],
    )


def _milliseconds(text: str | None) -> float | None:
    """Return an exposure in ms, which a CZI gives in ns; None if it is not a number."""
    try:
        return None if text is None else float(text) / 1e6
    except ValueError:
        return None
