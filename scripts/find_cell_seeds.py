"""Find the seeds of cells and of the background."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.blocks.cut_block import slices_of_block
from cellstack.cells.find_cell_seeds import find_cell_seeds, mark_cell_seeds
from cellstack.core.counting import counted
from cellstack.files.no_data import read_no_data
from cellstack.files.records import read_json
from cellstack.files.stacks import open_channel, read_stack, write_stack
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    membrane_smooth: Path,
    membrane_ridges: Path,
    record: Path,
    seeds: Path,
    background: Path,
    background_radius_um: float,
    background_radius_beside_nuclei_um: float,
    min_wall_um3: float,
    method: str,
    options: dict[str, Any],
    nuclei: list[Path] = (),
    no_data: Sequence[Path] = (),
    block: dict[str, list[list[int]]] | None = None,
) -> None:
    """Write the `seeds` of cells, including the `nuclei` if there are any, and the `background`.

    Neither is in voxels without data according to the files `no_data`, except for nuclei. All
    input files are those of a stack. If a `block` of it is given, `seeds` marks the voxels of all
    seeds in it without a nucleus, which are not numbered yet.
    """
    part = slices_of_block(block)
    smooth, spacing = read_stack(membrane_smooth, mapped=True)
    ridges, _ = read_stack(membrane_ridges, mapped=True)
    without = read_no_data(no_data)
    nuclei_labels = None
    if nuclei:
        nuclei_labels = open_channel(nuclei[0], membrane_smooth, smooth.shape, spacing)[part]
        background_radius_um = background_radius_beside_nuclei_um
    found_walls = read_json(record)
    find = find_cell_seeds if block is None else mark_cell_seeds
    found, outside = find(
        smooth[part],
        ridges[part],
        spacing,
        found_walls["noise"],
        method,
        options,
        certain_strength=found_walls["certain_strength"],
        background_radius_um=background_radius_um,
        min_wall_um3=min_wall_um3,
        nuclei=nuclei_labels,
        no_data=None if without is None else without[part],
    )
    if block is not None:
        share = 100 * found.mean(), 100 * outside.mean()
        log.info("%.1f %% of the voxels are marked as seeds, %.1f %% as background", *share)
        write_stack(seeds, found, spacing, display=(0, 1))
        write_stack(background, outside, spacing, display=(0, 1))
        return
    log.info("%s, background %.1f %%", counted(found.max(initial=0), "seeds"), 100 * outside.mean())
    write_stack(seeds, found, spacing, is_labels=True)
    write_stack(background, outside, spacing, display=(0, 1))


job.run(main)
