"""A study in a folder of its own: a sheet, a configuration, and runs of the workflow on them."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import yaml

from cellstack import io
from cellstack.simulate_stack import simulate_stack

ROOT = Path(__file__).resolve().parent.parent
SPACING = (1.0, 0.4, 0.4)
DIAMETER_UM = 8
WORKFLOW_PARTS = ("Snakefile", "rules", "scripts", "config", "envs", "profiles", "report")


class Study:
    """A folder with images, sheet and configuration; `workflow` is the folder of the Snakefile."""

    def __init__(self, folder, workflow=ROOT):
        self.folder, self.workflow, self.rows = Path(folder), workflow, []
        self.config = {"stacks": "stacks.tsv", "diameter_um": {"nuclei": DIAMETER_UM}}

    def add(self, stack, channel="nuclei", **cells):
        self.rows.append({"stack": stack, "channel": channel} | cells)

    def write(self):
        columns = list(dict.fromkeys(column for row in self.rows for column in row))
        lines = ["\t".join(columns)] + ["\t".join(str(row.get(column, "")) for column in columns) for row in self.rows]
        (self.folder / "stacks.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.config), encoding="utf-8")

    def run(self, *arguments, cores=1, cwd=None):
        """Write sheet and configuration, run Snakemake and return the finished process, its output as text."""
        self.write()
        command = [sys.executable, "-m", "snakemake", *self.arguments(), "--cores", str(cores), *arguments]
        return subprocess.run(command, cwd=cwd or self.folder, env=environment(), capture_output=True, text=True, timeout=1500)

    def arguments(self):
        """Name workflow, folder and configuration for Snakemake."""
        return ["--snakefile", self.workflow / "Snakefile", "--directory", self.folder, "--configfile", self.folder / "config.yaml"]

    def start(self, *arguments, cores=1):
        """Write sheet and configuration and start Snakemake in a session of its own; its output goes to the file `output.txt`."""
        self.write()
        command = [sys.executable, "-m", "snakemake", *self.arguments(), "--cores", str(cores), *arguments]
        with (self.folder / "output.txt").open("w") as output:
            return subprocess.Popen(command, cwd=self.folder, env=environment(), stdout=output, stderr=output, start_new_session=True)

    def result(self, *parts):
        return self.folder.joinpath("results", *parts)

    def digest(self):
        """Give the bytes of every result by path."""
        return {str(path.relative_to(self.result())): path.read_bytes() for path in sorted(self.result().rglob("*")) if path.is_file()}


def copy_workflow(folder):
    """Copy what a run needs into a folder, to be edited there."""
    folder.mkdir()
    for part in WORKFLOW_PARTS:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / part)
    return folder


def wait_for(condition, seconds=120):
    """Wait until a condition holds, and fail if it does not."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, condition
        time.sleep(0.05)


def environment():
    """The environment of a user who has activated the virtual environment, with no settings of pytest."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": ""}


def jobs(process):
    """Count the jobs that a run started, by rule."""
    counts = {}
    for line in (process.stdout + process.stderr).splitlines():
        if line.startswith(("rule ", "localrule ")) and line.endswith(":"):
            name = line.split()[1].rstrip(":")
            counts[name] = counts.get(name, 0) + 1
    return counts


def simulated(shape=(16, 96, 96), spacing=SPACING, count=6, seed=3):
    """A small colony with its truth."""
    return simulate_stack(shape, spacing, diameter_um=DIAMETER_UM, count=count, seed=seed)


def write_pair(folder, name, spacing=SPACING, **options):
    """Write a small colony as NAME-nuclei.tif and NAME-membrane.tif, and its truth as NAME-truth.tif and NAME-cells.tif."""
    colony = simulated(spacing=spacing, **options)
    images = {"nuclei": colony.nuclei_image, "membrane": colony.membrane_image}
    for part, stack in (images | {"truth": colony.nuclei_labels, "cells": colony.cell_labels}).items():
        io.write_stack(Path(folder) / f"{name}-{part}.tif", stack, spacing)
    return colony


def constant(value, shape=(6, 40, 40), dtype=np.uint8):
    """A stack of one value."""
    return np.full(shape, value, dtype)
