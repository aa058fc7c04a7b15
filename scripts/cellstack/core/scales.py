"""Widths of filters that the geometry of blocks has to know too; nothing here imports NumPy."""

from collections.abc import Mapping, Sequence
from typing import Any

TRUNCATE = 4.0  # radius of a Gaussian kernel in standard deviations, as in SciPy

# Lengths in units of sigma, the standard deviation of the blob filter:
FILTER_GRID = 1 / 5  # maximum voxel size of the grid on which a wide filter is computed
SEARCH_GRID = 1 / 3  # maximum voxel size of the grid on which blobs are searched for
CENTRE_WIDTH = 1 / 2  # sigma of the Gaussian that averages the centre of a blob, and its radius


def grid_factor(width: float) -> int:
    """Return the number of voxels that are averaged along an axis, for a width in voxels.

    Examples
    --------
    >>> grid_factor(2.9), grid_factor(0.4)
    (2, 1)
    """
    return max(1, int(width))


def planes_reached(options: Mapping[str, Any], step: float) -> int:
    """Return the number of planes on each side on which the result of a method depends.

    Parameters
    ----------
    options : dict
        Options of a method, see :func:`reach_of_steps`. Those of a `shape` of pixels, "disc" or
        "square", work plane by plane.
    step : float
        Distance of planes in um.

    Returns
    -------
    int

    Examples
    --------
    >>> planes_reached({"sigma_um": 2.0}, 4.0)
    3
    >>> planes_reached({"shape": "disc", "radius_um": 2.0}, 4.0)
    0
    """
    if options.get("shape") in ("disc", "square"):
        return 0
    return int(reach_of_steps([("", options)]) / step) + 1


def reach_of_steps(steps: Sequence[tuple[str, Mapping[str, Any]]]) -> float:
    """Return the distance up to which a voxel can affect the result of several methods, in um.

    Parameters
    ----------
    steps : list of (str, dict)
        Names of methods and their options: Gaussians of `sigma_um`, and erosions and dilations by
        a neighbourhood of `radius_um`, of which a method has at most two.

    Returns
    -------
    float

    Examples
    --------
    >>> reach_of_steps([("gaussian", {"sigma_um": 2.0}), ("opening", {"radius_um": 1.5})])
    11.0
    """
    return float(
        sum(
            TRUNCATE * options.get("sigma_um", 0.0) + 2 * options.get("radius_um", 0.0)
            for _, options in steps
        )
    )
