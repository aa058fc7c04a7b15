"""Select the objects that are measured, and say of each other one why not."""

import logging
from pathlib import Path

from cellstack import io, job, table_io
from cellstack.select_objects import select_objects

log = logging.getLogger(__name__)


def main(
    *,
    split: Path,
    labels: Path,
    selection: Path,
    clear_faces: list,
    min_volume_um3: float,
    max_volume_um3: float | None = None,
    renumber: bool = True,
    threads: int = 1,
):
    """Write the selected objects of `split`, renumbered or not, as `labels`, and the fate of each object as table `selection`."""
    objects, spacing = io.read_stack(split, mapped=True)
    limits = {"min_volume_um3": min_volume_um3, "max_volume_um3": max_volume_um3}
    selected, numbers, volumes, reasons = select_objects(objects, spacing, clear_faces=clear_faces, **limits, renumber=renumber)
    log.info("%d of %d objects selected", (numbers > 0).sum(), len(numbers))
    io.write_labels(labels, selected, spacing, threads)
    rows = zip(range(1, len(numbers) + 1), numbers, volumes, reasons, strict=True)
    columns = ["split_label", "label", "volume_um3", "reason"]
    table_io.write_rows(selection, columns, (table_io.as_text(dict(zip(columns, row, strict=True))) for row in rows))


job.run(main)
