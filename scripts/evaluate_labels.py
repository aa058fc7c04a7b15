"""Score the objects of a stack against the truth that the sheet names."""

import logging
from pathlib import Path

from cellstack import io, job
from cellstack.evaluate_labels import evaluate_labels

log = logging.getLogger(__name__)


def main(*, truths: list[Path], splits: list[Path], scores: Path, stack: str, objects: list):
    """Compare each of `splits` with the one of `truths` at the same place, for the kinds of `objects`, and write `scores`."""
    content = {"stack": stack, "objects": {}}
    for kind, truth, split in zip(objects, truths, splits, strict=True):
        content["objects"][kind] = evaluate_labels(io.read_stack(truth)[0], io.read_stack(split)[0])
        at_half = next(row for row in content["objects"][kind] if row["iou_threshold"] == 0.5)
        log.info("%s: F1 %.3f at IoU 0.5", kind, at_half["f1"])
    io.write_json(scores, content)


job.run(main)
