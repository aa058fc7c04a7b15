"""Correct background and depth attenuation of a raw stack, before it is segmented."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.enhance.correct_background import correct_background
from cellstack.files.no_data import read_no_data
from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job


def main(*, raw: Path, corrected: Path, steps: list[Any], no_data: Sequence[Path] = ()) -> None:
    """Apply `steps`, a list of [method, options], to `raw`, and write `corrected`.

    Voxels without data according to the files `no_data` are filled first.
    """
    stack, spacing = read_stack(raw)
    result = correct_background(stack, spacing, steps, read_no_data(no_data))
    write_stack(corrected, result, spacing)


job.run(main)
