"""Measure stacks that are cut into blocks, and write the tables of docs/large_stacks.md.

python benchmarks/large.py --cores 2

Three parts, of which each has a section of the page: a simulated stack of 10^9 voxels, whose time
per voxel is compared with that of a stack of 60 x 1024 x 1024 (`--parts memory`); the results in
blocks compared with those of the uncut stacks, for simulated stacks and the real ones of
accuracy_stacks.py, if they are there (`blocks`); and dry runs of large graphs (`graphs`). It takes
about 45 minutes and 60 GB of disk; `--shape 60,512,512 --stacks 100 --counts 4,5,5` gives a first
impression.
"""

import argparse
import csv
import datetime
import math
import os
import platform
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scale
import yaml
from accuracy_stacks import CELLS, NUCLEI, available, describe
from scale import REPO, Usage

sys.path[:0] = [str(REPO / "scripts")]

from cellstack.core.overlaps import count_overlaps, match_objects, pair_up  # noqa: E402
from cellstack.files.stacks import read_stack  # noqa: E402

PAGE = REPO / "docs/large_stacks.md"
BEGIN, END = "<!-- written by large.py, {}: begin -->\n", "<!-- written by large.py, {}: end -->\n"
PARTS = ("memory", "blocks", "graphs")
SPACING = (0.29, 0.26, 0.26)  # of the simulated stacks in um, those of bench.py
NUCLEI_PER_VOXEL = 34 / (60 * 256 * 256)
UNCUT_SHAPE = (60, 1024, 1024)
MAX_MEMORY = 4 * 1024**3 / 1e6  # MB
MIN_LISTED = 0.01  # of the CPU seconds of a run
MEMBRANES: dict[str, dict[str, Any]] = {
    "cells-ratio-1": {"shape": [60, 256, 256], "spacing": SPACING, "nuclei_count": 34, "seed": 1},
    "cells-ratio-4": {
        "shape": [60, 256, 256],
        "spacing": (1.04, 0.26, 0.26),
        "nuclei_count": 100,
        "seed": 2,
    },
}
MIN_IOU = 0.9
NUMBERS_OF_OBJECTS = {"label", "segmentation_label"}
Row = dict[str, Any]
Part = Callable[[Path, argparse.Namespace], tuple[list["Goal"], list[str]]]


class Goal(NamedTuple):
    """A row of the table of goals."""

    work: str
    value: float
    limit: float
    unit: str = ""
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the value is within the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


class Agreement(NamedTuple):
    """Objects in blocks compared with those of the uncut stack."""

    cut: int
    uncut: int
    f1: float
    """At an IoU of 0.9."""
    other_voxels: float
    """Fraction of the voxels in objects that differ, apart from the numbers of the objects."""
    difference: float
    """Largest relative difference of a measurement of objects with the same voxels."""


def write_study(folder: Path, rows: Iterable[Row], **config: Any) -> None:
    """Write sheet and configuration."""
    rows = list(rows)
    (folder / "config").mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with (folder / "config/stacks.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    text = yaml.safe_dump({"stacks": "config/stacks.csv"} | config)
    (folder / "config/config.yaml").write_text(text, encoding="utf-8")


def simulation(shape: tuple[int, ...], seed: int) -> dict[str, Any]:
    """Return the settings of a simulated stack, as densely filled as those of bench.py."""
    count = round(NUCLEI_PER_VOXEL * math.prod(shape))
    return {"shape": list(shape), "spacing": list(SPACING), "nuclei_count": count, "seed": seed}


def simulated_row(name: str, channel: str = "nuclei") -> Row:
    """Return the row of a sheet for a channel of a simulated stack."""
    image = f"resources/simulated/{name}/image.ome.tif"
    return {"stack": name, "channel": channel, "image": image, "channel_index": channel}


def run_simulated(
    folder: Path, shape: tuple[int, ...], cores: int, **config: Any
) -> tuple[Usage, str]:
    """Run one simulated stack of nuclei, and return what it used without being simulated."""
    write_study(
        folder,
        [simulated_row("stack") | {"diameter_um": 10}],
        objects=["nuclei"],
        simulate_stack={"stack": simulation(shape, seed=5)},
        **config,
    )
    scale.timed(scale.snakemake(folder, cores, "resources/simulated/stack/image.ome.tif"), folder)
    usage, _ = scale.timed(scale.snakemake(folder, cores), folder)
    return usage, largest_job(folder)


def largest_job(folder: Path) -> str:
    """Return the rule and the peak memory in MB of the largest job, as text."""
    peaks = {log: scale.peak_memory_of_job(folder, log) for log in (folder / "logs").rglob("*.log")}
    log = max(peaks, key=lambda each: peaks[each])
    return f"{log.stem}, {peaks[log]:.0f} MB"


def measure_memory(folder: Path, arguments: argparse.Namespace) -> tuple[list[Goal], list[str]]:
    """Run a stack of 10^9 voxels, and one of 60 x 1024 x 1024 at once."""
    usages, lines = {}, []
    for name, shape in (("uncut", UNCUT_SHAPE), ("large", arguments.shape)):
        place = folder / name
        usage, largest = run_simulated(place, shape, arguments.cores)
        memory = scale.peak_memory_of_jobs(place)
        blocks = len(list((place / "results/stack/blocks").glob("*")))
        found = len(read_rows(place / "results/stack/nuclei/objects.csv"))
        usages[name] = Usage(usage.wall / math.prod(shape), usage.cpu / math.prod(shape), memory)
        cells = (
            describe_shape(shape),
            f"{blocks or 'uncut'}",
            f"{found}",
            f"{usage.wall:.0f}",
            f"{usage.cpu:.0f}",
            f"{1e6 * usages[name].wall:.2f}",
            largest,
        )
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
        if name == "large":
            lines += ["", *cpu_lines(place, usage.cpu), "", *disk_lines(place)]
        shutil.rmtree(place)
    head = [
        "| stack | blocks | objects | wall s | CPU s | wall s per million voxels | largest job |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    work = describe_shape(arguments.shape)
    goals = [
        Goal(f"{work}, memory of the largest job", usages["large"].memory, MAX_MEMORY, "MB"),
        Goal(
            f"{work}, wall time per voxel, as a multiple of that of "
            f"{describe_shape(UNCUT_SHAPE)} at once",
            usages["large"].wall / usages["uncut"].wall,
            1.3,
        ),
    ]
    return goals, [*head, *lines, ""]


def cpu_lines(folder: Path, total: float) -> list[str]:
    """Return how the CPU seconds of a run are divided between jobs of blocks and of the stack.

    Those of a job, with its processes, are in the last line of its log; Snakemake's benchmark files
    have samples of them, without short jobs.
    """
    seconds: dict[tuple[str, str], list[float]] = {}
    for log in (folder / "logs").rglob("*.log"):
        cost = scale.read_cost(log)
        if cost and log.stem != "simulate_stack":
            place = "block" if "blocks" in log.parts else "stack"
            seconds.setdefault((log.stem, place), []).append(cost[0])
    sums = {
        place: sum(sum(each) for (_, where), each in seconds.items() if where == place)
        for place in ("block", "stack")
    }
    rows = sorted(seconds.items(), key=lambda row: -sum(row[1]))
    return [
        f"Jobs of blocks took {sums['block']:.0f} CPU seconds, jobs of the complete stack "
        f"{sums['stack']:.0f}, and Snakemake {total - sum(sums.values()):.0f}:",
        "",
        "| rule | works on | jobs | CPU s |",
        "|---|---|--:|--:|",
        *(
            f"| {rule} | {place} | {len(each)} | {sum(each):.1f} |"
            for (rule, place), each in rows
            if sum(each) >= MIN_LISTED * total
        ),
        "",
        f"Rules below {MIN_LISTED:.0%} of all CPU seconds are left out.",
    ]


def disk_lines(folder: Path) -> list[str]:
    """Return a sentence on the disk space that a run took."""
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    blocks = folder / "results/stack/blocks"
    of_blocks = sum(path.stat().st_size for path in blocks.rglob("*") if path.is_file())
    voxels = math.prod(read_shape(folder))
    return [
        f"At its end, the run of the large stack has {total / 1e9:.1f} GB of files, "
        f"{total / voxels:.1f} bytes per voxel, of which {of_blocks / 1e9:.1f} GB are of blocks."
    ]


def read_shape(folder: Path) -> tuple[int, ...]:
    """Return the shape of the simulated stack of a study."""
    config = yaml.safe_load((folder / "config/config.yaml").read_text(encoding="utf-8"))
    return tuple(config["simulate_stack"]["stack"]["shape"])


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def describe_shape(shape: Iterable[int]) -> str:
    """Return a shape as text."""
    return " x ".join(map(str, shape))


def rows_of_comparison() -> tuple[list[Row], dict[str, Any]]:
    """Return the rows of the sheet for all stacks that are compared, and their simulations."""
    simulations = {"nuclei": simulation(UNCUT_SHAPE, seed=5), **MEMBRANES}
    rows = [simulated_row("nuclei") | {"diameter_um": 10}]
    for name in MEMBRANES:
        rows.append(simulated_row(name) | {"diameter_um": 10})
        rows.append(simulated_row(name, "membrane"))
    for channel, stacks in (("nuclei", NUCLEI), ("membrane", CELLS)):
        for name, stack in available(stacks).items():
            row: Row = {"stack": name, "channel": channel, "image": stack.files[0]}
            row["diameter_um"] = float(f"{describe(stack).diameter_um:.4g}")
            if stack.spacing:
                row |= dict(zip(("z_um", "y_um", "x_um"), stack.spacing, strict=True))
            rows.append(row)
    for each in simulations.values():
        each["spacing"] = list(each["spacing"])
    return rows, simulations


def compare_blocks(folder: Path, arguments: argparse.Namespace) -> tuple[list[Goal], list[str]]:
    """Compare all stacks in eight blocks with the uncut ones."""
    rows, simulations = rows_of_comparison()
    settings = {"uncut": {}, "cut": {"split_into_blocks": {"counts": [2, 2, 2]}}}
    for name, config in settings.items():
        write_study(folder / name, rows, simulate_stack=simulations, **config)
        scale.timed(scale.snakemake(folder / name, arguments.cores), folder / name)
    head = [
        "| stack | objects | blocks / uncut | F1 at IoU 0.9 | other voxels | largest difference |",
        "|---|---|--:|--:|--:|--:|",
    ]
    lines, agreements = [], {}
    for stack in dict.fromkeys(row["stack"] for row in rows):
        for kind in ("nuclei", "cells"):
            if (folder / "uncut/results" / stack / kind / "segmentation.tif").exists():
                found = compare(folder, stack, kind)
                agreements[stack, kind] = found
                cells = (
                    *(stack, kind, f"{found.cut} / {found.uncut}", f"{found.f1:.4f}"),
                    *(f"{found.other_voxels:.2g}", f"{found.difference:.1g}"),
                )
                lines.append(f"| {' | '.join(cells)} |")
    nuclei, cells_ = (
        [found for (_, each), found in agreements.items() if each == kind]
        for kind in ("nuclei", "cells")
    )
    goals = [
        Goal("nuclei in 8 blocks, least F1 at IoU 0.9", min(f.f1 for f in nuclei), 0.999, "", True),
        Goal("the same, stacks with another count", sum(f.cut != f.uncut for f in nuclei), 0),
        Goal(
            "the same, largest relative difference of a measurement of the same voxels",
            max(f.difference for f in nuclei),
            1e-6,
        ),
        Goal("cells in 8 blocks, least F1 at IoU 0.9", min(f.f1 for f in cells_), 0.995, "", True),
    ]
    return goals, [*head, *lines, ""]


def compare(folder: Path, stack: str, kind: str) -> Agreement:
    """Compare the objects of a stack in blocks with those of the uncut stack."""
    results = [folder / name / "results" / stack / kind for name in ("cut", "uncut")]
    cut, uncut = (np.asarray(read_stack(each / "segmentation.tif")[0]) for each in results)
    overlaps = count_overlaps(uncut, cut)
    pairs = pair_up(overlaps)
    matched = match_objects(pairs, 0.5)
    is_matched = np.isin(
        np.stack([overlaps.true_label, overlaps.label], axis=1) @ [overlaps.n_pred + 1, 1],
        matched.true_label * (overlaps.n_pred + 1) + matched.label,
    )
    is_empty = (overlaps.true_label == 0) & (overlaps.label == 0)
    inside = overlaps.voxels[~is_empty].sum()
    total = overlaps.n_true + overlaps.n_pred
    is_same = matched.iou == 1
    tables = [
        {int(row["segmentation_label"]): row for row in read_rows(each / "objects.csv")}
        for each in results
    ]
    return Agreement(
        cut=overlaps.n_pred,
        uncut=overlaps.n_true,
        f1=2 * len(match_objects(pairs, MIN_IOU).iou) / total if total else 1.0,
        other_voxels=float(1 - overlaps.voxels[is_matched].sum() / inside) if inside else 0.0,
        difference=largest_difference(
            *tables,
            list(
                zip(
                    matched.label[is_same].tolist(),
                    matched.true_label[is_same].tolist(),
                    strict=True,
                )
            ),
        ),
    )


def largest_difference(
    cut: dict[int, dict[str, str]], uncut: dict[int, dict[str, str]], same: list[tuple[int, int]]
) -> float:
    """Return the largest relative difference of a measurement of the same objects.

    `same` has the numbers in blocks and in the uncut stack of objects with the same voxels.
    """
    return max(
        (
            relative_difference(uncut[b][name], cut[a][name])
            for a, b in same
            if a in cut and b in uncut
            for name in uncut[b].keys() - NUMBERS_OF_OBJECTS
        ),
        default=0.0,
    )


def relative_difference(one: str, other: str) -> float:
    """Return the difference of two cells of a table, relative to the first; infinity for words.

    Examples
    --------
    >>> relative_difference("2.0", "2.5"), relative_difference("", "1")
    (0.25, inf)
    """
    if one == other:
        return 0.0
    try:
        a, b = float(one), float(other)
    except ValueError:
        return math.inf
    return abs(a - b) / (abs(a) or 1.0)


def plan_graphs(folder: Path, arguments: argparse.Namespace) -> tuple[list[Goal], list[str]]:
    """Plan a stack of many blocks, and many small stacks."""
    blocks = math.prod(arguments.counts)
    write_study(
        folder / "one",
        [simulated_row("stack") | {"diameter_um": 10}],
        objects=["nuclei"],
        simulate_stack={"stack": simulation([300 * n for n in arguments.counts], seed=1)},
        split_into_blocks={"counts": list(arguments.counts)},
    )
    one, output = scale.timed(
        scale.snakemake(folder / "one", arguments.cores, "--dry-run"), folder / "one"
    )
    if f"cut_block {blocks}" not in " ".join(output.split()):
        raise RuntimeError(f"the dry run should plan {blocks} blocks:\n{output[-2000:]}")
    image = folder / "tiny.tif"
    write_tiny(image)
    many = scale.dry_run(folder / "many", image, arguments.stacks, arguments.cores)
    goals = [
        Goal(f"dry run of a stack in {blocks} blocks", one.wall, 90, "s"),
        Goal("the same, memory", one.memory, 1000, "MB"),
        Goal(f"dry run of {arguments.stacks} small stacks", many.wall, 480, "s"),
        Goal("the same, memory", many.memory, 4000, "MB"),
    ]
    return goals, []


def write_tiny(path: Path) -> None:
    """Write a stack that is only planned."""
    from cellstack.files.stacks import write_stack

    write_stack(path, np.zeros((8, 40, 40), np.uint16), SPACING)


def describe_machine(load: float) -> list[str]:
    """Return when, where and by which command the tables were made."""
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")]
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return [
        f"- command: `{shlex.join(['python', 'benchmarks/large.py', *sys.argv[1:]])}`",
        f"- date: {datetime.date.today()}",
        f"- machine: {models[0]}, {os.cpu_count()} cores, {gigabytes:.0f} GB, {platform.system()}",
        f"- load by other work at the start (mean of 1 minute): {load:.1f} processes",
        "",
    ]


def goal_lines(goals: Iterable[Goal]) -> list[str]:
    """Return the lines of a Markdown table of goals."""
    lines = ["| work | measured | goal |", "|---|--:|--:|"]
    for goal in goals:
        limit = f"at {'least' if goal.at_least else 'most'} {goal.limit:.4g} {goal.unit}".strip()
        value = f"{goal.value:.4g} {goal.unit}".strip()
        lines.append(f"| {goal.work} | {value} | {limit}{'' if goal.is_met else ', missed'} |")
    return [*lines, ""]


def parse_shape(text: str) -> tuple[int, ...]:
    """Return three numbers separated by commas."""
    z, y, x = map(int, text.split(","))
    return z, y, x


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument(
        "--shape", type=parse_shape, default=(240, 2048, 2048), help="of the large stack"
    )
    parser.add_argument(
        "--counts", type=parse_shape, default=(10, 10, 10), help="blocks of the dry run"
    )
    parser.add_argument("--stacks", type=int, default=10_000, help="small stacks of the dry run")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    return parser.parse_args()


def main() -> None:
    """Measure all parts, and write the tables."""
    arguments = parse_arguments()
    measure: dict[str, Part] = {
        "memory": measure_memory,
        "blocks": compare_blocks,
        "graphs": plan_graphs,
    }
    for part in arguments.parts:
        lines = describe_machine(os.getloadavg()[0])
        with tempfile.TemporaryDirectory() as folder:
            goals, tables = measure[part](Path(folder), arguments)
        text = "\n".join([*lines, *goal_lines(goals), *tables])
        begin, end = BEGIN.format(part), END.format(part)
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
        after = rest.partition(end)[2]
        PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
        print(text, flush=True)


if __name__ == "__main__":
    main()
