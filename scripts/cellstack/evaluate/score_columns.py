"""Names, units and definitions of the columns of the tables of scores."""

from collections.abc import Collection
from typing import TypeAlias

Columns: TypeAlias = dict[str, tuple[str, str]]
"""Unit and definition by name, in the order of the table."""

OUTLINES, POINTS = "outlines", "points"  # kinds of ground truth

KEY: Columns = {
    "stack": ("", "Name of the stack in the sheet"),
    "object": ("", "Kind of object: nuclei or cells"),
    "ground_truth": (
        "",
        "Kind of ground truth: outlines, or points, one in each object; scores that need outlines "
        "are empty for points",
    ),
}
MATCHED: Columns = {
    "precision": ("", "TP / (TP + FP): fraction of the objects found that are correct"),
    "recall": ("", "TP / (TP + FN): fraction of the objects in the ground truth that are found"),
    "f1": ("", "2 TP / (2 TP + FP + FN)"),
    "average_precision": ("", "TP / (TP + FP + FN), as reported by StarDist and Cellpose"),
    "panoptic_quality": ("", "Sum of the IoU of the matched pairs / (TP + FP / 2 + FN / 2)"),
}
BY_THRESHOLD: Columns = {
    **KEY,
    "iou_threshold": ("", "Minimum intersection over union (IoU) of a matched pair"),
    "true_positives": (
        "",
        "TP: matched pairs of objects, one to one, see config/README.md; for points: objects found "
        "that contain a point or several",
    ),
    "false_positives": ("", "FP: objects found without a match in the ground truth"),
    "false_negatives": ("", "FN: objects in the ground truth without a match"),
    **MATCHED,
    "mean_matched_iou": ("", "Mean IoU of the matched pairs; empty if there are none"),
}
BY_STACK: Columns = {
    **KEY,
    "count_ground_truth": ("", "Number of objects or points in the ground truth"),
    "count_found": ("", "Number of objects in segmentation.tif, whether measured or not"),
    **{
        name: (unit, f"{definition}; at IoU 0.5, or for points")
        for name, (unit, definition) in MATCHED.items()
    },
    "f1_uncorrected": ("", "F1 without the corrections by hand; empty if there are none"),
    "seg": (
        "",
        "SEG of the Cell Tracking Challenge: mean over the objects in the ground truth of the IoU "
        "with the object found that covers more than half of it, or 0 if there is none",
    ),
    "det": (
        "",
        "DET of the Cell Tracking Challenge: 1 - (5 merges + 10 missed objects + 1 spurious "
        "object) / (10 objects in the ground truth), at least 0",
    ),
    "aggregated_jaccard_index": (
        "",
        "Each object in the ground truth is paired with the object found of the greatest IoU: sum "
        "of the intersections / (sum of the unions + voxels of objects that are in no pair)",
    ),
    "adapted_rand_error": (
        "",
        "1 - F score of the pairs of voxels that belong to the same object, within the objects in "
        "the ground truth; 0 is perfect",
    ),
    "variation_of_information_split_bit": (
        "bit",
        "Conditional entropy of the label found given the label in the ground truth, within the "
        "objects in the ground truth; 0 is perfect",
    ),
    "variation_of_information_merge_bit": (
        "bit",
        "Conditional entropy of the label in the ground truth given the label found, within the "
        "objects in the ground truth; 0 is perfect",
    ),
    "count_split": (
        "",
        "Objects in the ground truth with two or more parts: objects found with more than half of "
        "their voxels in it, each covering at least a tenth of it",
    ),
    "count_merged": (
        "",
        "Objects found with two or more parts: objects in the ground truth with more than half of "
        "their voxels in it, each covering at least a tenth of it; or with two or more points",
    ),
    "count_missed": (
        "",
        "Objects in the ground truth without a match at IoU 0.1 that are not part of a merged one; "
        "or points in no object found",
    ),
    "count_spurious": (
        "",
        "Objects found without a match at IoU 0.1 that are not part of a split one; or without "
        "a point",
    ),
    "count_low_iou": ("", "Matched pairs with an IoU of 0.1 to 0.5, neither split nor merged"),
    "volume_bias_um3": (
        "um3",
        "Mean of volume found - volume in the ground truth, over the pairs matched at IoU 0.5",
    ),
    "volume_bias_percent": (
        "%",
        "Mean of volume found / volume in the ground truth - 1, over the pairs matched at IoU 0.5",
    ),
    "volume_bias_median_percent": (
        "%",
        "Median of volume found / volume in the ground truth - 1, over the same pairs",
    ),
    "volume_sd_percent": (
        "%",
        "Standard deviation (n - 1) of volume found / volume in the ground truth, over the same "
        "pairs",
    ),
    "mean_surface_distance_um": (
        "um",
        "Average symmetric distance between the two surfaces, over the pairs matched at IoU 0.5; "
        "faces of the stack are not a surface",
    ),
}
BY_SPOT_CHANNEL: Columns = {
    "stack": KEY["stack"],
    "channel": ("", "Name of the channel in the sheet"),
    "count_ground_truth": ("", "Number of points in the ground truth"),
    "count_found": ("", "Number of spots found"),
    "true_positives": (
        "",
        "TP: pairs of a spot and a point, one to one, as many as possible within the tolerance",
    ),
    "false_positives": ("", "FP: spots found without a point"),
    "false_negatives": ("", "FN: points without a spot"),
    "precision": ("", "TP / (TP + FP): fraction of the spots found that are correct"),
    "recall": ("", "TP / (TP + FN): fraction of the points that are found"),
    "f1": MATCHED["f1"],
    "mean_position_error_um": ("um", "Mean distance between spot and point of the pairs"),
    **{
        f"rms_position_error_{axis}_um": (
            "um",
            f"Root mean square of the distance between spot and point along {axis}",
        )
        for axis in "zyx"
    },
    **{
        f"tolerance_{axis}_um": (
            "um",
            f"Semi-axis along {axis} of the ellipsoid around a point in which a spot is correct: "
            "half a diameter of a spot, or one voxel if that is more",
        )
        for axis in "zyx"
    },
}
TABLES = {"scores.csv": BY_THRESHOLD, "stack_scores.csv": BY_STACK}
SPOT_TABLES = {"spot_scores.csv": BY_SPOT_CHANNEL}


def named_threshold(kinds: Collection[str]) -> str:
    """Return what an F1 refers to, for the kinds of ground truth that it averages.

    Examples
    --------
    >>> named_threshold({"outlines"}), named_threshold({"points"})
    ('at IoU 0.5', 'by points')
    """
    names = {OUTLINES: "at IoU 0.5", POINTS: "by points"}
    return " or ".join(name for kind, name in names.items() if kind in kinds)
