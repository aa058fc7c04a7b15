"""Segment the objects of a stack by another program."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cellstack.core.counting import counted
from cellstack.core.labels import highest_label
from cellstack.errors import InputError
from cellstack.files.readers import opening
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, write_stack
from cellstack.prepare.import_labels import import_labels
from cellstack.run import job
from cellstack.segment.run_segmenter import METHODS, placeholders, run_program

log = logging.getLogger(__name__)
OUTPUT = "labels.tif"


def main(
    *,
    raw: Path,
    segmentation: Path,
    object: str,
    objects: list[str],
    method: str,
    options: dict[str, Any],
    time_limit_minutes: int,
    diameter_um: float | None = None,
    threads: int = 1,
) -> None:
    """Run the program that `method` names on `raw`, and write its labels as `segmentation`.

    It segments one kind of `object`, which is among `objects`. Labels are renumbered 1..n.
    """
    if object not in objects:
        raise InputError(f"run_segmenter.objects: {objects} does not contain {object!r}; add it")
    stack, spacing = open_stack(raw)
    segmentation.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".run_segmenter-", dir=segmentation.parent) as folder:
        output = Path(folder, OUTPUT).resolve()
        values = placeholders(raw.resolve(), output, spacing, diameter_um, threads)
        words = METHODS[method](values, **options)
        run_program(words, 60 * time_limit_minutes)
        if not output.is_file():
            raise InputError(
                f"{words[0]!r} did not write {OUTPUT}; make it write the labels to "
                "the path {output}, as TIFF"
            )
        with opening.open_image([output]) as source, scratch_stacks(folder) as allocate:
            labels = import_labels(
                source,
                f"labels of {words[0]!r}",
                stack_name=str(raw),
                stack_shape=stack.shape,
                downsample=[1, 1, 1],
                allocate=allocate,
            )
            log.info("%s", counted(highest_label(labels), "objects"))
            write_stack(segmentation, labels, spacing, is_labels=True)


job.run(main)
