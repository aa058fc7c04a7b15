"""The sweep: what it computes, what it shares, and that a run equals a run with these settings."""

import csv
import json

import pytest
import yaml
from study import Study, jobs, write_pair

from cellstack.files.stacks import read_stack

TABLE = """\
find_seeds.h_maxima.h_um\tbinarize.method\tbinarize.factor\tdiameter_um.nuclei

0.9\t\t\t

0.9\tli\t\t
0.02\tli\t\t
\t\t\t9.5
\tli\t0.7\t
"""  # blank lines are not rows


def write_study(folder, **config):
    study = Study(folder)
    write_pair(study.folder, "colony")
    write_pair(study.folder, "other", seed=4)
    other = {"image": "other-nuclei.tif", "ground_truth": "other-truth.tif"}
    study.add("colony", image="colony-nuclei.tif", ground_truth="colony-truth.tif")
    study.add("other", **other, preset="tuned")
    study.add("external", **other, labels="other-truth.tif")
    study.add("not-scored", image="other-nuclei.tif")
    study.config["presets"] = {"tuned": {"binarize": {"method": "li"}}}
    study.config |= {"find_seeds": {"method": "h_maxima"}} | config
    return study


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    study = write_study(tmp_path_factory.mktemp("sweep"), sweep="sweep.tsv")
    (study.folder / "sweep.tsv").write_text(TABLE, encoding="utf-8")
    study.process = study.run("sweep", cores=2)
    assert study.process.returncode == 0, study.process.stderr[-4000:]
    return study


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_shared_steps_are_computed_once(swept):
    counts = jobs(swept.process)
    # two stacks, as configured in run 0
    assert counts["import_stack"] == counts["import_ground_truth"] == 2
    assert counts["adjust_contrast"] == 2
    # again with the other diameter of run 4
    assert counts["denoise"] == 2 + 2
    # Runs 2 and 3 share a mask. The preset of the stack `other` has this method already in run 0.
    # In runs 4 and 5 both stacks have a new mask.
    masks = 2 + 1 + 2 + 2
    assert counts["binarize"] == counts["clean_mask"] == counts["label_components"] == masks
    # six runs of one stack; of the other one, run 2 is the same as run 1
    assert counts["find_seeds"] == counts["split_objects"] == counts["evaluate_labels"] == 6 + 5
    assert "Nothing to be done" in swept.run("sweep").stderr


def test_a_run_has_only_files_that_no_earlier_run_has(swept):
    files = {path.name for path in swept.result("sweep", "3", "colony").rglob("*.tif")}
    assert {"seeds.tif", "segmentation.tif"} <= files
    assert not files & {"raw.tif", "denoised.tif", "mask.tif"}
    assert not swept.result("sweep", "2", "other").exists()
    assert swept.log("sweep", "3", "colony", "nuclei", "find_seeds.log").exists()


def test_tables_preset_and_plot(swept):
    runs = read_csv(swept.result("sweep", "runs.csv"))
    assert [row["run"] for row in runs] == list("012345")
    assert sorted(row["rank"] for row in runs) == list("123456")
    assert {row["same_as"] for row in runs} == {""}
    assert [row["find_seeds.h_maxima.h_um"] for row in runs] == ["", "0.9", "0.9", "0.02", "", ""]
    scores = read_csv(swept.result("sweep", "scores.csv"))
    assert [(row["run"], row["stack"]) for row in scores] == [
        (run, stack) for run in "012345" for stack in ("colony", "other")
    ]
    best = next(row for row in runs if row["rank"] == "1")
    assert float(best["f1"]) == max(float(row["f1"]) for row in runs)
    assert "best" in yaml.safe_load(swept.result("sweep", "best.yaml").read_text())["presets"]
    assert swept.result("sweep", "sweep.png").stat().st_size > 5000


def test_a_run_equals_a_configuration_with_its_settings(swept, tmp_path):
    single = write_study(tmp_path, binarize={"method": "li", "factor": 0.7})
    process = single.run("results/colony/scores.json", "results/other/scores.json", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    ours, theirs = swept.digest(), single.digest()
    for stack in ("colony", "other"):
        for name in ("mask.tif", "seeds.tif", "segmentation.tif"):
            file = f"{stack}/nuclei/{name}"
            assert ours[f"sweep/5/{file}"] == theirs[file]
        scores = (ours[f"sweep/5/{stack}/scores.json"], theirs[f"{stack}/scores.json"])
        assert json.loads(scores[0])["objects"] == json.loads(scores[1])["objects"]


def test_the_settings_of_a_run_take_effect(swept):
    """The same threshold times 0.7 has more foreground, whatever the last bits of the image."""
    for stack, same_method in (("colony", "sweep/2/colony"), ("other", "other")):
        smaller, _ = read_stack(swept.result(same_method, "nuclei", "mask.tif"))
        larger, _ = read_stack(swept.result("sweep", "5", stack, "nuclei", "mask.tif"))
        assert larger[smaller > 0].all()
        assert larger.sum() > smaller.sum()


def test_a_changed_row_repeats_only_that_run(swept):
    table = swept.folder / "sweep.tsv"
    table.write_text(TABLE.replace("0.02\tli", "0.03\tli"), encoding="utf-8")
    counts = jobs(swept.run("sweep", "--dry-run"))
    table.write_text(TABLE, encoding="utf-8")
    assert counts["find_seeds"] == counts["split_objects"] == counts["evaluate_labels"] == 2
    assert not counts.keys() & {"import_stack", "denoise", "binarize", "import_ground_truth"}


def test_the_best_preset_can_be_added_to_the_configuration(swept):
    best = swept.result("sweep", "best.yaml")
    process = swept.run("--configfile", swept.folder / "config.yaml", best, "--dry-run")
    assert process.returncode == 0, process.stderr[-2000:]


def test_errors_in_the_table_are_reported_before_any_job(tmp_path):
    study = write_study(tmp_path, sweep="sweep.tsv")
    table = "find_seeds.h_maxima.h_um\tbinarize.metod\n-1\tli\n"
    (tmp_path / "sweep.tsv").write_text(table, encoding="utf-8")
    process = study.run("sweep")
    assert process.returncode != 0
    assert jobs(process) == {}
    assert "Traceback" not in process.stderr
    for expected in (
        "2 errors in the configuration or the sheet:",
        "sweep.tsv row 1.find_seeds.h_maxima.h_um: -1 has the wrong format or is out of range",
        "sweep.tsv: column 'binarize.metod' is not a key of the configuration; "
        "did you mean 'binarize.method'?",
    ):
        assert expected in process.stderr


def test_a_sweep_needs_a_table_and_a_ground_truth(tmp_path):
    study = write_study(tmp_path)
    process = study.run("sweep", "--dry-run")
    assert process.returncode != 0
    assert "config.sweep is missing; name a table of settings" in process.stderr + process.stdout
    study.config["sweep"] = "sweep.tsv"
    (tmp_path / "sweep.tsv").write_text("binarize.factor\n0.9\n", encoding="utf-8")
    study.rows = [row for row in study.rows if row["stack"] in ("not-scored", "external")]
    process = study.run("sweep", "--dry-run")
    assert process.returncode != 0
    advice = "no row to sweep; fill in the column `ground_truth` of stacks without `labels`"
    assert advice in process.stderr + process.stdout
