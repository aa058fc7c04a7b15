"""Locate the objects of a stack in its tissue and regions, and count them there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.config.columns import REGION_COLUMNS
from cellstack.config.object_columns import GROUPS
from cellstack.core.counting_frame import place_frame
from cellstack.files.no_data import open_no_data
from cellstack.files.stacks import open_channel, open_stack
from cellstack.files.tables import as_text, read_rows, write_rows
from cellstack.run import job
from cellstack.tissue.measure_regions import assign_regions, describe_regions, locate_in_tissue


def main(
    *,
    segmentation: Path,
    selection: Path,
    places: Path,
    table: Path,
    stack: str,
    object: str,
    names: dict[str, str],
    counting_frame: list[str],
    counting_guard_um: float,
    tissue: list[Path] = (),
    regions: list[Path] = (),
    no_data: Sequence[Path] = (),
    threads: int = 1,
) -> None:
    """Write one row as `places` for each object of `segmentation`, and the `table` of regions.

    `tissue` is a mask and `regions` are labels, which have `names`; either can be absent. The table
    `selection` has the objects that are measured, and those that count in the frame with the faces
    `counting_frame` and a guard zone of `counting_guard_um`.
    """
    labels, spacing = open_stack(segmentation)
    mask, areas = (
        open_channel(path[0], segmentation, labels.shape, spacing) if path else None
        for path in (tissue, regions)
    )
    rows: list[dict[str, Any]] = [
        {
            "segmentation_label": int(row["segmentation_label"]),
            "measured": row["label"] != "0",
            "counted": row["counted"] == "1",
        }
        for row in read_rows(selection)
    ]
    columns = ["segmentation_label"]
    if areas is not None:
        columns += GROUPS["regions"]
        for row, (label, fraction) in zip(rows, assign_regions(labels, areas), strict=True):
            row["region_label"] = label
            row["region_name"] = names.get(str(label), str(label)) if label else ""
            row["region_fraction"] = fraction
    if mask is not None:
        columns += GROUPS["tissue"]
        positions = locate_in_tissue(labels, mask, spacing, threads)
        for row, (fraction, distance, is_uncertain, depth) in zip(rows, positions, strict=True):
            row["tissue_fraction"] = fraction
            row["tissue_surface_distance_um"] = distance
            row["tissue_surface_uncertain"] = int(is_uncertain)
            row["tissue_depth_um"] = depth
    write_rows(places, columns, (as_text({name: row[name] for name in columns}) for row in rows))
    frame = place_frame(labels.shape, spacing, counting_frame, counting_guard_um)
    parts = describe_regions(areas, mask, open_no_data(no_data), spacing, frame, names, rows)
    key = {"stack": stack, "object": object}
    write_rows(table, list(REGION_COLUMNS), (as_text(key | part) for part in parts))


job.run(main)
