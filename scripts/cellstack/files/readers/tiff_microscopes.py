"""Metadata in the TIFFs of MetaMorph, MetaXpress, Micro-Manager and Zeiss (LSM)."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import tifffile

from cellstack.errors import InputError
from cellstack.files.readers import acquisition
from cellstack.files.readers.voxel_size import AXES, StoredSize


def stacks_in(tif: tifffile.TiffFile) -> list[Any]:
    """Return the series of pages in a TIFF, without the thumbnails of an LSM."""
    return tif.series[:1] if tif.is_lsm else list(tif.series)


def check_tiles(name: str, axes: str, shape: Sequence[int]) -> None:
    """Raise an error if an LSM has several tiles.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    axes : str
        Axes of the image; M is that of tiles.
    shape : sequence of int
        Length of each axis.

    Raises
    ------
    InputError
        The tiles are not fused.
    """
    tiles = dict(zip(axes, shape, strict=True)).get("M", 1)
    if tiles > 1:
        raise InputError(
            f"{name}: contains {tiles} tiles that are not fused: in ZEN apply Stitching with the "
            "option Fuse Tiles, and save the result"
        )


def check_micromanager(name: str, tif: tifffile.TiffFile, axes: str, shape: Sequence[int]) -> None:
    """Raise an error if planes or channels of a Micro-Manager acquisition are missing.

    tifffile reads what is left as a smaller stack. OME metadata, where they exist, are compared
    with the pages elsewhere.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    tif : tifffile.TiffFile
    axes : str
        Axes of the image.
    shape : sequence of int
        Length of each axis.

    Raises
    ------
    InputError
        The acquisition has more planes or channels than the image.
    """
    if tif.is_ome or not tif.is_mmstack:
        return
    lengths = dict(zip(axes, shape, strict=True))
    for axis, key, what in (("Z", "Slices", "planes"), ("C", "Channels", "channels")):
        recorded = int((tif.micromanager_metadata or {})["Summary"].get(key, 1))
        if lengths.get(axis, 1) < recorded:
            raise InputError(
                f"{name}: contains {lengths.get(axis, 1)} of {recorded} {what} of its "
                "Micro-Manager acquisition: copy its other files into the folder; if it was "
                "stopped early, save it as a TIFF in Fiji"
            )


def files_of_set(series: Any) -> list[str]:
    """Return the names of the files of a Micro-Manager acquisition; empty if it is one file."""
    if series.kind != "mmstack" or not series.is_multifile:
        return []
    return sorted({page.parent.filehandle.name for page in series.pages if page is not None})


def channel_names(tif: tifffile.TiffFile) -> list[str | None]:
    """Return the names of the channels of an LSM; empty if it has none."""
    names: list[str | None] = (
        (tif.lsm_metadata or {}).get("ChannelColors", {}).get("ColorNames", [])
    )
    return names


def spacing_of_lsm(tif: tifffile.TiffFile) -> dict[str, StoredSize]:
    """Return the voxel size of an LSM, by axis."""
    metadata = tif.lsm_metadata or {}
    keys = {axis: f"VoxelSize{axis.upper()}" for axis in AXES}
    return {axis: StoredSize(metadata[key], "m", f"LSM {key}") for axis, key in keys.items()}


def plane_information(tif: tifffile.TiffFile) -> dict[str, Any]:
    """Return what MetaXpress or MetaMorph writes about a plane; empty for any other TIFF."""
    metadata = tif.metaseries_metadata or {}
    information: dict[str, Any] = metadata.get("PlaneInfo", {})
    return information


def spacing_of_plane(tif: tifffile.TiffFile) -> dict[str, StoredSize]:
    """Return the size of a pixel in a plane of MetaXpress or MetaMorph, if it is calibrated."""
    information = plane_information(tif)
    if not information.get("spatial-calibration-state"):
        return {}
    unit = str(information.get("spatial-calibration-units", ""))
    keys = {axis: f"spatial-calibration-{axis}" for axis in "yx"}
    return {
        axis: StoredSize(information[key], unit, f"MetaSeries {key}")
        for axis, key in keys.items()
        if key in information
    }


def position_of_plane(tif: tifffile.TiffFile) -> float | None:
    """Return the position along z in um of a plane of MetaXpress or MetaMorph, if it is known."""
    position = plane_information(tif).get("z-position")
    return float(position) if isinstance(position, int | float) else None


def describe_plane(tif: tifffile.TiffFile) -> tuple[dict[str, Any], list[str]]:
    """Return the acquisition metadata of a plane of MetaXpress or MetaMorph.

    Returns
    -------
    acquisition : dict
        Empty for any other TIFF.
    notices : list of str
        What the user should know.
    """
    information = plane_information(tif)
    projection = information.get("Z Projection Method")
    notices = [f"is a projection of a stack ({projection}), not a plane"] if projection else []
    channel = {
        "name": information.get("_IllumSetting_"),
        "emission_nm": information.get("wavelength"),
        "exposure_ms": _milliseconds(information.get("Exposure Time")),
    }
    found = acquisition.describe(
        {
            "date": information.get("acquisition-time-local"),
            "objective": information.get("_MagSetting_"),
            "numerical_aperture": information.get("_MagNA_"),
            "refractive_index": information.get("_MagRI_"),
            "bit_depth": information.get("Camera Bit Depth"),
        },
        [channel],
    )
    return found, notices


def _milliseconds(text: object) -> float | None:
    """Return an exposure such as "80 ms" in ms; None if it is not known.

    Examples
    --------
    >>> _milliseconds("80 ms"), _milliseconds("1.5 s"), _milliseconds("auto")
    (80.0, 1500.0, None)
    """
    found = re.fullmatch(r"\s*(\d+\.?\d*)\s*(ms|s)\s*", str(text))
    return float(found[1]) * (1000 if found[2] == "s" else 1) if found else None


def describe_lsm(tif: tifffile.TiffFile) -> dict[str, Any]:
    """Return the acquisition metadata of an LSM."""
    scan: dict[str, Any] = (tif.lsm_metadata or {}).get("ScanInformation") or {}
    tracks = [track for track in scan.get("Tracks") or [] if track.get("Acquire", 1)]
    channels, bits = [], set()
    for track in tracks:
        lasers = [each for each in track.get("IlluminationChannels") or [] if each.get("Acquire")]
        for channel in track.get("DetectionChannels") or []:
            if not channel.get("Acquire", 1):
                continue
            bits.add(channel.get("BitsPerSample"))
            channels.append(
                {
                    "name": channel.get("ChannelName"),
                    "fluorophore": channel.get("DyeName"),
                    "detector": channel.get("DetectorName"),
                    "excitation_nm": lasers[0].get("Wavelength") if len(lasers) == 1 else None,
                }
            )
    counted = len(channels) == (tif.lsm_metadata or {}).get("DimensionChannels")
    return acquisition.describe(
        {
            "objective": scan.get("Objective"),
            "bit_depth": bits.pop() if len(bits) == 1 else None,
        },
        channels if counted else [],  # else it is not known which is which
    )


def spacing_of_stk(name: str, tif: tifffile.TiffFile) -> dict[str, StoredSize]:
    """Return the voxel size of an STK.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    tif : tifffile.TiffFile

    Returns
    -------
    dict of str to StoredSize
        By axis, without those that are not calibrated.

    Raises
    ------
    InputError
        The distances between the planes differ.
    """
    metadata = tif.stk_metadata or {}
    found = {}
    if metadata.get("SpatialCalibration"):
        unit = str(metadata.get("CalibrationUnits", ""))
        for axis in "yx":
            key = f"{axis.upper()}Calibration"
            if key in metadata:
                found[axis] = StoredSize(metadata[key], unit, f"STK {key}")
    distances = np.unique(metadata.get("ZDistance", [0]))
    if len(distances) > 1:
        raise InputError(
            f"{name}: its planes are not equally spaced, their distances are {distances[0]:g} to "
            f"{distances[-1]:g} um: record the stack with a constant distance"
        )
    if distances[0]:
        found["z"] = StoredSize(float(distances[0]), "um", "STK ZDistance")
    return found
