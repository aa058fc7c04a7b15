"""Divide a stack into regions by a watershed of the membrane."""

from collections.abc import Sequence
from pathlib import Path

from cellstack.cells.segment_cells import segment_cells
from cellstack.files.no_data import read_no_data
from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job


def main(
    *,
    seeds: Path,
    background: Path,
    membrane_smooth: Path,
    membrane_ridges: Path,
    regions: Path,
    wall_weight: float,
    distance_weight: float,
    nuclei: list[Path] = (),
    no_data: Sequence[Path] = (),
) -> None:
    """Write the `regions` of the watershed from `seeds` and `background`.

    They do not contain voxels without data according to the files `no_data`.
    """
    markers, spacing = read_stack(seeds)
    found = segment_cells(
        markers,
        read_stack(background)[0],
        read_stack(membrane_smooth)[0],
        read_stack(membrane_ridges)[0],
        read_stack(nuclei[0])[0] if nuclei else None,
        spacing,
        wall_weight=wall_weight,
        distance_weight=distance_weight,
        no_data=read_no_data(no_data),
    )
    write_stack(regions, found, spacing, is_labels=True)


job.run(main)
