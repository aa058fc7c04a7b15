"""Measure and flag each selected object of a stack."""

from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

from cellstack.config.object_columns import column_names
from cellstack.core.labels import find_boxes
from cellstack.errors import InputError
from cellstack.files.mapped import in_row_order, keep_rows
from cellstack.files.no_data import open_no_data
from cellstack.files.selection import read_segmentation_labels
from cellstack.files.stacks import open_channel, open_stack
from cellstack.files.tables import as_text, read_columns, read_rows, write_rows
from cellstack.measure.measure_objects import (
    MEASURED,
    ON_REQUEST,
    join_corrections,
    join_table,
    measure_objects,
)
from cellstack.run import job


def main(
    *,
    labels: Path,
    selection: Path,
    segmentation: Path,
    raw: list[Path],
    objects: Path,
    stack: str,
    object: str,
    channels: list[str],
    groups: list[str],
    seeds: list[Path] = (),
    tables: list[Path] = (),
    no_data: Sequence[Path] = (),
    corrections: list[Path] = (),
    threads: int = 1,
) -> None:
    """Write one row for each object of `labels`; `raw` has one file for each of `channels`.

    The `groups` of columns are measured, those of `tables` are added, and the `corrections` of each
    object; accepted objects have no flags. Objects are flagged by their seeds, by their contrast in
    the channel that has the name of `object`, and if they touch voxels without data according to
    the files `no_data`.
    """
    selected, spacing = open_stack(labels)
    boxes = find_boxes(selected)
    numbers = read_segmentation_labels(selection)
    if numbers.keys() != boxes.keys():
        raise InputError(
            f"{selection} and {labels} have different objects ({len(numbers)} and {len(boxes)}): "
            "delete both and run the workflow again"
        )
    segmented = keep_rows(open_stack(segmentation)[0])
    rows = measure_objects(
        segmented,
        in_row_order(boxes),
        numbers,
        (
            (channel, keep_rows(open_channel(path, labels, selected.shape, spacing)))
            for path, channel in zip(raw, channels, strict=True)
        ),
        spacing,
        contrast_channel=object,
        groups=groups,
        seeds=open_stack(seeds[0])[0] if seeds else None,
        no_data=open_no_data(no_data),
        threads=threads,
    )
    rows.sort(key=itemgetter("label"))
    measured = set(groups) & {*MEASURED, *ON_REQUEST}
    names = column_names(dict.fromkeys(measured, channels))
    for path in tables:
        added = [name for name in read_columns(path) if name not in names]
        names += added
        rows = join_table(rows, read_rows(path), added)
    for path in corrections:
        rows = join_corrections(rows, read_rows(path))
    named = (as_text({**row, "stack": stack, "object": object}) for row in rows)
    write_rows(objects, names, named)


job.run(main)
