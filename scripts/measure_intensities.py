"""Measure the range and the noise of a stack that is cut into blocks."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.blocks.measure_intensities import measure_intensities
from cellstack.files.no_data import open_no_data
from cellstack.files.records import write_json
from cellstack.files.stacks import open_stack
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    raw: Path,
    intensities: Path,
    steps: list[tuple[str, dict[str, Any]]],
    no_data: Sequence[Path] = (),
    threads: int = 1,
) -> None:
    """Write `intensities`: the range of `raw` that is mapped to [0, 1], and the noise.

    `steps` is a list of one [method, options], that of the percentile stretch. Voxels without data
    according to the files `no_data` do not count.
    """
    stack, _ = open_stack(raw)
    ((_, options),) = steps
    measured = measure_intensities(stack, options, open_no_data(no_data))
    log.info("intensities: %s", measured)
    write_json(intensities, measured)


job.run(main)
