"""Measure the selected cells together with their nuclei, and intensities in both."""

from pathlib import Path

from cellstack.cells.measure_pairs import find_owners, flag_pairs, measure_pairs, measure_parts
from cellstack.config.object_columns import pair_column_names
from cellstack.core.labels import find_boxes, select_labels
from cellstack.files.selection import read_segmentation_labels
from cellstack.files.stacks import open_channel, open_stack
from cellstack.files.tables import as_text, read_rows, write_rows
from cellstack.run import job


def main(
    *,
    segmentation: Path,
    selection: Path,
    contacts: Path,
    nuclei: Path,
    raw: list[Path],
    pairs: Path,
    channels: list[str],
) -> None:
    """Write one row for each cell of `selection`; `raw` has one file for each of `channels`.

    Cells are those of the `segmentation` that are selected.
    """
    found, spacing = open_stack(segmentation)
    numbers = read_segmentation_labels(selection)
    cells = select_labels(found, numbers)
    nuclei_labels = open_channel(nuclei, segmentation, cells.shape, spacing)
    boxes = find_boxes(cells)
    owners = find_owners(cells, nuclei_labels)
    rows = measure_pairs(cells, boxes, nuclei_labels, owners, spacing)
    counts = [row["nuclei_count"] for row in rows]
    for path, channel in zip(raw, channels, strict=True):
        values = open_channel(path, segmentation, cells.shape, spacing)
        intensities = measure_parts(cells, boxes, nuclei_labels, owners, values, channel)
        for row, measured in zip(rows, intensities, strict=True):
            row.update(measured)
    flags = flag_pairs([numbers[label] for label in boxes], counts, read_rows(contacts))
    cells_text = [
        as_text({"segmentation_label": numbers[label], **row, "flags": flag})
        for label, row, flag in zip(boxes, rows, flags, strict=True)
    ]
    write_rows(pairs, ["segmentation_label", *pair_column_names(channels), "flags"], cells_text)


job.run(main)
