"""Merge the compartments of a stack to cells."""

import logging
from pathlib import Path

from cellstack import io, job
from cellstack.merge_cells import merge_cells

log = logging.getLogger(__name__)


def main(
    *,
    compartments: Path,
    walls: Path,
    smooth: Path,
    split: Path,
    min_wall: float,
    min_contact: float,
    min_solidity: float,
    min_volume_um3: float,
    min_volume_without_nucleus_um3: float,
    nuclei: list[Path] = (),
):
    """Merge `compartments` where the wall between them is missing, and write the cells as `split`; `nuclei` tells which hold one."""
    labels, spacing = io.read_stack(compartments)
    strength, smoothed, *of_nuclei = (io.read_stack(path)[0] for path in (walls, smooth, *nuclei))
    cells, counts = merge_cells(
        labels,
        strength,
        smoothed,
        spacing,
        int(of_nuclei[0].max(initial=0)) if of_nuclei and labels.any() else 0,
        min_wall=min_wall,
        min_contact=min_contact,
        min_solidity=min_solidity,
        min_volume_um3=min_volume_um3,
        min_volume_without_nucleus_um3=min_volume_without_nucleus_um3,
    )
    log.info("%s", counts)
    io.write_stack(split, cells, spacing)


job.run(main)
