"""Time cellstack beside the plain script of the tutorial and other tools on the same stacks, and write the tables of README.md.

python benchmarks/bench.py --cores 2

Contenders take turns, so that whatever else the machine does hits them alike. CPU and memory are those that the kernel counts for the
command and all processes that it started (wait4, Linux). This process imports nothing large, since one that it starts counts the memory
of its parent as its own. It takes some 17 minutes; `--repeats 1 --stacks 4 --no-large --again 5 --graph 20` is for a first look.
"""

import argparse
import datetime
import math
import os
import platform
import shlex
import shutil
import statistics
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import kernels
import scale

HERE = Path(__file__).resolve().parent
REPO = HERE.parent
sys.path.insert(0, str(REPO / "scripts"))

README = HERE / "README.md"
BEGIN, END = "<!-- written by bench.py: begin -->\n", "<!-- written by bench.py: end -->\n"
PACKAGES = ("snakemake", "scikit-image", "scipy", "numpy", "opencv-python-headless", "connected-components-3d", "edt", "simpleitk")
SPACING, DIAMETER_UM = (0.29, 0.26, 0.26), 10.0  # the tutorial's, for which the numbers of the plain script were made
PLANES, SMALL, LARGE = 60, 256, 1024
DENSITY = 34 / SMALL**2  # nuclei per pixel of the field
TINY = (8, 32, 32)  # a stack whose run takes no more than starting the jobs

OURS, SCRIPT, PEER = "cellstack", "plain script", "pyclesperanto, Voronoi-Otsu, without measuring"
PEERS_PYTHON = REPO / ".venv/peers/bin/python"


class Contender(NamedTuple):
    """A tool: its command for one stack, without image and folder, or None for the workflow; on which sides it runs, and how often."""

    name: str
    command: tuple | None
    after: tuple = ()
    sides: tuple = (SMALL, LARGE)
    once: bool = False


TUTORIAL = (sys.executable, HERE / "plain_tutorial.py")
CONTENDERS = (
    Contender(OURS, None),
    Contender(SCRIPT, (*TUTORIAL, "--solidity")),
    Contender("plain script, watershed on distance", (*TUTORIAL, "--watershed", "distance"), sides=(SMALL,), once=True),
    Contender(
        PEER,
        (PEERS_PYTHON, HERE / "peers/pyclesperanto_voronoi_otsu.py"),
        after=(f"{DIAMETER_UM / SPACING[2] / 4:.1f}",),
        sides=(SMALL,),
        once=True,
    ),
)


class Cost(NamedTuple):
    """What one run took per stack: seconds and CPU seconds (user and system) of all processes; and the MB of the heaviest process."""

    wall: float
    cpu: float
    memory: float


def simulate(folder, name, shape, seed):
    """Write a stack and its truth."""
    from cellstack import io
    from cellstack.simulate_stack import simulate_stack

    count = max(1, round(DENSITY * shape[1] * shape[2]))
    simulated = simulate_stack(shape, SPACING, diameter_um=DIAMETER_UM, count=count, seed=seed)
    io.write_stack(folder / f"{name}.tif", simulated.nuclei_image, SPACING)
    io.write_stack(folder / f"{name}_truth.tif", simulated.nuclei_labels, SPACING)


def score(truth, labels):
    """Count true positives, false positives and false negatives at an IoU of 0.5."""
    import tifffile

    from cellstack.overlaps import count_overlaps, match_objects, pair_up

    table = count_overlaps(tifffile.imread(truth), tifffile.imread(labels))
    hits = len(match_objects(pair_up(table), 0.5).iou)
    return hits, len(table.label_voxels) - 1 - hits, len(table.truth_voxels) - 1 - hits


def run(contender, folder, stacks, names, cores):
    """Run a contender on stacks from nothing; return its cost per stack."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if contender.command is None:
        scale.write_study(folder, {name: stacks / f"{name}.tif" for name in names}, diameter_um=DIAMETER_UM)
        (wall, cpu, _), _ = scale.timed(scale.snakemake(folder, cores), folder)
        memory, _ = scale.heaviest_job(folder)
    else:
        lines = folder / "stdin.txt"
        lines.write_text("".join(" ".join([f"{stacks / name}.tif", name, *contender.after]) + "\n" for name in names))
        command = ["xargs", "-L", "1", "-P", str(cores), *map(str, contender.command)]
        (wall, cpu, memory), _ = scale.timed(command, folder, lines)
    return Cost(wall / len(names), cpu / len(names), memory)


def counts(contender, folder, stacks, names, pool):
    """Count hits and errors over all stacks."""
    place = "results/{}/nuclei/split.tif" if contender.command is None else "{}/segmented.tif"
    truths = [stacks / f"{name}_truth.tif" for name in names]
    return [sum(part) for part in zip(*pool.map(score, truths, [folder / place.format(name) for name in names]), strict=True)]


def compare(side, folder, stacks, names, few, repeats, cores, pool):
    """Run the contenders of a side in turn; return their costs, their hits and errors, and what could not run with its reason."""
    costs, found, failed = {}, {}, {}
    for repeat in range(repeats):
        for number, contender in enumerate(CONTENDERS):
            once = contender.once or (side == LARGE and contender.command)
            if side not in contender.sides or contender.name in failed or (repeat and once):
                continue
            mine = names if contender.command is None else names[:few]
            place = folder / f"contender{number}"
            try:
                cost = run(contender, place, stacks, mine, cores)
            except (OSError, RuntimeError) as error:
                if contender.name != PEER:  # it needs a driver, which not all machines have
                    raise
                failed[contender.name] = str(error).strip().splitlines()[-1]
                continue
            costs.setdefault(contender.name, []).append(cost)
            took = f"{cost.wall:.2f} s, {cost.cpu:.2f} CPU s, {cost.memory:.0f} MB"
            print(f"{side} {repeat + 1}/{repeats} {contender.name}: {took}", flush=True)
            if repeat == 0:
                found[contender.name] = counts(contender, place, stacks, mine, pool)
    return costs, found, failed


def rule_seconds(folder):
    """Read the wall seconds of each job from Snakemake's benchmark files, by rule, in the order in which the first of each ended."""
    seconds = {}
    for log in sorted((folder / "logs").rglob("*.log"), key=lambda path: path.stat().st_mtime):
        if (folder / "logs/benchmarks" / log.relative_to(folder / "logs")).with_suffix(".tsv").exists():
            seconds.setdefault(log.stem, []).append(float(scale.benchmark(folder, log)["s"]))
    return seconds


def cost_table(title, costs, found, failed):
    """Write costs, ratios and accuracy as a Markdown table."""
    lines = [f"### {title}\n", "| | wall s per stack | CPU s per stack | heaviest process MB | F1 at IoU 0.5 | found / true |"]
    lines.append("|---|--:|--:|--:|--:|--:|")
    for contender, runs in costs.items():
        hits, extra, missed = found[contender]
        cells = [*(spread(values) for values in zip(*runs, strict=True)), f"{2 * hits / (2 * hits + extra + missed):.3f}"]
        lines.append(f"| {contender} | {' | '.join(cells)} | {hits + extra} / {hits + missed} |")
    ratios = [f"{mine / theirs:.2f}" for mine, theirs in zip(medians(costs[OURS]), medians(costs[SCRIPT]), strict=True)]
    lines.append(f"| **{OURS} / {SCRIPT}** | {' | '.join(f'**{ratio}**' for ratio in ratios)} | | |")
    lines += [f"\n{name} did not run: `{reason}`" for name, reason in failed.items()]
    return "\n".join([*lines, ""])


def medians(runs):
    return Cost(*(statistics.median(values) for values in zip(*runs, strict=True)))


def spread(values):
    median = significant(statistics.median(values))
    return median if len(values) == 1 else f"{median} (at least {significant(min(values))})"


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


def goal_table(rows):
    """Write goals as a Markdown table; a row is work, ours, theirs, ratio and goal as text, and whether it is met."""
    lines = ["### Goals\n", "| work | cellstack | theirs | ratio | goal |", "|---|--:|--:|--:|--:|"]
    for *cells, goal, met in rows:
        lines.append(f"| {' | '.join(cells)} | {goal}{'' if met else ', missed'} |")
    return "\n".join([*lines, ""])


def ratio_row(work, mine, theirs, unit, limit, wanted):
    """Make a row of :func:`goal_table` of two numbers."""
    return [work, f"{significant(mine)} {unit}", f"{significant(theirs)} {unit}", f"{mine / theirs:.3g}", wanted, mine <= limit * theirs]


def limit_row(work, value, unit, limit):
    """Make a row of :func:`goal_table` of a number that has a limit of its own."""
    return [work, f"{significant(value)} {unit}".strip(), "-", "-", f"{limit:g} {unit}".strip(), value <= limit]


def small_stacks(folder, stacks, names, arguments, pool):
    """Compare all contenders on many small stacks; return rows of goals, and a table."""
    few, cores, size = arguments.few, arguments.cores, f"{PLANES} x {SMALL} x {SMALL}"
    costs, found, failed = compare(SMALL, folder / str(SMALL), stacks, names, few, arguments.repeats, cores, pool)
    ours, theirs = (medians(costs[name]) for name in (OURS, SCRIPT))
    goals = [ratio_row(f"{len(names)} stacks of {size}, per stack", ours.wall, theirs.wall, "s", 1, "1.0")]
    title = f"{len(names)} x {size}, of which the others get {few}, {cores} cores: median of {arguments.repeats} runs, or one"
    return goals, [cost_table(title, costs, found, failed)]


def large_stack(folder, stacks, arguments, pool):
    """Compare cellstack with the script on one large stack, and with itself on small ones; return rows of goals, and a table."""
    cores, size = arguments.cores, f"{PLANES} x {LARGE} x {LARGE}"
    costs, found, failed = compare(LARGE, folder / str(LARGE), stacks, ["large"], 1, arguments.repeats, cores, pool)
    ours, theirs = (medians(costs[name]) for name in (OURS, SCRIPT))
    tiny, small = (min(run(CONTENDERS[0], folder / "growth", stacks, [name], cores) for _ in range(2)) for name in ("tiny", "stack1"))
    times = (LARGE / SMALL) ** 2
    wall, _, memory = ((most - none) / times / (some - none) for most, some, none in zip(ours, small, tiny, strict=True))
    goals = [
        ratio_row(f"1 stack of {size}", ours.wall, theirs.wall, "s", 1 / 8, "0.125"),
        ratio_row("the same, memory of the heaviest job", ours.memory, theirs.memory, "MB", 1 / 3, "0.333"),
        limit_row("the same, against 20 bytes per voxel and 200 MB", ours.memory, "MB", round(20 * PLANES * LARGE**2 / 1e6 + 200)),
        limit_row(f"wall per voxel at {size}, as a multiple of that at side {SMALL}, net of start-up", wall, "", 1.3),
        limit_row("the same for the memory of the heaviest job", memory, "", 1.3),
    ]
    title = f"1 x {size}, {cores} cores: median of {arguments.repeats} runs of cellstack, one of the script"
    return goals, [cost_table(title, costs, found, failed)]


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
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--stacks", type=int, default=20, help=f"number of stacks of {PLANES} x {SMALL} x {SMALL} that cellstack gets")
    parser.add_argument("--few", type=int, default=2, help="how many of them the others get, which treat each stack apart")
    parser.add_argument("--cores", type=int, default=2)
    large = f"one stack of {PLANES} x {LARGE} x {LARGE} too"
    parser.add_argument("--large", action=argparse.BooleanOptionalAction, default=True, help=large)
    parser.add_argument("--again", type=int, default=100, help="number of stacks of the second run")
    parser.add_argument("--graph", type=int, default=1000, help="number of stacks of the dry run")
    arguments = parser.parse_args()
    cores, load = arguments.cores, os.getloadavg()[0]

    names = [f"stack{number + 1}" for number in range(arguments.stacks)]
    shapes = dict.fromkeys(names, (PLANES, SMALL, SMALL)) | {"tiny": TINY} | ({"large": (PLANES, LARGE, LARGE)} if arguments.large else {})
    with (
        tempfile.TemporaryDirectory() as temporary,
        ProcessPoolExecutor(cores, get_context("spawn")) as pool,
        ThreadPoolExecutor(1) as threads,
    ):
        folder, stacks = Path(temporary), Path(temporary) / "stacks"
        stacks.mkdir()
        jobs = [pool.submit(simulate, stacks, name, shape, seed) for seed, (name, shape) in enumerate(reversed(shapes.items()), start=1)]
        for job in jobs:
            job.result()
        goals, tables = small_stacks(folder, stacks, names, arguments, pool)
        sides = [SMALL]
        if arguments.large:
            more_goals, more_tables = large_stack(folder, stacks, arguments, pool)
            goals, tables, sides = goals + more_goals, tables + more_tables, [SMALL, LARGE]
        seconds = {f"{PLANES} x {side} x {side}": rule_seconds(folder / str(side) / "contender0") for side in sides}
        (folder / "again").mkdir()
        first = threads.submit(scale.first_run, folder / "again", stacks / "tiny.tif", arguments.again, cores)
        table = kernels.kernel_table(arguments.repeats)
        first.result()
        again = scale.second_run(folder / "again", cores)
        graph = scale.dry_run(folder / "graph", stacks / "tiny.tif", arguments.graph, cores)
        goals.append(limit_row(f"second run, nothing changed, {arguments.again} stacks", again[0], "s", 10))
        goals.append(limit_row(f"dry run of {arguments.graph} stacks", graph[0], "s", 60))
        goals.append(limit_row("the same, memory", graph[2], "MB", 1000))
    tables = [machine(load), goal_table(goals), *tables, rule_table(seconds), "### Kernels\n\n" + table]
    results = "\n".join(tables)
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n{results}\n{END}{after}", encoding="utf-8")
    print(results)


if __name__ == "__main__":
    main()
