"""Score and cost of the cells beside the nuclei's and the tutorial's own way, on simulated stacks; writes its table into README.md.

python benchmarks/cells.py --cores 1

Real stacks are looked for in the folder CELLSTACK_DATA, default ../shared/data; where they are absent, the simulated ones are scored alone.
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

import numpy as np
import yaml

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("CELLSTACK_DATA", HERE.parent.parent / "shared" / "data")).resolve()
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE / "peers")]

import tutorial_membrane  # noqa: E402

from cellstack import io  # noqa: E402
from cellstack.evaluate_labels import evaluate_labels  # noqa: E402

README = HERE / "README.md"
BEGIN, END = "<!-- written by cells.py: begin -->\n", "<!-- written by cells.py: end -->\n"
SIMULATIONS = {  # as the demo's, and one at a ratio of 8
    "ratio1": {"shape": [60, 256, 256], "spacing": [0.29, 0.26, 0.26], "nuclei_count": 34, "seed": 1},
    "ratio4": {"shape": [60, 256, 256], "spacing": [1.04, 0.26, 0.26], "nuclei_count": 100, "seed": 2},
    "ratio8": {"shape": [30, 256, 256], "spacing": [2.08, 0.26, 0.26], "nuclei_count": 100, "seed": 5},
}
REAL = {  # stack: rows of the sheet
    "tutorial": [
        {"channel": "nuclei", "image": "tutorial/nuclei.tif", "diameter_um": 12},
        {"channel": "membrane", "image": "tutorial/membrane.tif"},
    ],
    "membrane": [
        {"channel": "membrane", "image": "membrane/membrane.tif", "truth": "membrane/cells_truth.tif", "diameter_um": 4}
        | {"z_um": 0.235, "y_um": 0.15, "x_um": 0.15}
    ],
}
ALONE = 14  # um, the diameter of a simulated cell, where its nuclei are not used
OF_CELLS = ("enhance_membrane", "find_cell_seeds", "segment_cells", "merge_cells", "measure_contacts", "measure_pairs")


def sheet():
    """Give the rows of the sheet."""
    rows = []
    for name in SIMULATIONS:
        folder = f"resources/simulated/{name}"
        nuclei = {"channel": "nuclei", "image": f"{folder}/image.ome.tif", "index": "nuclei", "truth": f"{folder}/nuclei.ome.tif"}
        membrane = nuclei | {"channel": "membrane", "index": "membrane", "truth": f"{folder}/cells.ome.tif"}
        rows += [{"stack": name} | nuclei | {"diameter_um": 10}, {"stack": name} | membrane]
        rows += [{"stack": f"{name}-alone"} | membrane | {"diameter_um": ALONE}]
    for name, given in REAL.items():
        files = [{key: DATA / row[key] for key in ("image", "truth") if key in row} for row in given]
        if all(path.exists() for each in files for path in each.values()):
            rows += [{"stack": name} | row | each for row, each in zip(given, files, strict=True)]
    return rows


def read(path):
    """Read a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def compare_with_peer(results, name):
    """Score the peer on the nuclei that cellstack found."""
    membrane, spacing = io.read_stack(results / name / "membrane" / "raw.tif")
    nuclei, truth = (io.read_stack(results / name / part)[0] for part in ("nuclei/split.tif", "cells/truth.tif"))
    labels = tutorial_membrane.segment(membrane, nuclei)
    kept, labels = np.unique(labels, return_inverse=True)
    labels = labels.reshape(truth.shape).astype(np.uint16) + np.uint16(kept[0] > 0)
    return evaluate_labels(truth, labels, spacing)["summary"]


def cost(folder, voxels):
    """Sum the CPU seconds of the stages of nuclei and of cells, per million voxels, and give the greatest memory."""
    seconds, memory = defaultdict(float), defaultdict(float)
    for name in SIMULATIONS:
        for path in (folder / "logs" / "benchmarks" / name).rglob("*.tsv"):
            with path.open(encoding="utf-8") as file:
                row = next(csv.DictReader(file, delimiter="\t"))
            kind = "cells" if path.stem in OF_CELLS or path.parent.name in ("cells", "membrane") else "nuclei"
            if path.parent.name in ("cells", "membrane", "nuclei"):
                seconds[kind] += float(row["cpu_time"])
                memory[kind] = max(memory[kind], float(row["max_rss"]))
    return {kind: (seconds[kind] / (voxels / 1e6), memory[kind]) for kind in ("nuclei", "cells")}


def run(cores):
    """Segment all stacks; give the table of scores and that of costs, as lines."""
    rows = sheet()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        columns = list(dict.fromkeys(key for row in rows for key in row))
        with (folder / "stacks.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
        config = {"stacks": "stacks.csv", "simulate_stack": SIMULATIONS}
        (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "--snakefile", HERE.parent / "Snakefile", "--directory", folder, "--quiet", "all"]
        command += ["--configfile", folder / "config.yaml", "--cores", str(cores), "--"]
        subprocess.run([*command, "results/objects.csv", "results/scores.csv"], check=True, env=os.environ | {"PYTHONPATH": ""})
        results = folder / "results"
        scores = {row["stack"]: row for row in read(results / "stack_scores.csv") if row["object"] == "cells"}
        lines = [
            "| stack | F1 at IoU 0.5 | found / true | mean surface distance um | voxel diagonal um | tutorial's own way: F1 |",
            "|---|--:|--:|--:|--:|--:|",
        ]
        for stack, row in scores.items():
            _, spacing = io.read_stack(results / stack / "cells" / "split.tif")
            peer = f"{compare_with_peer(results, stack)['f1']:.3f}" if (results / stack / "nuclei").exists() else "-"
            distance = float(row["mean_surface_distance_um"])
            found = f"{row['count_found']} / {row['count_truth']}"
            lines.append(f"| {stack} | {float(row['f1']):.3f} | {found} | {distance:.2f} | {np.linalg.norm(spacing):.2f} | {peer} |")
        spent = cost(folder, sum(np.prod(each["shape"]) for each in SIMULATIONS.values()))
    costs = ["| stages that lead to | CPU s per million voxels | largest process MB | its bytes per voxel |", "|---|--:|--:|--:|"]
    largest = max(np.prod(each["shape"]) for each in SIMULATIONS.values())
    costs += [f"| {kind} | {seconds:.2f} | {memory:.0f} | {memory * 1e6 / largest:.0f} |" for kind, (seconds, memory) in spent.items()]
    return lines, costs


def write(command, scores, costs):
    """Write both tables into README.md, with the command that made them."""
    text = "\n".join([f"- command: `{command}`\n- date: {datetime.date.today()}\n", *scores, "", *costs])
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{text}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    print(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, default=1)
    write("python benchmarks/cells.py", *run(parser.parse_args().cores))


if __name__ == "__main__":
    main()
