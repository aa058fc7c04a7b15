"""Sizes relative to the diameter of an object, such as "0.05 d", and their conversion to um.

Imported by every job and when Snakemake parses the workflow, so it imports nothing heavy.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from cellstack.errors import InputError

AUTO = "auto"  # given instead of a diameter, which a job then estimates
DIAMETER = "1 d"
SIZE = re.compile(r"(\d*\.?\d+) ([dv])")
UNITS: dict[str, Callable[[float], float]] = {
    "d": lambda diameter_um: diameter_um,
    "v": lambda diameter_um: math.pi / 6 * diameter_um**3,
}
MIN_VOXELS = 2  # of a diameter, along each axis
AS_WRITTEN = "snippet"  # sizes below this key are not converted: the gallery shows them as written


def in_um(value: Any, diameter_um: float | str | None) -> Any:
    """Convert sizes such as "0.05 d" and "0.05 v" to um and um3.

    Parameters
    ----------
    value : object
        A setting. Mappings and lists are converted recursively; anything but a size is returned
        unchanged.
    diameter_um : float, "auto" or None
        Diameter of the object in um. With "auto", sizes are returned unchanged.

    Returns
    -------
    object
        The setting with sizes as numbers of six significant digits.

    Examples
    --------
    >>> in_um({"sigma_um": "0.05 d", "shape": "ball"}, 10)
    {'sigma_um': 0.5, 'shape': 'ball'}
    >>> in_um("0.5 v", 10)
    261.799
    """
    if isinstance(value, dict):
        return {
            key: part if key == AS_WRITTEN else in_um(part, diameter_um)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [in_um(part, diameter_um) for part in value]
    size = _match(value)
    if size is not None and diameter_um != AUTO:
        number, unit = size.groups()
        return float(f"{float(number) * UNITS[unit](cast(float, diameter_um)):.6g}")
    return value


def is_size(value: object) -> bool:
    """Return whether a value is a size such as "0.05 d"."""
    return _match(value) is not None


def _match(value: object) -> re.Match[str] | None:
    return SIZE.fullmatch(value) if isinstance(value, str) else None


def has_sizes(value: object) -> bool:
    """Return whether a value is a size such as "0.05 d" or contains one at any depth."""
    return bool(in_um(value, 1.0) != value)


def read_diameter(file: str | Path) -> dict[str, Any]:
    """Read the diameter that `estimate_diameter` or `derive_diameter` wrote.

    Parameters
    ----------
    file : path-like

    Returns
    -------
    dict
        With ``diameter_um`` and its ``source``.

    Raises
    ------
    InputError
        The file cannot be read or contains no diameter.
    """
    try:
        found: dict[str, Any] = json.loads(Path(file).read_text(encoding="utf-8"))
        float(found["diameter_um"]), str(found["source"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{file}: contains no diameter ({error}); "
            "use a file written by estimate_diameter, or a number of um"
        ) from error
    return found


def check_diameter(
    diameter_um: float | None, shape: Sequence[int], spacing: Sequence[float], objects: str
) -> None:
    """Check that a diameter fits a stack: at least two voxels, at most the field of view.

    Otherwise the diameter or the voxel size has another unit, or the voxel size in the file is not
    that of the sample.

    Parameters
    ----------
    diameter_um : float or None
        Diameter that the user gave in um; None if it is estimated.
    shape : (3,) sequence of int
        Number of voxels along z, y, x.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    objects : str
        Kind of object, for the message.

    Raises
    ------
    InputError
        A voxel is larger than half the diameter, or the shorter side of the planes is less than the
        diameter. The voxel size along z does not count in a single plane.

    Examples
    --------
    >>> check_diameter(8, (16, 96, 96), (1.0, 0.4, 0.4), "nuclei")
    """
    if diameter_um is None:
        return
    steps = {
        axis: step
        for axis, step, count in zip("zyx", spacing, shape, strict=True)
        if axis != "z" or count > 1
    }
    largest = max(steps, key=lambda axis: steps[axis])
    side_um = min(count * step for count, step in zip(shape[1:], spacing[1:], strict=True))
    if steps[largest] > diameter_um / MIN_VOXELS:
        wrong = f"is less than {MIN_VOXELS} voxels of {steps[largest]:g} um along {largest}"
    elif diameter_um > side_um:
        wrong = f"is more than the field of view of {side_um:g} um"
    else:
        return
    raise InputError(
        f"diameter_um of {objects}, {diameter_um:g} um, {wrong}: correct diameter_um or the "
        "voxel size (z_um, y_um and x_um in the sheet; if the image has one, in the image, in Fiji "
        "with Image > Properties)"
    )
