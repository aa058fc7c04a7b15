"""Join the summaries of all stacks into one table, with the user's own columns of the sheet."""

from pathlib import Path

from cellstack import collect, job, table_io


def main(*, tables: list[Path], stacks: Path, user_columns: dict, missing: dict | None = None):
    """Write all rows of `tables` in their order, then one per stack of `missing` and kind; `user_columns` has cells by "stack/kind"."""
    cells = collect.disarm_sheet(user_columns)
    names, _ = collect.join_columns(map(table_io.read_columns, tables), cells, after="object")
    keys = (key.split("/") for key in user_columns)
    lacking = [{"stack": stack, "object": kind} | missing[stack] for stack, kind in keys if stack in (missing or {})]
    table_io.write_rows(stacks, names, collect.join_rows([*map(table_io.read_rows, tables), lacking], cells))


job.run(main)
