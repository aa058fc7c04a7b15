"""Draw the distribution of volumes in each stack and in each group of stacks."""

from pathlib import Path

from cellstack.figures import pdf, png
from cellstack.figures.plot_volumes import plot_volumes
from cellstack.files.tables import read_rows
from cellstack.run import job


def main(
    *,
    objects: Path,
    figure: Path,
    vector: Path,
    stacks: list,
    groups: dict,
    object: str,
    group_by: str,
    note: str,
    page: int = 1,
) -> None:
    """Read the table of all `objects`, and write the `figure` of one kind of `object` as PNG and as
    PDF (`vector`).

    It shows one `page` of `stacks`. `groups` are their groups, from the column `group_by` of the
    sheet.
    """
    volumes: dict[str, list[float]] = {stack: [] for stack in stacks}
    for row in read_rows(objects):
        if row["object"] == object:
            volumes[row["stack"]].append(float(row["volume_um3"]))
    drawn = plot_volumes(volumes, groups, kind=object, group_by=group_by, note=note, page=page)
    png.save(drawn, figure)
    pdf.save(drawn, vector)


job.run(main)
