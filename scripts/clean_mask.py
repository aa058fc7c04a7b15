"""Clean a mask by morphology."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.files.no_data import read_no_data
from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job
from cellstack.segment.clean_mask import clean_mask


def main(
    *,
    mask: Path,
    mask_clean: Path,
    steps: list[tuple[str, dict[str, Any]]],
    no_data: Sequence[Path] = (),
) -> None:
    """Apply `steps`, a list of [method, options], to `mask`, and write `mask_clean`.

    Voxels without data according to the files `no_data` stay background.
    """
    foreground, spacing = read_stack(mask)
    clean = clean_mask(foreground, spacing, steps, read_no_data(no_data))
    write_stack(mask_clean, clean, spacing, display=(0, 1))


job.run(main)
