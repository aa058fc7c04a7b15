"""A study that init_study.py sets up runs, also after images were added."""

import subprocess
import sys

import pytest
from study import DIAMETER_UM, ROOT, environment, jobs, write_pair

from cellstack.files.tables import read_rows

pytestmark = pytest.mark.slow
SMALL = {"shape": (8, 64, 64), "count": 3}


def add(images, name):
    write_pair(images, name, **SMALL)
    (images / f"{name}-cells.tif").unlink()


def init(folder, *arguments):
    """Run init_study.py on the images of a folder."""
    script = ROOT / "scripts" / "init_study.py"
    return subprocess.run(
        [sys.executable, script, folder / "images", folder / "my study", *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def run(folder):
    """Run the command that init_study.py prints."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "-p"],
        cwd=folder / "my study",
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )


def test_a_new_study_runs_and_grows(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    add(images, "left")
    assert "labels or masks: left-truth.tif" in init(tmp_path, "--diameter", str(DIAMETER_UM))
    first = run(tmp_path)
    results = tmp_path / "my study" / "results"
    assert {row["stack"] for row in read_rows(results / "stacks.csv")} >= {"left"}
    assert "1 of 1 stack done" in first.stderr
    assert (results / ".history.jsonl").is_file()
    add(images, "right")
    assert "1 of them new" in init(tmp_path, "--diameter", str(DIAMETER_UM))
    second = jobs(run(tmp_path))
    assert second["denoise"] == 1
    rows = read_rows(results / "stacks.csv")
    assert {(row["stack"], row["object"]) for row in rows} >= {("right", "nuclei")}
    assert jobs(run(tmp_path)) == {}
