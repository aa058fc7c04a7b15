"""Measure each selected cell against the nuclei in it, and the raw values of every channel in nucleus and cytoplasm."""

from pathlib import Path

from cellstack import columns, io, job, relabel, table_io
from cellstack.measure_pairs import find_owners, flag_pairs, measure_pairs, measure_parts


def main(*, labels: Path, selection: Path, contacts: Path, nuclei: Path, raw: list[Path], pairs: Path, channels: list):
    """Write one row per cell of `labels`; `raw` holds one file per name in `channels`, in the same order."""
    cells, spacing = io.read_stack(labels)
    found = io.read_channel(nuclei, labels, cells.shape, spacing)
    boxes = relabel.find_boxes(cells)
    owners = find_owners(cells, found)
    rows = measure_pairs(cells, boxes, found, owners, spacing)
    for path, channel in zip(raw, channels, strict=True):  # one channel in memory at a time
        values = io.read_channel(path, labels, cells.shape, spacing)
        rows = [row | more for row, more in zip(rows, measure_parts(cells, boxes, found, owners, values, channel), strict=True)]
    splits = {int(row["label"]): int(row["split_label"]) for row in table_io.read_rows(selection) if row["label"] not in ("", "0")}
    flags = flag_pairs([splits[label] for label in boxes], rows, table_io.read_rows(contacts))
    rows = [{"label": label} | row | {"flags": each} for label, row, each in zip(boxes, rows, flags, strict=True)]
    table_io.write_rows(pairs, ["label", *columns.pair_column_names(channels), "flags"], map(table_io.as_text, rows))


job.run(main)
