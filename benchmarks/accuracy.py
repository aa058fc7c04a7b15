"""Score the default preset, its parts, other tools and cells, and write the tables of accuracy.md.

python benchmarks/accuracy.py --cores 2
python benchmarks/accuracy.py --only-peers

accuracy_stacks.py lists the real stacks; if they are not there, only simulated ones are scored. An
entry of SIMULATED, VARIANTS, PARTS or PEERS is a row or a column of the tables. The parts are
scored on the tuning stacks only, as a sweep in which the stages are shared, to save time.

With ``--only-peers`` only the other methods and the cells are scored again; their rows and table
replace those of the last complete run.

With ``--cellpose PYTHON MODEL`` or ``--stardist PYTHON MODEL`` another segmenter is scored too; see
run_segmenter in config/README.md.

All files are in benchmarks/accuracy_runs, which is not part of the repository; a second run
computes only what has changed. Pictures of the worst objects of the simulated stacks are
benchmarks/accuracy_runs/worst_STACK.png.
"""

import argparse
import datetime
import importlib
import json
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import cells
import numpy as np
import yaml
from accuracy_scores import Flags, Scores, compare, count_flags, flag_table
from accuracy_stacks import CHECK, NUCLEI, TUNING, GroundTruth, available, describe, measure
from scale import read_cost, snakemake

from cellstack.files.spreadsheets import is_text_table
from cellstack.files.stacks import read_stack

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


PEERS_HEADING = "Other methods, and a wrong or estimated diameter: F1"
CELLS_HEADING = "Cells"


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


def run_workflow(folder: Path, cores: int, *, only_peers: bool = False) -> None:
    """Segment all stacks with all variants, in one run, or make what other methods need."""
    rows, targets = list_scored()
    more_rows, more_targets = list_costs()
    rows += more_rows
    targets += more_targets
    targets += [f"results/{name}-0/figures/nuclei_errors.png" for name in SIMULATED]
    config = {
        "stacks": "stacks.tsv",
        "sweep": "sweep.tsv",
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
    keys = list(dict.fromkeys(key for settings in PARTS.values() for key in settings))
    lines = ["\t".join(keys)]
    for settings in PARTS.values():
        lines.append("\t".join(str(settings.get(key, "")) for key in keys))
    (folder / "sweep.tsv").write_text("\n".join([*lines, ""]))
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    configured = ("--configfile", str(folder / "config.yaml"), "--")
    if only_peers:
        parts = ("channels/nuclei/raw.tif", "nuclei/ground_truth.tif")
        targets = [f"results/{name}-0/{part}" for name in list_stacks() for part in parts]
    subprocess.run(snakemake(folder, cores, *configured, *targets), check=True)
    if only_peers:
        return
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


def score(folder: Path, name: str, unit: str) -> Scores:
    """Score the segmentation of a stack by a variant or without a part."""
    stack = list_stacks()[name]
    ground_truth, _ = read_stack(folder / f"results/{name}-0/nuclei/ground_truth.tif")
    labels, _ = read_stack(folder / f"results/{unit}/nuclei/segmentation.tif")
    return compare(ground_truth, labels, by_points=stack.by_points, min_iou=stack.min_iou)


def score_peer(folder: Path, name: str, peer: str) -> Scores:
    """Segment a stack by another method, and score it."""
    stack = list_stacks()[name]
    results = folder / f"results/{name}-0"
    image, spacing = read_stack(results / "channels/nuclei/raw.tif")
    ground_truth, _ = read_stack(results / "nuclei/ground_truth.tif")
    module, function = PEERS[peer]
    segment = getattr(importlib.import_module(f"peers.{module}"), function)
    labels = segment(np.asarray(image), spacing, stack.row["diameter_um"])
    return compare(ground_truth, labels, by_points=stack.by_points, min_iou=stack.min_iou)


def flags_of(folder: Path, name: str) -> Flags:
    """Count the objects of a stack that are right and those with a flag, by the default preset."""
    stack = list_stacks()[name]
    nuclei = folder / f"results/{name}-0/nuclei"
    return count_flags(nuclei, by_points=stack.by_points, min_iou=stack.min_iou)


def score_all(folder: Path, cores: int) -> dict[str, dict[str, Scores]]:
    """Return the scores by variant, part or peer, and by stack."""
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        jobs: dict[str, dict[str, Future[Scores]]] = {}
        for number, way in enumerate(VARIANTS):
            jobs[way] = {
                name: pool.submit(score, folder, name, f"{name}-{number}") for name in list_stacks()
            }
        for title, units in list_parts().items():
            jobs[title] = {
                name: pool.submit(score, folder, name, unit) for name, unit in units.items()
            }
        return _results(jobs) | score_peers(folder, cores)


def score_peers(folder: Path, cores: int) -> dict[str, dict[str, Scores]]:
    """Return the scores of the other methods, by method and by stack."""
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        return _results(
            {
                peer: {name: pool.submit(score_peer, folder, name, peer) for name in list_stacks()}
                for peer in PEERS
            }
        )


def _results(jobs: dict[str, dict[str, Future[Scores]]]) -> dict[str, dict[str, Scores]]:
    return {way: {name: job.result() for name, job in each.items()} for way, each in jobs.items()}


def describe_simulated(folder: Path) -> dict[str, GroundTruth]:
    """Measure the ground truths of the simulated stacks."""
    known = {}
    for name in SIMULATED:
        labels, spacing = read_stack(folder / f"results/{name}-0/nuclei/ground_truth.tif")
        known[name] = measure(np.asarray(labels), spacing)
    return known


def detail_table(folder: Path, scores: dict[str, Scores]) -> str:
    """Return a table with a row per stack for the default preset."""
    titles = (
        *("stack", "group", "use", "diameter um", "estimated / given", "F1", "F1 at IoU 0.1"),
        *(
            "F1 without slivers",
            "slivers",
            "found / true",
            "merged",
            "mean IoU",
            "median volume / true",
        ),
    )
    lines = [f"| {' | '.join(titles)} |", "|---|---|---|" + "--:|" * (len(titles) - 3)]
    simulated = describe_simulated(folder)
    for name, each in scores.items():
        stack = list_stacks()[name]
        known = stack.ground_truth or simulated[name]
        given = stack.row["diameter_um"]
        record = folder / f"results/{name}-{ESTIMATED}/nuclei/diameter.json"
        estimated = json.loads(record.read_text(encoding="utf-8"))["diameter_um"]
        cells_of_row = (
            name,
            stack.group,
            stack.use,
            f"{given:.3g}",
            f"{estimated / given:.2f}",
            f"{each.f1:.3f}",
            "-" if each.f1_at_tenth is None else f"{each.f1_at_tenth:.3f}",
            f"{known.max_f1:.3f}",
            f"{known.slivers}",
            f"{each.n_pred} / {each.n_true}",
            f"{each.merged}",
            "-" if each.mean_iou is None else f"{each.mean_iou:.2f}",
            "-" if each.volume_ratio is None else f"{each.volume_ratio:.2f}",
        )
        lines.append(f"| {' | '.join(cells_of_row)} |")
    return "\n".join([*lines, ""])


def list_groups() -> dict[tuple[str, str], list[str]]:
    """Return the stacks of each group and use."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, stack in list_stacks().items():
        groups.setdefault((stack.group, stack.use), []).append(name)
    return groups


def group_table(folder: Path, scores: dict[str, Scores]) -> str:
    """Return a table with the means of each group for the default preset."""
    titles = ("group", "use", "stacks", "F1", "goal", "F1 at IoU 0.1", "F1 without slivers")
    lines = [f"| {' | '.join(titles)} | median volume / true |", "|---|---|" + "--:|" * 6]
    simulated = describe_simulated(folder)
    for (group, use), names in list_groups().items():
        f1 = np.mean([scores[name].f1 for name in names])
        known = [list_stacks()[name].ground_truth or simulated[name] for name in names]
        cells_of_row = (
            group,
            use,
            str(len(names)),
            f"{f1:.3f}",
            f"{GOALS[group]:.2f}{'' if f1 >= GOALS[group] else ', missed'}",
            _mean([scores[name].f1_at_tenth for name in names], ".3f"),
            f"{np.mean([each.max_f1 for each in known]):.3f}",
            _mean([scores[name].volume_ratio for name in names], ".2f"),
        )
        lines.append(f"| {' | '.join(cells_of_row)} |")
    return "\n".join([*lines, ""])


def _mean(values: list[float | None], style: str) -> str:
    known = [value for value in values if value is not None]
    return format(np.mean(known), style) if known else "-"


def f1_table(scores: dict[str, dict[str, Scores]], uses: tuple[str, ...]) -> str:
    """Return a table of F1 with a row per method, and the mean of each group and of all stacks."""
    groups = {key: names for key, names in list_groups().items() if key[1] in uses}
    columns = {
        f"{group}, {use}" if len(uses) > 1 else group: names
        for (group, use), names in groups.items()
    }
    for use in dict.fromkeys(use for _, use in groups):
        columns[f"mean, {use}"] = [
            name for key, names in groups.items() if key[1] == use for name in names
        ]
    lines = [f"| | {' | '.join(columns)} |", "|---|" + "--:|" * len(columns)]
    for way, each in scores.items():
        means = [f"{np.mean([each[name].f1 for name in names]):.3f}" for names in columns.values()]
        lines.append(f"| {way} | {' | '.join(means)} |")
    return "\n".join([*lines, ""])


def section_of(heading: str) -> re.Pattern[str]:
    """Return the pattern of the text below a heading of the report."""
    return re.compile(rf"(?<=### {re.escape(heading)}\n\n).*?(?=\n\n(?:###|<!--))", re.DOTALL)


def rescore_peers(folder: Path, cores: int) -> None:
    """Score only the other methods and the cells, and replace their rows and table."""
    run_workflow(folder, cores, only_peers=True)
    table = f1_table(score_peers(folder, cores), (TUNING, CHECK)).splitlines()
    command = f"python benchmarks/accuracy.py --cores {cores} --only-peers"
    of_cells, costs, _ = cells.run(cores)
    cells.write(command, of_cells, costs)
    note = f"Scored by `{command}` on {datetime.date.today()}:"
    report = REPORT.read_text(encoding="utf-8")
    peers, of_membrane = section_of(PEERS_HEADING), section_of(CELLS_HEADING)
    (before,) = peers.findall(report)
    ours = [
        line
        for line in before.splitlines()
        if line.startswith(tuple(f"| {way} |" for way in VARIANTS))
    ]
    titles = [f"{note} the other methods.\n", *table[:2]]
    report = peers.sub("\n".join([*titles, *ours, *table[2:]]), report)
    report = of_membrane.sub("\n".join([f"{note} this table.\n", *of_cells]), report)
    REPORT.write_text(report, encoding="utf-8")
    print("\n".join(table), *of_cells, sep="\n")


def main() -> None:
    """Score all stacks and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cores", type=int, default=2)
    for method in SEGMENTERS:
        parser.add_argument(
            f"--{method}",
            nargs=2,
            metavar=("PYTHON", "MODEL"),
            help=f"also score {method}: the Python of its environment, and a model",
        )
    parser.add_argument(
        "--only-peers", action="store_true", help="score only the other methods and the cells"
    )
    options = vars(parser.parse_args())
    cores = options["cores"]
    folder = HERE / "accuracy_runs"
    if options["only_peers"]:
        rescore_peers(folder, cores)
        return
    for method in SEGMENTERS:
        if options[method]:
            add_segmenter(method, *options[method])
    start = time.monotonic()
    run_workflow(folder, cores)
    scores = score_all(folder, cores)
    flags: dict[str, list[Flags]] = {}
    for name, stack in list_stacks().items():
        flags.setdefault(f"{stack.group}, {stack.use}", []).append(flags_of(folder, name))
    of_cells, costs, flags_of_cells = cells.run(cores)
    command = f"python benchmarks/accuracy.py --cores {cores}"
    cells.write(command, of_cells, costs)
    minutes = (time.monotonic() - start) / 60
    beside_peers = [*VARIANTS, *PEERS]
    results = [
        f"`{command}`, {datetime.date.today()}, {minutes:.0f} minutes\n",
        "### The default preset, mean of each group\n",
        group_table(folder, scores[OURS]),
        "### The default preset, each stack\n",
        detail_table(folder, scores[OURS]),
        f"### {PEERS_HEADING}\n",
        f1_table({way: scores[way] for way in beside_peers}, (TUNING, CHECK)),
        "### Contribution of each part, on the tuning stacks: F1\n",
        f1_table({way: scores[way] for way in (OURS, *PARTS)}, (TUNING,)),
        "### Flags\n",
        "\n".join([*flag_table(flags | flags_of_cells), ""]),
        "### Run time and memory\n",
        cost_table(folder),
        f"### {CELLS_HEADING}\n",
        "\n".join([*of_cells, ""]),
    ]
    before, _, rest = REPORT.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = "\n".join(results)
    REPORT.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
