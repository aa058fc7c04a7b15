"""Merge neighbours that are parts of one object."""

import logging
from pathlib import Path
from typing import Any

from cellstack.core.counting import counted
from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job
from cellstack.segment.merge_objects import merge_objects

log = logging.getLogger(__name__)


def main(
    *,
    watershed: Path,
    denoised: Path,
    merged: Path,
    method: str,
    options: dict[str, Any],
    threads: int = 1,
) -> None:
    """Merge objects of `watershed` by shape and by the intensities `denoised`; write `merged`."""
    labels, spacing = read_stack(watershed, mapped=True)
    stack, _ = read_stack(denoised, mapped=True)
    objects = merge_objects(labels, stack, spacing, method, options, threads)
    log.info(
        "%s, %d after merging", counted(labels.max(initial=0), "objects"), objects.max(initial=0)
    )
    write_stack(merged, objects, spacing, is_labels=True)


job.run(main)
