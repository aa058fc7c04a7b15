"""Count the spots of each channel in each measured object of a stack."""

from pathlib import Path

from cellstack.files.selection import read_segmentation_labels
from cellstack.files.tables import as_text, read_rows, write_rows
from cellstack.run import job
from cellstack.spots.count_spots import count_spots


def main(
    *,
    tables: list[Path],
    selection: Path,
    counts: Path,
    object: str,
    channels: list[str],
    has_nuclei: bool,
) -> None:
    """Write the number of spots in each object; `tables` has one file for each of `channels`."""
    labels = list(read_segmentation_labels(selection).values())
    rows: list[dict[str, object]] = [{"segmentation_label": label} for label in labels]
    columns = ["segmentation_label"]
    by_region = object == "cells" and has_nuclei
    for channel, table in zip(channels, tables, strict=True):
        counted = count_spots(read_rows(table), channel, labels, kind=object, by_region=by_region)
        for row, of_channel in zip(rows, counted, strict=True):
            row.update(of_channel)
        names = ["count_spots_{}", "mean_spot_intensity_{}"]
        if by_region:
            names += ["count_spots_nucleus_{}", "count_spots_cytoplasm_{}"]
        columns += [name.format(channel) for name in names]
    write_rows(counts, columns, map(as_text, rows))


job.run(main)
