"""Join the objects of all blocks of a stack."""

import logging
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.blocks.join_blocks import (
    Objects,
    find_objects,
    join_blocks,
    join_thresholds,
    numbered_planes,
    planes_of_seeds,
    seeds_in_core,
)
from cellstack.core.counting import counted
from cellstack.core.types import Labels
from cellstack.files.mapped import map_parts
from cellstack.files.records import read_json, write_json
from cellstack.files.scratch import scratch_file
from cellstack.files.stacks import open_stack, read_stack, write_stack
from cellstack.run import job

log = logging.getLogger(__name__)
DISAGREEMENTS = ("doubled", "lost", "moved")


def main(
    *,
    raw: Path,
    seeds: Sequence[Path],
    merged: Sequence[Path],
    outlines: Sequence[Path],
    thresholds: Sequence[Path],
    cleaned: Sequence[Path],
    segmentation: Path,
    joined_seeds: Path,
    threshold: Path,
    clean_record: Path,
    record: Path,
    blocks: list[dict[str, list[list[int]]]],
    chosen: Sequence[Path] = (),
) -> None:
    """Write the objects of all `blocks` as the `segmentation` of the stack `raw`.

    The files `seeds`, `merged`, `outlines`, `thresholds` and `cleaned` are those of the blocks;
    `chosen` contains the blobs that all of them used, if objects have separate thresholds. The
    `joined_seeds` and the records `threshold` and `clean_record` are those of the stack, and
    `record` counts how often blocks disagreed.
    """
    complete, spacing = open_stack(raw)
    shape = complete.shape
    with scratch_file(segmentation.parent, 4 * complete.size) as file:
        scratch = np.memmap(file, np.uint32, "r+", shape=shape)
        pasted: NDArray[np.uint32] = np.asarray(scratch)
        mapped: Any = scratch._mmap  # type: ignore[attr-defined]

        def read_labels(index: int) -> Labels:
            mapped.madvise(mmap.MADV_DONTNEED)  # the part of the block before, which is in the file
            labels: Labels = read_stack(outlines[index])[0]
            return labels

        def read_objects(index: int) -> Objects:
            stacks = (
                read_stack(files[index], mapped=True)[0] for files in (outlines, merged, seeds)
            )
            return find_objects(*stacks, [start for start, _ in blocks[index]["extent"]])

        joined = join_blocks(pasted, blocks, read_objects, read_labels)
        found = joined.record
        log.info(
            "%s from %s, %d of them at seams; blocks disagreed on %d (%d doubled, %d lost, "
            "%d moved) and on %s",
            counted(found["objects"], "objects"),
            counted(len(blocks), "blocks"),
            found["at_seams"],
            sum(found[name] for name in DISAGREEMENTS),
            *(found[name] for name in DISAGREEMENTS),
            counted(found["contested_voxels"], "voxels"),
        )
        mapped.madvise(mmap.MADV_DONTNEED)
        planes = numbered_planes(map_parts(file, pasted.dtype, shape), joined.numbers)
        write_stack(segmentation, planes, spacing, (0, found["objects"]), is_labels=True)
    own_seeds = [
        seeds_in_core(read_stack(path, mapped=True)[0], block["core"], block["extent"])
        for path, block in zip(seeds, blocks, strict=True)
    ]
    seed_planes, count = planes_of_seeds(own_seeds, shape)
    write_stack(joined_seeds, seed_planes, spacing, (0, count), is_labels=True)
    of_blocks = [read_json(path) for path in thresholds]
    own = join_thresholds(of_blocks, read_json(chosen[0]) if chosen else None, found)
    write_json(threshold, own)
    counts = [read_json(path) for path in cleaned]
    write_json(clean_record, {name: sum(each[name] for each in counts) for name in counts[0]})
    write_json(record, {"blocks": len(blocks), **found})


job.run(main)
