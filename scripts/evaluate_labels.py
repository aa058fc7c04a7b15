"""Score the objects of a stack against the truth that the sheet names."""

import logging
from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.evaluate_labels import evaluate_labels

log = logging.getLogger(__name__)


def main(*, truths: list[Path], splits: list[Path], scores: Path, stack: str, objects: list):
    """Compare each of `splits` with the one of `truths` at the same place, for the kinds of `objects`, and write `scores`."""
    content = {"stack": stack, "objects": {}}
    for kind, truth, split in zip(objects, truths, splits, strict=True):
        labels, spacing = io.read_stack(split)
        scored = evaluate_labels(io.read_stack(truth)[0], labels, spacing)
        log.info("%s: F1 %.3f at IoU 0.5", kind, scored["summary"]["f1"])
        for fault, named in scored["faults"].items():
            log.info("%s: %d %s", kind, len(named), fault.replace("_", " "))
        content["objects"][kind] = scored
    whole_files.write_json(scores, content)


job.run(main)
