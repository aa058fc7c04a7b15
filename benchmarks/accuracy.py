"""Score the default preset, its parts, and other tools on all stacks with a truth, and write the tables of accuracy.md.

python benchmarks/accuracy.py --cores 2

Real stacks are looked for in the folder CELLSTACK_DATA, default ../shared/data; where they are absent, the simulated ones are scored alone.
An entry of SIMULATED, REAL, VARIANTS or PEERS is a row or a column of the tables. All files of the run stay in benchmarks/accuracy_runs,
which is not kept in the repository; a second run makes only what has changed.
"""

import argparse
import datetime
import importlib
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import yaml

HERE = Path(__file__).resolve().parent
REPO = HERE.parent
sys.path[:0] = [str(REPO / "scripts"), str(HERE)]

REPORT = HERE / "accuracy.md"
BEGIN, END = "<!-- written by accuracy.py: begin -->\n", "<!-- written by accuracy.py: end -->\n"
DATA = Path(os.environ.get("CELLSTACK_DATA", REPO.parent / "shared" / "data"))
OURS = "default"

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
GOALS = {"tutorial": 0.95, "embryo8": 0.87, "ovule": 0.85, "ratio-1": 0.98, "ratio-4": 0.98, "ratio-8": 0.98, "dim": 0.95}
VARIANTS = {  # name: settings, factor of the diameter
    OURS: ({}, 1.0),
    "diameter 20 % too small": ({}, 0.8),
    "diameter 20 % too large": ({}, 1.2),
    "Otsu in place of half_height": ({"binarize": {"method": "otsu"}}, 1.0),
    "seeds by distance alone": ({"find_seeds": {"method": "h_maxima"}}, 1.0),
    "without merge_objects": ({"merge_objects": {"method": "none"}}, 1.0),
    "without outline_objects": ({"outline_objects": {"method": "none"}}, 1.0),
    "20 % too small, without merge_objects": ({"merge_objects": {"method": "none"}}, 0.8),
    "without asking for contrast": ({"binarize": {"half_height": {"min_contrast": 0, "min_contrast_to_noise": 0}}}, 1.0),
    "mask not smoothed": ({"clean_mask": {"steps": ["fill_holes", "remove_small_objects"]}}, 1.0),
    "seeds by blobs alone": ({"find_seeds": {"method": "log"}}, 1.0),
}
PEERS = {
    "tutorial": "the tutorial, automatic",
    "voronoi_otsu": "Voronoi-Otsu",
    "distance_watershed": "distance watershed, as CellProfiler 4",
}


def stacks():
    """Give image, index, truth, diameter and spacing of each stack that is there."""
    found = {}
    for name, (image, truth, diameter, spacing) in REAL.items():
        if (DATA / image).exists():
            found[name] = {"image": DATA / image, "truth": DATA / truth, "diameter_um": diameter}
            found[name] |= dict(zip(("z_um", "y_um", "x_um"), spacing or ("", "", ""), strict=True))
    for name in SIMULATED:
        folder = f"resources/simulated/{name}"
        found[name] = {"image": f"{folder}/image.ome.tif", "index": "nuclei", "truth": f"{folder}/nuclei.ome.tif", "diameter_um": 10}
    return found


def run_workflow(folder, names, cores):
    """Segment all stacks under all variants that are named, in one run."""
    columns = ("stack", "channel", "image", "index", "truth", "diameter_um", "z_um", "y_um", "x_um", "preset")
    lines, targets = ["\t".join(columns)], []
    for number, variant in enumerate(names):
        for name, row in stacks().items():
            cells = row | {"stack": f"{name}-{number}", "channel": "nuclei", "preset": f"variant-{number}"}
            cells["diameter_um"] = row["diameter_um"] * VARIANTS[variant][1]
            lines.append("\t".join(str(cells.get(column, "")) for column in columns))
            targets += [f"results/{name}-{number}/nuclei/{part}.tif" for part in ("split", "truth")]
    simulations = {name: {"nuclei_count": 90, "diameter_um": 10} | settings for name, settings in SIMULATED.items()}
    config = {"stacks": "stacks.tsv", "simulate_stack": simulations}
    config["presets"] = {f"variant-{number}": VARIANTS[variant][0] for number, variant in enumerate(names)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stacks.tsv").write_text("\n".join([*lines, ""]))
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPO / "Snakefile", "--directory", folder]
    subprocess.run([*command, "--configfile", folder / "config.yaml", "--cores", str(cores), *targets], check=True)


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
    parser.add_argument("--variants", type=int, default=len(VARIANTS), help="how many rows of VARIANTS, from the first on; all by default")
    arguments = parser.parse_args()
    ways, names = list(VARIANTS)[: arguments.variants], list(stacks())
    folder = HERE / "accuracy_runs"
    run_workflow(folder, ways, arguments.cores)
    with ProcessPoolExecutor(arguments.cores, get_context("spawn")) as pool:
        ours = {way: [pool.submit(score, folder, name, number) for name in names] for number, way in enumerate(ways)}
        theirs = {
            title: [pool.submit(score_peer, folder, name, peer, row["diameter_um"]) for name, row in stacks().items()]
            for peer, title in PEERS.items()
        }
        scores = {way: [job.result() for job in jobs] for way, jobs in (ours | theirs).items()}
    parts = {way: scores[way] for way in ways[3:]}
    results = [
        f"`python benchmarks/accuracy.py --cores {arguments.cores} --variants {arguments.variants}`, {datetime.date.today()}\n",
        "### The default preset\n",
        detail_table(scores[OURS], names),
        "### Against others on the same stacks, and with a diameter that is off: F1 at IoU 0.5\n",
        f1_table({way: scores[way] for way in [*ways[:3], *PEERS.values()]}, names),
    ]
    if parts:
        results += ["### What each part is worth: F1 at IoU 0.5\n", f1_table({OURS: scores[OURS]} | parts, names)]
    before, _, rest = REPORT.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = "\n".join(results)
    REPORT.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
