"""Draw the final outline of each object."""

import logging
from pathlib import Path

from cellstack import io, job
from cellstack.outline_objects import outline_objects

log = logging.getLogger(__name__)


def main(*, merged: Path, split: Path, method: str, options: dict, threads: int = 1):
    """Draw the outlines of `merged` by `method`, and write `split`."""
    labels, spacing = io.read_stack(merged, mapped=True)
    drawn = outline_objects(labels, spacing, method, options, threads)
    log.info("%d objects, %d after their outlines were drawn", labels.max(initial=0), drawn.max(initial=0))
    io.write_stack(split, drawn, spacing)


job.run(main)
