"""Measure the volumes of objects before merging, and the background, in the core of a block."""

from pathlib import Path

from cellstack.blocks.measure_watershed import measure_watershed
from cellstack.files.records import write_json
from cellstack.files.stacks import read_stack
from cellstack.run import job


def main(
    *,
    seeds: Path,
    watershed: Path,
    denoised: Path,
    regions: Path,
    block: dict[str, list[list[int]]],
) -> None:
    """Write as `regions` the volumes in `watershed` and the background of `denoised`.

    They are those of the core of the `block`: objects belong to it by the first voxel in `seeds`.
    """
    stacks = [read_stack(path, mapped=True)[0] for path in (seeds, watershed, denoised)]
    write_json(regions, measure_watershed(*stacks, block["core"], block["extent"]))


job.run(main)
