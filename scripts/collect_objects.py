"""Combine the objects of all stacks in one table, with the columns of the sheet."""

from pathlib import Path
from typing import Any

from cellstack.config.columns import describe
from cellstack.files.tables import read_columns, read_rows, write_rows
from cellstack.measure import collect
from cellstack.run import job


def main(
    *, tables: list[Path], objects: Path, columns: Path, user_columns: dict[str, dict[str, Any]]
) -> None:
    """Write the rows of all `tables` as `objects`, and the definition of each column as `columns`.

    `user_columns` has cells of the sheet by column, by "stack/object".
    """
    names, from_sheet = collect.join_columns(
        map(read_columns, tables), user_columns, after="segmentation_label"
    )
    write_rows(objects, names, collect.join_rows(map(read_rows, tables), user_columns))
    rows = []
    for name in names:
        unit, definition = ("", "from the sheet") if name in from_sheet else describe(name)
        rows.append({"column": name, "unit": unit, "definition": definition})
    write_rows(columns, ["column", "unit", "definition"], rows)


job.run(main)
