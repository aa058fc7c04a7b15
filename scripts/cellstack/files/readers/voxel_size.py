"""The voxel size of an image: reading it from a file, and checking it against the sheet."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree

from cellstack.errors import InputError

AXES = "zyx"
TOLERANCE = 0.01  # largest relative difference between the sheet and the file
MAX_STEP_ERROR = 0.1  # of a stage, relative to the distance between planes
MAX_UNUSUAL_RATIO = 2.0  # of the voxel sizes along y and x, or of the smaller one to that along z
POSITION_ERROR_UM = 0.005  # of a position that is rounded to 0.01 um

_PREFIXES = {  # name: symbol and factor to um
    "pico": ("p", 1e-6),
    "nano": ("n", 1e-3),
    "micro": ("u", 1.0),
    "milli": ("m", 1e3),
    "centi": ("c", 1e4),
    "": ("", 1e6),
}
UNITS = {symbol + "m": factor for symbol, factor in _PREFIXES.values()}
UNITS |= {
    prefix + word: factor
    for prefix, (_, factor) in _PREFIXES.items()
    for word in ("meter", "meters", "metre", "metres")
}
# the second one is UTF-8 that was read as Latin-1
UNITS |= dict.fromkeys(("µm", "Âµm", "micron", "microns"), 1.0)
UNITS |= dict.fromkeys(("Å", "angstrom"), 1e-4)
PRINT_UNITS = ("centimeter", "inch")  # ResolutionUnit of a TIFF
POSITIONS = "MetaSeries distance of z-positions"
NOT_PHYSICAL = ("", "pixel", "pixels", "px", "reference frame")


class StoredSize(NamedTuple):
    """Voxel size along one axis as a file contains it.

    Attributes
    ----------
    value : object
        A number, or a text that should be one.
    unit : str
        Unit as written; empty if there is none.
    source : str
        Name of the value in the file format.
    default_unit : str
        Unit that the format prescribes if none is written; empty if it prescribes none.
    uncertainty_um : float
        Largest error of the value, such as that of rounded positions.
    """

    value: object
    unit: str
    source: str
    default_unit: str = ""
    uncertainty_um: float = 0.0

    @property
    def doubtful(self) -> bool:
        """Whether it may be the resolution of a print, a screen or the camera.

        Many programs write the resolution tags of a TIFF, not only those of microscopes.
        """
        return self.source in ("XResolution", "YResolution") and self.unit in PRINT_UNITS


def from_imagej(
    metadata: Mapping[str, Any], resolution: Mapping[str, StoredSize]
) -> dict[str, StoredSize]:
    """Return the voxel size of an ImageJ TIFF.

    Parameters
    ----------
    metadata : dict
        The image description with `unit`, `yunit`, `zunit` and `spacing`.
    resolution : dict of str to StoredSize
        The sizes from the resolution tags, see :func:`from_resolution`. ImageJ stores x and y
        there, in its own unit. Micro-Manager stores them per centimetre although its unit is um;
        ImageJ reads them so.

    Returns
    -------
    dict of str to StoredSize
        By axis.
    """
    unit = str(metadata.get("unit", ""))
    found = {}
    for axis, tag in resolution.items():
        written = str(metadata.get("yunit", unit)) if axis == "y" else unit
        per_cm = tag.unit == "centimeter" and UNITS.get(_plain(written)) == 1
        used = tag.unit if per_cm else written or tag.unit
        found[axis] = StoredSize(tag.value, used, f"ImageJ {tag.source}")
    if "spacing" in metadata:
        z_unit = str(metadata.get("zunit", unit))
        found["z"] = StoredSize(metadata["spacing"], z_unit, "ImageJ spacing")
    return found


def from_resolution(
    x: tuple[int, int] | None, y: tuple[int, int] | None, unit: str
) -> dict[str, StoredSize]:
    """Return the voxel size from the resolution tags of a TIFF.

    Parameters
    ----------
    x, y : (2,) tuple of int or None
        XResolution and YResolution: pixels per unit, as a fraction.
    unit : str
        Name of the ResolutionUnit; empty for none. Inches describe a print, so :func:`in_um` does
        not accept them.

    Returns
    -------
    dict of str to StoredSize
        By axis, for y and x.

    Examples
    --------
    >>> from_resolution((20000, 1), None, "centimeter")["x"][:3]
    (5e-05, 'centimeter', 'XResolution')
    """
    found = {}
    for axis, fraction in (("y", y), ("x", x)):
        if fraction is not None:
            pixels, length = fraction
            size = length / pixels if pixels else math.inf
            found[axis] = StoredSize(size, unit, f"{axis.upper()}Resolution")
    return found


def from_positions(positions: Sequence[float | None]) -> StoredSize | None:
    """Return the distance between planes from their positions along z.

    Parameters
    ----------
    positions : sequence of (float or None)
        In um, in the order of the planes; None for a plane without a position. MetaXpress rounds
        them to 0.01 um.

    Returns
    -------
    StoredSize or None
        The mean distance; the range of distances as text if they are not equal, which
        :func:`in_um` does not accept; None if a position is missing, or if all are the same.

    Examples
    --------
    >>> from_positions([7.0, 6.5, 6.0]).value
    0.5
    >>> from_positions([7.0, 6.5, 5.0]).value
    'between 0.5 and 1.5'
    """
    known = [position for position in positions if position is not None]
    if len(known) < len(positions) or len(set(known)) < 2:
        return None
    steps = [after - before for before, after in itertools.pairwise(known)]
    mean = (known[-1] - known[0]) / len(steps)
    allowed = MAX_STEP_ERROR * abs(mean) + 2 * POSITION_ERROR_UM
    if any(abs(step - mean) > allowed for step in steps):
        upwards = sorted(math.copysign(1, mean) * step for step in steps)
        return StoredSize(f"between {upwards[0]:.6g} and {upwards[-1]:.6g}", "um", POSITIONS)
    uncertainty_um = 2 * POSITION_ERROR_UM / len(steps)
    return StoredSize(float(f"{abs(mean):.6g}"), "um", POSITIONS, "", uncertainty_um)


def from_ome(attributes: Mapping[str, str]) -> dict[str, StoredSize]:
    """Return the voxel size from the attributes of OME's ``Pixels``.

    Parameters
    ----------
    attributes : dict of str to str
        With `PhysicalSizeX`, `PhysicalSizeXUnit` and so on. Without a unit, the OME schema
        prescribes um.

    Returns
    -------
    dict of str to StoredSize
        By axis.

    References
    ----------
    .. [1] https://docs.openmicroscopy.org/ome-model/latest/
    """
    keys = {axis: f"PhysicalSize{axis.upper()}" for axis in AXES}
    return {
        axis: StoredSize(attributes[key], attributes.get(f"{key}Unit", ""), f"OME {key}", "µm")
        for axis, key in keys.items()
        if key in attributes
    }


def from_ome_positions(pixels: ElementTree.Element) -> StoredSize | None:
    """Return the distance between planes from their positions in OME metadata.

    Parameters
    ----------
    pixels : xml.etree.ElementTree.Element
        OME's ``Pixels``. Of its first channel and time point, each ``Plane`` can have a position.

    Returns
    -------
    StoredSize or None
        In um; None if a position is missing or not in a physical unit, if there are none, if all
        are the same, or if they are not equally spaced.
    """
    positions = {}
    for plane in pixels.iterfind("{*}Plane"):
        if {plane.get("TheC", "0"), plane.get("TheT", "0")} == {"0"}:
            unit = plane.get("PositionZUnit", "reference frame")
            written = StoredSize(plane.get("PositionZ", ""), unit, "OME PositionZ")
            positions[int(plane.get("TheZ", 0))] = position_um(written)
    if len(positions) != int(pixels.get("SizeZ", 0)):
        return None
    found = from_positions([position for _, position in sorted(positions.items())])
    return None if found is None or isinstance(found.value, str) else found


def position_um(stored: StoredSize) -> float | None:
    """Convert a position to um; None if it is not in a unit of length.

    Examples
    --------
    >>> position_um(StoredSize("-0.5", "mm", "OME PositionZ"))
    -500.0
    >>> position_um(StoredSize("3", "reference frame", "OME PositionZ"))
    """
    factor, _ = in_um(stored._replace(value=2.0))
    try:
        value = float(str(stored.value))
    except ValueError:
        return None
    return value * factor / 2 if factor and math.isfinite(value) else None


def in_um(found: StoredSize | None) -> tuple[float | None, str]:
    """Convert the voxel size in a file to um.

    Parameters
    ----------
    found : StoredSize or None
        None if the file contains no voxel size.

    Returns
    -------
    value : float or None
        Length in um; None if it is not a physical length.
    problem : str
        Why it is not a physical length; else empty.

    Examples
    --------
    >>> in_um(StoredSize(290, "nm", "OME PhysicalSizeZ"))
    (0.29, '')
    >>> in_um(StoredSize(1, "pixel", "ImageJ XResolution"))
    (None, 'ImageJ XResolution is 1 without a physical unit')
    """
    if found is None:
        return None, "the file gives none"
    text = str(found.value).strip()
    written = _plain(found.unit)
    unit = written or found.default_unit
    try:
        value = float(text)
    except ValueError:
        return None, f"{found.source} is {text!r}"
    if not written and value == 1:  # the placeholder of programs that do not know the size
        return None, f"{found.source} is 1 without a unit"
    if unit.lower() in NOT_PHYSICAL:
        return None, f"{found.source} is {value:g} without a physical unit"
    factor = UNITS.get(unit) or UNITS.get(unit.lower() if len(unit) > 2 else "")
    if factor is None:
        return None, f"{found.source} is {value:g} in {unit!r}, which is not a unit of voxel sizes"
    if not (math.isfinite(value) and value > 0):
        return None, f"{found.source} is {value:g}"
    return value * factor, ""


def _plain(unit: str) -> str:
    r"""Return a unit with the same letter for all ways to write micro.

    Examples
    --------
    >>> _plain(r" \u00B5m")
    'µm'
    """
    return unit.strip().replace("\\u00B5", "µ").replace("\\u00b5", "µ").replace("μ", "µ")


def choose(
    name: str,
    found: Mapping[str, StoredSize],
    sheet: Mapping[str, float | None],
    planes: int,
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the voxel size of an image from its file and the sheet.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    found : dict of str to StoredSize
        Voxel size in the file by axis (`z`, `y`, `x`); an axis may be missing.
    sheet : dict of str to float or None
        Voxel size in the sheet in um by axis; None for an empty cell. If it agrees with that in
        the file it is used, because the value in the file is often a rounded fraction.
    planes : int
        Number of planes. A single plane without a voxel size along z gets that along y, because
        no distance along z is measured in it.

    Returns
    -------
    chosen : dict of str to dict
        By axis: the size in `um`, its `source`, and the `file`'s value as written, or None.
    notices : list of str
        What the user should know.

    Raises
    ------
    InputError
        A voxel size is unknown or not a length, or the file and the sheet differ by more than
        1 % and that of the file is not doubtful.
    """
    chosen: dict[str, dict[str, Any]] = {}
    notices, unknown = [], []
    for axis in AXES:
        stored, given = found.get(axis), sheet[axis]
        value, problem = in_um(stored)
        written = None
        if stored is not None:
            written = " ".join(f"{stored.source} {stored.value} {stored.unit}".split())
        if given is None:
            source = stored.source if stored else None
            chosen[axis] = {"um": value, "source": source, "file": written}
            if value is None and not (axis == "z" and planes == 1):
                unknown.append((axis, problem))
            elif (
                stored is not None and stored.source != POSITIONS and float(str(stored.value)) == 1
            ):
                notices.append(f"{written} is used: check that it is not just a default value")
            continue
        if not (math.isfinite(given) and given > 0):
            raise InputError(
                f"{name}: {axis}_um is {given} in the sheet, which is not a length: "
                "fill in a number of um above 0"
            )
        tolerance = TOLERANCE * (value or 0) + (stored.uncertainty_um if stored is not None else 0)
        differs = value is not None and abs(given - value) > tolerance
        if differs and stored is not None and stored.doubtful:
            notices.append(f"{written} is not used: {axis}_um of the sheet replaces it")
        elif differs:
            raise InputError(
                f"{name}: the voxel size along {axis} is {value:.6g} um in the file ({written}) "
                f"but {given:g} um in the sheet: correct {axis}_um in the sheet, or leave it empty "
                "to use the file's; if the file's is wrong, save the image with the right one, in "
                "Fiji with Image > Properties"
            )
        if stored is not None and value is None:
            notices.append(f"{problem}: {axis}_um of the sheet is used")
        chosen[axis] = {"um": float(given), "source": f"sheet {axis}_um", "file": written}
    if unknown:
        problems: dict[str, list[str]] = {}
        for axis, problem in unknown:
            problems.setdefault(problem, []).append(axis)
        reasons = " and ".join(f"{', '.join(axes)} ({why})" for why, axes in problems.items())
        columns = ", ".join(f"{axis}_um" for axis, _ in unknown)
        raise InputError(
            f"{name}: the voxel size is not known along {reasons}: fill in {columns} in the sheet"
        )
    if chosen["z"]["um"] is None:
        chosen["z"] |= {"um": chosen["y"]["um"], "source": "y, because there is only one plane"}
        notices.append("a single plane without a voxel size along z: that along y is used")
    return chosen, notices


def find_doubtful(found: Mapping[str, StoredSize], sheet: Mapping[str, float | None]) -> list[str]:
    """Return flags about voxel sizes that are used although they are doubtful.

    Parameters
    ----------
    found, sheet : dict
        As for :func:`choose`.

    Returns
    -------
    list of str
    """
    flags = []
    axes = [axis for axis in found if found[axis].doubtful and sheet[axis] is None]
    if axes:
        columns = " and ".join(f"{axis}_um" for axis in axes)
        flags.append(
            f"the voxel size along {' and '.join(axes)} is from the print resolution in the TIFF "
            f"and can be wrong (fill in {columns} in the sheet)"
        )
    if all(sheet[axis] is None and in_um(found.get(axis))[0] == 1 for axis in "yx"):
        flags.append(
            "the voxel size along y and x is exactly 1 um in the file, as by default (if it is "
            "right, fill in y_um and x_um in the sheet)"
        )
    z = found.get("z")
    if z is not None and z.source == POSITIONS and isinstance(z.value, str):
        flags.append(f"the planes are not equally spaced (distances {z.value} um)")
    return flags


def find_unusual(sizes: Mapping[str, float], planes: int, *, is_typed: bool = True) -> list[str]:
    """Return a flag if voxel sizes are so unusual that they may be in the wrong order.

    Parameters
    ----------
    sizes : dict of str to float
        Voxel size along `z`, `y` and `x` in um.
    planes : int
        Number of planes.
    is_typed : bool
        Whether a size is from the sheet. Those of a file, even if a script wrote it, are flagged
        only if pixels are not square: the voxels of some microscopes are flat.

    Returns
    -------
    list of str

    Examples
    --------
    >>> find_unusual({"z": 0.9, "y": 0.4, "x": 0.4}, 24)
    []
    >>> find_unusual({"z": 0.4, "y": 0.4, "x": 0.9}, 24)
    ['the voxel sizes along y (0.4 um) and x (0.9 um) differ (check their order)']
    """
    z, y, x = (sizes[axis] for axis in "zyx")
    if max(y, x) > MAX_UNUSUAL_RATIO * min(y, x):
        return [
            f"the voxel sizes along y ({y:.3g} um) and x ({x:.3g} um) differ (check their order)"
        ]
    if is_typed and planes > 1 and min(y, x) > MAX_UNUSUAL_RATIO * z:
        return [
            f"the voxel size along z ({z:.3g} um) is smaller than along y and x ({y:.3g} and "
            f"{x:.3g} um, check their order)"
        ]
    return []
