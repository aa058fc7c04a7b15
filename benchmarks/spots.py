"""Score the detection of spots on simulated stacks, and write the table in docs/tissue.md.

python benchmarks/spots.py

It also counts the false spots in noise, and times a stack of 63 million voxels with 50,000 spots.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from cellstack.evaluate.evaluate_spots import evaluate_spots  # noqa: E402
from cellstack.prepare.simulate_spots import simulate_spots  # noqa: E402
from cellstack.spots.detect_spots import detect_spots  # noqa: E402

PAGE = HERE.parent / "docs" / "tissue.md"
BEGIN, END = (f"<!-- written by benchmarks/spots.py: {end} -->\n" for end in ("begin", "end"))
STACKS = {1: ((80, 320, 320), (0.1, 0.1, 0.1)), 4: ((30, 320, 320), (0.4, 0.1, 0.1))}
DIAMETER_UM = 0.4
HEIGHTS_UM = (0.4, 0.9)
RATIOS = (8, 4)  # signal to noise
COUNT = 500
NOISE_SHAPE = (40, 500, 500)


def accuracy() -> list[str]:
    """Return the rows of the table of accuracy."""
    lines = [
        "| z : xy | diameter, um | height, um | signal to noise | precision | recall | F1 "
        "| error z | error y | error x |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for ratio, (shape, spacing) in STACKS.items():
        for height in HEIGHTS_UM:
            for signal in RATIOS:
                known = simulate_spots(
                    shape,
                    spacing,
                    count=COUNT,
                    diameter_um=DIAMETER_UM,
                    diameter_z_um=height,
                    signal_to_noise=signal,
                    seed=1,
                )
                found = detect_spots(
                    known.image, spacing, diameter_um=DIAMETER_UM, diameter_z_um=height
                )
                scores = evaluate_spots(
                    known.positions_um,
                    found.positions_um,
                    spacing,
                    (height, DIAMETER_UM, DIAMETER_UM),
                )
                cells = [f"{scores[name] or 0:.3f}" for name in ("precision", "recall", "f1")]
                cells += [
                    f"{(scores[f'rms_position_error_{axis}_um'] or 0) / step:.2f}"
                    for axis, step in zip("zyx", spacing, strict=True)
                ]
                key = [str(ratio), f"{DIAMETER_UM:g}", f"{height:g}", str(signal)]
                lines.append(f"| {' | '.join(key + cells)} |")
    return lines


def false_spots() -> str:
    """Return the sentence about false spots in noise."""
    counts = []
    for _, spacing in STACKS.values():
        for seed in range(3):
            noise = np.random.default_rng(seed).poisson(100, NOISE_SHAPE).astype(np.uint16)
            counts.append(len(detect_spots(noise, spacing, diameter_um=DIAMETER_UM).intensities))
    return (
        f"In {len(counts)} stacks of 10 million voxels of noise, with 100 photons per voxel, "
        f"{min(counts)} to {max(counts)} spots were found."
    )


def cost() -> str:
    """Return the sentence about time."""
    spacing = (0.3, 0.1, 0.1)
    options = {"diameter_um": 0.3, "diameter_z_um": 0.7}
    shape = (60, 1024, 1024)
    known = simulate_spots(shape, spacing, count=50_000, signal_to_noise=10, seed=1, **options)
    start = time.perf_counter()
    found = detect_spots(known.image, spacing, **options)
    seconds = time.perf_counter() - start
    return (
        f"A stack of 60 x 1024 x 1024 voxels with 50,000 spots took {seconds:.0f} s in one thread; "
        f"{len(found.intensities):,} were found."
    )


def main() -> None:
    """Write the table of accuracy into docs/tissue.md."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    lines = ["", *accuracy(), "", false_spots(), cost(), ""]
    written = "\n".join(lines)
    print(written)
    PAGE.write_text(f"{before}{BEGIN}{written}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
