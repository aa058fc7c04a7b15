"""Score the objects of a stack against a ground truth."""

import logging
from pathlib import Path

from cellstack.core.planes import Stack
from cellstack.evaluate.evaluate_labels import evaluate_labels
from cellstack.evaluate.evaluate_points import evaluate_points
from cellstack.evaluate.evaluation import Evaluation
from cellstack.files.records import write_json
from cellstack.files.stacks import open_stack
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
    uncorrected: list[Path] = (),
    corrected_objects: list[str] = (),
) -> None:
    """Write the `scores` of each kind of `objects`, which has one file in each of the two lists.

    `by_points` says whether a ground truth is a voxel for each object, and not its outline.
    `corrected_objects` are the kinds with corrections; their segmentations before corrections, the
    files `uncorrected`, are also scored.
    """
    evaluations, before = {}, {}
    without = dict(zip(corrected_objects, uncorrected, strict=True))
    for kind, ground_truth, segmentation, is_points in zip(
        objects, ground_truths, segmentations, by_points, strict=True
    ):
        known = open_stack(ground_truth)[0]
        evaluations[kind] = _evaluate(kind, known, segmentation, is_points)
        if kind in without:
            before[kind] = _evaluate(f"{kind} without corrections", known, without[kind], is_points)
            evaluations[kind]["summary"]["f1_uncorrected"] = before[kind]["summary"]["f1"]
    content = {"stack": stack, "objects": evaluations}
    write_json(scores, content | ({"uncorrected": before} if before else {}))


def _evaluate(name: str, known: Stack, segmentation: Path, is_points: bool) -> Evaluation:
    labels, spacing = open_stack(segmentation)
    if is_points:
        evaluation = evaluate_points(known, labels)
    else:
        evaluation = evaluate_labels(known, labels, spacing)
    threshold = "by points" if is_points else "at IoU 0.5"
    log.info("%s: F1 %.3f %s", name, evaluation["summary"]["f1"], threshold)
    for error, found in evaluation["errors"].items():
        log.info("%s: %d %s", name, len(found), error.replace("_", " "))
    return evaluation


job.run(main)
