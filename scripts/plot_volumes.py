"""Draw the distribution of volumes in each stack and in each group of stacks."""

from pathlib import Path

from cellstack import figures, job, table_io
from cellstack.plot_volumes import plot_volumes


def main(*, tables: list[Path], volumes: Path, stacks: list, groups: dict, object: str, group_by: str, note: str):
    """Read the `tables` of one kind of `object`, one for each of `stacks`; write the figure `volumes`. `groups` names those of stacks."""
    measured = {stack: [float(row["volume_um3"]) for row in table_io.read_rows(path)] for stack, path in zip(stacks, tables, strict=True)}
    figures.save(plot_volumes(measured, groups, kind=object, group_by=group_by, note=note), volumes)


job.run(main)
