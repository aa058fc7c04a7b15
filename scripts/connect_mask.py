"""Mark the voxels of a stack in blocks that hysteresis thresholding connects to a bright one."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.blocks.connect_mask import connect_mask, join_cores
from cellstack.files.no_data import open_no_data
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, write_stack
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    denoised: Sequence[Path],
    connected: Path,
    options: dict[str, Any],
    factor: float,
    blocks: list[dict[str, list[list[int]]]],
    no_data: Sequence[Path] = (),
) -> None:
    """Write the mask `connected` of the stack whose `blocks` are `denoised`.

    Its thresholds are those of `options`, multiplied by `factor`. Voxels without data according to
    the files `no_data` do not count in them.
    """
    stack = join_cores(blocks, lambda index: open_stack(denoised[index])[0])
    with scratch_stacks(connected.parent) as allocate:
        mask = connect_mask(stack, options, factor, open_no_data(no_data), allocate)
        share = sum(float(plane.mean()) for plane in mask) / len(mask)
        log.info("%.1f %% of the voxels are in the mask", 100 * share)
        write_stack(connected, mask, open_stack(denoised[0])[1], display=(0, 1))


job.run(main)
