"""Detect the bright spots of a channel."""

import logging
from pathlib import Path
from typing import Any

from cellstack.core.counting import counted
from cellstack.files.no_data import open_no_data
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack
from cellstack.files.tables import as_text, write_rows
from cellstack.run import job
from cellstack.spots.detect_spots import COLUMNS, detect_spots

log = logging.getLogger(__name__)


def main(
    *,
    raw: Path,
    spots: Path,
    stack: str,
    channel: str,
    options: dict[str, Any],
    no_data: list[Path] = (),
    threads: int = 1,
) -> None:
    """Write the `spots` of the `raw` stack, one row each."""
    image, spacing = open_stack(raw)
    with scratch_stacks(spots.parent) as allocate:
        found = detect_spots(
            image, spacing, **options, no_data=open_no_data(no_data), allocate=allocate
        )
    log.info("%s: %s", channel, counted(len(found.intensities), "spots"))
    rows = (
        as_text(dict(zip(COLUMNS, (stack, channel, number, *values), strict=True)))
        for number, values in enumerate(found.rows(), 1)
    )
    write_rows(spots, COLUMNS, rows)


job.run(main)
