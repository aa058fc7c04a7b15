"""Choose what the gallery of a stack shows: plane, row, region, and two objects to zoom in on."""

import logging
from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.choose_view import choose_view

log = logging.getLogger(__name__)


def main(*, raw: Path, view: Path, diameter_um: float, region_um: float, plane: int | None = None, row: int | None = None):
    """Read the channel of the objects and write the `view` of it, with the region's size and, where given, its plane and row."""
    stack, spacing = io.read_stack(raw)
    chosen = choose_view(stack, spacing, diameter_um, region_um, plane, row)
    log.info("view: %s", chosen)
    whole_files.write_json(view, chosen)


job.run(main)
