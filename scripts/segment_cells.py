"""Divide a stack into regions by a watershed of the membrane."""

from pathlib import Path

from cellstack.cells.segment_cells import segment_cells
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
) -> None:
    """Write the `regions` of the watershed from `seeds` and `background`."""
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
    )
    write_stack(regions, found, spacing)


job.run(main)
