"""Measure what a job of each rule takes at three sizes, and fit what the rules claim: memory and time by the voxels of a stack.

python benchmarks/fit_claims.py

Writes benchmarks/claims.tsv, what was measured, and rules/claims.tsv, a line for each rule that no measurement exceeds; rules/claims.smk
adds the margins. Sizes that are measured again replace those of an earlier run, others are kept. Memory and CPU seconds come from the last
line of each job's log, wall seconds from its benchmark file, which samples memory too seldom for jobs of a second.
"""

import argparse
import csv
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from scale import TOOK

REPO = Path(__file__).resolve().parent.parent
PLANES, SIDES = 60, (128, 256, 1024)
SPACING, DIAMETER_UM, DENSITY = [0.29, 0.26, 0.26], 10, 34 / 256**2  # the demo's, and nuclei per pixel of its field
BESIDES = ("nuclei/edges.tif", "nuclei/corrected.tif", "figures/nuclei_diameter.png", "membrane/diameter.json")  # on demand alone
WITHOUT = ("sweep",)  # targets that need more than stacks
MEASURED = ["rule", "side", "megavoxels", "cpu_seconds", "wall_seconds", "mb"]
FITTED = ["rule", "mb", "mb_per_megavoxel", "seconds", "seconds_per_megavoxel"]


def run(folder, sides, cores):
    """Run the workflow on one simulated stack of each size, with two channels and a truth."""
    simulations = {
        f"side{side}": {
            "shape": [PLANES, side, side],
            "spacing": SPACING,
            "diameter_um": DIAMETER_UM,
            "nuclei_count": max(1, round(DENSITY * side**2)),
        }
        for side in sides
    }
    rows = ["stack\tchannel\timage\tindex\ttruth"]
    for name in simulations:
        place = f"resources/simulated/{name}"
        rows.append(f"{name}\tnuclei\t{place}/image.ome.tif\tnuclei\t{place}/nuclei.ome.tif")
        rows.append(f"{name}\tmembrane\t{place}/image.ome.tif\tmembrane\t{place}/cells.ome.tif")
    (folder / "stacks.tsv").write_text("\n".join([*rows, ""]))
    config = {"stacks": "stacks.tsv", "diameter_um": {"nuclei": DIAMETER_UM}, "simulate_stack": simulations}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    besides = [f"results/{name}/{file}" for name in simulations for file in BESIDES]
    targets = [rule for rule in re.findall(r"^rule (\w+):", (REPO / "Snakefile").read_text(), re.MULTILINE) if rule not in WITHOUT]
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPO / "Snakefile", "--directory", folder, "--cores", str(cores)]
    subprocess.run([*command, "--configfile", folder / "config.yaml", "--", *targets, *besides], check=True)


def measure(folder):
    """Read what each job took, and keep the most per rule and side; 0 is the side of jobs for all stacks."""
    most = {}
    for path in sorted((folder / "logs").rglob("*.log")):
        took = TOOK.search(path.read_text(encoding="utf-8"))
        if took is None:
            continue
        name = re.search(r"side(\d+)", path.relative_to(folder).as_posix())
        side = int(name[1]) if name else 0
        benchmark = folder / "logs" / "benchmarks" / path.relative_to(folder / "logs").with_suffix(".tsv")
        with benchmark.open(newline="") as file:
            wall = float(next(csv.DictReader(file, delimiter="\t"))["s"])
        found = (float(took[1]), wall, float(took[2]))
        most[path.stem, side] = [max(pair) for pair in zip(found, most.get((path.stem, side), found), strict=True)]
    return [[rule, side, PLANES * side**2 / 1e6, *found] for (rule, side), found in sorted(most.items())]


def read(path):
    """Read what was measured before."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [list(row.values()) for row in csv.DictReader(file, delimiter="\t")]
    return [[rule, int(side), *map(float, numbers)] for rule, side, *numbers in rows]


def join(before, now):
    """Put what is measured now in place of what was measured before for the same rule and size; rules that are gone are left out."""
    rules = "\n".join(path.read_text() for path in (REPO / "rules").glob("*.smk"))
    rows = {(rule, side): [rule, side, *numbers] for rule, side, *numbers in [*before, *now]}
    return [row for (rule, _), row in sorted(rows.items()) if re.search(rf"^(use )?rule (\w+ as )?{rule}\b", rules, re.MULTILINE)]


def fit(measured):
    """Draw the line through the first and the last size, and raise it until no measurement is above it."""
    shared = dict(
        re.findall(r"^use rule (\w+) as (\w+) with", "\n".join(p.read_text() for p in (REPO / "rules").glob("*.smk")), re.MULTILINE)
    )
    origin = {new: old for old, new in shared.items()}
    rules = {}
    for rule, _, megavoxels, cpu, _, megabytes in measured:
        rules.setdefault(origin.get(rule, rule), []).append((megavoxels, megabytes, cpu))
    fitted = []
    for rule, points in sorted(rules.items()):
        numbers = []
        for column in (1, 2):
            values = {size: max(point[column] for point in points if point[0] == size) for size in sorted({point[0] for point in points})}
            first, last = min(values), max(values)
            slope = max(0.0, (values[last] - values[first]) / (last - first)) if last > first else 0.0
            numbers += [max(value - slope * size for size, value in values.items()), slope]
        fitted.append([rule, *numbers])
    return fitted


def write(path, header, rows):
    """Write a table with three significant digits."""
    lines = ["\t".join(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row) for row in rows]
    path.write_text("\n".join(["\t".join(header), *lines, ""]), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run(Path(temporary), arguments.sides, arguments.cores)
        measured = join(read(REPO / "benchmarks" / "claims.tsv"), measure(Path(temporary)))
    write(REPO / "benchmarks" / "claims.tsv", MEASURED, measured)
    write(REPO / "rules" / "claims.tsv", FITTED, fit(measured))


if __name__ == "__main__":
    main()
