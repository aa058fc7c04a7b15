"""Smooth the outline of each object."""

import logging
from pathlib import Path
from typing import Any

from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job
from cellstack.segment.smooth_outlines import smooth_outlines

log = logging.getLogger(__name__)


def main(
    *, merged: Path, segmentation: Path, method: str, options: dict[str, Any], threads: int = 1
) -> None:
    """Smooth the outlines of `merged` by `method`, and write `segmentation`."""
    labels, spacing = read_stack(merged, mapped=True)
    smoothed = smooth_outlines(labels, spacing, method, options, threads)
    log.info("%d objects, %d after smoothing", labels.max(initial=0), smoothed.max(initial=0))
    write_stack(segmentation, smoothed, spacing)


job.run(main)
