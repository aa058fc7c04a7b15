"""Measure the range and the noise of a stack that is cut into blocks."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.blocks.measure_intensities import measure_intensities, measure_processed
from cellstack.files.no_data import open_no_data
from cellstack.files.records import write_json
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    raw: Path,
    intensities: Path,
    steps: list[tuple[str, dict[str, Any]]],
    corrections: list[tuple[str, dict[str, Any]]] = (),
    no_data: Sequence[Path] = (),
    threads: int = 1,
) -> None:
    """Write `intensities`: the range of `raw` that is mapped to [0, 1], and the noise.

    `steps` is a list of [method, options], of which the first is the percentile stretch;
    `corrections` are steps before it. Voxels without data according to the files `no_data` do not
    count.
    """
    without = open_no_data(no_data)
    stack, spacing = open_stack(raw)
    if not corrections and len(steps) == 1:
        measured = measure_intensities(stack, steps[0][1], without)
    else:
        with scratch_stacks(intensities.parent) as allocate:
            measured = measure_processed(stack, spacing, corrections, steps, without, allocate)
    log.info("intensities: %s", measured)
    write_json(intensities, measured)


job.run(main)
