"""Clean a mask by morphology."""

from pathlib import Path

from cellstack import io, job
from cellstack.clean_mask import clean_mask


def main(*, mask: Path, clean: Path, steps: list):
    """Apply `steps`, a list of [method, options], to `mask`, and write `clean`."""
    foreground, spacing = io.read_stack(mask)
    io.write_stack(clean, clean_mask(foreground, spacing, steps), spacing, display=(0, 1))


job.run(main)
