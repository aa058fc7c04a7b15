"""Runs with an estimated diameter: tables, what is repeated, and labels as with a given one."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from study import ROOT, SPACING, Study, environment, jobs, write_pair

from cellstack.files.stacks import read_stack, write_stack

FIGURE = "results/colony/figures/nuclei_diameter.png"
TARGETS = ("results/stacks.csv", "results/config.yaml", FIGURE)


def new_study(folder):
    study = Study(folder)
    write_pair(study.folder, "colony")
    noise = np.random.Generator(np.random.PCG64(1)).poisson(20, (8, 64, 64)).astype(np.uint16)
    write_stack(study.folder / "empty.tif", noise, SPACING)
    study.config["diameter_um"] = {"nuclei": "auto"}
    study.add("colony", image="colony-nuclei.tif")
    study.add("colony", "membrane", image="colony-membrane.tif", diameter_um="auto")
    study.add("empty", image="empty.tif")
    return study


def diameter_file(study):
    return study.result("colony", "nuclei", "diameter.json")


def read_diameter(study):
    return json.loads(diameter_file(study).read_text())["diameter_um"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    study = new_study(tmp_path_factory.mktemp("auto"))
    process = study.run(*TARGETS, cores=1)
    assert process.returncode == 0, process.stderr[-4000:]
    return study


def test_tables_report_the_diameter_of_each_stack(finished):
    table = pd.read_csv(finished.result("stacks.csv")).set_index(["stack", "object"])
    estimate = read_diameter(finished)
    assert estimate == pytest.approx(8, rel=0.2)
    columns = ["diameter_um", "diameter_source", "status"]
    rows = [tuple(table.loc[key, columns]) for key in table.index]
    assert rows[0] == (estimate, "estimated", "ok")
    assert rows[1] == (pytest.approx(1.4 * estimate), "from nuclei", "ok")
    assert rows[2][1:] == ("fallback", "no objects")
    assert finished.result("colony", "cells", "diameter.json").exists()
    assert "estimated" in finished.log("colony", "channels", "nuclei", "denoise.log").read_text()
    resolved = yaml.safe_load(finished.result("config.yaml").read_text())["resolved"]
    sigma_um = resolved[0]["stages"]["denoise"]["options"]["sigma_um"]
    assert sigma_um == pytest.approx(0.075 * estimate, rel=1e-5)
    with Image.open(finished.folder / FIGURE) as figure:
        assert figure.width > 900


def test_a_second_run_does_nothing_and_all_includes_the_figures(finished):
    assert jobs(finished.run("-n", *TARGETS)) == {}
    assert jobs(finished.run("-n"))["plot_diameter"] == 1  # that of the empty stack


def test_only_what_depends_on_the_estimate_is_repeated(finished):
    file = diameter_file(finished)
    before = file.read_bytes()
    file.write_text(json.dumps(json.loads(before) | {"diameter_um": 9.5}))
    names = jobs(finished.run("-n", *TARGETS, "--rerun-triggers", "mtime")).keys()
    file.write_bytes(before)
    assert {"denoise", "binarize", "select_objects", "derive_diameter"} <= names
    assert {"enhance_membrane", "plot_diameter", "write_config"} <= names
    assert not {"import_stack", "adjust_contrast", "estimate_diameter"} & names


def test_labels_are_the_same_with_two_cores_or_the_estimate_given(finished, tmp_path):
    study = new_study(tmp_path)
    study.add("given", image="colony-nuclei.tif", diameter_um=read_diameter(finished))
    study.add("given", "membrane", image="colony-membrane.tif")
    places = ("colony/nuclei", "given/nuclei", "given/cells")
    process = study.run(*(f"results/{place}/segmentation.tif" for place in places), cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    assert jobs(process)["estimate_diameter"] == 1
    assert diameter_file(study).read_bytes() == diameter_file(finished).read_bytes()
    for place in places:
        expected = finished.result(place.replace("given", "colony"), "segmentation.tif")
        assert study.result(place, "segmentation.tif").read_bytes() == expected.read_bytes(), place


def test_a_script_takes_the_diameter_as_a_file_or_a_number(finished, tmp_path):
    channel = finished.result("colony", "channels", "nuclei")
    denoised = tmp_path / "denoised.tif"
    command = [sys.executable, ROOT / "scripts" / "denoise.py"]
    command += ["--contrast", channel / "contrast.tif", "--denoised", denoised]
    command += ["--method", "gaussian", "--options", '{"sigma_um": "0.075 d"}']

    def run_with(*diameter):
        return subprocess.run(
            [*command, *diameter], env=environment(), capture_output=True, text=True
        )

    for diameter in (diameter_file(finished), read_diameter(finished)):
        process = run_with("--diameter", str(diameter))
        assert process.returncode == 0, process.stderr
        assert denoised.read_bytes() == (channel / "denoised.tif").read_bytes()
        denoised.unlink()
    process = run_with()
    assert process.returncode == 1
    assert "give it in um as --diameter" in process.stderr


def test_gallery_and_sweep_use_the_estimate(finished):
    finished.config["sweep"] = "sweep.tsv"
    (finished.folder / "sweep.tsv").write_text(
        "find_seeds.distance_and_blobs.min_distance_um\tdiameter_um.nuclei\n0.6 d\t\n\t9\n"
    )
    segmentation, _ = read_stack(finished.result("colony", "nuclei", "segmentation.tif"))
    write_stack(finished.folder / "ground_truth.tif", segmentation, SPACING)
    finished.rows[0]["ground_truth"] = "ground_truth.tif"
    process = finished.run("results/colony/gallery/seeds.json", "sweep", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    assert "estimate_diameter" not in jobs(process)
    runs = pd.read_csv(finished.result("sweep", "runs.csv"))
    assert len(runs) == 3
    assert runs["same_as"].isna().all()
    log = "colony/channels/nuclei/denoise.log"
    assert not finished.log("sweep", "1", log).exists()
    assert finished.log("sweep", "2", log).exists()


def test_auto_is_refused_for_cells_without_nuclei(tmp_path):
    study = Study(tmp_path)
    write_pair(study.folder, "colony")
    study.add("colony", "membrane", image="colony-membrane.tif", diameter_um="auto")
    study.add("typo", image="colony-nuclei.tif", diameter_um="automatic")
    process = study.run("-n")
    assert process.returncode == 1
    output = process.stdout + process.stderr
    for expected in (
        "row 2: diameter_um 'auto' of cells is derived from nuclei, and the stack has none; "
        "fill in a number of um",
        "row 3.diameter_um: 'automatic' has the wrong format; "
        "give the typical diameter of the object in um, or auto",
    ):
        assert expected in output
