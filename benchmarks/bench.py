"""Time cellstack and the plain script of the tutorial side by side on simulated stacks, and write the tables of README.md.

python benchmarks/bench.py --repeats 3 --stacks 4 --cores 2

Contenders take turns, so that whatever else the machine does hits them alike. CPU and memory are those that the kernel counts for the
command and all processes that it started (wait4, Linux). This process imports nothing large, since one that it starts counts the memory
of its parent as its own.
"""

import argparse
import csv
import datetime
import math
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
REPO = HERE.parent
sys.path.insert(0, str(REPO / "scripts"))

README = HERE / "README.md"
BEGIN, END = "<!-- written by bench.py: begin -->\n", "<!-- written by bench.py: end -->\n"
PACKAGES = ("snakemake", "scikit-image", "scipy", "numpy", "opencv-python-headless", "connected-components-3d", "edt", "simpleitk")
SPACING, DIAMETER_UM = (0.29, 0.26, 0.26), 10.0  # the tutorial's, for which the numbers of the plain script were made
PLANES, SMALL, LARGE = 60, 256, 1024
DENSITY = 34 / SMALL**2  # nuclei per pixel of the field

OURS, PEER, PEER_ON_DISTANCE = "cellstack", "plain script", "plain script, watershed on distance"
PRESETS = {OURS: "default", f"{OURS}, preset tutorial": "tutorial"}
OPTIONS = {PEER: [], f"{PEER}, solidity": ["--solidity"], PEER_ON_DISTANCE: ["--watershed", "distance"]}
CONTENDERS = {SMALL: [*PRESETS, *OPTIONS], LARGE: [OURS, PEER, PEER_ON_DISTANCE]}


class Cost(NamedTuple):
    """What one run took: seconds, CPU seconds (user and system) of all processes, MB of the largest process."""

    wall: float
    cpu: float
    memory: float


def simulate(folder, name, side, seed):
    """Write a stack and its truth."""
    from cellstack import io
    from cellstack.simulate_stack import simulate_stack

    count = round(DENSITY * side**2)
    simulated = simulate_stack((PLANES, side, side), SPACING, diameter_um=DIAMETER_UM, count=count, seed=seed)
    io.write_stack(folder / f"{name}.tif", simulated.nuclei_image, SPACING)
    io.write_stack(folder / f"{name}_truth.tif", simulated.nuclei_labels, SPACING)


def score(truth, labels):
    """Count true positives, false positives and false negatives at an IoU of 0.5."""
    import tifffile

    from cellstack.overlaps import count_overlaps, match_objects, pair_up

    table = count_overlaps(tifffile.imread(truth), tifffile.imread(labels))
    hits = len(match_objects(pair_up(table), 0.5).iou)
    return hits, len(table.label_voxels) - 1 - hits, len(table.truth_voxels) - 1 - hits


def set_up(contender, folder, names, cores):
    """Make the empty folder of a run, and return its command and where the labels of a stack will be."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "config").mkdir(parents=True)
    lines = folder / "stdin.txt"
    lines.touch()
    if contender in PRESETS:
        rows = [f"{name}\tnuclei\t../stacks/{name}.tif\t{PRESETS[contender]}" for name in names]
        (folder / "config/stacks.tsv").write_text("\n".join(["stack\tchannel\timage\tpreset", *rows, ""]))
        (folder / "config/config.yaml").write_text(f"stacks: config/stacks.tsv\ndiameter_um: {{nuclei: {DIAMETER_UM:g}}}\n")
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--directory", str(folder)]
        command += ["--snakefile", str(REPO / "Snakefile"), "results/objects.csv", "results/stacks.csv"]
        return command, "results/{}/nuclei/split.tif"
    lines.write_text("".join(f"../stacks/{name}.tif {name}\n" for name in names))
    script = [sys.executable, str(HERE / "plain_tutorial.py"), *OPTIONS[contender]]
    return ["xargs", "-n", "2", "-P", str(cores), *script], "{}/segmented.tif"


def run(command, folder):
    """Run a command to its end and return its cost."""
    output = folder / "output.txt"
    with (folder / "stdin.txt").open() as stdin, output.open("w") as stdout:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdin=stdin, stdout=stdout, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{shlex.join(command)} failed:\n{output.read_text()}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def compare(contenders, folder, names, repeats, cores, pool):
    """Run contenders in turn, `repeats` times; return their costs, their counts of hits and errors, and the seconds of our jobs by rule."""
    costs, counts = {}, {}
    for repeat in range(repeats):
        for number, contender in enumerate(contenders):
            place = folder / f"contender{number}"
            command, labels = set_up(contender, place, names, cores)
            cost = run(command, place)
            costs.setdefault(contender, []).append(cost)
            took = f"{cost.wall:.1f} s, {cost.cpu:.1f} CPU s, {cost.memory:.0f} MB"
            print(f"{folder.name} {repeat + 1}/{repeats} {contender}: {took}", flush=True)
            if repeat == 0:
                truths = [folder / "stacks" / f"{name}_truth.tif" for name in names]
                each = pool.map(score, truths, [place / labels.format(name) for name in names])
                counts[contender] = [sum(part) for part in zip(*each, strict=True)]
    return costs, counts, rule_seconds(folder / f"contender{contenders.index(OURS)}")


def rule_seconds(folder):
    """Read the wall seconds of each job from Snakemake's benchmark files, by rule."""
    seconds = {}
    for path in sorted((folder / "logs/benchmarks").rglob("*.tsv"), key=lambda path: path.stat().st_mtime):
        with path.open(newline="") as file:
            seconds.setdefault(path.stem, []).extend(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))
    return seconds


def cost_table(title, costs, counts):
    """Write costs, ratios and accuracy as a Markdown table."""
    lines = [f"### {title}\n", "| | wall s | CPU s | largest process MB | F1 at IoU 0.5 | found / true |", "|---|--:|--:|--:|--:|--:|"]
    for contender, runs in costs.items():
        hits, extra, missed = counts[contender]
        f1 = 2 * hits / (2 * hits + extra + missed)
        cells = [spread(values) for values in zip(*runs, strict=True)]
        lines.append(f"| {contender} | {' | '.join(cells)} | {f1:.3f} | {hits + extra} / {hits + missed} |")
    ours = medians(costs[OURS])
    for contender in [each for each in costs if each in OPTIONS]:
        cells = [f"{mine / theirs:.2f}" for mine, theirs in zip(ours, medians(costs[contender]), strict=True)]
        lines.append(f"| **{OURS} / {contender}** | {' | '.join(f'**{cell}**' for cell in cells)} | | |")
    return "\n".join([*lines, ""])


def medians(runs):
    return [statistics.median(values) for values in zip(*runs, strict=True)]


def spread(values):
    median = significant(statistics.median(values))
    return median if len(values) == 1 else f"{median} ({significant(min(values))} to {significant(max(values))})"


def significant(value):
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}"


def rule_table(seconds_by_size):
    """Write the mean seconds per job of each rule as a Markdown table, one column per size."""
    sizes = list(seconds_by_size)
    lines = ["### Where the time of cellstack goes: wall s of a job, mean of its jobs in the last run\n"]
    lines += [f"| rule | {' | '.join(sizes)} |", "|---|" + "--:|" * len(sizes)]
    for rule in next(iter(seconds_by_size.values())):
        lines.append(f"| {rule} | {' | '.join(f'{statistics.mean(seconds_by_size[size][rule]):.2f}' for size in sizes)} |")
    return "\n".join([*lines, ""])


def machine(load):
    """Say when, where and with what this was run."""
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    lines = [
        f"- command: `{shlex.join(['python', 'benchmarks/bench.py', *sys.argv[1:]])}`",
        f"- date: {datetime.date.today()}",
        f"- machine: {models[0]}, {os.cpu_count()} cores, {gigabytes:.0f} GB, {platform.system()}",
        f"- load by others when it began (mean of 1 minute): {load:.1f} processes",
        f"- versions: Python {platform.python_version()}, {packages}",
    ]
    return "\n".join([*lines, ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--stacks", type=int, default=4, help=f"number of stacks of {PLANES} x {SMALL} x {SMALL}")
    parser.add_argument("--cores", type=int, default=2)
    large = f"one stack of {PLANES} x {LARGE} x {LARGE} too"
    parser.add_argument("--large", action=argparse.BooleanOptionalAction, default=True, help=large)
    arguments = parser.parse_args()

    load = os.getloadavg()[0]
    names = {SMALL: [f"stack{number + 1}" for number in range(arguments.stacks)]} | ({LARGE: ["large"]} if arguments.large else {})
    tables, seconds = [], {}
    with tempfile.TemporaryDirectory() as temporary, ProcessPoolExecutor(arguments.cores, get_context("spawn")) as pool:
        folders = {side: Path(temporary) / str(side) for side in names}
        jobs = []
        for side, folder in folders.items():
            (folder / "stacks").mkdir(parents=True)
            jobs += [pool.submit(simulate, folder / "stacks", name, side, seed) for seed, name in enumerate(names[side], start=1)]
        for job in jobs:
            job.result()
        for side, folder in folders.items():
            repeats = arguments.repeats if side == SMALL else 1
            costs, counts, seconds[f"{PLANES} x {side} x {side}"] = compare(
                CONTENDERS[side], folder, names[side], repeats, arguments.cores, pool
            )
            runs = "one run" if repeats == 1 else f"median of {repeats} runs (lowest to highest)"
            title = f"{len(names[side])} x {PLANES} x {side} x {side}, {arguments.cores} cores: {runs}"
            tables.append(cost_table(title, costs, counts))
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    results = "\n".join([machine(load), *tables, rule_table(seconds)])
    README.write_text(f"{before}{BEGIN}\n{results}\n{END}{after}", encoding="utf-8")
    print(results)


if __name__ == "__main__":
    main()
