"""Clean a mask by morphology."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.blocks.cut_block import within
from cellstack.files.no_data import read_no_data
from cellstack.files.records import write_json
from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job
from cellstack.segment.clean_mask import clean_mask_with_record

log = logging.getLogger(__name__)


def main(
    *,
    mask: Path,
    mask_clean: Path,
    record: Path,
    steps: list[tuple[str, dict[str, Any]]],
    no_data: Sequence[Path] = (),
    block: dict[str, list[list[int]]] | None = None,
) -> None:
    """Apply `steps`, a list of [method, options], to `mask`, and write `mask_clean`.

    Voxels without data according to the files `no_data` stay background. The `record` counts the
    voxels before cleaning and those of sheets, in a `block` of a stack those in its core.
    """
    foreground, spacing = read_stack(mask, mapped=True)
    core = within(**block) if block else (slice(None), slice(None), slice(None))
    clean, counts = clean_mask_with_record(foreground, spacing, steps, read_no_data(no_data), core)
    log.info("removed as sheets: %(sheet_voxels)d of %(foreground_voxels)d voxels", counts)
    write_stack(mask_clean, clean, spacing, display=(0, 1))
    write_json(record, counts)


job.run(main)
