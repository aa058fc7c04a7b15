"""The sweep: what it computes, what it shares, and that a run of it is what a run with these settings would be."""

import csv

import pytest
import yaml
from study import Study, jobs, write_pair

TABLE = """\
find_seeds.h_maxima.h_um\tbinarize.method\tdiameter_um.nuclei

0.9\t\t

0.9\tli\t
0.02\tli\t
\t\t9.5
"""  # blank lines are no rows


def write_study(folder, **config):
    study = Study(folder)
    write_pair(study.folder, "colony")
    write_pair(study.folder, "other", seed=4)
    study.add("colony", image="colony-nuclei.tif", truth="colony-truth.tif")
    study.add("other", image="other-nuclei.tif", truth="other-truth.tif", preset="tuned")
    study.add("brought", image="other-nuclei.tif", truth="other-truth.tif", labels="other-truth.tif")
    study.add("plain", image="other-nuclei.tif")
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


def test_shared_steps_are_computed_once(swept):
    counts = jobs(swept.process)
    assert counts["import_stack"] == counts["denoise"] == counts["split_objects"] == 2  # run 0 of the two stacks
    # with another diameter, in run 4, all that depends on it is made anew for both stacks
    assert counts["sweep_denoise"] == 2
    # runs 2 and 3 share a mask; of stack `other`, whose preset has that method, it is the one of run 0
    assert counts["sweep_binarize"] == counts["sweep_clean_mask"] == counts["sweep_label_components"] == 1 + 2
    # four runs of one stack; in the other run 2 is run 1
    assert counts["sweep_find_seeds"] == counts["sweep_split_objects"] == counts["sweep_evaluate_labels"] == 4 + 3
    assert "Nothing to be done" in swept.run("sweep").stderr


def test_tables_preset_and_plot(swept):
    with swept.result("sweep", "runs.csv").open(newline="", encoding="utf-8") as file:
        runs = list(csv.DictReader(file))
    assert [row["run"] for row in runs] == list("01234")
    assert sorted(row["rank"] for row in runs) == list("12345")
    assert {row["same_as"] for row in runs} == {""}
    assert [row["find_seeds.h_maxima.h_um"] for row in runs] == ["", "0.9", "0.9", "0.02", ""]
    with swept.result("sweep", "scores.csv").open(newline="", encoding="utf-8") as file:
        scores = list(csv.DictReader(file))
    assert [(row["run"], row["stack"]) for row in scores] == [(run, stack) for run in "01234" for stack in ("colony", "other")]
    best = next(row for row in runs if row["rank"] == "1")
    assert float(best["f1"]) == max(float(row["f1"]) for row in runs)
    assert "best" in yaml.safe_load(swept.result("sweep", "best.yaml").read_text())["presets"]
    assert swept.result("sweep", "sweep.png").stat().st_size > 5000


def test_a_run_is_what_its_settings_make(swept, tmp_path):
    alone = write_study(tmp_path, binarize={"method": "li"}, find_seeds={"method": "h_maxima", "h_maxima": {"h_um": 0.02}})
    process = alone.run("results/colony/scores.json", "results/other/scores.json", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    ours, theirs = swept.digest(), alone.digest()
    for stack in ("colony", "other"):
        for name in ("nuclei/seeds.tif", "nuclei/split.tif", "scores.json"):
            assert ours[f"sweep/3/{stack}/{name}"] == theirs[f"{stack}/{name}"]
        assert ours[f"sweep/3/{stack}/nuclei/split.tif"] != ours[f"{stack}/nuclei/split.tif"]


def test_a_changed_row_reruns_that_row_alone(swept):
    table = swept.folder / "sweep.tsv"
    table.write_text(TABLE.replace("0.02\tli", "0.03\tli"), encoding="utf-8")
    counts = jobs(swept.run("sweep", "--dry-run"))
    table.write_text(TABLE, encoding="utf-8")
    assert counts["sweep_find_seeds"] == counts["sweep_split_objects"] == counts["sweep_evaluate_labels"] == 2
    assert not counts.keys() & {"import_stack", "binarize", "sweep_binarize", "evaluate_labels"}


def test_the_best_preset_can_be_given_beside_the_configuration(swept):
    best = swept.result("sweep", "best.yaml")
    process = swept.run("--configfile", swept.folder / "config.yaml", best, "--dry-run")
    assert process.returncode == 0, process.stderr[-2000:]


def test_faults_of_the_table_stop_all(tmp_path):
    study = write_study(tmp_path, sweep="sweep.tsv")
    (tmp_path / "sweep.tsv").write_text("find_seeds.h_maxima.h_um\tbinarize.metod\n-1\tli\n", encoding="utf-8")
    process = study.run("sweep")
    assert process.returncode != 0
    assert jobs(process) == {}
    assert "Traceback" not in process.stderr
    assert "sweep.tsv row 1.find_seeds.h_maxima.h_um: -1 is not of the right form or range; give a length in um" in process.stderr
    assert "sweep.tsv: column 'binarize.metod' is no key of the configuration; did you mean 'binarize.method'?" in process.stderr


def test_a_sweep_needs_a_table_and_a_truth(tmp_path):
    study = write_study(tmp_path)
    process = study.run("sweep", "--dry-run")
    assert process.returncode != 0
    assert "config.sweep is missing; name a table of settings to try" in process.stderr + process.stdout
    study.config["sweep"] = "sweep.tsv"
    (tmp_path / "sweep.tsv").write_text("binarize.factor\n0.9\n", encoding="utf-8")
    study.rows = [row for row in study.rows if row["stack"] in ("plain", "brought")]
    process = study.run("sweep", "--dry-run")
    assert "no row to sweep; fill in the column `truth` of stacks without `labels`" in process.stderr + process.stdout
