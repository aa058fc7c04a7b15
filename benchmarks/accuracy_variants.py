"""What accuracy.py scores: the stacks, the variants of the settings, and the other methods."""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from accuracy_stacks import NUCLEI, TUNING, GroundTruth, available, describe

from cellstack.files.spreadsheets import is_text_table

OURS, PLAIN = "default", "plain chain"
SPACING_COLUMNS = ("z_um", "y_um", "x_um")
SIMULATED: dict[str, dict[str, Any]] = {  # 90 nuclei of 10 um each
    "ratio-1": {"shape": [48, 192, 192], "spacing": [0.572, 0.52, 0.52], "seed": 21},
    "ratio-4": {"shape": [40, 180, 180], "spacing": [1.52, 0.38, 0.38], "seed": 12},
    "ratio-8": {"shape": [28, 212, 212], "spacing": [2.56, 0.32, 0.32], "seed": 13},
    "dim": {
        "shape": [40, 180, 180],
        "spacing": [1.52, 0.38, 0.38],
        "seed": 14,
        "signal_to_noise": 3,
        "depth_factor": 4,
    },
}
# Two sizes with the density of a colony. Their difference is the cost of a voxel, without that of
# starting jobs.
COST: dict[str, dict[str, Any]] = {
    "cost-small": {
        "shape": [60, 256, 256],
        "spacing": [0.29, 0.26, 0.26],
        "nuclei_count": 34,
        "seed": 31,
    },
    "cost-large": {
        "shape": [60, 512, 512],
        "spacing": [0.29, 0.26, 0.26],
        "nuclei_count": 136,
        "seed": 32,
    },
}
GOALS = {  # F1 of the default preset, by group
    "embryos": 0.88,
    "worms": 0.97,
    "plants": 0.85,
    "colony": 0.95,
    "simulated": 0.98,
}
PLAIN_CHAIN = {
    "binarize": {"method": "otsu"},
    "clean_mask": {"steps": ["fill_holes", "remove_small_objects"]},
    "find_seeds": {"method": "h_maxima"},
    "merge_objects": {"method": "none"},
    "smooth_outlines": {"method": "none"},
}
VARIANTS: dict[str, tuple[dict[str, Any], float | str]] = {
    # settings, and the factor of the diameter or "auto"; in the table with the peers
    OURS: ({}, 1.0),
    "diameter 20 % too small": ({}, 0.8),
    "diameter 20 % too large": ({}, 1.2),
    "diameter estimated": ({}, "auto"),
    PLAIN: (PLAIN_CHAIN, 1.0),
}
TOO_SMALL, ESTIMATED = 1, 3  # numbers of these variants
NO_MERGING = {"merge_objects.method": "none"}
PARTS: dict[str, dict[str, Any]] = {  # settings by key of a sweep, in which stages are shared
    "Otsu instead of per_object": {"binarize.method": "otsu"},
    "objects at faces not corrected": {"binarize.per_object.face_weight": 0},
    "without a minimum contrast": {
        "binarize.per_object.min_contrast": 0,
        "binarize.per_object.min_contrast_to_noise_ratio": 0,
    },
    "sheets not removed": {"clean_mask.steps": ["smooth", "fill_holes", "remove_small_objects"]},
    "mask not smoothed": {
        "clean_mask.steps": ["remove_sheets", "fill_holes", "remove_small_objects"]
    },
    "seeds from distance only": {"find_seeds.method": "h_maxima"},
    "seeds from blobs only": {"find_seeds.method": "laplacian_of_gaussian"},
    "without a minimum neck": {"merge_objects.convexity.min_neck": 0},
    "minimum neck of small objects too": {"merge_objects.convexity.small_relative_volume": 0},
    "objects of low contrast not removed": {"merge_objects.convexity.min_local_contrast": 0},
    "without merge_objects": NO_MERGING,
    "20 % too small, without merge_objects": NO_MERGING,
    "without smooth_outlines": {"smooth_outlines.method": "none"},
}
SEGMENTERS = ("cellpose", "stardist")  # scored if a model is given
PEERS = {  # title: module and function
    "the tutorial, lecture": ("tutorial", "segment"),
    "the tutorial, solution": ("tutorial", "segment_as_in_solution"),
    "Voronoi-Otsu": ("voronoi_otsu", "segment"),
    "distance watershed, as CellProfiler 4": ("distance_watershed", "segment"),
}


class Stack(NamedTuple):
    """A stack that is scored."""

    group: str
    use: str
    row: dict[str, Any]
    """Cells of the sheet."""
    ground_truth: GroundTruth | None
    """None if it is simulated."""
    by_points: bool = False
    min_iou: float = 0.5


def add_segmenter(method: str, python: str, model: str) -> None:
    """Add another segmenter, with a model, to the variants."""
    path = Path(model)
    options = {
        "python": str(Path(python).absolute()),
        "model": str(path.absolute()) if path.exists() else model,
    }
    VARIANTS[f"{method}, model {path.name}"] = (
        {"run_segmenter": {"method": method, method: options}},
        1.0,
    )


@cache
def list_stacks() -> dict[str, Stack]:
    """Return the stacks that are available, group by group."""
    found = {}
    for name, real in available(NUCLEI).items():
        image, ground_truth = real.files
        known = describe(real)
        row = {
            "image": image,
            "ground_truth": ground_truth,
            "diameter_um": float(f"{known.diameter_um:.4g}"),
        }
        if real.spacing:
            row |= dict(zip(SPACING_COLUMNS, real.spacing, strict=True))
        by_points = is_text_table(ground_truth)
        found[name] = Stack(real.group, real.use, row, known, by_points, real.min_iou)
    for name in SIMULATED:
        folder = f"resources/simulated/{name}"
        row = {
            "image": f"{folder}/image.ome.tif",
            "channel_index": "nuclei",
            "ground_truth": f"{folder}/nuclei.ome.tif",
            "diameter_um": 10,
        }
        found[name] = Stack("simulated", TUNING, row, None)
    return found


def list_groups() -> dict[tuple[str, str], list[str]]:
    """Return the stacks of each group and use."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, stack in list_stacks().items():
        groups.setdefault((stack.group, stack.use), []).append(name)
    return groups


def list_parts() -> dict[str, dict[str, str]]:
    """Return the unit of work of each tuning stack without each of the parts."""
    units = {}
    for number, title in enumerate(PARTS, 1):
        variant = TOO_SMALL if "too small" in title else 0
        units[title] = {
            name: f"sweep/{number}/{name}-{variant}"
            for name, stack in list_stacks().items()
            if stack.use == TUNING
        }
    return units


def list_scored() -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows of the sheet for all stacks and variants, and the files to be made."""
    rows, targets = [], []
    for number, (_, factor) in enumerate(VARIANTS.values()):
        for name, stack in list_stacks().items():
            given = factor if isinstance(factor, str) else stack.row["diameter_um"] * factor
            unit = f"{name}-{number}"
            rows.append(
                stack.row | {"stack": unit, "preset": f"variant-{number}", "diameter_um": given}
            )
            targets.append(f"results/{unit}/nuclei/segmentation.tif")
    for name in list_stacks():
        targets += [
            f"results/{name}-0/nuclei/{part}" for part in ("ground_truth.tif", "objects.csv")
        ]
    for units in list_parts().values():
        targets += [f"results/{unit}/nuclei/segmentation.tif" for unit in units.values()]
    return rows, targets


def list_costs() -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows of the sheet for the stacks whose cost is measured, and their targets."""
    rows, targets = [], []
    for way in (OURS, PLAIN):
        number = list(VARIANTS).index(way)
        for name in COST:
            rows.append(
                {
                    "stack": f"{name}-{number}",
                    "preset": f"variant-{number}",
                    "image": f"resources/simulated/{name}/image.ome.tif",
                    "channel_index": "nuclei",
                    "diameter_um": 10,
                }
            )
            targets.append(f"results/{name}-{number}/nuclei/objects.csv")
    return rows, targets
