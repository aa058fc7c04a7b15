"""Correct background and depth attenuation of a raw stack, before it is segmented."""

from pathlib import Path
from typing import Any

from cellstack.enhance.correct_background import correct_background
from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job


def main(*, raw: Path, corrected: Path, steps: list[Any]) -> None:
    """Apply `steps`, a list of [method, options], to `raw`, and write `corrected`."""
    stack, spacing = read_stack(raw)
    write_stack(corrected, correct_background(stack, spacing, steps), spacing)


job.run(main)
