"""Find and describe the bright blobs in the core of a block."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.blocks.find_blobs import as_record, find_blobs_in_core
from cellstack.core.counting import counted
from cellstack.files.no_data import read_no_data
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import read_stack
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    denoised: Path,
    intensities: Sequence[Path],
    blobs: Path,
    options: dict[str, Any],
    block: dict[str, list[list[int]]],
    no_data: Sequence[Path] = (),
    threads: int = 1,
) -> None:
    """Write the `blobs` in the core of a `block` whose intensities are `denoised`.

    The files `intensities` contain the noise of the complete stack, and `options` are those of the
    threshold per object. There are no blobs in voxels without data, see the files `no_data`.
    """
    stack, spacing = read_stack(denoised, mapped=True)
    noise_sd = read_json(intensities[0])["noise_sd"]
    without = read_no_data(no_data)
    found = find_blobs_in_core(
        stack, spacing, noise_sd, options, block["core"], block["extent"], without
    )
    log.info("%s in the core", counted(len(found.centres), "blobs"))
    write_json(blobs, as_record(found))


job.run(main)
