"""Combine the tables of tissue and regions of all stacks, with the columns of the sheet."""

from pathlib import Path
from typing import Any

from cellstack.files.tables import read_columns, read_rows, write_rows
from cellstack.measure import collect
from cellstack.run import job


def main(*, tables: list[Path], regions: Path, user_columns: dict[str, dict[str, Any]]) -> None:
    """Write the rows of all `tables` as `regions`.

    `user_columns` has cells of the sheet by column, by "stack/object".
    """
    names = collect.join_columns(map(read_columns, tables), user_columns, after="object")
    write_rows(regions, names, collect.join_rows(map(read_rows, tables), user_columns))


job.run(main)
