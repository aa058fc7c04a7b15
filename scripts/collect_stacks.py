"""Combine the summaries of all stacks in one table, with the columns of the sheet."""

from pathlib import Path
from typing import Any

from cellstack.files.tables import read_columns, read_rows, write_rows
from cellstack.measure import collect
from cellstack.run import job


def main(
    *,
    tables: list[Path],
    stacks: Path,
    user_columns: dict[str, dict[str, Any]],
    missing: dict[str, dict[str, str]] | None = None,
) -> None:
    """Write the rows of all `tables`, then one for each kind of object of each `missing` stack.

    `user_columns` has cells of the sheet by column, by "stack/object".
    """
    names, _ = collect.join_columns(map(read_columns, tables), user_columns, after="object")
    missing_rows = []
    for key in user_columns:
        stack, kind = key.split("/")
        if missing and stack in missing:
            missing_rows.append({"stack": stack, "object": kind, **missing[stack]})
    rows = collect.join_rows([*map(read_rows, tables), missing_rows], user_columns)
    write_rows(stacks, names, rows)


job.run(main)
