"""Smooth the outline of each object."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.core.counting import counted
from cellstack.files.no_data import read_no_data
from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job
from cellstack.segment.smooth_outlines import smooth_outlines

log = logging.getLogger(__name__)


def main(
    *,
    merged: Path,
    segmentation: Path,
    method: str,
    options: dict[str, Any],
    no_data: Sequence[Path] = (),
    threads: int = 1,
) -> None:
    """Smooth the outlines of `merged` by `method`, and write `segmentation`.

    Objects do not grow into voxels without data according to the files `no_data`.
    """
    labels, spacing = read_stack(merged, mapped=True)
    smoothed = smooth_outlines(labels, spacing, method, options, threads, read_no_data(no_data))
    log.info(
        "%s, %d after smoothing", counted(labels.max(initial=0), "objects"), smoothed.max(initial=0)
    )
    write_stack(segmentation, smoothed, spacing, is_labels=True)


job.run(main)
