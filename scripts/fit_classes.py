"""Find the thresholds of classes in all stacks, or fit a classifier to examples."""

import logging
from pathlib import Path
from typing import Any

from cellstack.config.conditions import columns_of, parse_condition
from cellstack.files.records import write_json
from cellstack.files.stacks import read_stack
from cellstack.files.tables import read_columns, read_rows
from cellstack.measure.classify_objects import find_thresholds, read_numbers
from cellstack.measure.fit_classes import choose_columns, fit_examples, labels_at
from cellstack.run import job

log = logging.getLogger("cellstack")


def main(
    *,
    tables: list[Path],
    fitted: Path,
    conditions: dict[str, str],
    examples: dict[str, list[Any]],
    segmentations: list[Path] = (),
    columns: list[str] | None = None,
) -> None:
    """Write the thresholds of `conditions`, or a model fitted to `examples`, to `fitted`.

    `tables` are those of the measured objects of all stacks. `segmentations` has the file of each
    stack in `examples`. The model uses the `columns` of the tables.
    """
    if not examples:
        parsed = [parse_condition(text) for text in conditions.values()]
        used = dict.fromkeys(name for each in parsed for name in columns_of(each))
        rows = [row for path in tables for row in read_rows(path)]
        write_json(fitted, {"thresholds": find_thresholds(read_numbers(rows, used), parsed)})
        return
    header = dict.fromkeys(name for path in tables for name in read_columns(path))
    found = []
    for path, (stack, known) in zip(segmentations, examples.items(), strict=True):
        image, spacing = read_stack(path)
        labels = labels_at(image, spacing, [each["point"] for each in known])
        found += [
            {"stack": stack, "label": label, **each}
            for label, each in zip(labels.tolist(), known, strict=True)
        ]
    objects = {
        (row["stack"], int(row["segmentation_label"])): row
        for path in tables
        for row in read_rows(path)
        if row["stack"] in examples
    }
    fit, not_used = fit_examples(found, objects, columns or choose_columns(header))
    for each in not_used:
        log.warning("%(stack)s: the example at %(point)s um is not used: %(reason)s", each)
    log.info("balanced accuracy of the cross-validation: %s", fit["balanced_accuracy"])
    write_json(fitted, {"fit": fit, "not_used": not_used})


job.run(main)
