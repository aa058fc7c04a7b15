"""Snakemake's records and the times of files, kept beside the results and restored in copies."""

import json
import logging
import os
import shutil
from pathlib import Path

import pytest
from snakemake.persistence import MetadataRecord
from snakemake.persistence.file import FilePersistence

from cellstack.run import history
from cellstack.run.history import History

TIMES = {"results/a/raw.tif": 3000, "results/a/mask.tif": 5000, "resources/image.tif": 2000}
CROPS = "results/a/crops"
INPUTS = ("results/a/raw.tif", "seeds.csv")


class Persistence:
    """Records as Snakemake writes them when a job has finished."""

    def __init__(self):
        self.records = {}

    def deactivate_cache(self):
        pass

    def metadata(self, file):
        return self.records.get(file)


class Study:
    """A folder with the results of some jobs, one per file."""

    def __init__(self, folder, results="results"):
        os.chdir(folder)
        self.folder, self.results = folder, results
        self.persistence = Persistence()

    def run(self, files, params="old", *, finish=True, existing=(), inputs=INPUTS):
        made = History(self.results)
        made.follow(
            self.persistence, {number: [file] for number, file in enumerate(files)}, existing
        )
        for number, file in enumerate(files):
            made.handle(logging.makeLogRecord({"event": "job_info", "jobid": number}))
            write(file)
            if finish:
                self.persistence.records[file] = record(params, inputs)
                made.handle(logging.makeLogRecord({"event": "job_finished", "job_id": number}))
        if finish:
            made.finish()

    def copy(self, name, with_records=False):
        """Copy the folder with new times, and go there."""
        shutil.copytree(self.folder, self.folder.parent / name, copy_function=shutil.copyfile)
        os.chdir(self.folder.parent / name)
        if not with_records:
            shutil.rmtree(".snakemake", ignore_errors=True)


def record(params, inputs=INPUTS):
    return MetadataRecord(
        rule="x", params=[params], input=list(inputs), record_format_version=6, endtime=1.5
    )


def write(file):
    path = Path(file)
    if file == CROPS:
        path.mkdir(parents=True)
        path = path / ".snakemake_timestamp"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file)
    os.utime(path, ns=(0, TIMES.get(file, 7000)))


def restored(file):
    return FilePersistence()._read_record(file)


def time_of(file):
    return Path(file).stat().st_mtime_ns


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study").mkdir()
    return Study(tmp_path / "study")


@pytest.mark.parametrize("with_records", [False, True])
def test_a_copy_gets_records_and_times(study, with_records, capsys):
    study.run([*TIMES, CROPS])
    study.copy("copy", with_records)
    History("results").restore()
    assert {file: time_of(file) for file in TIMES} == TIMES
    assert time_of(f"{CROPS}/.snakemake_timestamp") == 7000
    assert {restored(file).params[0] for file in [*TIMES, CROPS]} == {"old"}
    assert restored(CROPS) == record("old")
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "cellstack: results was copied, or .snakemake was removed: restored from "
        "results/.history.jsonl the records of 4 files"
    )


def test_nothing_is_restored_where_the_results_were_made(study, capsys):
    History("results").restore()  # there is none yet
    study.run(TIMES)
    os.utime("results/a/mask.tif", ns=(0, 9))
    History("results").restore()
    study.run(TIMES, finish=False)  # Snakemake was killed
    os.utime("results/a/mask.tif", ns=(0, 9))
    History("results").restore()
    assert time_of("results/a/mask.tif") == 9
    assert capsys.readouterr().err == ""


def test_a_copy_is_restored_once(study, capsys):
    study.run(TIMES)
    study.copy("copy")
    History("results").restore()
    os.utime("results/a/mask.tif", ns=(0, 9))
    History("results").restore()
    assert time_of("results/a/mask.tif") == 9
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_results_that_replace_others_bring_their_records(study):
    study.run(TIMES, "old")
    shutil.copytree("results", "backup", copy_function=shutil.copyfile)
    study.run(TIMES, "new")
    shutil.rmtree("results")
    History("results").restore()  # the results were deleted
    Path("backup").rename("results")
    FilePersistence()._write_record("results/a/mask.tif", record("new"))
    History("results").restore()
    assert restored("results/a/mask.tif").params == ["old"]


def test_a_file_that_was_changed_keeps_its_time(study):
    study.run(TIMES)
    study.copy("copy")
    Path("results/a/mask.tif").write_text("edited by hand")
    os.utime("results/a/mask.tif", ns=(0, 9))
    History("results").restore()
    assert time_of("results/a/mask.tif") == 9


def test_a_file_that_was_removed_keeps_its_record(study):
    study.run(TIMES)
    Path("results/a/mask.tif").unlink()  # by Snakemake, as temporary
    study.copy("copy")
    History("results").restore()
    assert restored("results/a/mask.tif").params == ["old"]


def test_a_file_whose_job_did_not_finish_is_made_again(study):
    study.run(TIMES)
    study.run(["results/a/mask.tif"], finish=False)
    study.copy("copy")
    History("results").restore()
    assert restored("results/a/raw.tif").params == ["old"]
    changed = restored("results/a/mask.tif")
    assert changed.params == history.NOT_FINISHED["params"]
    assert changed.record_format_version == 6  # otherwise Snakemake ignores the params


def test_the_last_line_may_be_cut_off(study):
    study.run(["results/a/raw.tif"])
    file = Path("results/.history.jsonl")
    text = file.read_text()
    file.write_text(text[: text.rindex('"record"') + 20])  # killed, or on a full disk
    study.run(["results/a/mask.tif"])
    study.copy("copy")
    History("results").restore()
    assert restored("results/a/mask.tif").params == ["old"]
    assert restored("results/a/raw.tif").params == history.NOT_FINISHED["params"]


def test_results_of_an_older_version_are_recorded_at_the_first_run(study):
    for file in TIMES:
        write(file)
        study.persistence.records[file] = record("old")
    study.run(["results/a/new.tif"], existing=[*TIMES, "results/a/unknown.tif"])
    study.run(["results/a/new.tif"], existing=["results/a/unknown.tif"])
    study.copy("copy")
    History("results").restore()
    assert {restored(file).params[0] for file in TIMES} == {"old"}
    assert restored("results/a/unknown.tif") is None


def test_results_can_be_moved_to_a_folder_of_another_name(study, tmp_path):
    elsewhere = str(tmp_path / "elsewhere")
    files = [f"{elsewhere}/a/raw.tif", f"{elsewhere}/a/mask.tif"]
    study.results = elsewhere
    study.run(files, inputs=[files[0], "seeds.csv"])
    shutil.copytree(elsewhere, tmp_path / "moved")
    History("../moved").restore()
    made = restored("../moved/a/mask.tif")
    assert made.input == ["../moved/a/raw.tif", "seeds.csv"]


def test_a_long_history_is_shortened(study, monkeypatch):
    for params in ("old", "newer", "newest"):
        study.run(TIMES, params)
    file = Path("results/.history.jsonl")
    size = file.stat().st_size
    monkeypatch.setattr(history, "MAX_BYTES", size // 2)
    study.run(TIMES, "last")
    assert file.stat().st_size < size // 2
    History("results").restore()  # still the same results
    study.copy("copy")
    History("results").restore()
    assert {restored(name).params[0] for name in TIMES} == {"last"}


def test_a_history_that_cannot_be_written_does_not_end_the_run(study):
    Path("results").touch()
    made = History("results")
    made.follow(study.persistence, {0: ["x"]}, [])
    made.handle(logging.makeLogRecord({"event": "job_info", "jobid": 0}))
    made.handle(logging.makeLogRecord({"event": "job_finished", "job_id": 0}))
    made.handle(logging.makeLogRecord({"event": "job_finished", "job_id": 7}))
    made.finish()


def portable(kept, stamps=None, paths=None):
    text = history.portable_history("results", kept, stamps=stamps or {}, paths=paths or {})
    return {entry["file"]: entry for entry in map(json.loads, text.splitlines())}


def test_a_portable_history_has_no_times_of_this_run(study):
    study.run(list(TIMES), "old")
    study.run(["results/a/labels.tif"], "new", inputs=["results/a/mask.tif"])
    kept = {"results/a/mask.tif": 7, "results/a/labels.tif": 9}
    found = portable(kept)
    assert list(found) == ["<results>/a/labels.tif", "<results>/a/mask.tif", "<results>/a/raw.tif"]
    raw, mask, labels = (found[f"<results>/a/{name}.tif"] for name in ("raw", "mask", "labels"))
    assert "time" not in raw  # it is not in the copy, and its record shows whether it is current
    assert mask["size"] == 7 and labels["size"] == 9
    assert mask["time"] < labels["time"] < 1e9 * 1e9
    assert {entry["record"]["endtime"] for entry in found.values()} == {0}
    for path in study.folder.rglob("*.tif"):
        os.utime(path, (1, 1))
    study.run(list(TIMES), "old")
    assert portable(kept) == found


def test_private_paths_and_stamps_are_replaced_in_a_portable_history(study):
    study.run(["results/a/raw.tif"], "['/home/me/a.tif']")
    study.run(["results/a/mask.tif"], "'0123'")
    kept = {"results/a/raw.tif": 1, "results/a/mask.tif": 1}
    found = portable(kept, {"0123": "4567"}, {"/home/me/": "inputs/"})
    params = [entry["record"]["params"] for entry in found.values()]
    assert params == [["'4567'"], ["['inputs/a.tif']"]]
    assert portable({}) == {}
