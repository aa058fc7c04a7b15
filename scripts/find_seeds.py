"""Find one seed per object in a mask."""

import logging
from pathlib import Path
from typing import Any

from cellstack.core.counting import counted
from cellstack.core.distance import distance_map
from cellstack.files.stacks import read_stack, write_stack
from cellstack.prepare.seed_points import read_points
from cellstack.run import job
from cellstack.segment.find_seeds import find_seeds

log = logging.getLogger(__name__)


def main(
    *,
    mask_clean: Path,
    components: Path,
    denoised: Path,
    distance: Path,
    seeds: Path,
    smoothing_um: float,
    method: str,
    options: dict[str, Any],
    points: list[Path] = (),
    threads: int = 1,
) -> None:
    """Write the smoothed `distance` map of `mask_clean` and the `seeds` that `method` finds.

    Depending on the method, the seeds come from the distance map, the stack `denoised` or the file
    `points`.
    """
    mask, spacing = read_stack(mask_clean)
    to_background = distance_map(mask, spacing, smoothing_um, threads)
    labels, stack = (read_stack(path, mapped=True)[0] for path in (components, denoised))
    manual_points = read_points(*points) if points else None
    found = find_seeds(to_background, labels, spacing, method, options, stack, manual_points)
    log.info("%s in %s", counted(found.max(), "seeds"), counted(labels.max(), "components"))
    write_stack(distance, to_background, spacing)
    write_stack(seeds, found, spacing, is_labels=True)


job.run(main)
