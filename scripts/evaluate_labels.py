"""Score the objects of a stack against a ground truth."""

import logging
from pathlib import Path

from cellstack.evaluate.evaluate_labels import evaluate_labels
from cellstack.evaluate.evaluate_points import evaluate_points
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
    by_points: list[bool],
) -> None:
    """Write the `scores` of each kind of `objects`, which has one file in each of the two lists.

    `by_points` says whether a ground truth is a voxel for each object, and not its outline.
    """
    evaluations = {}
    for kind, ground_truth, segmentation, is_points in zip(
        objects, ground_truths, segmentations, by_points, strict=True
    ):
        known = read_stack(ground_truth)[0]
        labels, spacing = read_stack(segmentation)
        if is_points:
            evaluation = evaluate_points(known, labels)
            log.info("%s: F1 %.3f by points", kind, evaluation["summary"]["f1"])
        else:
            evaluation = evaluate_labels(known, labels, spacing)
            log.info("%s: F1 %.3f at IoU 0.5", kind, evaluation["summary"]["f1"])
        for error, found in evaluation["errors"].items():
            log.info("%s: %d %s", kind, len(found), error.replace("_", " "))
        evaluations[kind] = evaluation
    write_json(scores, {"stack": stack, "objects": evaluations})


job.run(main)
