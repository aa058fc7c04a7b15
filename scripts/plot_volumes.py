"""Draw the distribution of volumes in each stack and in each group of stacks."""

from pathlib import Path

from cellstack.figures import pdf, png
from cellstack.figures.plot_volumes import plot_volumes
from cellstack.files.tables import read_rows
from cellstack.run import job


def main(
    *,
    tables: list[Path],
    figure: Path,
    vector: Path,
    stacks: list,
    groups: dict,
    object: str,
    group_by: str,
    note: str,
    page: int = 1,
) -> None:
    """Read the `tables` of a kind of `object`, one for each of `stacks`, and write the `figure` as
    PNG and as PDF (`vector`).

    It shows one `page` of stacks. `groups` are the groups of the stacks, from the column `group_by`
    of the sheet.
    """
    volumes = {
        stack: [float(row["volume_um3"]) for row in read_rows(path)]
        for stack, path in zip(stacks, tables, strict=True)
    }
    drawn = plot_volumes(volumes, groups, kind=object, group_by=group_by, note=note, page=page)
    png.save(drawn, figure)
    pdf.save(drawn, vector)


job.run(main)
