"""Compare groups of stacks, with the stack or the animal as the experimental unit."""

import logging
from pathlib import Path

from cellstack.compare import unit_means
from cellstack.compare.compare_groups import compare_groups
from cellstack.compare.group_columns import GROUPS, UNITS
from cellstack.config.columns import STACK_COLUMNS
from cellstack.config.object_columns import describe
from cellstack.files.tables import as_text, read_columns, read_rows, write_rows
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    objects: Path,
    stacks: Path,
    groups: Path,
    units: Path,
    samples: dict[str, dict[str, str]],
    columns: list[str],
    reference: str | None = None,
    correction: str,
    confidence: float,
) -> None:
    """Compare `columns` of the tables `objects` and `stacks`; write `groups` and their `units`.

    `samples` are the group, the unit and the pair of stacks, by "stack/object".
    """
    of_objects = set(read_columns(objects))
    known = of_objects | set(read_columns(stacks))
    if missing := [column for column in columns if column not in known]:
        log.warning("not measured and not compared: %s", ", ".join(missing))
    values = unit_means.mean_of_objects(
        read_rows(objects), [name for name in columns if name in of_objects], samples
    )
    values |= unit_means.mean_of_stacks(
        read_rows(stacks), [name for name in columns if name not in of_objects], samples
    )
    averaged = unit_means.average_units(values, samples, columns)
    by_kind: dict[str, list[str]] = {}
    for key, sample in samples.items():
        named = by_kind.setdefault(key.rpartition("/")[2], [])
        if sample["group"] not in named:
            named.append(sample["group"])
    rows = compare_groups(
        averaged, by_kind, reference=reference, correction=correction, confidence=confidence
    )
    for row in rows:
        if row["warnings"]:
            what = (row["object"], row["column"], row["group_1"], row["group_2"], row["warnings"])
            log.warning("%s: %s of %s and %s: %s", *what)
    described = {
        column: (describe(column) or STACK_COLUMNS.get(column) or ("", ""))[0]
        for column in {unit.column for unit in averaged}
    }
    write_rows(
        groups, list(GROUPS), (as_text({"unit": described[row["column"]]} | row) for row in rows)
    )
    write_rows(
        units,
        list(UNITS),
        (
            as_text(
                {"object": each.object, "column": each.column, "unit": described[each.column]}
                | {"group": each.group, "pair": each.pair, "unit_name": each.name}
                | {"count_stacks": each.count_stacks, "count_objects": each.count_objects}
                | {"mean": each.mean}
            )
            for each in averaged
        ),
    )


job.run(main)
