"""Reader of OIB and OIF, the formats of Olympus FluoView microscopes."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from cellstack.core.counting import agree
from cellstack.errors import InputError
from cellstack.files.images import check_regular
from cellstack.files.readers import acquisition, image_source, optional, parts
from cellstack.files.readers.image_source import ImageSource, Planes
from cellstack.files.readers.parts import Part
from cellstack.files.readers.voxel_size import StoredSize

PLANE_NAME = re.compile(r"(?:^|_)((?:[A-Z]\d+)*)\.tif$")  # such as s_C001Z002.tif
POSITION = re.compile(r"([A-Z])(\d+)")
DTYPES = {1: "uint8", 2: "uint16"}  # by bytes per pixel
REFERENCE = "Reference Image Parameter"

Files = Mapping[tuple[int, ...], str]  # names of the planes by their position along the outer axes


@contextmanager
def open_oif(path: Path, part: Part | None = None) -> Iterator[ImageSource]:
    """Open an OIB file, or an OIF file with the folder that belongs to it.

    Parameters
    ----------
    path : pathlib.Path
    part : Part, optional
        The time point to be read, if the file has several.

    Yields
    ------
    ImageSource
        Valid within the context, which closes the file.

    Raises
    ------
    InputError
        The file is neither an OIB nor an OIF, a plane is missing, or it does not contain a single
        stack: it has several time points of which `part` names none, or planes that are not in x
        and y, or other axes.
    """
    name = str(path)
    library = optional.load("oiffile", "oiffile", name, "OIB and OIF files")
    with ExitStack() as stack:
        with image_source.input_errors(name):
            file = stack.enter_context(library.OifFile(path))
            source = _describe(name, path, file, library.SettingsFile, part)
        yield source


def _describe(
    name: str, path: Path, file: Any, read_settings: Any, part: Part | None
) -> ImageSource:
    settings = file.mainfile
    order = settings["Axis Parameter Common"]["AxisOrder"]
    if order[:2] != "XY":
        raise InputError(
            f"{name}: its planes are in {order[:2]} (axes {order[::-1]}), but planes in XY are "
            "needed: record a stack in XYZ, or set include to false in the sheet"
        )
    lengths = _axis_lengths(settings)
    axes = order[::-1]
    shape = tuple(lengths[axis] for axis in axes)
    roles = image_source.axis_roles(name, axes, shape, colour=False)
    parts.pick_scene(name, [None], part)
    times = image_source.axis_length(roles, shape, "T")
    time = parts.pick_time(name, times, part)
    files = _find_planes(path, file, axes[:-2])
    needed = [
        range(time, time + 1) if role == "T" else range(length)
        for role, length in zip(roles[:-2], shape[:-2], strict=True)
    ]
    missing = [where for where in product(*needed) if where not in files]
    if missing:
        raise InputError(
            f"{name}: is incomplete ({len(missing)} of its planes "
            f"{agree(len(missing), 'is', 'are')} missing): copy or export it again"
        )
    channels = image_source.axis_length(roles, shape, "C")
    described = [settings[f"Channel {number + 1} Parameters"] for number in range(channels)]
    dyes = [each.get("DyeName") for each in described]
    names = [
        dye if dye not in (None, "", "None") else each.get("CH Name")
        for dye, each in zip(dyes, described, strict=True)
    ]
    dtype = np.dtype(DTYPES[settings[REFERENCE]["ImageDepth"]])
    plane_shape = (lengths["Y"], lengths["X"])

    def read_planes(channel: int) -> Planes:
        for z in range(image_source.axis_length(roles, shape, "Z")):
            where = {"T": time, "C": channel, "Z": z}
            with image_source.input_errors(name):
                file_name = files[tuple(where.get(role, 0) for role in roles[:-2])]
                plane = _read_plane(file, file_name, plane_shape, dtype)
            yield plane

    return ImageSource(
        files=[path],
        format=path.suffix[1:].upper(),
        axes=axes,
        shape=shape,
        dtype=dtype,
        count=image_source.axis_length(roles, shape, "Z"),
        plane_shape=plane_shape,
        channels=image_source.channel_names(names, channels),
        planes=read_planes,
        spacing=_spacing(settings, lengths),
        time=time if times > 1 else None,
        acquisition=_acquisition(settings, described, _plane_settings(file, read_settings)),
        other_files=sorted({path.parent / Path(each).parts[0] for each in files.values()})
        if path.suffix.lower() == ".oif"
        else [],
    )


def _axes(settings: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the parameters of each axis, by its letter."""
    sections = [
        section
        for key, section in settings.items()
        if re.fullmatch(r"Axis \d+ Parameters Common", key)
    ]
    return {section["AxisCode"]: section for section in sections}


def _axis_lengths(settings: Mapping[str, Any]) -> dict[str, int]:
    """Return the length of each axis. In the file, axes that were not scanned have length 0."""
    return {axis: max(1, int(section["MaxSize"])) for axis, section in _axes(settings).items()}


def _find_planes(path: Path, file: Any, axes: str) -> Files:
    """Return the files of the planes; raise an error if one is not in the folder of an OIF."""
    found = {}
    for each in file.filesystem.files():
        match = PLANE_NAME.search(PurePosixPath(each).name)
        numbers = {
            axis: int(number) for axis, number in POSITION.findall(match[1] if match else "")
        }
        if match and set(numbers) <= set(axes):
            found[tuple(numbers.get(axis, 1) - 1 for axis in axes)] = each
    if path.suffix.lower() == ".oif":
        folder = path.resolve().parent
        for each in found.values():
            plane = path.parent / each
            if not plane.resolve().is_relative_to(folder):
                raise InputError(
                    f"{plane}: is a link to a file outside its folder: copy the file into the "
                    "folder"
                )
            check_regular(plane)
    return found


def _read_plane(file: Any, name: str, shape: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    with file.open_file(name) as stream, tifffile.TiffFile(stream, name=name) as tif:
        plane = tif.pages.first.asarray()
    if (plane.shape, plane.dtype) != (shape, dtype):
        raise ValueError(f"{name} has the shape {plane.shape} and the type {plane.dtype}")
    return plane


def _spacing(settings: Mapping[str, Any], lengths: Mapping[str, int]) -> dict[str, StoredSize]:
    reference, z = settings[REFERENCE], _axes(settings).get("Z", {})
    found = {
        axis: StoredSize(reference[f"{key}ConvertValue"], reference[f"{key}Unit"], f"{key}Convert")
        for axis, key in (("y", "Height"), ("x", "Width"))
        if f"{key}ConvertValue" in reference
    }
    if lengths.get("Z", 1) > 1 and "Interval" in z:
        found["z"] = StoredSize(abs(z["Interval"]), z["PixUnit"], "Interval of axis Z")
    return found


def _plane_settings(file: Any, read_settings: Any) -> Mapping[str, Any]:
    """Return the parameters that are stored with the first plane; empty if there are none."""
    names = sorted(each for each in file.filesystem.files() if each.endswith("C001.pty"))
    settings = read_settings(file.open_file(names[0]), names[0]) if names else {}
    common: Mapping[str, Any] = settings.get("Acquisition Parameters Common", {})
    return common


def _acquisition(
    settings: Mapping[str, Any], channels: list[Mapping[str, Any]], plane: Mapping[str, Any]
) -> dict[str, Any]:
    common = settings.get("Acquisition Parameters Common", {})
    return acquisition.describe(
        {
            "date": common.get("ImageCaputreDate"),  # sic
            "microscope": common.get("Acquisition Device"),
            "objective": plane.get("ObjectiveLens Name"),
            "magnification": plane.get("Magnification"),
            "numerical_aperture": plane.get("ObjectiveLens NAValue"),
            "bit_depth": settings.get("Reference Image Parameter", {}).get("ValidBitCounts"),
        },
        [
            {
                "name": each.get("CH Name"),
                "fluorophore": each.get("DyeName"),
                "mode": each.get("LightType"),
                "excitation_nm": each.get("ExcitationWavelength") or None,
                "emission_nm": each.get("EmissionWavelength") or None,
            }
            for each in channels
        ],
    )
