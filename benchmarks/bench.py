"""Time cellstack, the script of the tutorial and other tools, and write the tables of README.md.

python benchmarks/bench.py --cores 2

The programs take turns, so that other work on the machine affects all of them. CPU time and memory
are those that the kernel counts for a command and all its processes (wait4, Linux). This process
imports nothing large, because its own memory would count towards that of the processes it starts.
It takes about 17 minutes; `--repeats 1 --stacks 4 --no-large --again 5 --graph 20` gives a first
impression.
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
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import kernels
import scale
from scale import Usage

HERE = Path(__file__).resolve().parent
REPO = HERE.parent
sys.path.insert(0, str(REPO / "scripts"))

README = HERE / "README.md"
BEGIN, END = "<!-- written by bench.py: begin -->\n", "<!-- written by bench.py: end -->\n"
PACKAGES = (
    "snakemake",
    "scikit-image",
    "scipy",
    "numpy",
    "opencv-python-headless",
    "connected-components-3d",
    "edt",
    "simpleitk",
)
SPACING, DIAMETER_UM = (0.29, 0.26, 0.26), 10.0  # for which the plain script has its parameters
PLANES, SMALL, LARGE = 60, 256, 1024
NUCLEI_PER_PIXEL = 34 / SMALL**2
TINY = (8, 40, 40)  # a stack whose run takes no longer than starting its jobs

MAX_RATIO_SMALL, MAX_RATIO_LARGE = 0.4, 0.07  # goals: wall time relative to that of the script
MAX_MEGABYTES = 800

OURS, SCRIPT, PEER = "cellstack", "plain script", "pyclesperanto, Voronoi-Otsu, without measuring"
PEERS_PYTHON = REPO / ".venv/peers/bin/python"


class Program(NamedTuple):
    """A program that is timed."""

    name: str
    command: tuple[str | Path, ...] | None
    """For one stack, without image and folder; None for cellstack."""
    arguments: tuple[str, ...] = ()
    """After image and folder."""
    sides: tuple[int, ...] = (SMALL, LARGE)
    """Sizes of the stacks it is timed on."""
    once: bool = False
    """Whether it runs only once."""


class Counts(NamedTuple):
    """Objects found, compared with the ground truth at an IoU of 0.5."""

    true_positives: int
    false_positives: int
    false_negatives: int


class Goal(NamedTuple):
    """A row of the table of goals, as text, and whether the goal is met."""

    work: str
    ours: str
    theirs: str
    ratio: str
    limit: str
    is_met: bool


class Comparison(NamedTuple):
    """Results of the programs on stacks of one size, by name of the program."""

    usage: dict[str, list[Usage]]
    """Per stack, for each run."""
    counts: dict[str, Counts]
    failed: dict[str, str]
    """The reason of each program that could not run."""


TUTORIAL = (sys.executable, HERE / "plain_tutorial.py")
PROGRAMS = (
    Program(OURS, None),
    Program(SCRIPT, (*TUTORIAL, "--solidity")),
    Program(
        "plain script, watershed on distance",
        (*TUTORIAL, "--watershed", "distance"),
        sides=(SMALL,),
        once=True,
    ),
    Program(
        PEER,
        (PEERS_PYTHON, HERE / "peers/pyclesperanto_voronoi_otsu.py"),
        arguments=(f"{DIAMETER_UM / SPACING[2] / 4:.1f}",),
        sides=(SMALL,),
        once=True,
    ),
)


def simulate(folder: Path, name: str, shape: tuple[int, int, int], seed: int) -> None:
    """Write a stack and its ground truth."""
    from cellstack.files.stacks import write_stack
    from cellstack.prepare.simulate_stack import simulate_stack

    count = max(1, round(NUCLEI_PER_PIXEL * shape[1] * shape[2]))
    simulated = simulate_stack(shape, SPACING, diameter_um=DIAMETER_UM, count=count, seed=seed)
    write_stack(folder / f"{name}.tif", simulated.nuclei_image, SPACING)
    write_stack(folder / f"{name}_truth.tif", simulated.nuclei_labels, SPACING)


def count_objects(ground_truth: Path, labels: Path) -> Counts:
    """Compare a label image with the ground truth."""
    import tifffile

    from cellstack.core.overlaps import count_overlaps, match_objects, pair_up

    overlaps = count_overlaps(tifffile.imread(ground_truth), tifffile.imread(labels))
    matched = len(match_objects(pair_up(overlaps), 0.5).iou)
    return Counts(matched, overlaps.n_pred - matched, overlaps.n_true - matched)


def run(program: Program, folder: Path, stacks: Path, names: list[str], cores: int) -> Usage:
    """Run a program on stacks in an empty folder, and return what it used per stack."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if program.command is None:
        images = {name: stacks / f"{name}.tif" for name in names}
        scale.write_study(folder, images, diameter_um=DIAMETER_UM)
        usage, _ = scale.timed(scale.snakemake(folder, cores), folder)
        memory = scale.peak_memory_of_jobs(folder)
    else:
        stdin = folder / "stdin.txt"
        lines = [" ".join([f"{stacks / name}.tif", name, *program.arguments]) for name in names]
        stdin.write_text("\n".join([*lines, ""]))
        command = ["xargs", "-L", "1", "-P", str(cores), *map(str, program.command)]
        usage, _ = scale.timed(command, folder, stdin)
        memory = usage.memory
    return Usage(usage.wall / len(names), usage.cpu / len(names), memory)


def count_all(
    program: Program, folder: Path, stacks: Path, names: list[str], pool: Executor
) -> Counts:
    """Return the counts over all stacks."""
    is_ours = program.command is None
    place = "results/{}/nuclei/segmentation.tif" if is_ours else "{}/segmented.tif"
    ground_truths = [stacks / f"{name}_truth.tif" for name in names]
    labels = [folder / place.format(name) for name in names]
    each = pool.map(count_objects, ground_truths, labels)
    return Counts(*map(sum, zip(*each, strict=True)))


def compare(
    side: int,
    folder: Path,
    stacks: Path,
    names: list[str],
    few: int,
    repeats: int,
    cores: int,
    pool: Executor,
) -> Comparison:
    """Run the programs in turn: cellstack on all stacks, the others on a few."""
    results = Comparison({}, {}, {})
    for repeat in range(repeats):
        for number, program in enumerate(PROGRAMS):
            once = program.once or (side == LARGE and program.command)
            if side not in program.sides or program.name in results.failed or (repeat and once):
                continue
            chosen = names if program.command is None else names[:few]
            place = folder / f"program{number}"
            try:
                usage = run(program, place, stacks, chosen, cores)
            except (OSError, RuntimeError) as error:
                if program.name != PEER:  # needs a driver, which not every machine has
                    raise
                results.failed[program.name] = str(error).strip().splitlines()[-1]
                continue
            results.usage.setdefault(program.name, []).append(usage)
            used = f"{usage.wall:.2f} s, {usage.cpu:.2f} CPU s, {usage.memory:.0f} MB"
            print(f"{side} {repeat + 1}/{repeats} {program.name}: {used}", flush=True)
            if repeat == 0:
                results.counts[program.name] = count_all(program, place, stacks, chosen, pool)
    return results


def rule_seconds(folder: Path) -> dict[str, list[float]]:
    """Return the wall seconds of each job by rule, in the order in which the rules first ended."""
    seconds: dict[str, list[float]] = {}
    logs = folder / "logs"
    for log in sorted(logs.rglob("*.log"), key=lambda path: path.stat().st_mtime):
        benchmark = (logs / "benchmarks" / log.relative_to(logs)).with_suffix(".tsv")
        if benchmark.exists():
            measured = float(scale.read_benchmark(folder, log)["s"])
            seconds.setdefault(log.stem, []).append(measured)
    return seconds


def usage_table(title: str, results: Comparison) -> str:
    """Return a Markdown table of time, memory, ratios and accuracy."""
    titles = ("", "wall s per stack", "CPU s per stack", "largest process MB", "F1 at IoU 0.5")
    lines = [
        f"### {title}\n",
        f"| {' | '.join(titles).strip()} | found / true |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, runs in results.usage.items():
        tp, fp, fn = results.counts[name]
        cells = [median_and_minimum(values) for values in zip(*runs, strict=True)]
        cells += [f"{2 * tp / (2 * tp + fp + fn):.3f}", f"{tp + fp} / {tp + fn}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    ours, theirs = medians(results.usage[OURS]), medians(results.usage[SCRIPT])
    ratios = [f"**{mine / other:.2f}**" for mine, other in zip(ours, theirs, strict=True)]
    lines.append(f"| **{OURS} / {SCRIPT}** | {' | '.join(ratios)} | | |")
    lines += [f"\n{name} did not run: `{reason}`" for name, reason in results.failed.items()]
    return "\n".join([*lines, ""])


def medians(runs: list[Usage]) -> Usage:
    """Return the medians over several runs."""
    return Usage(*(statistics.median(values) for values in zip(*runs, strict=True)))


def median_and_minimum(values: tuple[float, ...]) -> str:
    """Return the median, and the minimum of several values, as text."""
    median = significant(statistics.median(values))
    return median if len(values) == 1 else f"{median} (at least {significant(min(values))})"


def significant(value: float) -> str:
    """Return a number with three significant digits."""
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}"


def rule_table(seconds_by_size: dict[str, dict[str, list[float]]]) -> str:
    """Return a Markdown table of the mean seconds per job of each rule, one column per size."""
    sizes = list(seconds_by_size)
    lines = [
        "### Run time of each rule of cellstack: wall s per job, mean over the last run\n",
        f"| rule | {' | '.join(sizes)} |",
        "|---|" + "--:|" * len(sizes),
    ]
    for rule in seconds_by_size[sizes[0]]:
        means = [statistics.mean(seconds_by_size[size][rule]) for size in sizes]
        lines.append(f"| {rule} | {' | '.join(f'{mean:.2f}' for mean in means)} |")
    return "\n".join([*lines, ""])


def goal_table(goals: list[Goal]) -> str:
    """Return a Markdown table of goals."""
    lines = [
        "### Goals\n",
        "| work | cellstack | plain script | ratio | goal |",
        "|---|--:|--:|--:|--:|",
    ]
    for goal in goals:
        limit = goal.limit if goal.is_met else f"{goal.limit}, missed"
        cells = (goal.work, goal.ours, goal.theirs, goal.ratio, limit)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def ratio_goal(work: str, ours: float, theirs: float, unit: str, limit: float) -> Goal:
    """Return a goal for the ratio of two numbers."""
    return Goal(
        work,
        f"{significant(ours)} {unit}",
        f"{significant(theirs)} {unit}",
        f"{ours / theirs:.3g}",
        f"{limit:g}",
        ours <= limit * theirs,
    )


def absolute_goal(work: str, value: float, unit: str, limit: float) -> Goal:
    """Return a goal for a number."""
    ours, most = (f"{text} {unit}".strip() for text in (significant(value), f"{limit:g}"))
    return Goal(work, ours, "-", "-", most, value <= limit)


def small_stacks(
    folder: Path, stacks: Path, names: list[str], arguments: argparse.Namespace, pool: Executor
) -> tuple[list[Goal], str]:
    """Compare all programs on many small stacks, and return goals and a table."""
    few, cores, repeats = arguments.few, arguments.cores, arguments.repeats
    size = f"{PLANES} x {SMALL} x {SMALL}"
    results = compare(SMALL, folder / str(SMALL), stacks, names, few, repeats, cores, pool)
    ours, theirs = (medians(results.usage[name]) for name in (OURS, SCRIPT))
    work = f"{len(names)} stacks of {size}, per stack"
    goals = [ratio_goal(work, ours.wall, theirs.wall, "s", MAX_RATIO_SMALL)]
    runs = "one run" if repeats == 1 else f"median of {repeats} runs, or one"
    title = f"{len(names)} x {size} (other programs: {few}), {cores} cores: {runs}"
    return goals, usage_table(title, results)


def large_stack(
    folder: Path, stacks: Path, arguments: argparse.Namespace, pool: Executor
) -> tuple[list[Goal], str]:
    """Compare cellstack with the script on a large stack, and with itself on small ones.

    Returns goals and a table.
    """
    cores, repeats, size = arguments.cores, arguments.repeats, f"{PLANES} x {LARGE} x {LARGE}"
    results = compare(LARGE, folder / str(LARGE), stacks, ["large"], 1, repeats, cores, pool)
    ours, theirs = (medians(results.usage[name]) for name in (OURS, SCRIPT))
    tiny, small = (
        min(run(PROGRAMS[0], folder / "growth", stacks, [name], cores) for _ in range(2))
        for name in ("tiny", "stack1")
    )
    times = (LARGE / SMALL) ** 2
    growth = (ours.wall - tiny.wall) / times / (small.wall - tiny.wall)
    goals = [
        ratio_goal(f"1 stack of {size}", ours.wall, theirs.wall, "s", MAX_RATIO_LARGE),
        absolute_goal("the same, memory of the largest job", ours.memory, "MB", MAX_MEGABYTES),
        absolute_goal(
            f"wall time per voxel at {size}, as a multiple of that at side {SMALL}, without start",
            growth,
            "",
            1.3,
        ),
    ]
    runs = (
        "one run" if repeats == 1 else f"median of {repeats} runs of cellstack, one of the script"
    )
    title = f"1 x {size}, {cores} cores: {runs}"
    return goals, usage_table(title, results)


def many_stacks(folder: Path, image: Path, arguments: argparse.Namespace) -> tuple[list[Goal], str]:
    """Measure the second run and the graph of many stacks, and the kernels.

    Returns goals and a table. The kernels are timed while the stacks of the second run are
    prepared, which takes one core.
    """
    cores, again, graph = arguments.cores, arguments.again, arguments.graph
    (folder / "again").mkdir()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(scale.first_run, folder / "again", image, again, cores)
        table = kernels.kernel_table(arguments.repeats)
        first.result()
    second_run = scale.second_run(folder / "again", cores)
    dry_run = scale.dry_run(folder / "graph", image, graph, cores)
    goals = [
        absolute_goal(f"second run, nothing changed, {again} stacks", second_run.wall, "s", 10),
        absolute_goal(f"dry run of {graph} stacks", dry_run.wall, "s", 60),
        absolute_goal("the same, memory", dry_run.memory, "MB", 1000),
    ]
    return goals, f"### Kernels\n\n{table}"


def describe_machine(load: float) -> str:
    """Return when, where and with what the programs were run."""
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")]
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    lines = [
        f"- command: `{shlex.join(['python', 'benchmarks/bench.py', *sys.argv[1:]])}`",
        f"- date: {datetime.date.today()}",
        f"- machine: {models[0]}, {os.cpu_count()} cores, {gigabytes:.0f} GB, {platform.system()}",
        f"- load by other work at the start (mean of 1 minute): {load:.1f} processes",
        f"- versions: Python {platform.python_version()}, {packages}",
    ]
    return "\n".join([*lines, ""])


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    size = f"{PLANES} x {SMALL} x {SMALL}"
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--stacks", type=int, default=20, help=f"number of stacks of {size} for cellstack"
    )
    parser.add_argument("--few", type=int, default=2, help="number of them for the other programs")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument(
        "--large",
        action=argparse.BooleanOptionalAction,
        default=True,
        help=f"also time one stack of {PLANES} x {LARGE} x {LARGE}",
    )
    parser.add_argument("--again", type=int, default=100, help="number of stacks of the second run")
    parser.add_argument("--graph", type=int, default=1000, help="number of stacks of the dry run")
    return parser.parse_args()


def main() -> None:
    """Time all programs, and write the tables."""
    arguments = parse_arguments()
    load = os.getloadavg()[0]
    names = [f"stack{number + 1}" for number in range(arguments.stacks)]
    shapes = dict.fromkeys(names, (PLANES, SMALL, SMALL)) | {"tiny": TINY}
    if arguments.large:
        shapes["large"] = (PLANES, LARGE, LARGE)
    spawn = get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as temporary,
        ProcessPoolExecutor(arguments.cores, spawn) as pool,
    ):
        folder, stacks = Path(temporary), Path(temporary) / "stacks"
        stacks.mkdir()
        jobs = [
            pool.submit(simulate, stacks, name, shape, seed)
            for seed, (name, shape) in enumerate(reversed(shapes.items()), start=1)
        ]
        for job in jobs:
            job.result()
        goals, table = small_stacks(folder, stacks, names, arguments, pool)
        tables, sides = [table], [SMALL]
        if arguments.large:
            more_goals, table = large_stack(folder, stacks, arguments, pool)
            goals += more_goals
            tables.append(table)
            sides.append(LARGE)
        seconds = {
            f"{PLANES} x {side} x {side}": rule_seconds(folder / str(side) / "program0")
            for side in sides
        }
        more_goals, kernel_table = many_stacks(folder, stacks / "tiny.tif", arguments)
        goals += more_goals
    results = "\n".join(
        [describe_machine(load), goal_table(goals), *tables, rule_table(seconds), kernel_table]
    )
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n{results}\n{END}{after}", encoding="utf-8")
    print(results)


if __name__ == "__main__":
    main()
