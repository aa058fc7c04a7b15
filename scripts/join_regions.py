"""Join the regions of the cells of all blocks of a stack."""

import logging
from collections.abc import Sequence
from pathlib import Path

from cellstack.blocks.join_regions import count_disagreements, paste_cores
from cellstack.core.counting import counted
from cellstack.core.types import Labels
from cellstack.files.records import read_json, write_json
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, read_stack, write_stack
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    seeds: Path,
    seeds_record: Path,
    block_regions: Sequence[Path],
    regions: Path,
    record: Path,
    blocks: list[dict[str, list[list[int]]]],
) -> None:
    """Write the `regions` of the stack whose joined `seeds` all `blocks` used.

    `record` counts what blocks disagreed on, with the counts of `seeds_record`.
    """
    markers, spacing = open_stack(seeds)

    def read(index: int) -> Labels:
        labels: Labels = read_stack(block_regions[index])[0]
        return labels

    with scratch_stacks(regions.parent) as allocate:
        joined = allocate(markers.shape, markers.dtype)
        paste_cores(joined, blocks, read)
        found = count_disagreements(joined, blocks, read)
        log.info(
            "%s from %s, %d of them at seams; blocks disagreed on %d and on %s",
            counted(found["regions"], "regions"),
            counted(len(blocks), "blocks"),
            found["at_seams"],
            found["disputed_regions"],
            counted(found["contested_voxels"], "voxels"),
        )
        write_stack(regions, joined, spacing, is_labels=True)
    of_seeds = read_json(seeds_record)
    disputed = of_seeds["disputed_seeds"] + found["disputed_regions"]
    write_json(record, {**of_seeds, **found, "seam_disagreements": disputed})


job.run(main)
