"""Stacks that fail: what is said of them, tables without them, and the same bytes once they are cured."""

import csv

import pytest
from study import SPACING, Study, constant, jobs, write_pair

from cellstack import io


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A study in which a stack fails, with tables collected without it, then cured; and the bytes of each run."""
    study = Study(tmp_path_factory.mktemp("partial"))
    write_pair(study.folder, "colony", shape=(8, 64, 64), count=2)
    io.write_stack(study.folder / "empty.tif", constant(0), SPACING)
    (study.folder / "bad.tif").write_text("no image")
    for name, image in {"bad": "bad.tif", "colony": "colony-nuclei.tif", "empty": "empty.tif"}.items():
        study.add(name, image=image, mouse=f"={name}")
    study.failed = study.run(cores=2)
    study.tables_after_failure = study.result("stacks.csv").exists()
    study.partial = study.run("--config", "partial=true", cores=2)
    study.partial_rows = list(csv.DictReader(study.result("stacks.csv").open(newline="")))
    study.partial_objects = study.result("objects.csv").read_text()
    study.again = study.run("--config", "partial=true", cores=2)
    (study.folder / "bad.tif").unlink()
    (study.folder / "colony-membrane.tif").rename(study.folder / "bad.tif")
    study.cured = study.run(cores=2)
    return study


def test_the_end_of_a_run_lists_what_failed(runs):
    assert runs.failed.returncode != 0
    lines = [line for line in runs.failed.stderr.splitlines() if line.startswith("cellstack: ")]
    assert lines[-3].startswith("cellstack: 2 of 3 stacks done, 1 failed, ")
    assert lines[-2].startswith("cellstack: failed: bad: import_stack: bad.tif: cannot be read as an image (not a TIFF file")
    assert lines[-2].endswith("; log: logs/bad/nuclei/import_stack.log")
    assert "--config partial=true" in lines[-1]
    told = (runs.folder / "logs" / "progress.log").read_text()
    assert all(line.removeprefix("cellstack: ") in told for line in lines)
    assert not runs.tables_after_failure


def test_partial_tables_hold_the_others_and_name_the_missing(runs):
    assert runs.partial.returncode == 0, runs.partial.stderr[-3000:]
    assert jobs(runs.partial) == {"collect_objects": 1, "collect_stacks": 1, "plot_volumes": 1, "write_config": 1, "all": 1}
    assert "cellstack: the tables will lack 1 stacks" in runs.partial.stderr
    assert [(row["stack"], row["status"], row["mouse"]) for row in runs.partial_rows] == [
        ("colony", "ok", "'=colony"),
        ("empty", "no objects", "'=empty"),
        ("bad", "failed", "'=bad"),
    ]
    assert runs.partial_rows[2]["flags"].startswith("import_stack: bad.tif: cannot be read as an image")
    assert runs.partial_rows[2]["count_found"] == ""
    assert "colony" in runs.partial_objects
    assert "bad" not in runs.partial_objects
    assert "Nothing to be done" in runs.again.stderr


def test_a_plain_run_completes_to_the_bytes_of_an_undisturbed_one(runs, tmp_path):
    assert runs.cured.returncode == 0, runs.cured.stderr[-3000:]
    assert not (runs.folder / "logs" / "failed.csv").exists()
    other = Study(tmp_path)
    for image in ("bad.tif", "colony-nuclei.tif", "empty.tif"):
        (tmp_path / image).write_bytes((runs.folder / image).read_bytes())
    other.rows = runs.rows
    assert other.run(cores=2).returncode == 0
    assert other.digest() == runs.digest()


def test_no_stack_is_complete_yet(tmp_path):
    study = Study(tmp_path)
    io.write_stack(tmp_path / "a.tif", constant(0), SPACING)
    study.add("a", image="a.tif")
    process = study.run("--config", "partial=true")
    assert process.returncode != 0
    assert "config.partial: no stack is complete yet" in process.stderr
