"""Choose the planes of a stack in blocks in which seeds are allowed."""

import logging
from collections.abc import Sequence
from pathlib import Path

from cellstack.blocks.connect_mask import join_cores
from cellstack.files.records import write_json
from cellstack.files.stacks import open_stack
from cellstack.run import job
from cellstack.segment.choose_planes import choose_planes

log = logging.getLogger(__name__)


def main(
    *,
    mask_clean: Sequence[Path],
    allowed: Path,
    planes: str,
    plane_range_um: float,
    blocks: list[dict[str, list[list[int]]]],
) -> None:
    """Write the planes that are `allowed` in the stack whose `blocks` have the masks `mask_clean`.

    They are within `plane_range_um` of the plane that `planes` describes.
    """
    mask = join_cores(blocks, lambda index: open_stack(mask_clean[index])[0])
    found = choose_planes(mask, open_stack(mask_clean[0])[1], planes, plane_range_um)
    log.info("planes in which seeds are allowed: %s", found)
    write_json(allowed, {"planes": None if found is None else [found.start, found.stop]})


job.run(main)
