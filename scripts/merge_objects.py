"""Merge neighbours that were one object."""

import logging
from pathlib import Path

from cellstack import io, job
from cellstack.merge_objects import merge_objects

log = logging.getLogger(__name__)


def main(*, parts: Path, denoised: Path, merged: Path, method: str, options: dict, threads: int = 1):
    """Merge by `method` what in `parts` belongs together, judged by shape and by the intensities of `denoised`, and write `merged`."""
    labels, spacing = io.read_stack(parts, mapped=True)
    stack, _ = io.read_stack(denoised, mapped=True)
    whole = merge_objects(labels, stack, spacing, method, options, threads)
    log.info("%d parts merged to %d objects", labels.max(initial=0), whole.max(initial=0))
    io.write_stack(merged, whole, spacing)


job.run(main)
