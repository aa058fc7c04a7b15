"""Scores of one stack in the tables of accuracy.py and cells.py, and the flags of its objects."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
from accuracy_stacks import DATA  # noqa: F401 (puts the package of cellstack on the path)

from cellstack.core.overlaps import count_overlaps, match_objects, pair_up
from cellstack.evaluate.evaluate_points import evaluate_points
from cellstack.files.stacks import read_stack

MIN_WRONG_FLAGGED, MAX_RIGHT_FLAGGED = 0.7, 0.1  # goals: fractions of the objects


class Scores(NamedTuple):
    """Scores of a stack."""

    f1: float
    """At the IoU of a match, or by points."""
    f1_at_tenth: float | None
    """At an IoU of 0.1; None for points, as is what follows the counts."""
    n_pred: int
    n_true: int
    merged: int
    """Objects found that contain two or more in the ground truth, or several points."""
    mean_iou: float | None = None
    """Of the matched pairs."""
    volume_ratio: float | None = None
    """Median over these pairs of the predicted volume divided by the true one."""


class Flags(NamedTuple):
    """Numbers of measured objects that are wrong or right, and how many of these have a flag."""

    wrong: int = 0
    wrong_flagged: int = 0
    right: int = 0
    right_flagged: int = 0


def without_gaps(labels: np.ndarray) -> np.ndarray:
    """Renumber labels to 1..n."""
    _, numbers = np.unique(np.append(labels, 0), return_inverse=True)
    return np.asarray(numbers[:-1].reshape(labels.shape), np.uint32)


def compare(
    ground_truth: np.ndarray, labels: np.ndarray, *, by_points: bool, min_iou: float = 0.5
) -> Scores:
    """Return the scores of a label image.

    Examples
    --------
    >>> points, labels = np.array([[[1, 2, 0, 0, 3]]]), np.array([[[5, 5, 0, 7, 7]]])
    >>> scores = compare(points, labels, by_points=True)
    >>> scores.f1, scores.merged
    (0.8, 1)
    >>> compare(labels, labels, by_points=False).volume_ratio
    1.0
    """
    labels = without_gaps(labels)
    if by_points:
        summary = evaluate_points(ground_truth, labels)["summary"]
        f1, merged = float(summary["f1"] or 0), int(summary["count_merged"] or 0)
        return Scores(f1, None, int(labels.max()), int(ground_truth.max()), merged)
    ground_truth = without_gaps(ground_truth)
    overlaps = count_overlaps(ground_truth, labels)
    pairs = pair_up(overlaps)
    matched, at_tenth = (match_objects(pairs, threshold) for threshold in (min_iou, 0.1))
    total = overlaps.n_pred + overlaps.n_true
    voxels = overlaps.voxels[overlaps.is_object_pair]
    is_part = (voxels > overlaps.true_voxels[pairs.true_label] / 2) & (
        voxels >= overlaps.label_voxels[pairs.label] / 10
    )
    has_pairs = len(matched.iou) > 0
    ratios = overlaps.label_voxels[matched.label] / overlaps.true_voxels[matched.true_label]
    return Scores(
        f1=2 * len(matched.iou) / total,
        f1_at_tenth=2 * len(at_tenth.iou) / total,
        n_pred=overlaps.n_pred,
        n_true=overlaps.n_true,
        merged=int((np.bincount(pairs.label[is_part]) > 1).sum()),
        mean_iou=float(np.mean(matched.iou)) if has_pairs else None,
        volume_ratio=float(np.median(ratios)) if has_pairs else None,
    )


def count_flags(folder: Path, *, by_points: bool, min_iou: float = 0.5) -> Flags:
    """Count the measured objects of a stack that are right, and those that have a flag.

    An object is right if it has a match in the ground truth, or contains one point.

    Parameters
    ----------
    folder : path-like
        Results of a kind of object of the stack.
    by_points : bool
        Whether the ground truth is points.
    min_iou : float
        Of a match.
    """
    ground_truth, _ = read_stack(folder / "ground_truth.tif")
    labels, _ = read_stack(folder / "segmentation.tif")
    if by_points:
        matches = evaluate_points(ground_truth, labels)["matches"]
        right = {match["label"] for match in matches}
    else:
        pairs = pair_up(count_overlaps(ground_truth, labels))
        right = set(match_objects(pairs, min_iou).label.tolist())
    with (folder / "objects.csv").open(newline="", encoding="utf-8") as file:
        rows = [
            (int(row["segmentation_label"]) in right, bool(row["flags"]))
            for row in csv.DictReader(file)
        ]
    wrong_flags = [flagged for is_right, flagged in rows if not is_right]
    right_flags = [flagged for is_right, flagged in rows if is_right]
    return Flags(len(wrong_flags), sum(wrong_flags), len(right_flags), sum(right_flags))


def flag_table(flags: dict[str, list[Flags]]) -> list[str]:
    """Return the lines of a table of flags, with a row per group and one for all."""
    lines = [
        "| | wrong objects | with a flag | right objects | with a flag |",
        "|---|--:|--:|--:|--:|",
    ]
    everything = [each for listed in flags.values() for each in listed]
    for name, listed in [*flags.items(), ("all", everything)]:
        total = Flags(*np.sum(listed, axis=0).tolist())
        cells = (
            name,
            str(total.wrong),
            _percent(total.wrong_flagged, total.wrong),
            str(total.right),
            _percent(total.right_flagged, total.right),
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines.append(
        f"| goal | | at least {MIN_WRONG_FLAGGED:.0%} | | at most {MAX_RIGHT_FLAGGED:.0%} |"
    )
    return lines


def _percent(part: int, total: int) -> str:
    return f"{part} ({part / total:.0%})" if total else "-"
