"""Measure the distance of each object to the nearest object of each class."""

from pathlib import Path

from cellstack.config.columns import CLASS_DISTANCE_COLUMNS
from cellstack.files.stacks import open_stack
from cellstack.files.tables import as_text, read_rows, write_rows
from cellstack.run import job
from cellstack.tissue.measure_class_distances import measure_class_distances


def main(
    *,
    segmentation: Path,
    objects: Path,
    distances: Path,
    stack: str,
    object: str,
    class_names: list[str],
    threads: int = 1,
    record: Path | None = None,
) -> None:
    """Write a row for each measured object with a class, and each of the classes `class_names`.

    The table `objects` has the classes of the objects in `segmentation`. The thresholds of the
    classes, `record`, are not read, but made together with that table.
    """
    labels, spacing = open_stack(segmentation)
    known = {int(row["segmentation_label"]): row for row in read_rows(objects) if row["class"]}
    classes = {number: row["class"] for number, row in known.items()}
    rows = []
    for row in measure_class_distances(labels, spacing, classes, class_names, threads):
        label = known[int(str(row["segmentation_label"]))]["label"]
        rows.append(as_text({"stack": stack, "object": object, "label": label, **row}))
    write_rows(distances, list(CLASS_DISTANCE_COLUMNS), rows)


job.run(main)
