"""Measure the range and the noise of a stack that is cut into blocks."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.blocks.measure_intensities import measure_intensities, measure_processed
from cellstack.files.no_data import open_no_data
from cellstack.files.records import write_json
from cellstack.files.scratch import scratch_arrays
from cellstack.files.stacks import open_stack, read_stack
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
    if not corrections and len(steps) == 1:
        stack, _ = open_stack(raw)
        measured = measure_intensities(stack, steps[0][1], without)
    else:
        mapped, spacing = read_stack(raw, mapped=True)
        with scratch_arrays(intensities.parent) as empty:
            measured = measure_processed(mapped, spacing, corrections, steps, without, empty)
    log.info("intensities: %s", measured)
    write_json(intensities, measured)


job.run(main)
