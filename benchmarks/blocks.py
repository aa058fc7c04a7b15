"""Compare the objects of stacks that are segmented in 2 x 2 x 2 blocks with those at once.

.venv/bin/python benchmarks/blocks.py nuclei             # real stacks, see CELLSTACK_DATA
.venv/bin/python benchmarks/blocks.py cells              # simulated membranes
.venv/bin/python benchmarks/blocks.py nuclei --overlap 1 # in diameters, by default 2 (cells 2.5)
"""

import argparse
import math
import os
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

from block_chain import (  # noqa: E402
    default_arguments,
    f1,
    plan,
    segment,
    segment_cells_of,
    segment_in_blocks,
)

from cellstack.core.blocks import place_blocks  # noqa: E402
from cellstack.files.readers.opening import open_image  # noqa: E402
from cellstack.prepare.simulate_stack import simulate_stack  # noqa: E402

EMBRYO = (1.75, 0.8, 0.8)
NUCLEI = {  # diameter in um, voxel size along z, y and x in um
    "embryo8": (17.0, EMBRYO),
    "tutorial": (10.0, (0.58, 0.522, 0.522)),
    "ovule": (3.0, (0.284, 0.127, 0.127)),
    "lightsheet8": (17.0, (2.0, 0.83, 0.83)),
    "celegans/t120": (3.5, (1.0, 0.22, 0.22)),
}
COUNTS = (2, 2, 2)
CELL = 11.2  # um
SIMULATED = [  # ratio, voxel size, field of view in um, seed
    (ratio, spacing, (26.0, 90.0, 92.0), seed)
    for ratio, spacing in ((1, (0.7, 0.7, 0.7)), (4, (2.4, 0.6, 0.62)))
    for seed in (5, 6)
]


def compare_nuclei(overlap: float) -> None:
    """Print the agreement of the nuclei of each real stack."""
    data = Path(os.environ.get("CELLSTACK_DATA", ROOT.parent / "shared" / "data"))
    stacks = {
        f"embryos/{folder.name}": (15.0, EMBRYO) for folder in sorted((data / "embryos").iterdir())
    }
    print("stack\tvoxels\tnuclei\tin blocks\tF1 at 0.9\tother label\tdisagreements")
    for name, (diameter_um, spacing) in (NUCLEI | stacks).items():
        with open_image([data / name / "nuclei.tif"]) as source:
            raw = np.stack(list(source.planes(0)))
        arguments = default_arguments(diameter_um)
        places = plan(raw.shape, spacing, COUNTS, overlap * diameter_um)
        expected = segment(raw, spacing, arguments)
        found, record = segment_in_blocks(raw, spacing, arguments, places)
        disagreements = sum(record[key] for key in ("doubled", "lost", "moved"))
        report(name, expected, found, disagreements)


def compare_cells(overlap: float) -> None:
    """Print the agreement of the cells of simulated stacks, with nuclei and without."""
    print("stack\tvoxels\tcells\tin blocks\tF1 at 0.9\tother label\tdisagreements")
    for ratio, spacing, size, seed in SIMULATED:
        shape = tuple(round(length / step) for length, step in zip(size, spacing, strict=True))
        colony = simulate_stack(shape, spacing, diameter_um=8, count=90, seed=seed)
        margin = [math.ceil(overlap * CELL / step) for step in spacing]
        places = list(place_blocks(shape, COUNTS, margin).values())
        arguments = default_arguments(CELL)
        _, labels = np.unique(colony.nuclei_labels, return_inverse=True)
        for name, nuclei in (("nuclei", labels.reshape(shape).astype(np.uint16)), ("alone", None)):
            image = colony.membrane_image, spacing, arguments, nuclei
            expected, _ = segment_cells_of(*image)
            found, record = segment_cells_of(*image, places)
            disagreements = record["disputed_seeds"] + record["disputed_regions"]
            report(f"ratio {ratio}, seed {seed}, {name}", expected, found, disagreements)


def report(name: str, expected: np.ndarray, found: np.ndarray, disagreements: int) -> None:
    """Print a row of the table."""
    columns = (
        name,
        " x ".join(map(str, expected.shape)),
        expected.max(),
        found.max(),
        f"{f1(expected, found, 0.9):.4f}",
        f"{np.mean(expected != found):.2g}",
        disagreements,
    )
    print(*columns, sep="\t", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("objects", choices=["nuclei", "cells"])
    parser.add_argument("--overlap", type=float)
    given = parser.parse_args()
    if given.objects == "nuclei":
        compare_nuclei(given.overlap or 2.0)
    else:
        compare_cells(given.overlap or 2.5)
