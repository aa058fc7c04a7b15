"""Write the unit and the definition of each column of the tables."""

from pathlib import Path

from cellstack.compare import group_columns
from cellstack.config.columns import describe_tables
from cellstack.evaluate import score_columns
from cellstack.files.tables import write_rows
from cellstack.run import job


def main(
    *,
    columns: Path,
    groups: dict[str, list[str]],
    channels: list[str],
    objects: list[str],
    from_sheet: list[str],
    has_scores: bool = False,
    has_spot_scores: bool = False,
    has_corrections: bool = False,
    has_groups: bool = False,
    shells: int,
) -> None:
    """Write one row for each column of each table to `columns`."""
    tables = describe_tables(groups, channels, objects, from_sheet, has_corrections, shells)
    if has_groups:
        tables |= group_columns.TABLES
    if has_scores:
        tables |= score_columns.TABLES
    if has_spot_scores:
        tables |= score_columns.SPOT_TABLES
    rows = [
        {"table": table, "column": name, "unit": unit, "definition": definition}
        for table, named in tables.items()
        for name, (unit, definition) in named.items()
    ]
    write_rows(columns, ["table", "column", "unit", "definition"], rows)


job.run(main)
