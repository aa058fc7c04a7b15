"""Measure the jobs of each rule at three sizes, and fit the memory and time that rules request.

python benchmarks/fit_resources.py

It writes benchmarks/resources.tsv, the measurements, and config/resources.tsv, for each rule a line
in the number of voxels that no measurement exceeds; scripts/cellstack/run/resources.py adds the
margins. New measurements replace earlier ones of the same size, others are kept. The lines of rules
that these runs do not contain are estimates, and are kept too, as are higher ones of jobs on all
stacks, because there are only three stacks here. Memory and CPU time are those in the last line of
each job's log, wall time that in its benchmark file, which samples memory too rarely for jobs of a
second.
"""

import argparse
import csv
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml
from scale import read_benchmark, read_cost, snakemake

REPO = Path(__file__).resolve().parent.parent
MEASUREMENTS = REPO / "benchmarks" / "resources.tsv"
SCHEMA = REPO / "config" / "schemas" / "config.schema.yaml"
REQUESTS = REPO / "config" / "resources.tsv"
PLANES, SIDES = 60, (128, 256, 1024)
SPACING, DIAMETER_UM = [0.29, 0.26, 0.26], 10  # those of the demo
NUCLEI_PER_PIXEL = 34 / 256**2
ON_DEMAND = (  # files that no target needs
    "channels/nuclei/edges.tif",
    "channels/nuclei/corrected.tif",
    "figures/nuclei_diameter.png",
    "figures/nuclei_diameter.pdf",
    "figures/nuclei_planes.pdf",
    "figures/nuclei_errors.pdf",
    "cells/diameter.json",
)
TARGETS_LEFT_OUT = ("sweep",)  # needs a table of settings
MEASURED = ["rule", "side", "megavoxels", "cpu_seconds", "wall_seconds", "mb"]
FITTED = ["rule", "mb", "mb_per_megavoxel", "seconds", "seconds_per_megavoxel"]


class Measurement(NamedTuple):
    """What the jobs of a rule used at most, on stacks of one size."""

    rule: str
    side: int
    """Of the planes of the stack, in pixels; 0 for jobs on all stacks."""
    megavoxels: float
    cpu_seconds: float
    wall_seconds: float
    mb: float


class Fitted(NamedTuple):
    """What a rule uses, by the number of voxels of the stack."""

    rule: str
    mb: float
    mb_per_megavoxel: float
    seconds: float
    seconds_per_megavoxel: float


def run(folder: Path, sides: Iterable[int], cores: int) -> None:
    """Run the workflow on a simulated stack of each size, with two channels and a ground truth."""
    simulations = {
        f"side{side}": {
            "shape": [PLANES, side, side],
            "spacing": SPACING,
            "diameter_um": DIAMETER_UM,
            "nuclei_count": max(1, round(NUCLEI_PER_PIXEL * side**2)),
        }
        for side in sides
    }
    lines = ["stack\tchannel\timage\tchannel_index\tground_truth"]
    for name in simulations:
        place = f"resources/simulated/{name}"
        lines.append(f"{name}\tnuclei\t{place}/image.ome.tif\tnuclei\t{place}/nuclei.ome.tif")
        lines.append(f"{name}\tmembrane\t{place}/image.ome.tif\tmembrane\t{place}/cells.ome.tif")
    (folder / "stacks.tsv").write_text("\n".join([*lines, ""]))
    keys = yaml.safe_load(SCHEMA.read_text())["properties"]
    schema = keys["measure_objects"]["properties"]["columns"]
    config = {
        "stacks": "stacks.tsv",
        "diameter_um": {"nuclei": DIAMETER_UM},
        "simulate_stack": simulations,
        "measure_objects": {"columns": [*schema["items"]["enum"]]},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    rules = re.findall(r"^rule (\w+):", (REPO / "Snakefile").read_text(), re.MULTILINE)
    targets = [rule for rule in rules if rule not in TARGETS_LEFT_OUT]
    targets += [f"results/{name}/{file}" for name in simulations for file in ON_DEMAND]
    configured = ("--configfile", str(folder / "config.yaml"), "--")
    subprocess.run(snakemake(folder, cores, *configured, *targets), check=True)


def measure(folder: Path) -> list[Measurement]:
    """Return the measurements of a run."""
    most: dict[tuple[str, int], list[float]] = {}
    for log in sorted((folder / "logs").rglob("*.log")):
        cost = read_cost(log)
        if cost is None:
            continue
        name = re.search(r"side(\d+)", log.relative_to(folder).as_posix())
        key = log.stem, int(name[1]) if name else 0
        used = [cost[0], float(read_benchmark(folder, log)["s"]), cost[1]]
        most[key] = [max(pair) for pair in zip(used, most.get(key, used), strict=True)]
    return [
        Measurement(rule, side, PLANES * side**2 / 1e6, *used)
        for (rule, side), used in sorted(most.items())
    ]


def read(path: Path) -> list[Measurement]:
    """Read earlier measurements."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [list(row.values()) for row in csv.DictReader(file, delimiter="\t")]
    return [Measurement(rule, int(side), *map(float, numbers)) for rule, side, *numbers in rows]


def read_rules() -> str:
    """Return the text of all rules."""
    return "\n".join(path.read_text() for path in (REPO / "rules").glob("*.smk"))


def join(before: list[Measurement], now: list[Measurement]) -> list[Measurement]:
    """Replace earlier measurements by new ones of the same rule and size.

    Rules that do not exist any more are left out.
    """
    latest = {(row.rule, row.side): row for row in [*before, *now]}
    text = read_rules()
    kept = []
    for (rule, _), row in sorted(latest.items()):
        if re.search(rf"^(use )?rule (\w+ as )?{rule}\b", text, re.MULTILINE):
            kept.append(row)
    return kept


def fit(measured: list[Measurement]) -> list[Fitted]:
    """Fit a line for each rule: through the first and last size, raised above all measurements.

    Rules that are derived from another one count as that rule.
    """
    derived = re.findall(r"^use rule (\w+) as (\w+) with", read_rules(), re.MULTILINE)
    origin = {new: old for old, new in derived}
    rules: dict[str, list[Measurement]] = {}
    for row in measured:
        rules.setdefault(origin.get(row.rule, row.rule), []).append(row)
    fitted = []
    for rule, rows in sorted(rules.items()):
        memory = fit_line([(row.megavoxels, row.mb) for row in rows])
        seconds = fit_line([(row.megavoxels, row.cpu_seconds) for row in rows])
        fitted.append(Fitted(rule, *memory, *seconds))
    return fitted


def keep(fitted: list[Fitted], measured: list[Measurement]) -> list[Fitted]:
    """Return the fitted lines, and the present ones that these runs cannot replace."""
    with REQUESTS.open(newline="", encoding="utf-8") as file:
        rows = [list(row.values()) for row in csv.DictReader(file, delimiter="\t")]
    rules = set(re.findall(r"^rule (\w+):", read_rules(), re.MULTILINE))
    lines = {rule: Fitted(rule, *map(float, numbers)) for rule, *numbers in rows if rule in rules}
    of_stacks = {row.rule for row in measured if row.side}
    for line in fitted:
        if line.rule in of_stacks or line.rule not in lines:
            lines[line.rule] = line
        else:
            lines[line.rule] = max(line, lines[line.rule], key=lambda each: each.mb)
    return [line for _, line in sorted(lines.items())]


def fit_line(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the value at size 0 and the slope, which is at least 0; points are (size, value)."""
    most: dict[float, float] = {}
    for size, value in points:
        most[size] = max(value, most.get(size, value))
    first, last = min(most), max(most)
    slope = max(0.0, (most[last] - most[first]) / (last - first)) if last > first else 0.0
    return max(value - slope * size for size, value in most.items()), slope


def write(path: Path, header: list[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table with three significant digits."""
    lines = ["\t".join(header)]
    for row in rows:
        cells = [f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row]
        lines.append("\t".join(cells))
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")


def main() -> None:
    """Measure all rules, and write both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run(Path(temporary), arguments.sides, arguments.cores)
        measured = join(read(MEASUREMENTS), measure(Path(temporary)))
    write(MEASUREMENTS, MEASURED, measured)
    write(REQUESTS, FITTED, keep(fit(measured), measured))


if __name__ == "__main__":
    main()
