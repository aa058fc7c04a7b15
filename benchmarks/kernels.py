"""Time each stage on a stack of 60 x 256 x 256, and the same work in scikit-image or SciPy.

python benchmarks/kernels.py --repeats 5

It prints a Markdown table. Everything runs in one thread. The two sides take turns, and CPU seconds
are measured, which other work on the machine affects least. No files are read or written; the last
column has the time for reading what the stage reads and writing what it writes, which is a lower
limit for any stage.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from kernel_chain import SHAPE, SPACING, Chain
from kernel_list import (
    Kernel,
    enhance_kernels,
    mask_kernels,
    measure_kernels,
    object_kernels,
)

REPO = Path(__file__).resolve().parent.parent
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


def agreement(ours: object, theirs: object) -> str:
    """Return how much two images differ, as text; empty if the results cannot be compared."""
    import numpy as np

    if isinstance(ours, float) and isinstance(theirs, float | np.floating):
        return f"{abs(ours - theirs):.1g} apart"
    if not (isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray)):
        return ""
    if ours.shape != theirs.shape:
        return ""
    if ours.dtype.kind == "f":
        return f"at most {np.abs(ours - theirs).max():.1g} apart"
    differing = np.count_nonzero(ours != theirs)
    return f"{differing} voxels differ" if differing else "identical"


def timed(function: Callable[[], Any]) -> float:
    """Return the CPU milliseconds that a function takes."""
    start = time.process_time()
    function()
    return 1000 * (time.process_time() - start)


def time_files(repeats: int) -> dict[str, tuple[float, float]]:
    """Return the milliseconds of reading and of writing a stack, by type code."""
    import numpy as np

    from cellstack.files.stacks import read_stack, write_stack

    milliseconds = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stack.tif"
        read = partial(read_stack, path)
        for code in "BHf":
            write = partial(write_stack, path, np.zeros(SHAPE, code), SPACING)
            writes, reads = [], []
            for _ in range(repeats):
                writes.append(timed(write))
                reads.append(timed(read))
            milliseconds[code] = statistics.median(reads), statistics.median(writes)
    return milliseconds


def minimum_and_median(milliseconds: list[float]) -> str:
    """Return the minimum, and in brackets the median, as text."""
    shortest, median = min(milliseconds), statistics.median(milliseconds)
    digits = 1 if median < 100 else 0
    return f"{shortest:.{digits}f} ({median:.{digits}f})"


def table_row(kernel: Kernel, repeats: int, files: dict[str, tuple[float, float]]) -> str:
    """Time both sides of a kernel, and return its row of the table."""
    sides = [kernel.ours, *filter(None, [kernel.theirs])]
    results = [side() for side in sides]  # also imports what is imported late
    rounds = [[timed(side) for side in sides] for _ in range(repeats)]
    times = [list(each) for each in zip(*rounds, strict=True)]
    cells = [kernel.work, minimum_and_median(times[0])]
    if kernel.theirs:
        ratio = min(times[0]) / min(times[1])
        cells += [kernel.peer, minimum_and_median(times[1]), f"{ratio:.2f}", agreement(*results)]
    else:
        cells += ["none", "", "", ""]
    limit = sum(files[code][0] for code in kernel.read)
    limit += sum(files[code][1] for code in kernel.written)
    return f"| {' | '.join([*cells, f'{limit:.0f}'])} |"


def time_kernels(repeats: int) -> str:
    """Time all kernels, and return the table."""
    import cv2  # noqa: F401
    import SimpleITK  # noqa: F401

    from cellstack.core import parallel

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core for both sides
    parallel.limit_threads(1)  # of the libraries that are imported
    files = time_files(repeats)
    side = "CPU ms, min (median)"
    titles = ("stage", side, "scikit-image, SciPy", side, "ratio", "result")
    lines = [f"| {' | '.join(titles)} | read + write ms |", "|---|--:|---|--:|--:|---|--:|"]
    chain = Chain()
    kernels = enhance_kernels(chain) + mask_kernels(chain)
    kernels += object_kernels(chain) + measure_kernels(chain)
    for kernel in kernels:
        lines.append(table_row(kernel, repeats, files))
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join([*lines, ""])


def kernel_table(repeats: int = 5) -> str:
    """Time all kernels in a separate process, and return the Markdown table.

    Parameters
    ----------
    repeats : int
        How often each side runs.
    """
    command = [sys.executable, __file__, "--repeats", str(repeats)]
    environment = os.environ | ONE_THREAD
    process = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return process.stdout


def main() -> None:
    """Time all kernels, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--repeats", type=int, default=5, help="how often each side runs (%(default)s)"
    )
    arguments = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # these variables are read when NumPy is imported
        again = subprocess.run([sys.executable, *sys.argv], env=os.environ | ONE_THREAD)
        sys.exit(again.returncode)
    sys.path.insert(0, str(REPO / "scripts"))
    print(time_kernels(arguments.repeats), end="")


if __name__ == "__main__":
    main()
