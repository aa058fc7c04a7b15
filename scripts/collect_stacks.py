"""Combine the summaries, the statistics and the image quality of all stacks in one table each."""

from pathlib import Path
from typing import Any

from cellstack.config.columns import QUALITY_COLUMNS, STATISTICS_COLUMNS
from cellstack.files.records import read_json
from cellstack.files.tables import as_text, read_columns, read_rows, write_rows
from cellstack.measure import collect
from cellstack.run import job


def main(
    *,
    tables: list[Path],
    statistics_tables: list[Path],
    quality_records: list[Path],
    stacks: Path,
    statistics: Path,
    quality: Path,
    user_columns: dict[str, dict[str, Any]],
    group_by: str = "",
    missing: dict[str, dict[str, str]] | None = None,
) -> None:
    """Write the rows of all `tables`, then one for each kind of object of each `missing` stack.

    `user_columns` has cells of the sheet by column, by "stack/object"; stacks with the same
    cell in the column `group_by` are compared with each other. The rows of all
    `statistics_tables` are written as `statistics`, those of the `quality_records` as `quality`.
    """
    names = collect.join_columns(map(read_columns, tables), user_columns, after="flags")
    missing_rows = []
    for key in user_columns:
        stack, kind = key.split("/")
        if missing and stack in missing:
            missing_rows.append({"stack": stack, "object": kind, **missing[stack]})
    found = [row for path in tables for row in read_rows(path)]
    groups = {key: str(cells.get(group_by, "")) for key, cells in user_columns.items()}
    for row, outlier in zip(found, collect.flag_outliers(found, groups), strict=True):
        row["flags"] = ";".join(filter(None, [row["flags"], outlier]))
    write_rows(stacks, names, collect.join_rows([found, missing_rows], user_columns))
    rows = (row for path in statistics_tables for row in read_rows(path))
    write_rows(statistics, list(STATISTICS_COLUMNS), rows)
    measured = (
        as_text({"stack": path.parent.name, "channel": channel, **record["row"]})
        for path in quality_records
        for channel, record in read_json(path).items()
    )
    write_rows(quality, list(QUALITY_COLUMNS), measured)


job.run(main)
