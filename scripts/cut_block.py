"""Cut a block with its overlap out of a stack."""

from collections.abc import Sequence
from pathlib import Path

from cellstack.blocks.cut_block import cut_block, describe_block
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import open_stack, write_stack
from cellstack.run import job


def main(
    *, cut: Sequence[Path], block: dict[str, list[list[int]]], raw: Path, record: Path
) -> None:
    """Write the `block` of the stack and record in the files `cut` as `raw` and `record`.

    `block` has its `core` and its `extent`, each as first voxel and the one after the last along z,
    y and x.
    """
    imported, complete = cut
    stack, spacing = open_stack(complete)
    write_stack(raw, cut_block(stack, block["extent"]), spacing)
    write_json(record, describe_block(read_json(imported), block))


job.run(main)
