"""The columns of the tables of scores: names, units, definitions."""

KEY = {  # name: (unit, definition), in the order of the table
    "stack": ("", "Stack, as the sheet names it"),
    "object": ("", "Kind of object: nuclei or cells"),
}
MATCHED = {
    "precision": ("", "TP / (TP + FP): the share of the objects found that are right"),
    "recall": ("", "TP / (TP + FN): the share of the objects of the truth that were found"),
    "f1": ("", "2 TP / (2 TP + FP + FN)"),
    "average_precision": ("", "TP / (TP + FP + FN), as StarDist and Cellpose report it"),
    "panoptic_quality": ("", "Sum of the IoU of the matched pairs / (TP + FP / 2 + FN / 2)"),
}
BY_THRESHOLD = {
    **KEY,
    "iou_threshold": ("", "Least intersection over union of a matched pair"),
    "true_positives": ("", "TP: matched pairs, one to one, see config/README.md"),
    "false_positives": ("", "FP: objects found that match none of the truth"),
    "false_negatives": ("", "FN: objects of the truth that none found matches"),
    **MATCHED,
    "mean_matched_iou": ("", "Mean IoU of the matched pairs; empty where there are none"),
}
BY_STACK = {
    **KEY,
    "count_truth": ("", "Objects of the truth"),
    "count_found": ("", "Objects found: those of split.tif, measured or not"),
    **{name: (unit, f"{definition}; at IoU 0.5") for name, (unit, definition) in MATCHED.items()},
    "seg": ("", "SEG of the Cell Tracking Challenge: mean IoU of each object of the truth with what covers more than half of it, else 0"),
    "det": ("", "DET of the Cell Tracking Challenge: 1 - (5 merged + 10 missed + 1 spurious) / (10 objects of the truth), at least 0"),
    "aggregated_jaccard_index": (
        "",
        "Voxels that each object of the truth shares with its best partner / voxels that they or any other object cover",
    ),
    "adapted_rand_error": ("", "1 - F score of the pairs of voxels that belong together, within the objects of the truth; 0 is perfect"),
    "variation_of_information_split_bit": ("bit", "Conditional entropy of the label given the truth, within its objects; 0 is perfect"),
    "variation_of_information_merge_bit": ("bit", "Conditional entropy of the truth given the label, within its objects; 0 is perfect"),
    "count_split": ("", "Objects of the truth that two or more found ones share: each lies in it by more than half, with a tenth of it"),
    "count_merged": ("", "Objects found that hold two or more of the truth: each lies in it by more than half, with a tenth of it"),
    "count_missed": ("", "Objects of the truth without a match at IoU 0.1, not counted as merged"),
    "count_spurious": ("", "Objects found without a match at IoU 0.1, not counted as parts of a split one"),
    "count_low_iou": ("", "Matched pairs with an IoU of 0.1 to 0.5, neither split nor merged"),
    "volume_bias_um3": ("um3", "Mean volume found minus that of the truth, over the pairs matched at IoU 0.5"),
    "volume_bias_percent": ("%", "Mean of volume found / volume of the truth - 1, over the pairs matched at IoU 0.5"),
    "volume_sd_percent": ("%", "Standard deviation (n - 1) of volume found / volume of the truth, over the same pairs"),
    "mean_surface_distance_um": (
        "um",
        "Mean distance of the two surfaces, taken both ways, over the pairs matched at IoU 0.5; faces of the stack are no surface",
    ),
}
TABLES = {"scores.csv": BY_THRESHOLD, "stack_scores.csv": BY_STACK}
