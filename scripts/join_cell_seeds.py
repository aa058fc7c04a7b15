"""Join the seeds of the cells, and the background, of all blocks of a stack."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cellstack.blocks.join_cell_seeds import (
    count_disputed_seeds,
    label_in_blocks,
    number_seeds,
)
from cellstack.blocks.join_regions import paste_cores
from cellstack.core.counting import counted
from cellstack.core.labels import highest_label
from cellstack.core.planes import Stack
from cellstack.core.types import Mask
from cellstack.files.records import read_json, write_json
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, read_stack, write_stack
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    membrane_smooth: Path,
    membrane_record: Path,
    block_seeds: Sequence[Path],
    block_backgrounds: Sequence[Path],
    seeds: Path,
    background: Path,
    record: Path,
    blocks: list[dict[str, list[list[int]]]],
    nuclei: list[Path] = (),
) -> None:
    """Write the `seeds` and the `background` of the stack `membrane_smooth`.

    The files `block_seeds` and `block_backgrounds` mark those of the `blocks`; `nuclei` are those
    of the stack, if it has some. There are no seeds if no walls were found according to
    `membrane_record`. `record` counts the seeds that blocks disagreed on.
    """
    complete, spacing = open_stack(membrane_smooth)
    has_walls = read_json(membrane_record)["threshold"] > 0
    labels: Stack | None = None
    if nuclei and has_walls:
        labels = open_stack(nuclei[0])[0]
    shape = complete.shape

    def read_block(index: int) -> tuple[Mask, Mask]:
        files = block_seeds[index], block_backgrounds[index]
        marks, own_background = (read_stack(path, mapped=True)[0] for path in files)
        return marks, own_background

    with scratch_stacks(seeds.parent) as allocate:
        marked, outside = allocate(shape, np.uint8), allocate(shape, np.uint8)
        paste_cores(marked, blocks, lambda index: read_block(index)[0])
        paste_cores(outside, blocks, lambda index: read_block(index)[1])
        components = allocate(shape, np.uint32)
        count = label_in_blocks(marked, blocks, components)
        numbers = number_seeds(components, count, outside, labels)
        found = allocate(shape, numbers.dtype)
        for z in range(len(found)):
            plane = numbers[components[z]]
            if labels is not None:
                nucleus = labels[z]
                np.copyto(plane, nucleus, where=nucleus > 0)
            found[z] = plane
            outside[z] = np.where(plane > 0, 0, outside[z])
        highest = highest_label(found)
        disputed = count_disputed_seeds(found, components, outside, labels, blocks, read_block)
        log.info(
            "%s; of those without a nucleus, %d are at seams, and blocks disagreed on %d",
            counted(highest, "seeds"),
            *disputed.values(),
        )
        write_stack(seeds, found, spacing, is_labels=True)
        write_stack(background, outside, spacing, display=(0, 1))
    write_json(record, {"blocks": len(blocks), "seeds": highest, **disputed})


job.run(main)
