"""What bench.py asks of many stacks and of growing ones: the second run, the graph of a thousand, what a voxel costs at two sizes."""

import csv
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
TOOK = re.compile(r"^INFO took ([\d.]+) CPU seconds, at most (\d+) MB$", re.MULTILINE)  # the last line of a job's log
TARGETS = ("results/objects.csv", "results/stacks.csv")


def write_study(folder, stacks, preset="default", diameter_um=10.0):
    """Write sheet and configuration for stacks, a mapping of names to images."""
    (folder / "config").mkdir(parents=True, exist_ok=True)
    rows = [f"{name}\tnuclei\t{image}\t{preset}" for name, image in stacks.items()]
    (folder / "config/stacks.tsv").write_text("\n".join(["stack\tchannel\timage\tpreset", *rows, ""]))
    (folder / "config/config.yaml").write_text(f"stacks: config/stacks.tsv\ndiameter_um: {{nuclei: {diameter_um:g}}}\n")


def snakemake(folder, cores, *arguments):
    """Give the command that runs the workflow in a folder, by default to the tables."""
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--directory", str(folder)]
    return [*command, "--snakefile", str(REPO / "Snakefile"), *(arguments or TARGETS)]


def timed(command, folder, stdin=os.devnull):
    """Run a command to its end; return wall seconds, CPU seconds of all processes and MB of the largest one, and its output."""
    output = folder / "output.txt"
    with Path(stdin).open() as lines, output.open("w") as stdout:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdin=lines, stdout=stdout, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    said = output.read_text()
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{said}")
    return (wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6), said


def heaviest_job(folder):
    """Give the most MB that a job of a run held, its workers included, and its rule."""
    found = []
    for log in (folder / "logs").rglob("*.log"):
        took = TOOK.search(log.read_text(encoding="utf-8"))
        if took:
            sampled = benchmark(folder, log).get("max_rss", "NA")
            found.append((max(float(took[2]), float(sampled) * 1.048576 if sampled not in ("NA", "-") else 0), log.stem))
    return max(found)


def benchmark(folder, log):
    """Read the row that Snakemake measured for the job of a log."""
    path = folder / "logs/benchmarks" / log.relative_to(folder / "logs").with_suffix(".tsv")
    with path.open(newline="", encoding="utf-8") as file:
        return next(csv.DictReader(file, delimiter="\t"))


def first_run(folder, image, stacks, cores):
    """Run the first of some stacks, and mark the others as done with copies of its files; Snakemake takes 0.1 s for each, mostly asleep."""
    write_study(folder, {"stack0": image})
    timed(snakemake(folder, cores), folder)
    for number in range(1, stacks):
        shutil.copytree(folder / "results/stack0", folder / f"results/stack{number}")
    write_study(folder, {f"stack{number}": image for number in range(stacks)})
    timed(snakemake(folder, cores, "--touch", "--forceall", *TARGETS), folder)


def second_run(folder, cores):
    """Time a run in which nothing is to do."""
    cost, said = timed(snakemake(folder, cores), folder)
    if "Nothing to be done" not in said:
        raise RuntimeError(f"the second run was to do nothing:\n{said}")
    return cost


def dry_run(folder, image, stacks, cores):
    """Time the dry run of all rules for many stacks."""
    folder.mkdir()
    write_study(folder, {f"stack{number}": image for number in range(stacks)})
    cost, said = timed(snakemake(folder, cores, "--dry-run"), folder)
    if not re.search(rf"^find_seeds +{stacks}$", said, re.MULTILINE):
        raise RuntimeError(f"the dry run was to plan {stacks} stacks:\n{said[-2000:]}")
    return cost
