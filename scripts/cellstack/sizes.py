"""Sizes in parts of an object, such as "0.05 d", and the diameter by which they come to um: given, or in a file by an earlier rule.

Imported by every job, and while Snakemake parses the workflow, so it stays light.
"""

import json
import math
import re
from pathlib import Path

from cellstack.errors import InputError

AUTO = "auto"  # in place of a diameter: that of the file
DIAMETER = "1 d"
SIZE = re.compile(r"(\d*\.?\d+) ([dv])")
UNITS = {"d": lambda diameter_um: diameter_um, "v": lambda diameter_um: math.pi / 6 * diameter_um**3}
AS_WRITTEN = "snippet"  # a key below which sizes stay as they are: what the gallery says to write into the configuration


def in_um(value, diameter_um):
    """Turn sizes such as "0.05 d" and "0.05 v" into um and um3, within mappings and lists too; leave all else.

    Parameters
    ----------
    value : object
        A setting.
    diameter_um : float, "auto" or None
        Diameter of the object in um. With "auto" sizes are left as well, until the diameter is known.

    Returns
    -------
    object
        Numbers have six significant digits.
    """
    if isinstance(value, dict):
        return {key: part if key == AS_WRITTEN else in_um(part, diameter_um) for key, part in value.items()}
    if isinstance(value, list):
        return [in_um(part, diameter_um) for part in value]
    if is_size(value) and diameter_um != AUTO:
        number, unit = SIZE.fullmatch(value).groups()
        return float(f"{float(number) * UNITS[unit](diameter_um):.6g}")
    return value


def is_size(value):
    """Tell whether a value is a size such as "0.05 d"."""
    return isinstance(value, str) and SIZE.fullmatch(value) is not None


def has_sizes(value):
    """Tell whether a value holds a size such as "0.05 d", in itself or within mappings and lists."""
    return in_um(value, 1.0) != value


def read_diameter(file):
    """Read the diameter by which stages go, as `estimate_diameter` or `derive_diameter` wrote it.

    Parameters
    ----------
    file : path-like

    Returns
    -------
    dict
        With ``diameter_um``, and ``source``, which says where that comes from.
    """
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
        float(found["diameter_um"]), str(found["source"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file}: holds no diameter ({error}); give a file that estimate_diameter writes, or a number of um") from error
    return found
