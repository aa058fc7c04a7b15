"""Clean a mask by morphology."""

from pathlib import Path
from typing import Any

from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job
from cellstack.segment.clean_mask import clean_mask


def main(*, mask: Path, mask_clean: Path, steps: list[tuple[str, dict[str, Any]]]) -> None:
    """Apply `steps`, a list of [method, options], to `mask`, and write `mask_clean`."""
    foreground, spacing = read_stack(mask)
    write_stack(mask_clean, clean_mask(foreground, spacing, steps), spacing, display=(0, 1))


job.run(main)
