"""Join the objects of all stacks into one table, with the user's own columns of the sheet, and say what each column means."""

from pathlib import Path

from cellstack import collect, job, table_io
from cellstack.columns import describe


def main(*, tables: list[Path], objects: Path, columns: Path, user_columns: dict):
    """Write all rows of `tables` in their order, and a dictionary of the columns; `user_columns` holds cells by "stack/object"."""
    cells = collect.disarm_sheet(user_columns)
    names, own = collect.join_columns(map(table_io.read_columns, tables), cells, after="split_label")
    table_io.write_rows(objects, names, collect.join_rows(map(table_io.read_rows, tables), cells))
    meaning = dict.fromkeys(own, ("", "from the sheet"))
    rows = [(name, *(meaning.get(name) or describe(name))) for name in names]
    keys = ["column", "unit", "definition"]
    table_io.write_rows(columns, keys, (dict(zip(keys, row, strict=True)) for row in rows))


job.run(main)
