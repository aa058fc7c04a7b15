"""Measure the neighbours of each object of a stack."""

from collections.abc import Sequence
from pathlib import Path

from cellstack.config.columns import NEIGHBOR_COLUMNS
from cellstack.config.object_columns import GROUPS
from cellstack.files.mapped import keep_rows
from cellstack.files.no_data import read_no_data
from cellstack.files.selection import read_segmentation_labels
from cellstack.files.stacks import open_channel, open_stack
from cellstack.files.tables import as_text, write_rows
from cellstack.run import job
from cellstack.tissue.measure_neighbors import measure_neighbors


def main(
    *,
    segmentation: Path,
    selection: Path,
    neighbors: Path,
    neighborhood: Path,
    stack: str,
    object: str,
    groups: list[str],
    radius_um: float,
    nearest_count: int,
    others: Sequence[Path] = (),
    no_data: Sequence[Path] = (),
    threads: int = 1,
) -> None:
    """Write one row for each pair of neighbours, and one for each object of `segmentation`.

    The columns ``label_1`` and ``label_2`` are the labels of `selection`. The second table has the
    `groups` of columns. `others` is the segmentation of the other kind of object, if distances to
    it are measured; the files `no_data` show voxels without data.
    """
    labels, spacing = open_stack(segmentation)
    found = measure_neighbors(
        keep_rows(labels),
        spacing,
        nearest_count=nearest_count,
        radius_um=radius_um,
        no_data=read_no_data(no_data),
        kind=object,
        others=(
            keep_rows(open_channel(others[0], segmentation, labels.shape, spacing))
            if others
            else None
        ),
        threads=threads,
    )
    selected = {number: label for label, number in read_segmentation_labels(selection).items()}
    rows = []
    for pair in found.pairs:
        row: dict[str, float | str] = {"stack": stack, "object": object, **pair}
        for place in (1, 2):
            row[f"label_{place}"] = selected.get(int(pair[f"segmentation_label_{place}"]), 0)
        rows.append(as_text(row))
    write_rows(neighbors, list(NEIGHBOR_COLUMNS), rows)
    names = ["segmentation_label", *(name for group in groups for name in GROUPS[group])]
    values = ({name: row.get(name) for name in names} for row in found.objects)
    write_rows(neighborhood, names, map(as_text, values))


job.run(main)
