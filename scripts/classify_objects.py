"""Assign a class to each measured object of a stack."""

import logging
from pathlib import Path

from cellstack.config.conditions import columns_of, parse_condition
from cellstack.files.records import read_json, write_json
from cellstack.files.tables import as_text, read_columns, read_rows, write_rows
from cellstack.measure.classify_objects import (
    classify_by_conditions,
    classify_by_model,
    find_thresholds,
    read_numbers,
)
from cellstack.run import job

log = logging.getLogger("cellstack")


def main(
    *,
    measured: Path,
    objects: Path,
    record: Path,
    conditions: dict[str, str],
    fitted: list[Path] = (),
) -> None:
    """Write the rows of `measured` with their classes as `objects`.

    Objects are classified by the `conditions` of the classes. The file `fitted`, if given, has the
    thresholds of all stacks, or a model that replaces the conditions. The thresholds that were used
    are written to `record`.
    """
    rows, names = list(read_rows(measured)), read_columns(measured)
    of_study = read_json(fitted[0]) if fitted else {}
    added = ["class"]
    if "fit" in of_study:
        model = of_study["fit"]["model"]
        table = read_numbers(rows, model["columns"])
        classes, probabilities = classify_by_model(table, model)
        added.append("class_probability")
        cells = [
            {"class": name, "class_probability": probability}
            for name, probability in zip(classes, probabilities.tolist(), strict=True)
        ]
        thresholds = []
    else:
        parsed = {name: parse_condition(text) for name, text in conditions.items()}
        used = dict.fromkeys(name for each in parsed.values() for name in columns_of(each))
        table = read_numbers(rows, used)
        thresholds = of_study.get("thresholds") or find_thresholds(table, parsed.values())
        classes = classify_by_conditions(table, parsed, thresholds)
        cells = [{"class": name} for name in classes]
    for name in table.keys() - set(names):
        log.warning("the stack has no column %s: its objects have no class by it", name)
    for each in thresholds:
        log.info("%(column)s: %(threshold)s is %(value)s, of %(n)d objects", each)
    write_json(record, {"thresholds": thresholds})
    place = names.index("flags") + 1
    joined = ({**row, **as_text(own)} for row, own in zip(rows, cells, strict=True))
    write_rows(objects, [*names[:place], *added, *names[place:]], joined)


job.run(main)
