"""Score the default preset, its parts, other tools and cells on all stacks with a truth, and write the tables of accuracy.md.

python benchmarks/accuracy.py --cores 2

Real stacks are looked for in the folder CELLSTACK_DATA, default ../shared/data; where they are absent, the simulated ones are scored alone.
An entry of SIMULATED, REAL, VARIANTS or PEERS is a row or a column of the tables. All files of the run stay in benchmarks/accuracy_runs,
which is not kept in the repository; a second run makes only what has changed. Pictures of the worst objects of simulated stacks go to
benchmarks/worst_STACK.png.
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

import cells
import numpy as np
import yaml
from scale import TOOK

HERE = Path(__file__).resolve().parent
REPO = HERE.parent
sys.path[:0] = [str(REPO / "scripts"), str(HERE)]

REPORT = HERE / "accuracy.md"
BEGIN, END = "<!-- written by accuracy.py: begin -->\n", "<!-- written by accuracy.py: end -->\n"
OURS, PLAIN = "default", "plain chain"

SIMULATED = {  # 90 nuclei of 10 um each
    "ratio-1": {"shape": [48, 192, 192], "spacing": [0.572, 0.52, 0.52], "seed": 21},
    "ratio-4": {"shape": [40, 180, 180], "spacing": [1.52, 0.38, 0.38], "seed": 12},
    "ratio-8": {"shape": [28, 212, 212], "spacing": [2.56, 0.32, 0.32], "seed": 13},
    "dim": {"shape": [40, 180, 180], "spacing": [1.52, 0.38, 0.38], "seed": 14, "signal_to_noise": 3, "depth_factor": 4},
}
REAL = {  # image, truth, diameter, spacing where the file does not give it
    "tutorial": ("tutorial/nuclei.tif", "tutorial/nuclei_reference_labels.tif", 12, None),
    "embryo8": ("embryo8/nuclei.tif", "embryo8/nuclei_truth.tif", 17, (1.75, 0.8, 0.8)),
    "ovule": ("ovule/nuclei.tif", "ovule/nuclei_truth.tif", 3.2, None),
}
COST = {  # with the density of a colony; what start-up takes is the same in both, and their difference shows the share of a voxel
    "cost-small": {"shape": [60, 256, 256], "spacing": [0.29, 0.26, 0.26], "nuclei_count": 34, "seed": 31},
    "cost-large": {"shape": [60, 512, 512], "spacing": [0.29, 0.26, 0.26], "nuclei_count": 136, "seed": 32},
}
GOALS = {"tutorial": 0.95, "embryo8": 0.87, "ovule": 0.85, "ratio-1": 0.98, "ratio-4": 0.98, "ratio-8": 0.98, "dim": 0.95}
NO_MERGING, NO_OUTLINES = {"merge_objects": {"method": "none"}}, {"outline_objects": {"method": "none"}}
OTSU, BY_DISTANCE = {"binarize": {"method": "otsu"}}, {"find_seeds": {"method": "h_maxima"}}
NOT_SMOOTHED = {"clean_mask": {"steps": ["fill_holes", "remove_small_objects"]}}
VARIANTS = {  # name: settings, factor of the diameter, or how else it is known
    OURS: ({}, 1.0),
    "diameter 20 % too small": ({}, 0.8),
    "diameter 20 % too large": ({}, 1.2),
    "diameter estimated": ({}, "auto"),
    PLAIN: (OTSU | NOT_SMOOTHED | BY_DISTANCE | NO_MERGING | NO_OUTLINES, 1.0),
    "Otsu in place of half_height": (OTSU, 1.0),
    "objects at faces not corrected": ({"binarize": {"half_height": {"face_weight": 0}}}, 1.0),
    "without asking for contrast": ({"binarize": {"half_height": {"min_contrast": 0, "min_contrast_to_noise": 0}}}, 1.0),
    "mask not smoothed": (NOT_SMOOTHED, 1.0),
    "seeds by distance alone": (BY_DISTANCE, 1.0),
    "seeds by blobs alone": ({"find_seeds": {"method": "log"}}, 1.0),
    "without merge_objects": (NO_MERGING, 1.0),
    "20 % too small, without merge_objects": (NO_MERGING, 0.8),
    "without outline_objects": (NO_OUTLINES, 1.0),
}
AGAINST = 5  # of VARIANTS, the first ones, stand in the table with the peers, the others in that of the parts
PEERS = {
    "tutorial": "the tutorial, automatic",
    "voronoi_otsu": "Voronoi-Otsu",
    "distance_watershed": "distance watershed, as CellProfiler 4",
}


def stacks():
    """Give image, index, truth, diameter and spacing of each stack that is there."""
    found = {}
    for name, (image, truth, diameter, spacing) in REAL.items():
        if (cells.DATA / image).exists():
            found[name] = {"image": cells.DATA / image, "truth": cells.DATA / truth, "diameter_um": diameter}
            found[name] |= dict(zip(("z_um", "y_um", "x_um"), spacing or ("", "", ""), strict=True))
    for name in SIMULATED:
        folder = f"resources/simulated/{name}"
        found[name] = {"image": f"{folder}/image.ome.tif", "index": "nuclei", "truth": f"{folder}/nuclei.ome.tif", "diameter_um": 10}
    return found


def run_workflow(folder, cores):
    """Segment all stacks under all variants, in one run."""
    columns = ("stack", "channel", "image", "index", "truth", "diameter_um", "z_um", "y_um", "x_um", "preset")
    rows, targets = [], []
    for number, (_, factor) in enumerate(VARIANTS.values()):
        for name, row in stacks().items():
            diameter_um = factor if factor == "auto" else row["diameter_um"] * factor
            rows.append(row | {"stack": f"{name}-{number}", "preset": f"variant-{number}", "diameter_um": diameter_um})
            targets += [f"results/{name}-{number}/nuclei/{part}.tif" for part in ("split", "truth")]
    for number, name in ((number, name) for number in (list(VARIANTS).index(each) for each in (OURS, PLAIN)) for name in COST):
        image = f"resources/simulated/{name}/image.ome.tif"
        rows.append({"stack": f"{name}-{number}", "preset": f"variant-{number}", "image": image, "index": "nuclei", "diameter_um": 10})
        targets.append(f"results/{name}-{number}/nuclei/objects.csv")
    targets += [f"results/{name}-0/figures/nuclei_faults.png" for name in SIMULATED]
    simulations = {name: {"nuclei_count": 90, "diameter_um": 10} | settings for name, settings in (SIMULATED | COST).items()}
    config = {"stacks": "stacks.tsv", "simulate_stack": simulations}
    config["presets"] = {f"variant-{number}": settings for number, (settings, _) in enumerate(VARIANTS.values())}
    folder.mkdir(parents=True, exist_ok=True)
    lines = [columns, *([str((row | {"channel": "nuclei"}).get(column, "")) for column in columns] for row in rows)]
    (folder / "stacks.tsv").write_text("\n".join(["\t".join(line) for line in lines] + [""]))
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPO / "Snakefile", "--directory", folder]
    subprocess.run([*command, "--configfile", folder / "config.yaml", "--cores", str(cores), *targets], check=True)
    for name in SIMULATED:
        shutil.copyfile(folder / f"results/{name}-0/figures/nuclei_faults.png", HERE / f"worst_{name}.png")


def cost_table(folder):
    """Write what the default and the plain chain take per voxel, from the image to the table of objects, from the logs of their jobs."""
    voxels = [np.prod(settings["shape"]) for settings in COST.values()]
    lines = ["| | CPU s per million voxels | bytes per voxel, at most | by |", "|---|--:|--:|---|"]
    each_seconds = {}
    for way in (OURS, PLAIN):
        taken = []
        for name in COST:
            logs = (folder / f"logs/{name}-{list(VARIANTS).index(way)}/nuclei").glob("*.log")
            taken.append({path.stem: [float(number) for number in TOOK.search(path.read_text()).groups()] for path in logs})
        more = {rule: np.subtract(taken[1][rule], taken[0][rule]) / (voxels[1] - voxels[0]) for rule in taken[1]}
        each_seconds[way] = sum(seconds for seconds, _ in more.values()) * 1e6
        largest = max(more, key=lambda rule: more[rule][1])
        lines.append(f"| {way} | {each_seconds[way]:.2f} | {more[largest][1] * 1e6:.0f} | {largest} |")
    lines.append(f"| **{OURS} / {PLAIN}** | **{each_seconds[OURS] / each_seconds[PLAIN]:.2f}** | | |")
    return "\n".join([*lines, ""])


def score(folder, stack, number):
    """Score our labels of a stack."""
    from cellstack import io

    truth, labels = (io.read_stack(folder / f"results/{stack}-{number}/nuclei/{part}.tif")[0] for part in ("truth", "split"))
    return compare(truth, labels)


def score_peer(folder, stack, peer, diameter_um):
    """Segment a stack by a peer and score it."""
    from cellstack import io

    image, spacing = io.read_stack(folder / f"results/{stack}-0/nuclei/raw.tif")
    truth, _ = io.read_stack(folder / f"results/{stack}-0/nuclei/truth.tif")
    return compare(truth, importlib.import_module(f"peers.{peer}").segment(np.asarray(image), spacing, diameter_um))


def compare(truth, labels):
    """Give F1 at an IoU of 0.5 and of 0.1, objects found and true, mean IoU and median ratio of volumes of the matched."""
    from cellstack.overlaps import count_overlaps, match_objects, pair_up

    labels = np.unique(np.append(labels, 0), return_inverse=True)[1][:-1].reshape(labels.shape).astype(np.uint32)
    overlaps = count_overlaps(truth, labels)
    pairs = pair_up(overlaps)
    found, there = int(labels.max()), int(truth.max())
    half, tenth = (match_objects(pairs, threshold) for threshold in (0.5, 0.1))
    f1 = [2 * len(matched.iou) / (found + there) for matched in (half, tenth)]
    ratio = np.median(overlaps.label_voxels[half.label] / overlaps.truth_voxels[half.truth]) if len(half.iou) else 0.0
    return *f1, found, there, float(np.mean(half.iou)) if len(half.iou) else 0.0, float(ratio)


def detail_table(scores, names):
    """Write what the default preset reaches on each stack, against the goals."""
    lines = [
        "| stack | F1 at IoU 0.5 | goal | F1 at IoU 0.1 | found / true | mean IoU | median volume / true |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, (f1, tenth, found, there, iou, ratio) in zip(names, scores, strict=True):
        verdict = "" if f1 >= GOALS[name] else ", missed"
        lines.append(f"| {name} | {f1:.3f} | {GOALS[name]:.2f}{verdict} | {tenth:.3f} | {found} / {there} | {iou:.2f} | {ratio:.2f} |")
    return "\n".join([*lines, ""])


def f1_table(scores, names):
    """Write F1 at an IoU of 0.5, one row per way and one column per stack."""
    lines = [f"| | {' | '.join(names)} | mean |", "|---|" + "--:|" * (len(names) + 1)]
    for way, each in scores.items():
        values = [row[0] for row in each]
        lines.append(f"| {way} | {' | '.join(f'{value:.3f}' for value in values)} | {np.mean(values):.3f} |")
    return "\n".join([*lines, ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, default=2)
    cores = parser.parse_args().cores
    began = time.monotonic()
    ways, names = list(VARIANTS), list(stacks())
    folder = HERE / "accuracy_runs"
    run_workflow(folder, cores)
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        ours = {way: [pool.submit(score, folder, name, number) for name in names] for number, way in enumerate(ways)}
        theirs = {
            title: [pool.submit(score_peer, folder, name, peer, row["diameter_um"]) for name, row in stacks().items()]
            for peer, title in PEERS.items()
        }
        scores = {way: [job.result() for job in jobs] for way, jobs in (ours | theirs).items()}
    of_cells, costs = cells.run(cores)
    command = f"python benchmarks/accuracy.py --cores {cores}"
    cells.write(command, of_cells, costs)
    minutes = (time.monotonic() - began) / 60
    results = [
        f"`{command}`, {datetime.date.today()}, {minutes:.0f} minutes\n",
        "### The default preset\n",
        detail_table(scores[OURS], names),
        "### Against others on the same stacks, and with a diameter that is off: F1 at IoU 0.5\n",
        f1_table({way: scores[way] for way in [*ways[:AGAINST], *PEERS.values()]}, names),
        "### What each part is worth: F1 at IoU 0.5\n",
        f1_table({way: scores[way] for way in [OURS, *ways[AGAINST:]]}, names),
        "### What it costs\n",
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
