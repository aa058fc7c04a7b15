"""Choose the part of a stack that the gallery shows."""

import logging
from pathlib import Path
from typing import Any

from cellstack.errors import InputError
from cellstack.files.records import write_json
from cellstack.files.stacks import open_stack
from cellstack.gallery.choose_view import choose_view
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    raw: Path,
    view: Path,
    diameter_um: float,
    region_um: float,
    plane: int | None = None,
    row: int | None = None,
    object_label: int | None = None,
    block: dict[str, Any] | None = None,
) -> None:
    """Read the `raw` channel of the objects; write the `view`, with the label of an object.

    If `raw` is a `block` of a stack, `plane` and `row` are those of the stack, and the view counts
    from the first voxel of the block.
    """
    stack, spacing = open_stack(raw)
    if block is not None:
        plane, row = (
            _within(name, index, block["extent"][axis])
            for axis, (name, index) in enumerate((("plane", plane), ("row", row)))
        )
    chosen = choose_view(stack, spacing, diameter_um, region_um, plane, row)
    log.info("view: %s", chosen)
    write_json(view, {**chosen, "object_label": object_label})


def _within(name: str, index: int | None, extent: list[int]) -> int | None:
    """Return a plane or row of the stack, counted from the first one of a block."""
    if index is not None and not extent[0] <= index < extent[1]:
        raise InputError(
            f"choose_view.{name}: {index} is outside the block in the middle of the stack, "
            f"which is shown; give a value from {extent[0]} to {extent[1] - 1}"
        )
    return None if index is None else index - extent[0]


job.run(main)
