"""Find one seed per object in a mask."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cellstack.core.counting import counted
from cellstack.files.records import read_json
from cellstack.files.stacks import open_stack, read_stack, write_stack
from cellstack.prepare.seed_points import read_points
from cellstack.run import job
from cellstack.segment.choose_planes import choose_planes
from cellstack.segment.find_seeds import check_points, seeds_of_mask

log = logging.getLogger(__name__)


def main(
    *,
    mask_clean: Path,
    components: Path,
    denoised: Path,
    distance: Path,
    seeds: Path,
    smoothing_um: float,
    z_scale: float,
    planes: str,
    plane_range_um: float,
    radius_um: float,
    method: str,
    options: dict[str, Any],
    points: list[Path] = (),
    allowed: Sequence[Path] = (),
    block: dict[str, list[list[int]]] | None = None,
    threads: int = 1,
) -> None:
    """Write the smoothed `distance` map of `mask_clean` and the `seeds` that `method` finds.

    Depending on the method, the seeds come from the distance map, the stack `denoised` or the file
    `points`. If `mask_clean` is a `block` of a stack, the file `allowed` contains the planes of the
    stack in which seeds are allowed, unless they are in all planes.
    """
    mask, spacing = read_stack(mask_clean, mapped=True)
    labels, stack = read_stack(components, mapped=True)[0], open_stack(denoised)[0]
    by_hand = read_points(*points) if points else None
    given = mask, labels, spacing, method, options, stack, by_hand
    shared = {
        "smoothing_um": smoothing_um,
        "z_scale": z_scale,
        "radius_um": radius_um,
        "threads": threads,
    }
    within = None
    if block is None:
        if by_hand is not None:
            check_points(by_hand, mask, spacing, **options)
        within = choose_planes(mask, spacing, planes, plane_range_um)
        to_background, found = seeds_of_mask(*given, allowed=within, **shared)
    else:
        from cellstack.blocks.find_block_seeds import find_block_seeds  # rarely used

        chosen = read_json(allowed[0])["planes"] if allowed else None
        to_background, found = find_block_seeds(*given, **block, allowed=chosen, **shared)
    log.info("%s in %s", counted(found.max(), "seeds"), counted(labels.max(), "components"))
    if within is not None:
        with_seed = len(np.unique(labels[found > 0]))
        log.info(
            "seeds are limited to planes %d to %d, counted from 0; %s without a seed there",
            within.start,
            within.stop - 1,
            counted(labels.max() - with_seed, "components"),
        )
    write_stack(distance, to_background, spacing)
    write_stack(seeds, found, spacing, is_labels=True)


job.run(main)
