"""The tables that accuracy.py writes."""

import json
from pathlib import Path

import numpy as np
from accuracy_scores import Scores
from accuracy_stacks import GroundTruth, measure
from accuracy_variants import (
    COST,
    ESTIMATED,
    GOALS,
    OURS,
    PLAIN,
    SIMULATED,
    VARIANTS,
    list_groups,
    list_stacks,
)
from scale import read_cost

from cellstack.files.stacks import read_stack


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


def describe_simulated(folder: Path) -> dict[str, GroundTruth]:
    """Measure the ground truths of the simulated stacks."""
    known = {}
    for name in SIMULATED:
        labels, spacing = read_stack(folder / f"results/{name}-0/nuclei/ground_truth.tif")
        known[name] = measure(np.asarray(labels), spacing)
    return known


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
