"""Stacks that fail: the messages, tables without them, and a later run that completes them."""

import csv
from types import SimpleNamespace

import browser
import pytest
from study import SPACING, Study, constant, jobs, write_pair

from cellstack.files.stacks import write_stack

SKIP = ("--config", "skip_incomplete_stacks=true")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs of a study with a bad image: all stacks, without incomplete ones, after a fix."""
    study = Study(tmp_path_factory.mktemp("incomplete"))
    write_pair(study.folder, "colony", shape=(8, 64, 64), count=2)
    write_stack(study.folder / "empty.tif", constant(0), SPACING)
    (study.folder / "bad.tif").write_text("not an image")
    study.add("bad", image="bad.tif", mouse="=bad")
    study.add("colony", image="colony-nuclei.tif", mouse="=colony")
    study.add("empty", image="empty.tif", mouse="=empty")
    runs = SimpleNamespace(study=study)
    runs.failed = study.run(cores=2)
    runs.has_tables_after_failure = study.result("stacks.csv").exists()
    runs.skipping = study.run(*SKIP, cores=2)
    with study.result("stacks.csv").open(newline="") as file:
        runs.rows = list(csv.DictReader(file))
    runs.objects = study.result("objects.csv").read_text()
    runs.page = study.folder / "index.html"
    runs.page.write_bytes(study.result("index.html").read_bytes())
    runs.again = study.run(*SKIP, cores=2)
    (study.folder / "bad.tif").unlink()
    (study.folder / "colony-membrane.tif").rename(study.folder / "bad.tif")
    runs.fixed = study.run(cores=2)
    return runs


def test_a_run_ends_with_a_list_of_what_failed(runs):
    assert runs.failed.returncode != 0
    lines = [line for line in runs.failed.stderr.splitlines() if line.startswith("cellstack: ")]
    assert lines[-3].startswith("cellstack: 2 of 3 stacks done, 1 failed, ")
    assert lines[-2].startswith("cellstack: failed: bad: import_stack: bad.tif: cannot be read")
    assert lines[-2].endswith("; log: logs/bad/channels/nuclei/import_stack.log")
    assert "run the same command again" in lines[-1]
    assert "--config skip_incomplete_stacks=true" in lines[-1]
    logged = runs.study.log("progress.log").read_text()
    assert all(line.removeprefix("cellstack: ") in logged for line in lines)
    assert not runs.has_tables_after_failure


def test_incomplete_stacks_are_skipped_and_listed(runs):
    assert runs.skipping.returncode == 0, runs.skipping.stderr[-3000:]
    collected = ("collect_objects", "collect_stacks", "collect_neighbors", "plot_volumes")
    expected = (
        *collected,
        "write_config",
        "write_provenance",
        "write_methods",
        "write_index",
        "all",
    )
    assert jobs(runs.skipping) == dict.fromkeys(expected, 1)
    assert "cellstack: the tables will lack 1 stack" in runs.skipping.stderr
    assert [(row["stack"], row["status"], row["mouse"]) for row in runs.rows] == [
        ("colony", "ok", "'=colony"),
        ("empty", "no objects", "'=empty"),
        ("bad", "failed", "'=bad"),
    ]
    assert runs.rows[2]["flags"].startswith("import_stack: bad.tif: cannot be read")
    assert runs.rows[2]["count_found"] == ""
    assert "colony" in runs.objects
    assert "bad" not in runs.objects
    assert "Nothing to be done" in runs.again.stderr


def test_the_page_of_the_run_shows_what_failed_first(runs, tmp_path):
    page = browser.start(tmp_path)
    try:
        page.open(runs.page.as_uri())
        cells = "Array.from(document.querySelectorAll('#stacks tbody tr'), e => e.innerText)"
        failed, empty, colony = page.evaluate(cells)
        assert failed.index("bad") < failed.index("import_stack: bad.tif: cannot be read")
        assert "=bad" in failed
        assert "no objects: nothing was found" in empty
        assert "colony" in colony
        counts = "Array.from(document.querySelectorAll('.tiles b'), e => e.textContent)"
        assert page.evaluate(counts)[2] == "1"
        pictures = "Array.from(document.images, e => [e.alt, e.complete && e.naturalWidth > 0])"
        loaded = dict(page.evaluate(pictures))
        assert loaded.keys() >= {"nuclei of colony with outlines", "nuclei of empty with outlines"}
        assert all(loaded.values())
        local = ("file:", "data:")
        assert [each for each in page.requested if not each.startswith(local)] == []
    finally:
        page.close()


def test_the_next_run_gives_the_same_files_as_one_without_errors(runs, tmp_path):
    assert runs.fixed.returncode == 0, runs.fixed.stderr[-3000:]
    assert not runs.study.log("failed.csv").exists()
    other = Study(tmp_path)
    for image in ("bad.tif", "colony-nuclei.tif", "empty.tif"):
        (tmp_path / image).write_bytes((runs.study.folder / image).read_bytes())
    other.rows = runs.study.rows
    assert other.run("results/objects.csv", "results/stacks.csv", cores=2).returncode == 0
    expected, files = other.digest(), runs.study.digest()
    assert expected.keys() <= files.keys()
    assert [name for name in expected if files[name] != expected[name]] == []


def test_no_stack_is_complete_yet(tmp_path):
    study = Study(tmp_path)
    write_stack(tmp_path / "a.tif", constant(0), SPACING)
    study.add("a", image="a.tif")
    process = study.run(*SKIP)
    assert process.returncode != 0
    assert "config.skip_incomplete_stacks: no stack is complete yet" in process.stderr
