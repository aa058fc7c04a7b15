"""Reader of ND2, the format of Nikon microscopes."""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import tifffile

from cellstack.errors import InputError
from cellstack.files.readers import acquisition, image_source, optional, parts
from cellstack.files.readers.image_source import ImageSource, Planes
from cellstack.files.readers.parts import Part
from cellstack.files.readers.voxel_size import StoredSize

EXPOSURE = re.compile(r"Exposure: *(\d+\.?\d*) *(ms|s)\b")
FRAME_AXES = "CYXS"  # axes within a frame; the others count frames


@contextmanager
def open_nd2(path: Path, part: Part | None = None) -> Iterator[ImageSource]:
    """Open an ND2 file.

    Parameters
    ----------
    path : pathlib.Path
    part : Part, optional
        The position and the time point to be read, if the file has several.

    Yields
    ------
    ImageSource
        Valid within the context, which closes the file.

    Raises
    ------
    InputError
        The file is not an ND2, a frame is missing, or it does not contain a single stack: it has
        several positions or time points of which `part` names none, or other axes.
    """
    name = str(path)
    library = optional.load("nd2", "nd2", name, "ND2 files")
    with ExitStack() as stack:
        with image_source.input_errors(name):
            # nd2 maps a plain file into memory, and its whole size would count towards the memory
            # limit; it does not map a handle
            handle = stack.enter_context(tifffile.FileHandle(path))
            file = stack.enter_context(library.ND2File(handle))
            source = _describe(name, path, file, part)
        yield source


def _describe(name: str, path: Path, file: Any, part: Part | None) -> ImageSource:
    sizes = dict(file.sizes)
    lead = {axis: length for axis, length in sizes.items() if axis not in FRAME_AXES}
    if math.prod(loop.count for loop in file.experiment) != math.prod(lead.values()):
        loops = ", ".join(f"{loop.type} of {loop.count}" for loop in file.experiment)
        raise InputError(
            f"{name}: contains loops that cannot be told apart ({loops}): "
            "export the stack as OME-TIFF"
        )
    names = _position_names(file)
    position = parts.pick_scene(name, names, part)
    axes = [axis for axis in sizes if axis != "P"]
    shape = [sizes[axis] for axis in axes]
    roles = image_source.axis_roles(name, axes, shape, colour=True)
    times = image_source.axis_length(roles, shape, "T")
    time = parts.pick_time(name, times, part)
    channels = image_source.axis_length(roles, shape, "C")
    described = file.metadata.channels or []
    where = {"P": position, "T": time}
    _check_frames(name, path, file, lead, where)
    return ImageSource(
        files=[path],
        format="ND2",
        axes="".join(sizes),
        shape=tuple(sizes.values()),
        dtype=file.dtype.newbyteorder("="),
        count=image_source.axis_length(roles, shape, "Z"),
        plane_shape=(sizes["Y"], sizes["X"]),
        channels=image_source.channel_names([each.channel.name for each in described], channels),
        planes=lambda channel: _read_planes(name, file, lead, where, channel),
        spacing=_spacing(file, described),
        scene=parts.label(position, names),
        time=time if times > 1 else None,
        acquisition=_acquisition(file, described),
        notices=[image_source.REDUCED] if "S" in sizes else [],
    )


def _position_names(file: Any) -> list[str | None]:
    """Return the names of the positions, None for positions without a name."""
    if file.sizes.get("P", 1) == 1:
        return [None]
    (loop,) = (each for each in file.experiment if each.type == "XYPosLoop")
    return [point.name or None for point in loop.parameters.points]


def _frame_numbers(lead: Mapping[str, int], where: Mapping[str, int]) -> list[int]:
    """Return the numbers of the frames of a stack, by z."""
    numbers = []
    for z in range(lead.get("Z", 1)):
        number = 0
        for axis, length in lead.items():
            number = number * length + (z if axis == "Z" else where[axis])
        numbers.append(number)
    return numbers


def _check_frames(
    name: str, path: Path, file: Any, lead: Mapping[str, int], where: Mapping[str, int]
) -> None:
    """Raise an error if a frame is missing, which nd2 reads as zeros."""
    if file.is_legacy:  # a missing frame is an error of nd2
        return
    offsets = file._rdr._frame_offsets  # nd2 offers no other way to find out
    attributes = file.attributes
    compressed = attributes.compressionType == "lossless"
    stored = 0 if compressed else attributes.heightPx * (attributes.widthBytes or 0)
    size = path.stat().st_size
    for z, number in enumerate(_frame_numbers(lead, where)):
        if number not in offsets or offsets[number] + stored > size:
            raise InputError(
                f"{name}: is incomplete (plane {z} is missing, the recording may have been "
                "stopped): copy it again, or export the complete stacks in NIS-Elements"
            )


def _spacing(file: Any, channels: list[Any]) -> dict[str, StoredSize]:
    """Return the voxel size, without axes that are not calibrated."""
    if file.is_legacy:  # 1 stands for a size that is not known
        return {
            axis: StoredSize(size, "", "ND2 Calibration", "um")
            for axis, size in file.voxel_size()._asdict().items()
        }
    volume = channels[0].volume
    found = {}
    for axis, size, calibrated in zip(
        "xyz", volume.axesCalibration, volume.axesCalibrated, strict=True
    ):
        if calibrated and (axis != "z" or "Z" in file.sizes):
            found[axis] = StoredSize(size, "um", f"ND2 axesCalibration {axis}")
    return found


def _acquisition(file: Any, channels: list[Any]) -> dict[str, Any]:
    microscope = channels[0].microscope if channels else None
    # one line per channel, in this form only for cameras
    exposures = EXPOSURE.findall(file.text_info.get("description", ""))
    if len(exposures) != len(channels):
        exposures = [(None, "ms")] * len(channels)
    return acquisition.describe(
        {
            "date": file.text_info.get("date"),
            "objective": getattr(microscope, "objectiveName", None),
            "magnification": getattr(microscope, "objectiveMagnification", None),
            "numerical_aperture": getattr(microscope, "objectiveNumericalAperture", None),
            "refractive_index": getattr(microscope, "immersionRefractiveIndex", None),
            "bit_depth": file.attributes.bitsPerComponentSignificant,
        },
        [
            {
                "name": each.channel.name,
                "mode": ", ".join(each.microscope.modalityFlags),
                "excitation_nm": each.channel.excitationLambdaNm,
                "emission_nm": each.channel.emissionLambdaNm,
                "pinhole_um": each.microscope.pinholeDiameterUm,
                "exposure_ms": value and float(value) * (1000 if unit == "s" else 1),
            }
            for each, (value, unit) in zip(channels, exposures, strict=True)
        ],
    )


def _read_planes(
    name: str, file: Any, lead: Mapping[str, int], where: Mapping[str, int], channel: int
) -> Planes:
    """Yield the planes of a channel, each read when it is needed."""
    axes = [axis for axis in file.sizes if axis in FRAME_AXES]
    for number in _frame_numbers(lead, where):
        with image_source.input_errors(name):
            frame = file.read_frame(number)
            if frame.shape != tuple(file.sizes[axis] for axis in axes):
                raise ValueError(f"frame {number} has the shape {frame.shape}")
            plane = image_source.select_axes(frame, axes, {"C": channel}, "YXS")
        yield plane
