"""Divide a stack into regions by a watershed of the membrane."""

from collections.abc import Sequence
from pathlib import Path

from cellstack.blocks.cut_block import slices_of_block
from cellstack.cells.segment_cells import Scales, segment_cells
from cellstack.files.no_data import read_no_data
from cellstack.files.records import read_json
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
    scales: Sequence[Path] = (),
    block: dict[str, list[list[int]]] | None = None,
    threads: int = 1,
) -> None:
    """Write the `regions` of the watershed from `seeds` and `background`.

    They do not contain voxels without data according to the files `no_data`. All input files are
    those of a stack; the regions are those of a `block` of it if one is given, with the standard
    deviations of the file `scales`.
    """
    part = slices_of_block(block)
    markers, spacing = read_stack(seeds, mapped=True)
    without = read_no_data(no_data)
    found = segment_cells(
        markers[part],
        read_stack(background, mapped=True)[0][part],
        read_stack(membrane_smooth, mapped=True)[0][part],
        read_stack(membrane_ridges, mapped=True)[0][part],
        read_stack(nuclei[0], mapped=True)[0][part] if nuclei else None,
        spacing,
        wall_weight=wall_weight,
        distance_weight=distance_weight,
        no_data=None if without is None else without[part],
        scales=Scales(**read_json(scales[0])) if scales else None,
        threads=threads,
    )
    write_stack(regions, found, spacing, is_labels=True)


job.run(main)
