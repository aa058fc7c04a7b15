"""Find one seed per object in a mask."""

import logging
from pathlib import Path

from cellstack import io, job
from cellstack.find_seeds import distance_map, find_seeds
from cellstack.seed_points import read_points

log = logging.getLogger(__name__)


def main(
    *,
    clean: Path,
    components: Path,
    denoised: Path,
    distance: Path,
    seeds: Path,
    smoothing_um: float,
    method: str,
    options: dict,
    points: list[Path] = (),
    threads: int = 1,
):
    """Write the `distance` of each voxel of `clean` to the background, smoothed, and the `seeds` that `method` finds.

    It finds them on that map, on `denoised`, or in the file `points`.
    """
    mask, spacing = io.read_stack(clean)
    to_background = distance_map(mask, spacing, smoothing_um, threads)
    labels, stack = (io.read_stack(path, mapped=True)[0] for path in (components, denoised))
    by_hand = read_points(*points) if points else None
    found = find_seeds(to_background, labels, spacing, method, options, stack, by_hand)
    log.info("%d seeds in %d components", found.max(), labels.max())
    io.write_stack(distance, to_background, spacing)
    io.write_stack(seeds, found, spacing)


job.run(main)
