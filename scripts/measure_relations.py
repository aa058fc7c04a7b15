"""Measure how the intensities of the selected objects relate: to background, channels, surface."""

from pathlib import Path
from typing import Any

from cellstack.config.object_columns import GROUPS, fill_in
from cellstack.core.labels import find_boxes
from cellstack.files.no_data import open_no_data
from cellstack.files.selection import read_segmentation_labels
from cellstack.files.stacks import open_channel, open_stack
from cellstack.files.tables import as_text, read_rows, write_rows
from cellstack.measure.measure_relations import Channel, find_levels, measure_relations
from cellstack.run import job


def main(
    *,
    labels: Path,
    selection: Path,
    segmentation: Path,
    raw: list[Path],
    records: list[Path],
    relations: Path,
    channels: list[str],
    groups: list[str],
    options: dict[str, Any],
    pairs: list[Path] = (),
    threads: int = 1,
) -> None:
    """Write one row for each object of `labels`; `raw` has one file for each of `channels`.

    The `groups` of columns are measured. `records` are those of the import of the `raw` channels.
    The table `pairs` has the intensities of nucleus and cytoplasm of cells.
    """
    boxes = find_boxes(open_stack(labels)[0])
    image, spacing = open_stack(segmentation)
    numbers = read_segmentation_labels(selection)
    measured = []
    for name, path, record in zip(channels, raw, records, strict=True):
        values = open_channel(path, labels, image.shape, spacing)
        no_data = open_no_data([record, path])
        threshold = options["thresholds"].get(name)
        measured.append(Channel(name, values, no_data, find_levels(values, no_data, threshold)))
    rows = measure_relations(
        image,
        {numbers[label]: box for label, box in boxes.items()},
        measured,
        spacing,
        groups=groups,
        background=options["background"],
        shells=options["shells"],
        shell_width_um=options["shell_width_um"],
        pairs={int(row["segmentation_label"]): row for path in pairs for row in read_rows(path)},
        threads=threads,
    )
    names = ["segmentation_label"]
    for group, columns in GROUPS.items():
        if group in groups:
            names += fill_in(columns, channels, options["shells"])
    numbered = zip(boxes, rows, strict=True)
    write_rows(
        relations,
        names,
        [as_text({"segmentation_label": numbers[label], **row}) for label, row in numbered],
    )


job.run(main)
