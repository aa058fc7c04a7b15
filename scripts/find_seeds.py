"""Find one seed per object on the distance map of a mask."""

import logging
from pathlib import Path

from cellstack import io, job
from cellstack.find_seeds import distance_map, find_seeds

log = logging.getLogger(__name__)


def main(*, clean: Path, components: Path, distance: Path, seeds: Path, smoothing_um: float, method: str, options: dict, threads: int = 1):
    """Write the `distance` of each voxel of `clean` to the background, smoothed, and the `seeds` that `method` finds on it."""
    mask, spacing = io.read_stack(clean)
    to_background = distance_map(mask, spacing, smoothing_um, threads)
    labels, _ = io.read_stack(components)
    found = find_seeds(to_background, labels, spacing, method, options)
    log.info("%d seeds in %d components", found.max(), labels.max())
    io.write_stack(distance, to_background, spacing)
    io.write_stack(seeds, found, spacing)


job.run(main)
