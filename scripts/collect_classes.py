"""Count the objects of each class in each stack."""

from pathlib import Path
from typing import Any

from cellstack.config.columns import CLASS_COLUMNS
from cellstack.files.records import read_json
from cellstack.files.tables import as_text, read_rows, write_rows
from cellstack.measure import collect
from cellstack.measure.collect_classes import count_classes, count_examples
from cellstack.run import job


def main(
    *,
    tables: list[Path],
    classes: Path,
    sources: list[str],
    class_names: dict[str, list[str]],
    user_columns: dict[str, dict[str, Any]],
    fitted: list[Path] = (),
    records: list[Path] = (),
) -> None:
    """Write the number and the fraction of the objects of each class to `classes`.

    `sources` has stack and kind of object of each of the `tables`, as "stack/object", and
    `class_names` the classes of each kind. The files `fitted` have the examples of classifiers.
    `user_columns` has cells of the sheet by column, by "stack/object". The thresholds of the
    classes, `records`, are not read, but made together with the tables.
    """
    examples = {}
    for path in fitted:
        examples[path.name.removesuffix("_classes.json")] = count_examples(read_json(path))
    rows = []
    for key, path in zip(sources, tables, strict=True):
        stack, kind = key.split("/")
        found = [row["class"] for row in read_rows(path)]
        for counted in count_classes(found, class_names[kind]):
            own = examples.get(kind, {}).get(str(counted["class"]), {})
            rows.append(as_text({"stack": stack, "object": kind, **counted, **own}))
    header = collect.join_columns([list(CLASS_COLUMNS)], user_columns, after="object")
    write_rows(classes, header, collect.join_rows([rows], user_columns))


job.run(main)
