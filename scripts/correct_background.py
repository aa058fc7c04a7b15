"""Take background and dimming out of a raw stack before it is segmented."""

from pathlib import Path

from cellstack import io, job
from cellstack.correct_background import correct_background


def main(*, raw: Path, corrected: Path, steps: list):
    """Apply `steps`, a list of [method, options], to `raw`, and write `corrected`."""
    stack, spacing = io.read_stack(raw)
    io.write_stack(corrected, correct_background(stack, spacing, steps), spacing)


job.run(main)
