"""Adjust the contrast of a raw or corrected stack to [0, 1]."""

from pathlib import Path
from typing import Any

from cellstack.enhance.adjust_contrast import adjust_contrast
from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job


def main(*, image: Path, contrast: Path, steps: list[Any]) -> None:
    """Apply `steps`, a list of [method, options], to `image`, and write `contrast`."""
    stack, spacing = read_stack(image, mapped=True)
    write_stack(contrast, adjust_contrast(stack, spacing, steps), spacing, display=(0, 1))


job.run(main)
