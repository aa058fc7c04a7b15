"""Apply the corrections of a stack to its objects."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cellstack.config.columns import CORRECTION_COLUMNS
from cellstack.core.counting import counted
from cellstack.files.no_data import open_no_data
from cellstack.files.readers import opening
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, write_stack
from cellstack.files.tables import as_text, write_rows
from cellstack.run import job
from cellstack.segment.correct_objects import correct_objects

log = logging.getLogger(__name__)


def main(
    *,
    uncorrected: Path,
    segmentation: Path,
    record: Path,
    stack: str,
    object: str,
    corrections: list[dict[str, Any]],
    options: dict[str, float],
    intensities: list[Path] = (),
    no_data: list[Path] = (),
) -> None:
    """Apply `corrections` to the objects of `uncorrected`, and write them as `segmentation`.

    The table `record` has one row per correction, with the reason if it was not applied.
    Objects are added in the image `intensities` with `options`, outside the voxels without data
    of the files `no_data`.
    """
    labels, spacing = open_stack(uncorrected)
    with scratch_stacks(record.parent) as allocate:
        corrected, outcomes = correct_objects(
            labels,
            spacing,
            corrections,
            _read_images(corrections, record.parent),
            options,
            open_stack(intensities[0])[0] if intensities else None,
            open_no_data(no_data),
            allocate,
        )
        write_stack(segmentation, corrected, spacing, is_labels=True)
    rows = []
    for number, (correction, outcome) in enumerate(zip(corrections, outcomes, strict=True), 1):
        values = (
            stack,
            object,
            number,
            correction["action"],
            *correction["points"][0],
            len(correction["points"]),
            "not applied" if outcome.reason else "applied",
            outcome.reason,
            ";".join(map(str, outcome.labels)),
        )
        rows.append(as_text(dict(zip(CORRECTION_COLUMNS, values, strict=True))))
        if outcome.reason:
            log.warning("%s (%d): not applied: %s", correction["action"], number, outcome.reason)
    applied = sum(not outcome.reason for outcome in outcomes)
    log.info("%d of %s applied", applied, counted(len(outcomes), "corrections"))
    write_rows(record, list(CORRECTION_COLUMNS), rows)


def _read_images(corrections: list[dict[str, Any]], folder: Path) -> Iterator[Any]:
    """Yield the label image of each correction, or None."""
    from cellstack.prepare.import_labels import read_labels  # few corrections have an image

    for each in corrections:
        if each["image"] is None:
            yield None
            continue
        with (
            opening.open_image([Path(each["image"])]) as source,
            scratch_stacks(folder) as allocate,
        ):
            shape = (source.count, *source.plane_shape)
            yield read_labels(each["image"], source.planes(0), shape, source.dtype, allocate)


job.run(main)
