"""Choose the part of a stack that the gallery shows."""

import logging
from pathlib import Path

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
) -> None:
    """Read the `raw` channel of the objects; write the `view`, with the label of an object."""
    stack, spacing = open_stack(raw)
    chosen = choose_view(stack, spacing, diameter_um, region_um, plane, row)
    log.info("view: %s", chosen)
    write_json(view, {**chosen, "object_label": object_label})


job.run(main)
