"""Choose the blobs that are objects, among those of all blocks of a stack."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.blocks.choose_blobs import choose_from_blocks
from cellstack.files.records import read_json, write_json
from cellstack.run import job


def main(*, blobs: Sequence[Path], chosen: Path, options: dict[str, Any]) -> None:
    """Write those of the `blobs` of all blocks that are objects as `chosen`.

    `options` are those of the threshold per object.
    """
    write_json(chosen, choose_from_blocks([read_json(path) for path in blobs], options))


job.run(main)
