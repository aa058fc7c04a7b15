"""Select the objects to measure, and record why each other object was excluded."""

import logging
from collections.abc import Sequence
from pathlib import Path

from cellstack.config.columns import SELECTION_COLUMNS
from cellstack.core.counting import counted
from cellstack.core.counting_frame import count_in_frame, place_frame
from cellstack.files.no_data import open_no_data
from cellstack.files.stacks import open_stack, write_labels
from cellstack.files.tables import as_text, write_rows
from cellstack.run import job
from cellstack.segment.select_objects import select_objects

log = logging.getLogger(__name__)


def main(
    *,
    segmentation: Path,
    labels: Path,
    selection: Path,
    exclude_touching_faces: list[str],
    min_volume_um3: float,
    max_volume_um3: float | None = None,
    renumber: bool,
    counting_frame: list[str],
    counting_guard_um: float,
    no_data: Sequence[Path] = (),
    corrections: list[Path] = (),
    threads: int = 1,
) -> None:
    """Write the selected objects of `segmentation` as `labels`.

    The table `selection` has one row per object of `segmentation`, with its new label and the
    reason for its selection or exclusion, and whether it counts in the frame that has the faces
    `counting_frame` and a guard zone of `counting_guard_um`. Voxels without data are those of the
    files `no_data`.
    The table `corrections` is not read: Snakemake makes it together with the corrected objects.
    """
    objects, spacing = open_stack(segmentation)
    selected, numbers, volumes, reasons = select_objects(
        objects,
        spacing,
        exclude_touching_faces=exclude_touching_faces,
        min_volume_um3=min_volume_um3,
        max_volume_um3=max_volume_um3,
        renumber=renumber,
        no_data=open_no_data(no_data),
    )
    log.info("%d of %s selected", (numbers > 0).sum(), counted(len(numbers), "objects"))
    write_labels(labels, selected, spacing, threads)
    frame = place_frame(objects.shape, spacing, counting_frame, counting_guard_um)
    counted_in_frame = count_in_frame(objects, frame).astype(int)
    log.info("%d count in the frame", counted_in_frame.sum())
    found = range(1, len(numbers) + 1)
    rows = zip(found, numbers, volumes, reasons, counted_in_frame, strict=True)
    columns = list(SELECTION_COLUMNS)
    write_rows(selection, columns, (as_text(dict(zip(columns, row, strict=True))) for row in rows))


job.run(main)
