"""Correct background and depth attenuation of a raw stack, before it is segmented."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.enhance.correct_background import correct_background_in_parts
from cellstack.files.no_data import open_no_data
from cellstack.files.records import read_json
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, write_stack
from cellstack.run import job


def main(
    *,
    raw: Path,
    corrected: Path,
    steps: list[Any],
    no_data: Sequence[Path] = (),
    intensities: Sequence[Path] = (),
    block: dict[str, list[list[int]]] | None = None,
) -> None:
    """Apply `steps`, a list of [method, options], to `raw`, and write `corrected`.

    Voxels without data according to the files `no_data` are filled first. If `raw` is a `block`,
    the file `intensities` contains what is measured in the complete stack.
    """
    stack, spacing = open_stack(raw)
    measured = read_json(intensities[0])["corrections"] if intensities else None
    first_plane = 0 if block is None else block["extent"][0][0]
    without = open_no_data(no_data)
    with scratch_stacks(corrected.parent) as allocate:
        result = correct_background_in_parts(
            stack, spacing, steps, without, measured, first_plane, allocate
        )
        write_stack(corrected, result, spacing)


job.run(main)
