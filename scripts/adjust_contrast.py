"""Adjust the contrast of a raw or corrected stack to [0, 1]."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.enhance.adjust_contrast import adjust_contrast_in_parts
from cellstack.files.no_data import open_no_data
from cellstack.files.records import read_json
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, write_stack
from cellstack.run import job


def main(
    *,
    image: Path,
    contrast: Path,
    steps: list[Any],
    no_data: Sequence[Path] = (),
    intensities: Sequence[Path] = (),
    tiles: Sequence[Path] = (),
    block: dict[str, list[list[int]]] | None = None,
) -> None:
    """Apply `steps`, a list of [method, options], to `image`, and write `contrast`.

    Voxels without data according to the files `no_data` are filled, and do not count in the
    distribution of intensities. If `image` is a `block`, the file `intensities` contains what is
    measured in the complete stack, and the file `tiles` the grey values of its tiles, for `clahe`.
    """
    stack, spacing = open_stack(image)
    measured = read_json(intensities[0])["steps"] if intensities else None
    if measured is not None and tiles:
        for (method, _), known in zip(steps, measured, strict=True):
            if method == "clahe":
                known.append(open_stack(tiles[0])[0])
    first = (0, 0, 0) if block is None else [start for start, _ in block["extent"]]
    with scratch_stacks(contrast.parent) as allocate:
        adjusted = adjust_contrast_in_parts(
            stack, spacing, steps, open_no_data(no_data), measured, allocate, first=first
        )
        write_stack(contrast, adjusted, spacing, display=(0, 1))


job.run(main)
