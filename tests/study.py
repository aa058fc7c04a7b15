"""A study in a temporary folder: a sheet, a configuration, and runs of the workflow on them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from snakemake_server import Server

from cellstack.files.stacks import write_stack
from cellstack.prepare.simulate_stack import simulate_stack

ROOT = Path(__file__).resolve().parent.parent
SPACING = (1.0, 0.4, 0.4)
DIAMETER_UM = 8
SNAKEMAKE = (sys.executable, "-m", "snakemake")
COMMANDS = ("init_study", "view")  # scripts that users run, without a rule
SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py") if path.stem not in COMMANDS)
WORKFLOW_PARTS = ("Snakefile", "rules", "scripts", "config", "envs", "profiles", "report")


class Study:
    """A folder with images, sheet and configuration; `workflow` is the folder of the Snakefile."""

    def __init__(self, folder, workflow=ROOT):
        self.folder, self.workflow, self.rows = Path(folder), workflow, []
        self.config = {"stacks": "stacks.tsv", "diameter_um": {"nuclei": DIAMETER_UM}}

    def add(self, stack, channel="nuclei", **cells):
        """Add a row to the sheet."""
        self.rows.append({"stack": stack, "channel": channel} | cells)

    def write(self):
        """Write the sheet and the configuration."""
        columns = list(dict.fromkeys(column for row in self.rows for column in row))
        lines = ["\t".join(columns)]
        lines += ["\t".join(str(row.get(column, "")) for column in columns) for row in self.rows]
        (self.folder / "stacks.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.config), encoding="utf-8")

    def arguments(self):
        """Return Snakemake's arguments for the workflow, the folder and the configuration."""
        arguments = ["--snakefile", self.workflow / "Snakefile", "--directory", self.folder]
        return [*arguments, "--configfile", self.folder / "config.yaml"]

    def command(self, *arguments, cores=1):
        """Return the command that runs Snakemake, with all of its output: see `jobs`."""
        return [*SNAKEMAKE, *self.arguments(), "--cores", str(cores), "-p", *arguments]

    def run(self, *arguments, cores=1, cwd=None):
        """Write sheet and configuration, run Snakemake, and return the process with its output."""
        self.write()
        command = self.command(*arguments, cores=cores)
        return run_snakemake(*command[len(SNAKEMAKE) :], cwd=cwd or self.folder)

    def start(self, *arguments, cores=1):
        """Write sheet and configuration, and start Snakemake in a new session.

        Its output goes to the file `output.txt`.
        """
        self.write()
        with (self.folder / "output.txt").open("w") as output:
            return subprocess.Popen(
                self.command(*arguments, cores=cores),
                cwd=self.folder,
                env=environment(),
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=accept_ctrl_c,
            )

    def result(self, *parts):
        """Return the path of a result."""
        return self.folder.joinpath("results", *parts)

    def log(self, *parts):
        """Return the path of a log."""
        return self.folder.joinpath("logs", *parts)

    def digest(self):
        """Return the bytes of all results by path, without hidden files, which contain times."""
        return {
            str(path.relative_to(self.result())): path.read_bytes()
            for path in sorted(self.result().rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }


def accept_ctrl_c():
    """Undo that a shell has its background processes, such as `make test &`, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@cache
def server():
    """Return the process of these tests that runs Snakemake."""
    return Server(environment())


def run_snakemake(*arguments, cwd):
    """Run Snakemake in a folder, and return the process with its output."""
    with tempfile.TemporaryDirectory() as outputs:
        stdout, stderr = Path(outputs, "stdout"), Path(outputs, "stderr")
        status = server().run(arguments, cwd, environment(), stdout, stderr)
        texts = [path.read_text(encoding="utf-8") for path in (stdout, stderr)]
    return subprocess.CompletedProcess([*SNAKEMAKE, *arguments], status, *texts)


def copy_workflow(folder):
    """Copy the files of the workflow into a folder, to be edited there."""
    folder.mkdir()
    for part in WORKFLOW_PARTS:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / part)
    return folder


def wait_for(condition, seconds=120):
    """Wait until a condition is true; fail after some time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, condition
        time.sleep(0.05)


def environment():
    """Return the environment variables of a shell with the virtual environment activated."""
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": "",
    }


def jobs(process):
    """Return the number of jobs that a run started, by rule."""
    counts = {}
    for line in (process.stdout + process.stderr).splitlines():
        if line.startswith(("rule ", "localrule ")) and line.endswith(":"):
            name = line.split()[1].rstrip(":")
            counts[name] = counts.get(name, 0) + 1
    return counts


def simulated(shape=(16, 96, 96), spacing=SPACING, count=6, seed=3):
    """Simulate a small colony with its ground truth."""
    return simulate_stack(shape, spacing, diameter_um=DIAMETER_UM, count=count, seed=seed)


def write_pair(folder, name, spacing=SPACING, **options):
    """Simulate a small colony and write its two channels and its ground truth.

    The files are NAME-nuclei.tif and NAME-membrane.tif, NAME-truth.tif (the labels of the nuclei)
    and NAME-cells.tif.
    """
    colony = simulated(spacing=spacing, **options)
    stacks = {
        "nuclei": colony.nuclei_image,
        "membrane": colony.membrane_image,
        "truth": colony.nuclei_labels,
        "cells": colony.cell_labels,
    }
    for part, stack in stacks.items():
        write_stack(Path(folder) / f"{name}-{part}.tif", stack, spacing)
    return colony


def constant(value, shape=(6, 40, 40), dtype=np.uint8):
    """Return a stack of one value."""
    return np.full(shape, value, dtype)
