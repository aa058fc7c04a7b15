"""Runs of the workflow that bench.py measures, from one stack to a graph of a thousand."""

import csv
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

REPO = Path(__file__).resolve().parent.parent
COST = re.compile(r"^INFO took ([\d.]+) CPU seconds, at most (\d+) MB$", re.MULTILINE)
TARGETS = ("results/objects.csv", "results/stacks.csv")
MEBIBYTE = 1.048576  # in MB


class Usage(NamedTuple):
    """What a command used."""

    wall: float
    """Seconds from start to end."""
    cpu: float
    """CPU seconds of all its processes, user and system."""
    memory: float
    """MB of its largest process."""


def write_study(
    folder: Path, stacks: Mapping[str, Path], preset: str = "default", diameter_um: float = 10.0
) -> None:
    """Write sheet and configuration for stacks, given as a mapping of names to images."""
    (folder / "config").mkdir(parents=True, exist_ok=True)
    lines = ["stack\tchannel\timage\tpreset"]
    lines += [f"{name}\tnuclei\t{image}\t{preset}" for name, image in stacks.items()]
    (folder / "config/stacks.tsv").write_text("\n".join([*lines, ""]))
    (folder / "config/config.yaml").write_text(
        f"stacks: config/stacks.tsv\ndiameter_um: {{nuclei: {diameter_um:g}}}\n"
    )


def snakemake(folder: Path, cores: int, *arguments: str) -> list[str]:
    """Return the command that runs the workflow in a folder, by default for the tables."""
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--directory", str(folder)]
    return [*command, "--snakefile", str(REPO / "Snakefile"), *(arguments or TARGETS)]


def timed(
    command: Sequence[str], folder: Path, stdin: str | Path = os.devnull
) -> tuple[Usage, str]:
    """Run a command, and return what it used and its output."""
    output = folder / "output.txt"
    with Path(stdin).open() as lines, output.open("w") as stdout:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdin=lines, stdout=stdout, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    text = output.read_text()
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{text}")
    memory = usage.ru_maxrss * 1024 / 1e6
    return Usage(wall, usage.ru_utime + usage.ru_stime, memory), text


def read_cost(log: Path) -> tuple[float, float] | None:
    """Return the CPU seconds and the peak memory in MB of a job, from the last line of its log."""
    cost = COST.search(log.read_text(encoding="utf-8"))
    return (float(cost[1]), float(cost[2])) if cost else None


def peak_memory_of_job(folder: Path, log: Path) -> float:
    """Return the peak memory in MB of the job of a log, including its processes; 0 if unknown.

    Memory that processes share counts once (PSS), as in the limits of a cluster.
    """
    cost = read_cost(log)
    if not cost:
        return 0.0
    sampled = read_benchmark(folder, log).get("max_pss", "NA")
    return max(cost[1], 0.0 if sampled in ("NA", "-") else float(sampled) * MEBIBYTE)


def peak_memory_of_jobs(folder: Path) -> float:
    """Return the peak memory in MB of the largest job of a run."""
    return max(peak_memory_of_job(folder, log) for log in (folder / "logs").rglob("*.log"))


def read_benchmark(folder: Path, log: Path) -> dict[str, str]:
    """Return the row that Snakemake measured for the job of a log."""
    path = folder / "logs/benchmarks" / log.relative_to(folder / "logs").with_suffix(".tsv")
    with path.open(newline="", encoding="utf-8") as file:
        return next(csv.DictReader(file, delimiter="\t"))


def first_run(folder: Path, image: Path, stacks: int, cores: int) -> None:
    """Run the first of some stacks, and mark copies of its files as the results of the others.

    Snakemake takes 0.1 s to mark a stack, most of which it sleeps.
    """
    write_study(folder, {"stack0": image})
    timed(snakemake(folder, cores), folder)
    for number in range(1, stacks):
        shutil.copytree(folder / "results/stack0", folder / f"results/stack{number}")
    write_study(folder, {f"stack{number}": image for number in range(stacks)})
    timed(snakemake(folder, cores, "--touch", "--forceall", *TARGETS), folder)


def second_run(folder: Path, cores: int) -> Usage:
    """Return what a run without any job to execute uses."""
    usage, output = timed(snakemake(folder, cores), folder)
    if "Nothing to be done" not in output:
        raise RuntimeError(f"the second run should have nothing to do:\n{output}")
    return usage


def dry_run(folder: Path, image: Path, stacks: int, cores: int) -> Usage:
    """Return what the dry run of all rules for many stacks uses."""
    folder.mkdir()
    write_study(folder, {f"stack{number}": image for number in range(stacks)})
    usage, output = timed(snakemake(folder, cores, "--dry-run"), folder)
    if not re.search(rf"^find_seeds +{stacks}$", output, re.MULTILINE):
        raise RuntimeError(f"the dry run should plan {stacks} stacks:\n{output[-2000:]}")
    return usage
