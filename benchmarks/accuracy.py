"""Score the default preset, its parts, other tools and cells, and write the tables of accuracy.md.

python benchmarks/accuracy.py --cores 2

Real stacks are expected in the folder CELLSTACK_DATA, by default ../shared/data; if they are not
there, only simulated ones are scored. An entry of SIMULATED, REAL, VARIANTS or PEERS is a row or a
column of the tables. All files are in benchmarks/accuracy_runs, which is not part of the
repository; a second run computes only what has changed. Pictures of the worst objects of the
simulated stacks are benchmarks/accuracy_runs/worst_STACK.png.
"""

import argparse
import datetime
import importlib
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import cells
import numpy as np
import yaml
from scale import read_cost, snakemake

HERE = Path(__file__).resolve().parent
REPO = HERE.parent
sys.path[:0] = [str(REPO / "scripts"), str(HERE)]

REPORT = HERE / "accuracy.md"
BEGIN, END = "<!-- written by accuracy.py: begin -->\n", "<!-- written by accuracy.py: end -->\n"
OURS, PLAIN = "default", "plain chain"
COLUMNS = ("stack", "channel", "image", "channel_index", "ground_truth", "diameter_um", "preset")
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
REAL: dict[str, tuple[str, str, float, tuple[float, float, float] | None]] = {
    # image, ground truth, diameter, and the voxel size if it is not in the file
    "tutorial": ("tutorial/nuclei.tif", "tutorial/nuclei_reference_labels.tif", 12, None),
    "embryo8": ("embryo8/nuclei.tif", "embryo8/nuclei_truth.tif", 17, (1.75, 0.8, 0.8)),
    "ovule": ("ovule/nuclei.tif", "ovule/nuclei_truth.tif", 3.2, None),
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
GOALS = {
    "tutorial": 0.95,
    "embryo8": 0.87,
    "ovule": 0.85,
    "ratio-1": 0.98,
    "ratio-4": 0.98,
    "ratio-8": 0.98,
    "dim": 0.95,
}
NO_MERGING = {"merge_objects": {"method": "none"}}
NO_OUTLINES = {"smooth_outlines": {"method": "none"}}
OTSU = {"binarize": {"method": "otsu"}}
SEEDS_FROM_DISTANCE = {"find_seeds": {"method": "h_maxima"}}
SEEDS_FROM_BLOBS = {"find_seeds": {"method": "laplacian_of_gaussian"}}
NOT_SMOOTHED = {"clean_mask": {"steps": ["fill_holes", "remove_small_objects"]}}
FACES_NOT_CORRECTED = {"binarize": {"per_object": {"face_weight": 0}}}
ANY_CONTRAST = {"binarize": {"per_object": {"min_contrast": 0, "min_contrast_to_noise_ratio": 0}}}
PLAIN_CHAIN = OTSU | NOT_SMOOTHED | SEEDS_FROM_DISTANCE | NO_MERGING | NO_OUTLINES
VARIANTS: dict[str, tuple[dict[str, Any], float | str]] = {
    # settings, and the factor of the diameter or "auto"
    OURS: ({}, 1.0),
    "diameter 20 % too small": ({}, 0.8),
    "diameter 20 % too large": ({}, 1.2),
    "diameter estimated": ({}, "auto"),
    PLAIN: (PLAIN_CHAIN, 1.0),
    "Otsu instead of per_object": (OTSU, 1.0),
    "objects at faces not corrected": (FACES_NOT_CORRECTED, 1.0),
    "without a minimum contrast": (ANY_CONTRAST, 1.0),
    "mask not smoothed": (NOT_SMOOTHED, 1.0),
    "seeds from distance only": (SEEDS_FROM_DISTANCE, 1.0),
    "seeds from blobs only": (SEEDS_FROM_BLOBS, 1.0),
    "without merge_objects": (NO_MERGING, 1.0),
    "20 % too small, without merge_objects": (NO_MERGING, 0.8),
    "without smooth_outlines": (NO_OUTLINES, 1.0),
}
COUNT_BESIDE_PEERS = 5  # the first VARIANTS are in the table with the peers, the others in the next
PEERS = {
    "tutorial": "the tutorial, automatic",
    "voronoi_otsu": "Voronoi-Otsu",
    "distance_watershed": "distance watershed, as CellProfiler 4",
}


class Scores(NamedTuple):
    """Scores of a stack."""

    f1: float
    """At an IoU of 0.5."""
    f1_at_tenth: float
    """At an IoU of 0.1."""
    n_pred: int
    n_true: int
    mean_iou: float
    """Of the pairs matched at an IoU of 0.5."""
    volume_ratio: float
    """Median over these pairs of the predicted volume divided by the true one."""


def list_stacks() -> dict[str, dict[str, Any]]:
    """Return the cells of the sheet for each stack that is available."""
    found: dict[str, dict[str, Any]] = {}
    for name, (image, ground_truth, diameter_um, spacing) in REAL.items():
        if (cells.DATA / image).exists():
            found[name] = {
                "image": cells.DATA / image,
                "ground_truth": cells.DATA / ground_truth,
                "diameter_um": diameter_um,
            }
            if spacing:
                found[name] |= dict(zip(SPACING_COLUMNS, spacing, strict=True))
    for name in SIMULATED:
        folder = f"resources/simulated/{name}"
        found[name] = {
            "image": f"{folder}/image.ome.tif",
            "channel_index": "nuclei",
            "ground_truth": f"{folder}/nuclei.ome.tif",
            "diameter_um": 10,
        }
    return found


def list_scored() -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows of the sheet for all stacks and variants, and the files to be made."""
    rows, targets = [], []
    for number, (_, factor) in enumerate(VARIANTS.values()):
        for name, row in list_stacks().items():
            given = factor if isinstance(factor, str) else row["diameter_um"] * factor
            stack = f"{name}-{number}"
            rows.append(row | {"stack": stack, "preset": f"variant-{number}", "diameter_um": given})
            for part in ("segmentation", "ground_truth"):
                targets.append(f"results/{stack}/nuclei/{part}.tif")
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


def run_workflow(folder: Path, cores: int) -> None:
    """Segment all stacks with all variants, in one run."""
    rows, targets = list_scored()
    more_rows, more_targets = list_costs()
    rows += more_rows
    targets += more_targets
    targets += [f"results/{name}-0/figures/nuclei_errors.png" for name in SIMULATED]
    config = {
        "stacks": "stacks.tsv",
        "simulate_stack": {
            name: {"nuclei_count": 90, "diameter_um": 10} | settings
            for name, settings in (SIMULATED | COST).items()
        },
        "presets": {
            f"variant-{number}": settings for number, (settings, _) in enumerate(VARIANTS.values())
        },
    }
    columns = [*COLUMNS, *SPACING_COLUMNS]
    lines = ["\t".join(columns)]
    for row in rows:
        row["channel"] = "nuclei"
        lines.append("\t".join(str(row.get(column, "")) for column in columns))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stacks.tsv").write_text("\n".join([*lines, ""]))
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    configured = ("--configfile", str(folder / "config.yaml"), "--")
    subprocess.run(snakemake(folder, cores, *configured, *targets), check=True)
    for name in SIMULATED:
        figure = folder / f"results/{name}-0/figures/nuclei_errors.png"
        shutil.copyfile(figure, folder / f"worst_{name}.png")


def cost_table(folder: Path) -> str:
    """Return a table of the cost per voxel of the default and the plain chain, from image to table.

    The cost is read from the logs of the jobs.
    """
    voxels = [np.prod(settings["shape"]) for settings in COST.values()]
    lines = ["| | CPU s per million voxels | bytes per voxel, at most | by |", "|---|--:|--:|---|"]
    seconds = {}
    for way in (OURS, PLAIN):
        number = list(VARIANTS).index(way)
        costs = []
        for name in COST:
            logs = (folder / f"logs/{name}-{number}").rglob("*.log")
            costs.append({path.stem: cost for path in logs if (cost := read_cost(path))})
        small, large = costs
        per_voxel = {
            rule: np.subtract(large[rule], small[rule]) / (voxels[1] - voxels[0]) for rule in large
        }
        seconds[way] = sum(each[0] for each in per_voxel.values()) * 1e6
        largest = max(per_voxel, key=lambda rule: per_voxel[rule][1])
        memory = per_voxel[largest][1] * 1e6
        lines.append(f"| {way} | {seconds[way]:.2f} | {memory:.0f} | {largest} |")
    lines.append(f"| **{OURS} / {PLAIN}** | **{seconds[OURS] / seconds[PLAIN]:.2f}** | | |")
    return "\n".join([*lines, ""])


def score(folder: Path, stack: str, number: int) -> Scores:
    """Score the segmentation of a stack by a variant."""
    from cellstack.files.stacks import read_stack

    nuclei = folder / f"results/{stack}-{number}/nuclei"
    ground_truth, _ = read_stack(nuclei / "ground_truth.tif")
    labels, _ = read_stack(nuclei / "segmentation.tif")
    return compare(ground_truth, labels)


def score_peer(folder: Path, stack: str, peer: str, diameter_um: float) -> Scores:
    """Segment a stack by another method, and score it."""
    from cellstack.files.stacks import read_stack

    results = folder / f"results/{stack}-0"
    image, spacing = read_stack(results / "channels/nuclei/raw.tif")
    ground_truth, _ = read_stack(results / "nuclei/ground_truth.tif")
    method = importlib.import_module(f"peers.{peer}")
    return compare(ground_truth, method.segment(np.asarray(image), spacing, diameter_um))


def compare(ground_truth: np.ndarray, labels: np.ndarray) -> Scores:
    """Return the scores of a label image."""
    from cellstack.core.overlaps import count_overlaps, match_objects, pair_up

    _, numbers = np.unique(np.append(labels, 0), return_inverse=True)  # without gaps
    labels = numbers[:-1].reshape(labels.shape).astype(np.uint32)
    overlaps = count_overlaps(ground_truth, labels)
    pairs = pair_up(overlaps)
    half, tenth = (match_objects(pairs, threshold) for threshold in (0.5, 0.1))
    total = overlaps.n_pred + overlaps.n_true
    mean_iou, volume_ratio = 0.0, 0.0
    if len(half.iou):
        mean_iou = float(np.mean(half.iou))
        ratios = overlaps.label_voxels[half.label] / overlaps.true_voxels[half.true_label]
        volume_ratio = float(np.median(ratios))
    return Scores(
        f1=2 * len(half.iou) / total,
        f1_at_tenth=2 * len(tenth.iou) / total,
        n_pred=overlaps.n_pred,
        n_true=overlaps.n_true,
        mean_iou=mean_iou,
        volume_ratio=volume_ratio,
    )


def detail_table(scores: list[Scores], names: list[str]) -> str:
    """Return a table of the scores of the default preset, compared with the goals."""
    titles = ("stack", "F1 at IoU 0.5", "goal", "F1 at IoU 0.1", "found / true", "mean IoU")
    lines = [
        f"| {' | '.join(titles)} | median volume / true |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, each in zip(names, scores, strict=True):
        missed = "" if each.f1 >= GOALS[name] else ", missed"
        cells_of_row = (
            name,
            f"{each.f1:.3f}",
            f"{GOALS[name]:.2f}{missed}",
            f"{each.f1_at_tenth:.3f}",
            f"{each.n_pred} / {each.n_true}",
            f"{each.mean_iou:.2f}",
            f"{each.volume_ratio:.2f}",
        )
        lines.append(f"| {' | '.join(cells_of_row)} |")
    return "\n".join([*lines, ""])


def f1_table(scores: dict[str, list[Scores]], names: list[str]) -> str:
    """Return a table of F1 at an IoU of 0.5, with a row per method and a column per stack."""
    lines = [f"| | {' | '.join(names)} | mean |", "|---|" + "--:|" * (len(names) + 1)]
    for way, each in scores.items():
        values = [row.f1 for row in each]
        numbers = " | ".join(f"{value:.3f}" for value in values)
        lines.append(f"| {way} | {numbers} | {np.mean(values):.3f} |")
    return "\n".join([*lines, ""])


def score_all(folder: Path, cores: int) -> dict[str, list[Scores]]:
    """Return the scores of all stacks by variant and peer."""
    stacks = list_stacks()
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        jobs = {}
        for number, way in enumerate(VARIANTS):
            jobs[way] = [pool.submit(score, folder, name, number) for name in stacks]
        for peer, title in PEERS.items():
            jobs[title] = [
                pool.submit(score_peer, folder, name, peer, row["diameter_um"])
                for name, row in stacks.items()
            ]
        return {way: [job.result() for job in each] for way, each in jobs.items()}


def main() -> None:
    """Score all stacks and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cores", type=int, default=2)
    cores = parser.parse_args().cores
    start = time.monotonic()
    ways, names = list(VARIANTS), list(list_stacks())
    folder = HERE / "accuracy_runs"
    run_workflow(folder, cores)
    scores = score_all(folder, cores)
    of_cells, costs = cells.run(cores)
    command = f"python benchmarks/accuracy.py --cores {cores}"
    cells.write(command, of_cells, costs)
    minutes = (time.monotonic() - start) / 60
    beside_peers = [*ways[:COUNT_BESIDE_PEERS], *PEERS.values()]
    parts = [OURS, *ways[COUNT_BESIDE_PEERS:]]
    results = [
        f"`{command}`, {datetime.date.today()}, {minutes:.0f} minutes\n",
        "### The default preset\n",
        detail_table(scores[OURS], names),
        "### Other methods, and a wrong or estimated diameter: F1 at IoU 0.5\n",
        f1_table({way: scores[way] for way in beside_peers}, names),
        "### Contribution of each part: F1 at IoU 0.5\n",
        f1_table({way: scores[way] for way in parts}, names),
        "### Run time and memory\n",
        cost_table(folder),
        "### Cells\n",
        "\n".join([*of_cells, ""]),
    ]
    before, _, rest = REPORT.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = "\n".join(results)
    REPORT.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
