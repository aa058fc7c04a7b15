"""Combine the distances between classes of all stacks in one table, with the sheet's columns."""

from pathlib import Path
from typing import Any

from cellstack.files.tables import read_columns, read_rows, write_rows
from cellstack.measure import collect
from cellstack.run import job


def main(*, tables: list[Path], distances: Path, user_columns: dict[str, dict[str, Any]]) -> None:
    """Write the rows of all `tables` as `distances`.

    `user_columns` has cells of the sheet by column, by "stack/object".
    """
    names = collect.join_columns(
        map(read_columns, tables), user_columns, after="segmentation_label"
    )
    write_rows(distances, names, collect.join_rows(map(read_rows, tables), user_columns))


job.run(main)
