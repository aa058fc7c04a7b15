"""How often groups without a difference are reported as different, and how wide intervals are.

python benchmarks/groups.py

Objects of one animal resemble each other: the standard deviation of the means of animals is 1, that
of the objects of an animal 2. Both groups have the same distribution, so each p value below 0.05 is
a false positive, and 95 % of the intervals should contain 0.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))

from cellstack.compare.compare_groups import compare_groups
from cellstack.compare.unit_means import UnitMean

UNITS = (3, 4, 6, 10)  # animals of each group
OBJECTS = 100  # of each animal
SD_OF_UNITS, SD_OF_OBJECTS = 1.0, 2.0
LEVEL = 0.05


def simulate(units: int, runs: int, *, is_paired: bool, seed: int = 0) -> dict[str, float]:
    """Return the fractions of false positives, and of intervals that contain the difference.

    Paired groups are the same animals twice, whose means change by a random amount.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    found = {"objects": 0, "units": 0, "permutations": 0, "interval": 0}
    for _ in range(runs):
        means = rng.normal(10, SD_OF_UNITS, (2, units))
        if is_paired:
            means[1] = means[0] + rng.normal(0, 0.5 * SD_OF_UNITS, units)
        objects = means[..., None] + rng.normal(0, SD_OF_OBJECTS, (2, units, OBJECTS))
        samples = [
            UnitMean(
                "nuclei",
                "volume_um3",
                group,
                f"m{i}" if is_paired else "",
                f"{group}{i}",
                1,
                OBJECTS,
                float(objects[number, i].mean()),
            )
            for number, group in enumerate(("control", "drug"))
            for i in range(units)
        ]
        (row,) = compare_groups(samples, {"nuclei": ["control", "drug"]})
        naive = stats.ttest_ind(objects[0].ravel(), objects[1].ravel(), equal_var=False)
        found["objects"] += naive.pvalue < LEVEL
        found["units"] += row["p_value"] < LEVEL
        found["permutations"] += row["p_permutation"] < LEVEL
        found["interval"] += row["difference_low"] <= 0 <= row["difference_high"]
    return {name: count / runs for name, count in found.items()}


def main(runs: int) -> None:
    """Print a table in Markdown."""
    print("| design | units per group | objects as units | units | permutation | interval |")
    print("|---|---|---|---|---|---|")
    for is_paired in (False, True):
        for units in UNITS:
            rates = simulate(units, runs, is_paired=is_paired)
            cells = " | ".join(f"{100 * rate:.1f} %" for rate in rates.values())
            print(f"| {'paired' if is_paired else 'independent'} | {units} | {cells} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    main(parser.parse_args().runs)
