"""Combine the summaries, the statistics and the image quality of all stacks in one table each."""

from pathlib import Path
from typing import Any

from cellstack.config.columns import (
    CHECK_COLUMNS,
    QUALITY_COLUMNS,
    STACK_COLUMNS,
    STATISTICS_COLUMNS,
)
from cellstack.config.sheet import CHANNEL_OF
from cellstack.files.records import read_json
from cellstack.files.tables import as_text, read_rows, write_rows
from cellstack.measure import collect
from cellstack.run import job


def main(
    *,
    tables: list[Path],
    statistics_tables: list[Path],
    quality_records: list[Path],
    stacks: Path,
    checks: Path,
    statistics: Path,
    quality: Path,
    user_columns: dict[str, dict[str, Any]],
    group_by: str = "",
    missing: dict[str, dict[str, str]] | None = None,
) -> None:
    """Write the rows of all `tables`, then one for each kind of object of each `missing` stack.

    `user_columns` has cells of the sheet by column, by "stack/object"; stacks with the same
    cell in the column `group_by` are compared with each other. Images that occur more than once
    are flagged. `checks` has the numbers that the flags are based on, in rows of the same order as
    those of `stacks`. The rows of all `statistics_tables` are written as `statistics`, those of the
    `quality_records` as `quality`.
    """
    names = collect.join_columns([list(STACK_COLUMNS)], user_columns, after="flags")
    missing_rows = []
    for key in user_columns:
        stack, kind = key.split("/")
        if missing and stack in missing:
            missing_rows.append({"stack": stack, "object": kind, **missing[stack]})
    found = [row for path in tables for row in read_rows(path)]
    groups = {key: str(cells.get(group_by, "")) for key, cells in user_columns.items()}
    channels = {  # quality by stack and channel
        (path.parent.name, channel): record
        for path in quality_records
        for channel, record in read_json(path).items()
    }
    copies = collect.flag_copies(channels)
    for row, outlier in zip(found, collect.flag_outliers(found, groups), strict=True):
        copy = copies.get((row["stack"], CHANNEL_OF[row["object"]]))
        row["flags"] = _join_flags(row["flags"], outlier, copy)
    rows = [*found, *missing_rows]
    joined = collect.join_rows([rows], user_columns)
    write_rows(stacks, names, ({name: row.get(name, "") for name in names} for row in joined))
    write_rows(
        checks,
        list(CHECK_COLUMNS),
        ({name: row.get(name, "") for name in CHECK_COLUMNS} for row in rows),
    )
    described = (row for path in statistics_tables for row in read_rows(path))
    write_rows(statistics, list(STATISTICS_COLUMNS), described)
    measured = []
    for (stack, channel), record in channels.items():
        flags = _join_flags(record["row"].get("flags"), copies.get((stack, channel)))
        row = {"stack": stack, "channel": channel, **record["row"], "flags": flags}
        measured.append(as_text(row))
    write_rows(quality, list(QUALITY_COLUMNS), measured)


def _join_flags(*flags: str | None) -> str:
    return ";".join(filter(None, flags))


job.run(main)
