"""The blobs that are objects, chosen among those of all blocks of a stack."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.blocks.cut_block import Ranges, first_of_grid, is_in
from cellstack.segment.blob_selection import Candidates, Chosen, choose_blobs

CHOICE = ("min_contrast", "min_contrast_to_noise_ratio", "min_dim_objects", "face_weight")


def join_candidates(records: list[dict[str, Any]]) -> Candidates:
    """Join the candidates of all blocks of a stack, in the order of their centres.

    Parameters
    ----------
    records : list of dict
        From :func:`as_record`.

    Returns
    -------
    Candidates
        In the same order as in the uncut stack.
    """
    columns = {
        name: [value for record in records for value in record[name]]
        for name in Candidates._fields[1:]
    }
    centres = np.array(columns["centres"], np.intp).reshape(-1, 3)
    order = np.lexsort(centres.T[::-1])
    return Candidates(
        tuple(records[0]["spacing_um"]),
        centres[order],
        np.array(columns["backgrounds"], np.float32)[order],
        np.array(columns["contrasts"], np.float32)[order],
        np.array(columns["responses"], np.float32)[order],
        np.array(columns["noise"], np.float64)[order],
        np.array(columns["at_face"], bool)[order],
    )


def choose_from_blocks(records: list[dict[str, Any]], options: dict[str, Any]) -> dict[str, Any]:
    """Choose the blobs that are objects among those of all blocks of a stack.

    Parameters
    ----------
    records : list of dict
        From :func:`cellstack.blocks.find_blobs.as_record`.
    options : dict
        Options of :func:`cellstack.segment.per_object_threshold.mark_blobs`.

    Returns
    -------
    dict
        For a JSON file: the fields of :class:`cellstack.segment.per_object_threshold.Chosen`,
        ``dropped_dim`` and ``brightness_ratio``.
    """
    chosen, dropped_dim, brightness_ratio = choose_blobs(
        join_candidates(records), **{name: options[name] for name in CHOICE}
    )
    return {
        "dropped_dim": dropped_dim,
        "brightness_ratio": brightness_ratio,
        **{name: column.tolist() for name, column in chosen._asdict().items()},
    }


def chosen_in_block(
    record: dict[str, Any], core: Ranges, extent: Ranges, factors: tuple[int, ...]
) -> tuple[Chosen, NDArray[np.bool_]]:
    """Return the chosen blobs whose centre lies in a block.

    Parameters
    ----------
    record : dict
        From :func:`choose_from_blocks`.
    core, extent : sequence of three (int, int)
        First voxel of the block, and the one after the last, along z, y and x.
    factors : tuple of int
        Voxels of the stack in one voxel of the grid, along z, y, x.

    Returns
    -------
    chosen : Chosen
        Their centres are voxels of the grid of the block.
    in_core : (n,) ndarray of bool
        Those whose centre lies in the core.
    """
    centres = np.array(record["centres"], np.intp).reshape(-1, 3)
    in_extent = is_in(centres * factors, extent)
    chosen = Chosen(
        centres[in_extent] - first_of_grid(extent, factors),
        np.array(record["backgrounds"], np.float32)[in_extent],
        np.array(record["contrasts"], np.float32)[in_extent],
        np.array(record["raised"], np.float32)[in_extent],
        np.array(record["in_sample"], bool)[in_extent],
    )
    return chosen, is_in(centres[in_extent] * factors, core)
