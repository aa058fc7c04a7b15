"""A run whose diameter is estimated: tables, what runs again, and the same labels as with the number itself."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from study import ROOT, SPACING, Study, environment, jobs, write_pair

from cellstack import io

DIAMETER = "nuclei/diameter.json"
TARGETS = ("results/stacks.csv", "results/config.yaml", "results/colony/figures/nuclei_diameter.png")


def new_study(folder):
    study = Study(folder)
    write_pair(study.folder, "colony")
    noise = np.random.Generator(np.random.PCG64(1)).poisson(20, (8, 64, 64)).astype(np.uint16)
    io.write_stack(study.folder / "empty.tif", noise, SPACING)
    study.config["diameter_um"] = {"nuclei": "auto"}
    study.add("colony", image="colony-nuclei.tif")
    study.add("colony", "membrane", image="colony-membrane.tif", diameter_um="auto")
    study.add("empty", image="empty.tif")
    return study


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    study = new_study(tmp_path_factory.mktemp("auto"))
    process = study.run(*TARGETS, cores=1)
    assert process.returncode == 0, process.stderr[-4000:]
    return study


def test_tables_say_by_what_diameter_each_stack_went(finished):
    table = pd.read_csv(finished.result("stacks.csv")).set_index(["stack", "object"])
    found = json.loads(finished.result("colony", DIAMETER).read_text())["diameter_um"]
    assert found == pytest.approx(8, rel=0.2)
    rows = [tuple(table.loc[key, ["diameter_um", "diameter_source", "status"]]) for key in table.index]
    assert rows[0] == (found, "estimated", "ok")
    assert rows[1] == (pytest.approx(1.4 * found), "from nuclei", "ok")
    assert rows[2][1:] == ("stand-in", "no objects")
    assert "estimated" in (finished.folder / "logs" / "colony" / "nuclei" / "denoise.log").read_text()
    resolved = yaml.safe_load(finished.result("config.yaml").read_text())["resolved"]
    assert resolved[0]["stages"]["denoise"]["options"]["sigma_um"] == pytest.approx(0.06 * found, rel=1e-5)
    with Image.open(finished.result("colony", "figures", "nuclei_diameter.png")) as figure:
        assert figure.width > 900


def test_a_second_run_does_nothing_and_all_asks_for_the_figures(finished):
    assert jobs(finished.run("-n", *TARGETS)) == {}
    assert jobs(finished.run("-n"))["plot_diameter"] == 1  # that of the empty stack


def test_only_what_goes_by_the_estimate_runs_again(finished):
    file = finished.result("colony", DIAMETER)
    before = file.read_bytes()
    file.write_text(json.dumps(json.loads(before) | {"diameter_um": 9.5}))
    names = jobs(finished.run("-n", *TARGETS, "--rerun-triggers", "mtime"))
    file.write_bytes(before)
    assert {"denoise", "binarize", "select_objects", "derive_diameter", "enhance_membrane", "plot_diameter", "write_config"} <= names.keys()
    assert not {"import_stack", "adjust_contrast", "estimate_diameter"} & names.keys()


def test_two_cores_or_the_number_itself_give_the_same_labels(finished, tmp_path):
    study = new_study(tmp_path)
    study.add("given", image="colony-nuclei.tif", diameter_um=json.loads(finished.result("colony", DIAMETER).read_text())["diameter_um"])
    study.add("given", "membrane", image="colony-membrane.tif")
    process = study.run(*(f"results/{place}/split.tif" for place in ("colony/nuclei", "given/nuclei", "given/cells")), cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    assert jobs(process)["estimate_diameter"] == 1
    assert study.result("colony", DIAMETER).read_bytes() == finished.result("colony", DIAMETER).read_bytes()
    for place in ("colony/nuclei", "given/nuclei", "given/cells"):
        expected = finished.result(place.replace("given", "colony"), "split.tif").read_bytes()
        assert study.result(place, "split.tif").read_bytes() == expected, place


def test_a_stage_by_hand_takes_the_file_or_a_number(finished, tmp_path):
    outcome = []
    for diameter in (finished.result("colony", DIAMETER), json.loads(finished.result("colony", DIAMETER).read_text())["diameter_um"], None):
        command = [sys.executable, ROOT / "scripts" / "denoise.py", "--contrast", finished.result("colony", "nuclei", "contrast.tif")]
        command += ["--denoised", tmp_path / "denoised.tif", "--method", "gaussian", "--options", '{"sigma_um": "0.06 d"}']
        command += ["--diameter", str(diameter)] if diameter else []
        process = subprocess.run(command, env=environment(), capture_output=True, text=True)
        outcome.append((process.returncode, (tmp_path / "denoised.tif").read_bytes(), process.stderr))
    same = finished.result("colony", "nuclei", "denoised.tif").read_bytes()
    assert [each[:2] for each in outcome[:2]] == [(0, same), (0, same)]
    assert outcome[2][0] == 1 and "give it in um as --diameter" in outcome[2][2]


def test_gallery_and_sweep_go_by_the_estimate(finished):
    finished.config["sweep"] = "sweep.tsv"
    (finished.folder / "sweep.tsv").write_text("find_seeds.combined.min_distance_um\tdiameter_um.nuclei\n0.6 d\t\n\t9\n")
    io.write_stack(finished.folder / "truth.tif", io.read_stack(finished.result("colony/nuclei/split.tif"))[0], SPACING)
    finished.rows[0]["truth"] = "truth.tif"
    process = finished.run("results/colony/gallery/seeds.json", "sweep", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    assert "estimate_diameter" not in jobs(process)
    runs = pd.read_csv(finished.result("sweep", "runs.csv"))
    assert len(runs) == 3 and runs["same_as"].isna().all()
    log = finished.folder / "logs" / "sweep"
    assert not list(log.glob("1/colony/nuclei/denoise.log")) and list(log.glob("2/colony/nuclei/denoise.log"))


def test_auto_of_cells_without_nuclei_is_refused(tmp_path):
    study = Study(tmp_path)
    write_pair(study.folder, "colony")
    study.add("colony", "membrane", image="colony-membrane.tif", diameter_um="auto")
    study.add("odd", image="colony-nuclei.tif", diameter_um="automatic")
    process = study.run("-n")
    assert process.returncode == 1
    said = process.stdout + process.stderr
    assert "row 1: diameter_um 'auto' of cells goes by nuclei, and the stack has none; fill in a number of um" in said
    assert "row 2.diameter_um: 'automatic' is not of the right form; give the typical diameter of the object in um, or auto" in said
