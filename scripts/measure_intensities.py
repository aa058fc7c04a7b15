"""Measure the intensities and the noise of a stack that is cut into blocks."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.blocks.measure_intensities import measure_intensities
from cellstack.files.no_data import open_no_data
from cellstack.files.records import write_json
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, write_stack
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    raw: Path,
    intensities: Path,
    steps: list[tuple[str, dict[str, Any]]],
    corrections: list[tuple[str, dict[str, Any]]] = (),
    no_data: Sequence[Path] = (),
    tiles: Path | None = None,
    threads: int = 1,
) -> None:
    """Write `intensities`: the values that steps need from all of `raw`, and the noise.

    `steps` is a list of [method, options] of the contrast adjustment; `corrections` are steps
    before it. If `clahe` is one of the steps, `tiles` contains the grey values of its tiles. Voxels
    without data according to the files `no_data` do not count.
    """
    stack, spacing = open_stack(raw)
    with scratch_stacks(intensities.parent) as allocate:
        measured, maps = measure_intensities(
            stack, spacing, corrections, steps, open_no_data(no_data), allocate
        )
    for (method, _), known in zip(steps, measured["steps"], strict=False):
        if method == "percentile_stretch":
            log.info("intensities that become 0 and 1: %g and %g", *known)
        if maps is not None and tiles is not None and method == "clahe":
            log.info("voxels of a tile: %d x %d x %d", *known[0])
            write_stack(
                tiles, maps, [size * step for size, step in zip(known[0], spacing, strict=True)]
            )
    log.info("standard deviation of the noise: %g", measured["noise_sd"])
    write_json(intensities, measured)


job.run(main)
