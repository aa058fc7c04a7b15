"""Bright blobs in the core of a block of a stack."""

from typing import Any

from cellstack.blocks.cut_block import Ranges, first_of_grid, is_in, part_on_grid
from cellstack.core.blobs import find_blobs
from cellstack.core.resampling import grid_factors
from cellstack.core.scales import SEARCH_GRID
from cellstack.core.types import BoolVolume, Spacing, Volume
from cellstack.segment.blob_selection import Candidates
from cellstack.segment.per_object_threshold import describe_candidates


def find_blobs_in_core(
    stack: Volume,
    spacing: Spacing,
    noise_sd: float,
    options: dict[str, Any],
    core: Ranges,
    extent: Ranges,
    no_data: BoolVolume | None = None,
) -> Candidates:
    """Find and describe the blobs whose centre lies in the core of a block.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        Denoised intensities of the block.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    noise_sd : float
        Standard deviation of the noise of the complete stack.
    options : dict
        Options of :func:`cellstack.segment.per_object_threshold.mark_blobs`.
    core, extent : sequence of three (int, int)
        First voxel, and the one after the last, along z, y and x.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels without data.

    Returns
    -------
    Candidates
        Their centres are voxels of the grid of the complete stack.
    """
    sigma_um, min_distance_um = options["sigma_um"], options["min_distance_um"]
    background_radius_um = options["background_radius_um"]
    part, extent = part_on_grid(core, extent, grid_factors(sigma_um * SEARCH_GRID, spacing))
    stack, no_data = stack[part], None if no_data is None else no_data[part]
    blobs = find_blobs(stack, spacing, sigma_um, min_distance_um, background_radius_um, no_data)
    found = describe_candidates(blobs, noise_sd, sigma_um)
    centres = found.centres + first_of_grid(extent, blobs.factors)
    in_core = is_in(centres * blobs.factors, core)
    return Candidates(
        found.spacing,
        centres[in_core],
        found.backgrounds[in_core],
        found.contrasts[in_core],
        found.responses[in_core],
        found.noise[in_core],
        found.at_face[in_core],
    )


def as_record(candidates: Candidates) -> dict[str, Any]:
    """Return candidates as lists, for a JSON file."""
    columns = candidates._asdict()
    spacing = columns.pop("spacing")
    lists = {name: column.tolist() for name, column in columns.items()}
    return {"spacing_um": list(spacing), **lists}
