"""Measure each selected object of a stack: size, shape and position in um, the raw values of every channel, and what looks wrong."""

from pathlib import Path

import numpy as np

from cellstack import columns, flag_objects, io, job, measure_objects, relabel, table_io
from cellstack.errors import InputError


def main(
    *,
    labels: Path,
    selection: Path,
    split: Path,
    raw: list[Path],
    seeds: list[Path] = (),
    pairs: list[Path] = (),
    objects: Path,
    stack: str,
    object: str,
    channels: list,
    threads: int = 1,
):
    """Write one row per object of `labels`, and behind it that of the table `pairs`; `raw` holds a file for each of `channels`, in order.

    `split` and `seeds`, where these are known, are looked at to flag objects. Contrast is that of the channel with the objects' name.
    """
    image, spacing = io.read_stack(labels)
    boxes = relabel.find_boxes(image)
    splits = {int(row["label"]): int(row["split_label"]) for row in table_io.read_rows(selection) if row["label"] not in ("", "0")}
    if splits.keys() != boxes.keys():
        raise InputError(f"{selection} keeps {len(splits)} objects, {labels} holds {len(boxes)}: make both anew with rule select_objects")
    rows = [row | {"split_label": splits[row["label"]]} for row in measure_objects.measure_shapes(image, boxes, spacing, threads)]
    found, contrast, crowded = io.read_stack(split, mapped=True)[0], None, set()
    if rows and seeds:
        distance = flag_objects.NEAR * np.median([row["equivalent_diameter_um"] for row in rows])
        crowded = flag_objects.find_crowded(io.read_stack(seeds[0], mapped=True)[0], found, spacing, distance)
    for path, channel in zip(raw, channels, strict=True):  # one channel in memory at a time
        values = io.read_channel(path, labels, image.shape, spacing)
        intensities = measure_objects.measure_intensities(image, boxes, values, spacing, channel, threads)
        rows = [row | more for row, more in zip(rows, intensities, strict=True)]
        if channel == object:
            contrast = flag_objects.measure_contrast(found, list(boxes.values()), rows, values, spacing, threads)
    flags = flag_objects.flag_objects(rows, contrast, crowded)
    rows = [row | {"stack": stack, "object": object, "flags": said} for row, said in zip(rows, flags, strict=True)]
    names = columns.column_names(channels)
    for path in pairs:
        names += [name for name in table_io.read_columns(path) if name not in ("label", "flags")]
        more = list(table_io.read_rows(path))
        joined = [";".join(filter(None, (row["flags"], each["flags"]))) for row, each in zip(rows, more, strict=True)]
        rows = [each | table_io.as_text(row | {"flags": said}) for row, each, said in zip(rows, more, joined, strict=True)]
    table_io.write_rows(objects, names, map(table_io.as_text, rows))


job.run(main)
