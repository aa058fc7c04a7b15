"""Score the objects of a stack against a ground truth."""

import logging
from pathlib import Path

from cellstack.evaluate.evaluate_labels import evaluate_labels
from cellstack.files.records import write_json
from cellstack.files.stacks import read_stack
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    ground_truths: list[Path],
    segmentations: list[Path],
    scores: Path,
    stack: str,
    objects: list[str],
) -> None:
    """Write the `scores` of each kind of `objects`, which has one file in each of the two lists."""
    evaluations = {}
    for kind, ground_truth, segmentation in zip(objects, ground_truths, segmentations, strict=True):
        labels, spacing = read_stack(segmentation)
        evaluation = evaluate_labels(read_stack(ground_truth)[0], labels, spacing)
        log.info("%s: F1 %.3f at IoU 0.5", kind, evaluation["summary"]["f1"])
        for error, found in evaluation["errors"].items():
            log.info("%s: %d %s", kind, len(found), error.replace("_", " "))
        evaluations[kind] = evaluation
    write_json(scores, {"stack": stack, "objects": evaluations})


job.run(main)
