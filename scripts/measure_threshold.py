"""Find the threshold of a stack that is cut into blocks."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.blocks.measure_threshold import measure_threshold
from cellstack.files.no_data import open_no_data
from cellstack.files.records import write_json
from cellstack.files.stacks import open_stack
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    denoised: Sequence[Path],
    threshold: Path,
    method: str,
    options: dict[str, Any],
    factor: float,
    blocks: list[dict[str, list[list[int]]]],
    no_data: Sequence[Path] = (),
) -> None:
    """Write the `threshold` of the stack whose `blocks` are `denoised`, multiplied by `factor`.

    It is null if no single value holds for all voxels. Voxels without data according to the files
    `no_data` do not count.
    """
    found = measure_threshold(
        blocks,
        lambda index: open_stack(denoised[index])[0],
        method,
        options,
        factor,
        open_no_data(no_data),
    )
    log.info("threshold: %s", found)
    write_json(threshold, {"threshold": found})


job.run(main)
