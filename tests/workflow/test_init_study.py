"""A study that init_study.py sets up runs, also after images were added."""

import subprocess
import sys

import pytest
from study import DIAMETER_UM, ROOT, environment, jobs, run_snakemake, write_pair

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


def run(folder, *arguments):
    """Run the command that init_study.py prints."""
    return run_snakemake("--cores", "1", "-p", *arguments, cwd=folder / "my study")


def test_a_new_study_runs_and_grows(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    add(images, "left")
    assert "labels or masks: left-truth.tif" in init(tmp_path, "--diameter", str(DIAMETER_UM))
    first = run(tmp_path)
    assert first.returncode == 0, first.stderr[-4000:]
    results = tmp_path / "my study" / "results"
    assert {row["stack"] for row in read_rows(results / "stacks.csv")} >= {"left"}
    assert "1 of 1 stack done" in first.stderr
    assert "cellstack: open in a browser: results/index.html" in first.stderr
    viewer = f"to look at left in napari, and to correct it: python {ROOT}/scripts/view.py"
    assert f"{viewer} results/left" in first.stderr
    assert (results / ".history.jsonl").is_file()
    add(images, "right")
    assert "1 of them new" in init(tmp_path, "--diameter", str(DIAMETER_UM))
    second = jobs(run(tmp_path, "--", "results/stacks.csv"))
    assert second["denoise"] == 1
    rows = read_rows(results / "stacks.csv")
    assert {(row["stack"], row["object"]) for row in rows} >= {("right", "nuclei")}
    assert jobs(run(tmp_path, "--", "results/stacks.csv")) == {}
    config = tmp_path / "my study" / "config.yaml"
    config.write_text(config.read_text() + "binarize: {method: otsu\nclean_mask: {}\n")
    line = config.read_text().count("\n")
    refused = run(tmp_path)
    assert "config.yaml is not valid YAML: correct this line" in refused.stderr
    assert f'"config.yaml", line {line}, column 11' in refused.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"stacks: a.csv\ndiameter_um:\n\tnuclei: 8\n", "spaces instead of tabs"),
        (b"stacks: k\xe4fig.csv\n", "save it as UTF-8"),
    ],
)
def test_an_error_in_the_configuration_file_of_the_workflow_is_located(tmp_path, content, message):
    config = tmp_path / "my study" / "config" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_bytes(content)
    refused = run(tmp_path, "--snakefile", ROOT / "Snakefile", "--dry-run")
    assert refused.returncode == 1
    assert message in refused.stdout and "config/config.yaml" in refused.stdout
