"""Merge the regions of a stack into cells."""

import logging
from pathlib import Path

from cellstack.cells.merge_cells import merge_cells
from cellstack.core.labels import highest_label
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, write_stack
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    regions: Path,
    membrane_ridges: Path,
    membrane_smooth: Path,
    segmentation: Path,
    min_wall_strength: float,
    min_contact_fraction: float,
    min_solidity: float,
    min_solidity_without_nucleus: float,
    min_volume_um3: float,
    min_volume_without_nucleus_um3: float,
    nuclei: list[Path] = (),
) -> None:
    """Merge `regions` and write the cells as `segmentation`."""
    labels, spacing = open_stack(regions)
    nuclei_count = 0
    if nuclei and highest_label(labels):
        nuclei_count = highest_label(open_stack(nuclei[0])[0])
    with scratch_stacks(segmentation.parent) as allocate:
        cells, counts = merge_cells(
            labels,
            open_stack(membrane_ridges)[0],
            open_stack(membrane_smooth)[0],
            spacing,
            nuclei_count,
            min_wall_strength=min_wall_strength,
            min_contact_fraction=min_contact_fraction,
            min_solidity=min_solidity,
            min_solidity_without_nucleus=min_solidity_without_nucleus,
            min_volume_um3=min_volume_um3,
            min_volume_without_nucleus_um3=min_volume_without_nucleus_um3,
            allocate=allocate,
        )
        log.info("%s", counts)
        write_stack(segmentation, cells, spacing, is_labels=True)


job.run(main)
