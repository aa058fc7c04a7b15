"""Score the default preset, its parts, other tools and cells, and write the tables of accuracy.md.

python benchmarks/accuracy.py --cores 2
python benchmarks/accuracy.py --only-peers

accuracy_stacks.py lists the real stacks; if they are not there, only simulated ones are scored. An
entry of SIMULATED, VARIANTS, PARTS or PEERS in accuracy_variants.py is a row or a column of the
tables. The parts are scored on the tuning stacks only, as a sweep in which the stages are shared,
to save time.

With ``--only-peers`` only the other methods and the cells are scored again; their rows and table
replace those of the last complete run.

With ``--cellpose PYTHON MODEL`` or ``--stardist PYTHON MODEL`` another segmenter is scored too; see
run_segmenter in config/README.md.

All files are in benchmarks/accuracy_runs, which is not part of the repository; a second run
computes only what has changed. Pictures of the worst objects of the simulated stacks are
benchmarks/accuracy_runs/worst_STACK.png.
"""

import argparse
import datetime
import importlib
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cells
import numpy as np
import yaml
from accuracy_scores import Flags, Scores, compare, count_flags, flag_table
from accuracy_stacks import CHECK, TUNING
from accuracy_tables import cost_table, detail_table, f1_table, group_table
from accuracy_variants import (
    COST,
    OURS,
    PARTS,
    PEERS,
    SEGMENTERS,
    SIMULATED,
    SPACING_COLUMNS,
    VARIANTS,
    add_segmenter,
    list_costs,
    list_parts,
    list_scored,
    list_stacks,
)
from scale import snakemake

from cellstack.files.stacks import read_stack

HERE = Path(__file__).resolve().parent
REPO = HERE.parent
sys.path[:0] = [str(REPO / "scripts"), str(HERE)]

REPORT = HERE / "accuracy.md"
BEGIN, END = "<!-- written by accuracy.py: begin -->\n", "<!-- written by accuracy.py: end -->\n"
COLUMNS = ("stack", "channel", "image", "channel_index", "ground_truth", "diameter_um", "preset")
PEERS_HEADING = "Other methods, and a wrong or estimated diameter: F1"
CELLS_HEADING = "Cells"


def run_workflow(folder: Path, cores: int, *, only_peers: bool = False) -> None:
    """Segment all stacks with all variants, in one run, or make what other methods need."""
    rows, targets = list_scored()
    more_rows, more_targets = list_costs()
    rows += more_rows
    targets += more_targets
    targets += [f"results/{name}-0/figures/nuclei_errors.png" for name in SIMULATED]
    config = {
        "stacks": "stacks.tsv",
        "sweep": "sweep.tsv",
        "simulate_stack": {
            name: {"nuclei_count": 90, "diameter_um": 10} | settings
            for name, settings in (SIMULATED | COST).items()
        },
        "presets": {
            f"variant-{number}": settings for number, (settings, _) in enumerate(VARIANTS.values())
        },
    }
    columns = [*COLUMNS, *SPACING_COLUMNS]
    lines = ["\t".join(columns)]
    for row in rows:
        row["channel"] = "nuclei"
        lines.append("\t".join(str(row.get(column, "")) for column in columns))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stacks.tsv").write_text("\n".join([*lines, ""]))
    keys = list(dict.fromkeys(key for settings in PARTS.values() for key in settings))
    lines = ["\t".join(keys)]
    for settings in PARTS.values():
        lines.append("\t".join(str(settings.get(key, "")) for key in keys))
    (folder / "sweep.tsv").write_text("\n".join([*lines, ""]))
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    configured = ("--configfile", str(folder / "config.yaml"), "--")
    if only_peers:
        parts = ("channels/nuclei/raw.tif", "nuclei/ground_truth.tif")
        targets = [f"results/{name}-0/{part}" for name in list_stacks() for part in parts]
    subprocess.run(snakemake(folder, cores, *configured, *targets), check=True)
    if only_peers:
        return
    for name in SIMULATED:
        figure = folder / f"results/{name}-0/figures/nuclei_errors.png"
        shutil.copyfile(figure, folder / f"worst_{name}.png")


def score(folder: Path, name: str, unit: str) -> Scores:
    """Score the segmentation of a stack by a variant or without a part."""
    stack = list_stacks()[name]
    ground_truth, _ = read_stack(folder / f"results/{name}-0/nuclei/ground_truth.tif")
    labels, _ = read_stack(folder / f"results/{unit}/nuclei/segmentation.tif")
    return compare(ground_truth, labels, by_points=stack.by_points, min_iou=stack.min_iou)


def score_peer(folder: Path, name: str, peer: str) -> Scores:
    """Segment a stack by another method, and score it."""
    stack = list_stacks()[name]
    results = folder / f"results/{name}-0"
    image, spacing = read_stack(results / "channels/nuclei/raw.tif")
    ground_truth, _ = read_stack(results / "nuclei/ground_truth.tif")
    module, function = PEERS[peer]
    segment = getattr(importlib.import_module(f"peers.{module}"), function)
    labels = segment(np.asarray(image), spacing, stack.row["diameter_um"])
    return compare(ground_truth, labels, by_points=stack.by_points, min_iou=stack.min_iou)


def flags_of(folder: Path, name: str) -> Flags:
    """Count the objects of a stack that are right and those with a flag, by the default preset."""
    stack = list_stacks()[name]
    nuclei = folder / f"results/{name}-0/nuclei"
    return count_flags(nuclei, by_points=stack.by_points, min_iou=stack.min_iou)


def score_all(folder: Path, cores: int) -> dict[str, dict[str, Scores]]:
    """Return the scores by variant, part or peer, and by stack."""
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        jobs: dict[str, dict[str, Future[Scores]]] = {}
        for number, way in enumerate(VARIANTS):
            jobs[way] = {
                name: pool.submit(score, folder, name, f"{name}-{number}") for name in list_stacks()
            }
        for title, units in list_parts().items():
            jobs[title] = {
                name: pool.submit(score, folder, name, unit) for name, unit in units.items()
            }
        return _results(jobs) | score_peers(folder, cores)


def score_peers(folder: Path, cores: int) -> dict[str, dict[str, Scores]]:
    """Return the scores of the other methods, by method and by stack."""
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        return _results(
            {
                peer: {name: pool.submit(score_peer, folder, name, peer) for name in list_stacks()}
                for peer in PEERS
            }
        )


def _results(jobs: dict[str, dict[str, Future[Scores]]]) -> dict[str, dict[str, Scores]]:
    return {way: {name: job.result() for name, job in each.items()} for way, each in jobs.items()}


def section_of(heading: str) -> re.Pattern[str]:
    """Return the pattern of the text below a heading of the report."""
    return re.compile(rf"(?<=### {re.escape(heading)}\n\n).*?(?=\n\n(?:###|<!--))", re.DOTALL)


def rescore_peers(folder: Path, cores: int) -> None:
    """Score only the other methods and the cells, and replace their rows and table."""
    run_workflow(folder, cores, only_peers=True)
    table = f1_table(score_peers(folder, cores), (TUNING, CHECK)).splitlines()
    command = f"python benchmarks/accuracy.py --cores {cores} --only-peers"
    of_cells, costs, _ = cells.run(cores)
    cells.write(command, of_cells, costs)
    note = f"Scored by `{command}` on {datetime.date.today()}:"
    report = REPORT.read_text(encoding="utf-8")
    peers, of_membrane = section_of(PEERS_HEADING), section_of(CELLS_HEADING)
    (before,) = peers.findall(report)
    ours = [
        line
        for line in before.splitlines()
        if line.startswith(tuple(f"| {way} |" for way in VARIANTS))
    ]
    titles = [f"{note} the other methods.\n", *table[:2]]
    report = peers.sub("\n".join([*titles, *ours, *table[2:]]), report)
    report = of_membrane.sub("\n".join([f"{note} this table.\n", *of_cells]), report)
    REPORT.write_text(report, encoding="utf-8")
    print("\n".join(table), *of_cells, sep="\n")


def main() -> None:
    """Score all stacks and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cores", type=int, default=2)
    for method in SEGMENTERS:
        parser.add_argument(
            f"--{method}",
            nargs=2,
            metavar=("PYTHON", "MODEL"),
            help=f"also score {method}: the Python of its environment, and a model",
        )
    parser.add_argument(
        "--only-peers", action="store_true", help="score only the other methods and the cells"
    )
    options = vars(parser.parse_args())
    cores = options["cores"]
    folder = HERE / "accuracy_runs"
    if options["only_peers"]:
        rescore_peers(folder, cores)
        return
    for method in SEGMENTERS:
        if options[method]:
            add_segmenter(method, *options[method])
    start = time.monotonic()
    run_workflow(folder, cores)
    scores = score_all(folder, cores)
    flags: dict[str, list[Flags]] = {}
    for name, stack in list_stacks().items():
        flags.setdefault(f"{stack.group}, {stack.use}", []).append(flags_of(folder, name))
    of_cells, costs, flags_of_cells = cells.run(cores)
    command = f"python benchmarks/accuracy.py --cores {cores}"
    cells.write(command, of_cells, costs)
    minutes = (time.monotonic() - start) / 60
    beside_peers = [*VARIANTS, *PEERS]
    results = [
        f"`{command}`, {datetime.date.today()}, {minutes:.0f} minutes\n",
        "### The default preset, mean of each group\n",
        group_table(folder, scores[OURS]),
        "### The default preset, each stack\n",
        detail_table(folder, scores[OURS]),
        f"### {PEERS_HEADING}\n",
        f1_table({way: scores[way] for way in beside_peers}, (TUNING, CHECK)),
        "### Contribution of each part, on the tuning stacks: F1\n",
        f1_table({way: scores[way] for way in (OURS, *PARTS)}, (TUNING,)),
        "### Flags\n",
        "\n".join([*flag_table(flags | flags_of_cells), ""]),
        "### Run time and memory\n",
        cost_table(folder),
        f"### {CELLS_HEADING}\n",
        "\n".join([*of_cells, ""]),
    ]
    before, _, rest = REPORT.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = "\n".join(results)
    REPORT.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
