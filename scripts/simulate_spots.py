"""Simulate a channel of spots in the cells of a simulated stack, and its ground truth."""

from pathlib import Path
from typing import Any

from cellstack.config.columns import POSITION
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, write_channels
from cellstack.files.tables import as_text, write_rows
from cellstack.prepare.simulate_spots import simulate_spots
from cellstack.run import job


def main(*, cells: Path, image: Path, points: Path, options: dict[str, Any]) -> None:
    """Write a simulated `image` (OME-TIFF) of spots in `cells`, and their centres as `points`."""
    labels, spacing = open_stack(cells)
    title = f"{image.name}, simulated by cellstack"
    with scratch_stacks(image.parent) as allocate:
        simulated = simulate_spots(
            labels.shape, spacing, inside=labels, allocate=allocate, **options
        )
        write_channels(
            image,
            [simulated.image],
            spacing,
            ["spots"],
            axes="CZYX",
            title=title,
            compression=None,
        )
    rows = (
        as_text(dict(zip(POSITION, position, strict=True)))
        for position in simulated.positions_um.tolist()
    )
    write_rows(points, POSITION, rows)


job.run(main)
