"""The voxel size of an image from outside: what its file says, what the sheet says, and when neither can be trusted."""

import math
from typing import NamedTuple

from cellstack.errors import InputError

AXES = "zyx"
TOLERANCE = 0.01  # the sheet and the file may differ by rounding, not by more

_METRES = {"pico": ("p", 1e-6), "nano": ("n", 1e-3), "micro": ("u", 1.0), "milli": ("m", 1e3), "centi": ("c", 1e4), "": ("", 1e6)}
UNITS = {symbol + "m": factor for symbol, factor in _METRES.values()}
UNITS |= {prefix + word: step for prefix, (_, step) in _METRES.items() for word in ("meter", "meters", "metre", "metres")}
UNITS |= dict.fromkeys(("µm", "Âµm", "micron", "microns"), 1.0)  # the second: UTF-8 that was read as Latin-1
UNITS |= dict.fromkeys(("Å", "angstrom"), 1e-4)
NOT_PHYSICAL = ("", "pixel", "pixels", "px", "reference frame")


class Found(NamedTuple):
    """What a file says of the voxel size along one axis."""

    value: object  # a number, or a text that may not be one
    unit: str  # as written; empty where there is none
    source: str  # how the format calls it
    default_unit: str = ""  # what the format's standard prescribes where no unit is written


def from_imagej(metadata, resolution):
    """Read the voxel size of an ImageJ TIFF.

    Parameters
    ----------
    metadata : dict
        The image description: `unit`, `yunit`, `zunit`, `spacing`.
    resolution : dict
        What :func:`from_resolution` finds in the tags of the same file.

    Returns
    -------
    dict of Found
        By axis. ImageJ keeps x and y in the TIFF's resolution tags, in its own unit.
    """
    unit = str(metadata.get("unit", ""))
    found = {}
    for axis, tag in resolution.items():
        own = str(metadata.get("yunit", unit)) if axis == "y" else unit
        found[axis] = Found(tag.value, own or tag.unit, f"ImageJ {tag.source}")
    if "spacing" in metadata:
        found["z"] = Found(metadata["spacing"], str(metadata.get("zunit", unit)), "ImageJ spacing")
    return found


def from_resolution(x, y, unit):
    """Read the voxel size from TIFF's resolution tags.

    Parameters
    ----------
    x, y : (2,) tuple of int or None
        XResolution and YResolution: pixels per unit, as a fraction.
    unit : str
        The name of ResolutionUnit; empty for none.

    Returns
    -------
    dict of Found
        By axis, for y and x. The unit `inch` belongs to printing and is not taken for a voxel size.
    """
    found = {}
    for axis, fraction in (("y", y), ("x", x)):
        if fraction is not None:
            pixels, length = fraction
            found[axis] = Found(length / pixels if pixels else math.inf, unit, f"{axis.upper()}Resolution")
    return found


def from_ome(attributes):
    """Read the voxel size from the attributes of OME's ``Pixels``.

    Parameters
    ----------
    attributes : dict of str
        `PhysicalSizeX` and so on; where the unit is absent the OME schema prescribes um.

    Returns
    -------
    dict of Found
        By axis.

    References
    ----------
    .. [1] https://docs.openmicroscopy.org/ome-model/latest/
    """
    keys = {axis: f"PhysicalSize{axis.upper()}" for axis in AXES}
    return {
        axis: Found(attributes[key], attributes.get(f"{key}Unit", ""), f"OME {key}", "µm")
        for axis, key in keys.items()
        if key in attributes
    }


def in_um(found):
    """Convert what a file says to um.

    Parameters
    ----------
    found : Found or None
        None where the file says nothing.

    Returns
    -------
    value : float or None
        um, or None where it is not a length.
    problem : str
        Why it is not.
    """
    if found is None:
        return None, "the file gives none"
    text = str(found.value).strip()
    written = found.unit.strip().replace("\\u00B5", "µ").replace("\\u00b5", "µ").replace("μ", "µ")
    unit = written or found.default_unit
    try:
        value = float(text)
    except ValueError:
        return None, f"{found.source} is {text!r}"
    if not written and value == 1:  # what writers put where they know nothing
        return None, f"{found.source} is 1 without a unit"
    if unit.lower() in NOT_PHYSICAL:
        return None, f"{found.source} is {value:g} without a physical unit"
    factor = UNITS.get(unit) or UNITS.get(unit.lower() if len(unit) > 2 else "")
    if factor is None:
        return None, f"{found.source} is {value:g} in the unit {unit!r}, which is not a unit of voxel sizes"
    if not (math.isfinite(value) and value > 0):
        return None, f"{found.source} is {value:g}"
    return value * factor, ""


def choose(name, found, sheet, planes):
    """Settle the voxel size from the file and the sheet.

    Parameters
    ----------
    name : str
        What messages call the image.
    found : dict of Found
        By axis (`z`, `y`, `x`); an axis may be absent.
    sheet : dict of float
        By axis, um; None where the sheet is empty. It wins where the file agrees, for the file's value is often a rounded fraction.
    planes : int
        Number of planes. A single plane without z takes the voxel size along y, for no distance along z is ever measured on it.

    Returns
    -------
    chosen : dict of dict
        By axis: `um`, its `source`, and the `file`'s own words or None.
    notices : list of str
        What the user should know.

    Raises
    ------
    InputError
        Where a value is unknown, not a length, or the file and the sheet differ by more than 1 %.
    """
    chosen, notices, unknown = {}, [], []
    for axis in AXES:
        own, given = found.get(axis), sheet[axis]
        value, problem = in_um(own)
        said = None if own is None else " ".join(f"{own.source} {own.value} {own.unit}".split())
        if given is None:
            chosen[axis] = {"um": value, "source": own.source if own else None, "file": said}
            if value is None and not (axis == "z" and planes == 1):
                unknown.append((axis, problem))
            elif own is not None and float(own.value) == 1:
                notices.append(f"{said} is taken as it stands: check that it is not a mere default")
            continue
        if not (math.isfinite(given) and given > 0):
            raise InputError(f"{name}: {axis}_um is {given} in the sheet, not a length: fill in a number of um above 0")
        if value is not None and abs(given - value) > TOLERANCE * value:
            raise InputError(
                f"{name}: the voxel size along {axis} is {value:.6g} um in the file ({said}) but {given:g} um in the sheet: "
                f"correct {axis}_um in the sheet, or leave it empty to use the file's"
            )
        if own is not None and value is None:
            notices.append(f"{problem}: the sheet's {axis}_um is used")
        chosen[axis] = {"um": float(given), "source": f"sheet {axis}_um", "file": said}
    if unknown:
        reasons = ", ".join(f"{axis} ({problem})" for axis, problem in unknown)
        columns = ", ".join(f"{axis}_um" for axis, _ in unknown)
        raise InputError(f"{name}: the voxel size is not known along {reasons}: fill in {columns} in the sheet")
    if chosen["z"]["um"] is None:
        chosen["z"] |= {"um": chosen["y"]["um"], "source": "y, for there is one plane only"}
        notices.append("one plane without a voxel size along z: that along y is used")
    return chosen, notices
