"""Combine the spots of all stacks in one table."""

from itertools import chain
from pathlib import Path

from cellstack.config.columns import SPOT_COLUMNS
from cellstack.files.tables import read_rows, write_rows
from cellstack.run import job


def main(*, tables: list[Path], spots: Path) -> None:
    """Write the rows of all `tables` as `spots`."""
    write_rows(spots, list(SPOT_COLUMNS), chain.from_iterable(map(read_rows, tables)))


job.run(main)
