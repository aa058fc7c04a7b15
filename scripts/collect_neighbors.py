"""Combine the neighbours of all stacks in one table, with the columns of the sheet."""

from pathlib import Path
from typing import Any

from cellstack.files.tables import read_columns, read_rows, write_rows
from cellstack.measure import collect
from cellstack.run import job


def main(*, tables: list[Path], neighbors: Path, user_columns: dict[str, dict[str, Any]]) -> None:
    """Write the rows of all `tables` as `neighbors`.

    `user_columns` has cells of the sheet by column, by "stack/object".
    """
    names = collect.join_columns(map(read_columns, tables), user_columns, after="label_2")
    write_rows(neighbors, names, collect.join_rows(map(read_rows, tables), user_columns))


job.run(main)
