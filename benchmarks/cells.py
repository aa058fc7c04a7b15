"""Score cells, and write the table of accuracy and cost of cells in README.md.

python benchmarks/cells.py --cores 1

Cells are compared with those of the tutorial's method for membranes, their cost with that of
nuclei. accuracy_stacks.py lists the real stacks; if they are not there, only simulated ones are
scored.
"""

import argparse
import csv
import datetime
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from accuracy_scores import Flags, count_flags, flag_table
from accuracy_stacks import CELLS, TUNING, available, describe, measure
from scale import read_cost, snakemake

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE / "peers")]

import tutorial_membrane  # noqa: E402

from cellstack.evaluate.evaluate_labels import evaluate_labels  # noqa: E402
from cellstack.files.stacks import read_stack  # noqa: E402

README = HERE / "README.md"
BEGIN, END = "<!-- written by cells.py: begin -->\n", "<!-- written by cells.py: end -->\n"
SIMULATIONS: dict[str, dict[str, Any]] = {  # those of the demo, and one at a ratio of 8
    "ratio1": {
        "shape": [60, 256, 256],
        "spacing": [0.29, 0.26, 0.26],
        "nuclei_count": 34,
        "seed": 1,
    },
    "ratio4": {
        "shape": [60, 256, 256],
        "spacing": [1.04, 0.26, 0.26],
        "nuclei_count": 100,
        "seed": 2,
    },
    "ratio8": {
        "shape": [30, 256, 256],
        "spacing": [2.08, 0.26, 0.26],
        "nuclei_count": 100,
        "seed": 5,
    },
}
GOALS = {"glands": 0.85}  # F1 of the default preset, by group
CELL_DIAMETER_UM = 14  # of simulated cells, where their nuclei are not used
FOLDERS = {"nuclei": ("nuclei",), "cells": ("cells", "membrane")}  # of the logs, by kind of object


class Cost(NamedTuple):
    """What the stages that lead to a kind of object used."""

    seconds: float
    """CPU seconds per million voxels."""
    memory: float
    """Peak memory of the largest process in MB."""


def list_rows() -> list[dict[str, Any]]:
    """Return the rows of the sheet."""
    rows: list[dict[str, Any]] = []
    for name in SIMULATIONS:
        folder = f"resources/simulated/{name}"
        nuclei = {
            "channel": "nuclei",
            "image": f"{folder}/image.ome.tif",
            "channel_index": "nuclei",
            "ground_truth": f"{folder}/nuclei.ome.tif",
        }
        membrane = {
            "channel": "membrane",
            "image": f"{folder}/image.ome.tif",
            "channel_index": "membrane",
            "ground_truth": f"{folder}/cells.ome.tif",
        }
        rows.append({"stack": name, "diameter_um": 10} | nuclei)
        rows.append({"stack": name} | membrane)
        rows.append({"stack": f"{name}-alone", "diameter_um": CELL_DIAMETER_UM} | membrane)
    for name, stack in available(CELLS).items():
        image, ground_truth = stack.files
        row = {"stack": name, "channel": "membrane", "image": image, "ground_truth": ground_truth}
        row["diameter_um"] = float(f"{describe(stack).diameter_um:.4g}")
        if stack.spacing:
            row |= dict(zip(("z_um", "y_um", "x_um"), stack.spacing, strict=True))
        rows.append(row)
    return rows


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def score_peer(results: Path, name: str) -> float:
    """Return F1 of the tutorial's method on the nuclei that cellstack found."""
    membrane, spacing = read_stack(results / name / "channels" / "membrane" / "raw.tif")
    nuclei, _ = read_stack(results / name / "nuclei" / "segmentation.tif")
    ground_truth, _ = read_stack(results / name / "cells" / "ground_truth.tif")
    found = tutorial_membrane.segment(membrane, nuclei)
    known, numbers = np.unique(found, return_inverse=True)  # without gaps
    labels = numbers.reshape(found.shape).astype(np.uint16) + np.uint16(known[0] > 0)
    f1 = evaluate_labels(ground_truth, labels, spacing)["summary"]["f1"]
    assert f1 is not None
    return f1


def read_costs(folder: Path) -> dict[str, Cost]:
    """Return the costs by kind of object, from the logs of the jobs."""
    seconds: dict[str, float] = defaultdict(float)
    memory: dict[str, float] = defaultdict(float)
    for name in SIMULATIONS:
        for log in (folder / "logs" / name).rglob("*.log"):
            cost = read_cost(log)
            for kind, folders in FOLDERS.items():
                if log.parent.name in folders and cost is not None:
                    seconds[kind] += cost[0]
                    memory[kind] = max(memory[kind], cost[1])
    voxels = sum(np.prod(each["shape"]) for each in SIMULATIONS.values())
    return {kind: Cost(seconds[kind] / (voxels / 1e6), memory[kind]) for kind in FOLDERS}


def run(cores: int) -> tuple[list[str], list[str], dict[str, list[Flags]]]:
    """Segment all stacks.

    Returns the lines of the table of scores and of that of costs, and the flags by group.
    """
    rows = list_rows()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        columns = list(dict.fromkeys(key for row in rows for key in row))
        with (folder / "stacks.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
        config = {"stacks": "stacks.csv", "simulate_stack": SIMULATIONS}
        (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        options = ("--quiet", "all", "--configfile", str(folder / "config.yaml"), "--")
        targets = ("results/objects.csv", "results/scores.csv")
        subprocess.run(
            snakemake(folder, cores, *options, *targets),
            check=True,
            env=os.environ | {"PYTHONPATH": ""},
        )
        results = folder / "results"
        flags: dict[str, list[Flags]] = {}
        for row in rows:
            if row["channel"] == "membrane":
                name = row["stack"]
                group, use = CELLS[name][:2] if name in CELLS else ("simulated", TUNING)
                counted = count_flags(results / name / "cells", by_points=False)
                flags.setdefault(f"cells: {group}, {use}", []).append(counted)
        return score_table(results), cost_table(read_costs(folder)), flags


def score_table(results: Path) -> list[str]:
    """Return the lines of the table of scores."""
    titles = (
        *(
            "stack",
            "group",
            "use",
            "F1 at IoU 0.5",
            "goal",
            "F1 without slivers",
            "slivers",
            "found / true",
        ),
        *("mean surface distance um", "voxel diagonal um", "method of the tutorial: F1"),
    )
    lines = [f"| {' | '.join(titles)} |", "|---|---|---|" + "--:|" * (len(titles) - 3)]
    for row in read_rows(results / "stack_scores.csv"):
        if row["object"] != "cells":
            continue
        stack = row["stack"]
        _, spacing = read_stack(results / stack / "cells" / "segmentation.tif")
        has_nuclei = (results / stack / "nuclei").exists()
        group, use = CELLS[stack][:2] if stack in CELLS else ("simulated", TUNING)
        ground_truth, _ = read_stack(results / stack / "cells" / "ground_truth.tif")
        known, f1 = measure(ground_truth, spacing), float(row["f1"])
        goal = GOALS.get(group)
        cells_of_row = (
            stack,
            group,
            use,
            f"{f1:.3f}",
            "-" if goal is None else f"{goal:.2f}{'' if f1 >= goal else ', missed'}",
            f"{known.max_f1:.3f}",
            f"{known.slivers}",
            f"{row['count_found']} / {row['count_ground_truth']}",
            f"{float(row['mean_surface_distance_um']):.2f}",
            f"{np.linalg.norm(spacing):.2f}",
            f"{score_peer(results, stack):.3f}" if has_nuclei else "-",
        )
        lines.append(f"| {' | '.join(cells_of_row)} |")
    return lines


def cost_table(costs: dict[str, Cost]) -> list[str]:
    """Return the lines of the table of costs."""
    lines = [
        "| stages that lead to | CPU s per million voxels | largest process MB | bytes per voxel |",
        "|---|--:|--:|--:|",
    ]
    largest = max(np.prod(each["shape"]) for each in SIMULATIONS.values())
    for kind, (seconds, memory) in costs.items():
        lines.append(f"| {kind} | {seconds:.2f} | {memory:.0f} | {memory * 1e6 / largest:.0f} |")
    return lines


def write(command: str, scores: list[str], costs: list[str]) -> None:
    """Write both tables into README.md, with the command that made them."""
    today = datetime.date.today()
    text = "\n".join([f"- command: `{command}`\n- date: {today}\n", *scores, "", *costs])
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{text}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    print(text)


def main() -> None:
    """Score cells, and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cores", type=int, default=1)
    scores, costs, flags = run(parser.parse_args().cores)
    write("python benchmarks/cells.py", scores, costs)
    print("\n".join(flag_table(flags)))


if __name__ == "__main__":
    main()
