"""Adjust the contrast of a raw or corrected stack to [0, 1]."""

from pathlib import Path

from cellstack import io, job
from cellstack.adjust_contrast import adjust_contrast


def main(*, image: Path, contrast: Path, steps: list):
    """Apply `steps`, a list of [method, options], to `image`, and write `contrast`."""
    stack, spacing = io.read_stack(image, mapped=True)
    io.write_stack(contrast, adjust_contrast(stack, spacing, steps), spacing, display=(0, 1))


job.run(main)
