"""Find the nucleus and the cell that each spot lies in."""

from pathlib import Path

import numpy as np

from cellstack.config.columns import POSITION, SPOT_COLUMNS
from cellstack.files.stacks import open_stack
from cellstack.files.tables import as_text, read_rows, write_rows
from cellstack.run import job
from cellstack.spots.assign_spots import assign_spots


def main(*, spots: Path, segmentations: list[Path], assigned: Path, objects: list[str]) -> None:
    """Write the rows of `spots` with their objects; `segmentations` are those of the `objects`."""
    rows = list(read_rows(spots))
    positions = np.array([[float(row[axis]) for axis in POSITION] for row in rows]).reshape(-1, 3)
    labels = {}
    spacing = (1.0, 1.0, 1.0)
    for kind, path in zip(objects, segmentations, strict=True):
        labels[kind], spacing = open_stack(path)
    owners = assign_spots(positions, labels, spacing)
    joined = (row | as_text(owner) for row, owner in zip(rows, owners, strict=True))
    write_rows(assigned, list(SPOT_COLUMNS), joined)


job.run(main)
