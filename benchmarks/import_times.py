"""Measure how long each script takes to import what it needs, without Snakemake and without data.

python benchmarks/import_times.py
python benchmarks/import_times.py --repeats 9

Every job waits for its imports once, so this is most of the time of a job on a small stack. The
table has the median over the repeats of the wall seconds of the imports, after Python has started.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
SECONDS = """
import sys, time
start = time.perf_counter()
__import__(sys.argv[1])
print(time.perf_counter() - start)
"""


def import_seconds(script: str, repeats: int) -> float:
    """Return the median time of the import of a script, in a new process each time."""
    command = [sys.executable, "-c", SECONDS, script]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    seconds = [
        float(
            subprocess.run(
                command, env=environment, capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(repeats + 1)
    ]
    return statistics.median(seconds[1:])  # the first one may compile


def main() -> None:
    """Print a table of all scripts, the slowest first, and the median."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, metavar="N")
    arguments = parser.parse_args()
    names = sorted(path.stem for path in SCRIPTS.glob("*.py"))
    seconds = {name: import_seconds(name, arguments.repeats) for name in names}
    print("| script | import, s |\n|---|---|")
    for name in sorted(seconds, key=lambda name: -seconds[name]):
        print(f"| {name} | {seconds[name]:.3f} |")
    print(f"\nmedian of {len(seconds)} scripts: {statistics.median(seconds.values()):.3f} s")


if __name__ == "__main__":
    main()
