"""The same images, labels and tables with the instructions of other processors."""

import csv
import os
import shutil
import subprocess
import sys
from itertools import chain

import numpy as np
import pytest
import tifffile
from study import ROOT, Study

from cellstack.files.stacks import write_stack

NUMPY_DISPATCHED = " ".join(np._core._multiarray_umath.__cpu_dispatch__)
WITHOUT_AVX = "AVX2,FMA3,AVX,FP16,AVX512_SKX"
PROCESSORS = {
    "OpenCV without AVX, another BLAS": {
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3",
        "OPENCV_CPU_DISABLE": "AVX2,FMA3,AVX",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
    "SSE only": {
        "NPY_DISABLE_CPU_FEATURES": NUMPY_DISPATCHED,
        "OPENCV_CPU_DISABLE": WITHOUT_AVX,
        "OPENCV_IPP": "sse42",
        "OPENBLAS_CORETYPE": "Prescott",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4,-AVX",
    },
}
# All commands in one process, which imports the libraries once.
RUN_COMMANDS = """
import runpy, shlex, sys
for line in open("commands.txt", encoding="utf-8"):
    sys.argv = shlex.split(line)[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
"""


def commands(folder):
    """Return the commands in the logs of a run on one core, in the order in which they ended."""
    logs = sorted((folder / "logs").rglob("*.log"), key=lambda path: path.stat().st_mtime_ns)
    lines = [path.read_text(encoding="utf-8").partition("\n")[0] for path in logs]
    return [line.partition("command: ")[2] for line in lines if "command: " in line]


@pytest.fixture(scope="module")
def study(data, tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("processors"))
    colony = {"shape": [16, 96, 112], "spacing": [0.9, 0.3, 0.35], "nuclei_count": 9, "seed": 8}
    study.config["simulate_stack"] = {"colony": colony}
    image, nuclei, cells = (
        f"resources/simulated/colony/{name}.ome.tif" for name in ("image", "nuclei", "cells")
    )
    study.add("colony", image=image, channel_index="nuclei", ground_truth=nuclei)
    study.add("colony", "membrane", image=image, channel_index="membrane", ground_truth=cells)
    raw = tifffile.imread(data / "tutorial" / "nuclei.tif")[4:20, :90, :80]
    write_stack(study.folder / "preset.tif", raw, (0.58, 0.522, 0.522))
    study.add("preset", image="preset.tif", diameter_um=12, preset="tutorial")
    walls = tifffile.imread(data / "membrane" / "membrane.tif")[4:24, :80, :90]
    write_stack(study.folder / "walls.tif", walls, (0.235, 0.15, 0.15))
    study.add("walls", "membrane", image="walls.tif", diameter_um=4)
    targets = [f"results/{name}.csv" for name in ("objects", "stacks", "scores")]
    process = study.run("--notemp", *targets)
    assert process.returncode == 0, process.stderr
    return study


def differs(first, second):
    """Return whether two cells of tables differ, numbers by more than 1e-6."""
    if first == second:
        return False
    try:
        return not np.isclose(float(first), float(second), rtol=1e-6, atol=1e-9)
    except ValueError:
        return True


def tables_differ(*paths):
    """Return whether two CSV files differ in a cell."""
    rows, others = (list(csv.reader(path.open(newline="", encoding="utf-8"))) for path in paths)
    return [len(row) for row in rows] != [len(row) for row in others] or any(
        differs(*pair) for pair in zip(chain(*rows), chain(*others), strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize("variables", PROCESSORS.values(), ids=PROCESSORS)
def test_images_labels_and_tables_are_the_same_on_any_processor(study, tmp_path, variables):
    folder = tmp_path / "study"
    shutil.copytree(study.folder, folder, copy_function=lambda *_: None)  # folders only
    for name in ("preset.tif", "walls.tif"):
        shutil.copy(study.folder / name, folder)
    (folder / "commands.txt").write_text("\n".join(commands(study.folder)), encoding="utf-8")
    environment = os.environ | variables | {"PYTHONPATH": str(ROOT / "scripts")}
    process = subprocess.run(
        [sys.executable, "-c", RUN_COMMANDS],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    kinds, changed = set(), []
    files = [path for name in ("resources", "results") for path in (folder / name).rglob("*.*")]
    for path in sorted(files):
        other = study.folder / path.relative_to(folder)
        if path.suffix == ".csv":
            is_changed = tables_differ(path, other)
        elif path.suffix == ".tif" and tifffile.imread(path).dtype.kind == "u":
            is_changed = path.read_bytes() != other.read_bytes()
        else:
            continue
        kinds.add(path.name)
        if is_changed:
            changed.append(str(path.relative_to(folder)))
    assert {"image.ome.tif", "labels.ome.tif", "contacts.csv", "scores.csv"} <= kinds
    assert not changed
