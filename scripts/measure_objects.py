"""Measure each selected object of a stack: size, shape and position in um, and the raw values of every channel."""

from pathlib import Path

from cellstack import columns, io, job, measure_objects, table_io
from cellstack.errors import InputError


def main(*, labels: Path, selection: Path, raw: list[Path], objects: Path, stack: str, object: str, channels: list):
    """Write one row per object of `labels`; `raw` holds one file per name in `channels`, in the same order."""
    image, spacing = io.read_stack(labels)
    boxes = measure_objects.find_boxes(image)
    splits = {int(row["label"]): int(row["split_label"]) for row in table_io.read_rows(selection) if row["label"] not in ("", "0")}
    if splits.keys() != boxes.keys():
        raise InputError(f"{selection} keeps {len(splits)} objects, {labels} holds {len(boxes)}: make both anew with rule select_objects")
    rows = measure_objects.measure_shapes(image, boxes, spacing)
    for path, channel in zip(raw, channels, strict=True):  # one channel in memory at a time
        values = io.read_channel(path, labels, image.shape)
        intensities = measure_objects.measure_intensities(image, boxes, values, spacing, channel)
        rows = [row | more for row, more in zip(rows, intensities, strict=True)]
    rows = [row | {"stack": stack, "object": object, "split_label": splits[row["label"]]} for row in rows]
    table_io.write_rows(objects, columns.column_names(channels), map(table_io.as_text, rows))


job.run(main)
