"""The scales of the images in which cells are segmented, measured in the complete stack."""

from cellstack.cells.segment_cells import Scales, distance_to_nucleus
from cellstack.core.intensities import standard_deviation
from cellstack.core.types import Labels, Spacing, Volume

MAX_VOXELS_OF_DISTANCE = 1 << 26  # of a stack whose distances are measured in all voxels


def measure_scales(
    smooth: Volume,
    ridges: Volume,
    nuclei: Labels | None,
    spacing: Spacing,
    max_voxels: int = MAX_VOXELS_OF_DISTANCE,
) -> Scales:
    """Measure the standard deviations of the images of which a landscape consists.

    Parameters
    ----------
    smooth, ridges : (Z, Y, X) ndarray of float32
        See :func:`cellstack.cells.segment_cells.segment_cells`. They may be memory-mapped.
    nuclei : (Z, Y, X) ndarray of uint16 or uint32, or None
        All nuclei.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    max_voxels : int
        In larger stacks, the distance to the nearest nucleus is measured on a coarser grid.

    Returns
    -------
    Scales
    """
    distance = 0.0
    if nuclei is not None:
        step = 1
        while nuclei[::step, ::step, ::step].size > max_voxels:
            step += 1
        coarse = nuclei[::step, ::step, ::step]
        if coarse.any():
            to_nucleus = distance_to_nucleus(coarse, [step * each for each in spacing])
            distance = standard_deviation(to_nucleus)
    return Scales(standard_deviation(smooth), standard_deviation(ridges), distance)
