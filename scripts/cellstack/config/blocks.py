"""Blocks of a large stack: how far they overlap, and where they lie.

Each voxel of a stack belongs to the core of one block. A block extends beyond its core, so that
what the stages compute in the core does not depend on the faces at which the block is cut.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Any, NamedTuple

from cellstack.core.scales import (
    CENTRE_WIDTH,
    FILTER_GRID,
    SEARCH_GRID,
    TRUNCATE,
    grid_factor,
    reach_of_steps,
)
from cellstack.errors import InputError

Range = tuple[int, int]
Settings = dict[str, Any]

STAGES_IN_BLOCKS = (
    "correct_background",
    "adjust_contrast",
    "denoise",
    "binarize",
    "clean_mask",
    "find_seeds",
    "split_objects",
    "merge_objects",
    "smooth_outlines",
)
METHODS_IN_BLOCKS = {  # those whose result depends on what is near, or on what is measured before
    "denoise": ("none", "gaussian", "median"),
    "binarize": ("per_object",),
    "find_seeds": ("laplacian_of_gaussian", "distance_and_blobs"),
    "split_objects": ("distance", "intensity", "undenoised_intensity"),
}
VALUES_IN_BLOCKS = {"find_seeds": {"planes": "all", "z_scale": 1, "radius_um": 0}}
FIRST_STEPS = {"correct_background": (), "adjust_contrast": ("percentile_stretch",)}
STEPS_IN_BLOCKS = {  # after the first ones
    "correct_background": ("white_tophat", "gaussian"),
    "adjust_contrast": ("gamma", "erosion", "dilation", "opening", "closing"),
}
AUTO_MAX_VOXELS = 200_000_000  # of a block: 20 bytes per voxel are 4 GB
AUTO_MAX_VOXELS_OF_CELLS = 80_000_000  # of a block with cells: 48 bytes per voxel
CELL_REACH = 2.5  # diameters of cells: a block must contain all neighbours of those in its core
MIN_CORE = 0.5  # of the overlap; smaller cores would be computed many times over


class Block(NamedTuple):
    """A block of a stack.

    Attributes
    ----------
    name : str
        Its position along z, y and x, such as ``"0-1-2"``.
    core : tuple of (int, int)
        First voxel, and the one after the last, along z, y and x.
    extent : tuple of (int, int)
        The same with the overlap.
    """

    name: str
    core: tuple[Range, ...]
    extent: tuple[Range, ...]

    @property
    def voxels(self) -> int:
        """Number of voxels of the extent."""
        return math.prod(stop - start for start, stop in self.extent)

    @property
    def core_within(self) -> tuple[Range, ...]:
        """The core, counted from the first voxel of the extent."""
        return tuple(
            (start - first, stop - first)
            for (start, stop), (first, _) in zip(self.core, self.extent, strict=True)
        )


def find_obstacles(arguments: Callable[[str], Settings]) -> list[str]:
    """Return the settings with which a stack cannot be cut into blocks.

    Parameters
    ----------
    arguments : callable
        Returns the params of a stage.

    Returns
    -------
    list of str
        Key and value of each, with what can be used instead.
    """
    found = []
    for stage, allowed in METHODS_IN_BLOCKS.items():
        method = arguments(stage)["method"]
        if method not in allowed:
            found.append(f"{stage}.method is {method}, not one of {', '.join(allowed)}")
    for stage, values in VALUES_IN_BLOCKS.items():
        given = arguments(stage)
        for key, value in values.items():
            if given[key] != value:
                found.append(f"{stage}.{key} is {given[key]}, not {value}")
    for stage, steps in STEPS_IN_BLOCKS.items():
        names = [name for name, _ in arguments(stage)["steps"]]
        first = FIRST_STEPS[stage]
        if (*names[: len(first)],) != first:
            found.append(f"{stage}.steps does not begin with {', '.join(first)}")
        for name in names[len(first) :]:
            if name not in steps:
                found.append(f"{stage}.steps has {name}, not only {', '.join(steps)}")
    return found


def reach_um(arguments: Callable[[str], Settings]) -> float:
    """Return how far beyond its core a block must extend, in um.

    Parameters
    ----------
    arguments : callable
        Returns the params of a stage, with sizes in um.

    Returns
    -------
    float
        The larger of two distances, the sums of the radii of all filters involved. The first is
        that at which a voxel can change the position or the contrast of a bright blob in the core.
        The second is that at which it can change the outline, or the seed, of an object that
        extends as far beyond the core as `binarize.per_object.max_radius_um` allows.
    """
    denoise, blobs = arguments("denoise")["options"], arguments("binarize")["options"]
    seeds, outlines = arguments("find_seeds"), arguments("smooth_outlines")["options"]
    before = sum(
        reach_of_steps(arguments(stage)["steps"])
        for stage in ("correct_background", "adjust_contrast")
    )
    denoising = TRUNCATE * denoise.get("sigma_um", 0.0) + 2 * denoise.get("radius_um", 0.0)
    centre = TRUNCATE * CENTRE_WIDTH * blobs["sigma_um"]
    search = max(
        TRUNCATE * blobs["sigma_um"] + blobs["min_distance_um"],
        centre + blobs["background_radius_um"],
    )
    cleaning = sum(_reach_of_step(options) for _, options in arguments("clean_mask")["steps"])
    drawing = (
        centre
        + cleaning
        + TRUNCATE * seeds["smoothing_um"]
        + TRUNCATE * outlines.get("sigma_um", 0.0)
    )
    seeding = TRUNCATE * seeds["options"]["sigma_um"]
    grid = SEARCH_GRID * blobs["sigma_um"]
    objects = blobs["max_radius_um"] + max(drawing, seeding)
    return float(before + denoising + grid + max(search, objects))


def cell_reach_um(arguments: Callable[[str], Settings], diameter_um: float) -> float:
    """Return how far beyond its core a block must extend for the cells in it, in um.

    Parameters
    ----------
    arguments : callable
        Returns the params of a stage for the membrane channel, with sizes in um.
    diameter_um : float
        Diameter of the cells.

    Returns
    -------
    float
        The radius of the discs of background, and :data:`CELL_REACH`. Filters of the membrane are
        computed in the complete stack.
    """
    seeds = arguments("find_cell_seeds")
    discs = max(seeds["background_radius_um"], seeds["background_radius_beside_nuclei_um"])
    return float(discs + CELL_REACH * diameter_um)


def _reach_of_step(options: Settings) -> float:
    """Return the reach in um of a step of clean_mask."""
    hole_um = math.cbrt(6 * options.get("max_volume_um3", 0.0) / math.pi)
    smoothing_um = float(TRUNCATE * options.get("sigma_um", 0.0))
    return hole_um + smoothing_um + float(4 * options.get("radius_um", 0.0))


def alignment(arguments: Callable[[str], Settings], spacing: Sequence[float]) -> tuple[int, ...]:
    """Return the multiples of voxels, along z, y and x, at which blocks may start.

    The voxels of the coarse grids on which filters are computed are then those of the stack.

    Parameters
    ----------
    arguments : callable
        Returns the params of a stage, with sizes in um.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.

    Returns
    -------
    tuple of int
    """
    search_um = SEARCH_GRID * arguments("binarize")["options"]["sigma_um"]
    filter_um = FILTER_GRID * arguments("find_seeds")["options"]["sigma_um"]
    found = []
    for step in spacing:
        seed_factor = grid_factor(filter_um / step) if filter_um >= 2 * min(spacing) else 1
        found.append(math.lcm(grid_factor(search_um / step), seed_factor))
    return tuple(found)


def choose_counts(
    shape: Sequence[int], overlap: Sequence[int], aligned: Sequence[int], max_voxels: int
) -> tuple[int, ...]:
    """Return the number of blocks along each axis, so that no block is too large.

    Parameters
    ----------
    shape : (3,) sequence of int
        Shape of the stack.
    overlap, aligned : (3,) sequence of int
        See :func:`place_blocks`.
    max_voxels : int
        Maximum number of voxels of a block with its overlap.

    Returns
    -------
    tuple of int
        Each step adds a cut along the axis where it needs the fewest voxels in all blocks.

    Raises
    ------
    InputError
        Blocks would have to be so small that the overlap is most of them.

    Examples
    --------
    >>> choose_counts((100, 1000, 1000), (10, 10, 10), (1, 1, 1), 30_000_000)
    (1, 2, 2)
    """
    counts: tuple[int, ...] = (1, 1, 1)
    while (found := _costs(shape, counts, overlap, aligned))[1] > max_voxels:
        options = []
        for axis in range(3):
            more = tuple(count + (axis == index) for index, count in enumerate(counts))
            if shape[axis] / more[axis] >= max(aligned[axis], MIN_CORE * overlap[axis]):
                total, largest = _costs(shape, more, overlap, aligned)
                options.append((total / max(1, found[1] - largest), more))
        if not options:
            raise InputError(
                f"config.split_into_blocks.max_voxels: {max_voxels} is too small for a stack of "
                f"{' x '.join(map(str, shape))} voxels, whose blocks must overlap by "
                f"{' x '.join(map(str, overlap))} voxels; give at least {found[1]}"
            )
        counts = min(options)[1]
    return counts


def _costs(
    shape: Sequence[int], counts: Sequence[int], overlap: Sequence[int], aligned: Sequence[int]
) -> tuple[int, int]:
    """Return the number of voxels of all blocks, and of the largest one."""
    totals, largest = [], []
    for length, count, margin, step in zip(shape, counts, overlap, aligned, strict=True):
        lengths = [stop - start for _, (start, stop) in _along(length, count, margin, step)]
        totals.append(sum(lengths))
        largest.append(max(lengths))
    return math.prod(totals), math.prod(largest)


def _along(length: int, count: int, margin: int, step: int) -> list[tuple[Range, Range]]:
    """Return core and extent of each block along an axis."""
    ends = [step * round(index * length / count / step) for index in range(count)] + [length]
    found = []
    for start, stop in pairwise(ends):
        first = max(0, start - margin) // step * step
        last = min(length, -(-(stop + margin) // step) * step)
        found.append(((start, stop), (first, last)))
    return found


def place_blocks(
    shape: Sequence[int], counts: Sequence[int], overlap: Sequence[int], aligned: Sequence[int]
) -> dict[str, Block]:
    """Place the blocks of a stack.

    Parameters
    ----------
    shape : (3,) sequence of int
        Shape of the stack.
    counts : (3,) sequence of int
        Number of blocks along z, y and x. Cores are as equal as `aligned` allows.
    overlap : (3,) sequence of int
        Voxels by which a block extends beyond its core, at least, within the stack.
    aligned : (3,) sequence of int
        Blocks and cores start at multiples of this.

    Returns
    -------
    dict of str to Block
        By name, in the order of their cores. Cores without a voxel are left out.

    Examples
    --------
    >>> blocks = place_blocks((1, 40, 90), (1, 1, 2), (5, 5, 5), (1, 2, 2))
    >>> blocks["0-0-1"]
    Block(name='0-0-1', core=((0, 1), (0, 40), (44, 90)), extent=((0, 1), (0, 40), (38, 90)))
    """
    axes = [
        list(enumerate(_along(length, count, margin, step)))
        for length, count, margin, step in zip(shape, counts, overlap, aligned, strict=True)
    ]
    found = {}
    for place in product(*axes):
        name = "-".join(str(index) for index, _ in place)
        core, extent = zip(*(ranges for _, ranges in place), strict=True)
        if all(start < stop for start, stop in core):
            found[name] = Block(name, core, extent)
    return found
