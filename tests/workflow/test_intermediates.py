"""`keep_intermediates: false` removes the images between raw stack and labels, and nothing else."""

import shutil

import pytest
from study import Study, jobs, write_pair

KEPT = {"raw.tif", "segmentation.tif", "ground_truth.tif", "labels.ome.tif"}
TARGETS = (
    *(f"results/{name}" for name in ("objects.csv", "stacks.csv", "scores.csv", "config.yaml")),
    *(f"results/colony/figures/{kind}_planes.png" for kind in ("nuclei", "cells")),
)


def run_study(folder, keep_intermediates):
    study = Study(folder)
    write_pair(study.folder, "colony", shape=(8, 64, 64), count=2)
    study.add("colony", image="colony-nuclei.tif", ground_truth="colony-truth.tif")
    study.add("colony", "membrane", image="colony-membrane.tif")
    study.config["keep_intermediates"] = keep_intermediates
    process = study.run(*TARGETS, cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return study


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    return run_study(tmp_path_factory.mktemp("complete"), True)


@pytest.fixture(scope="module")
def reduced(tmp_path_factory):
    return run_study(tmp_path_factory.mktemp("reduced"), False)


def test_only_raw_stacks_and_labels_are_kept_and_nothing_else_differs(complete, reduced):
    before, after = complete.digest(), reduced.digest()
    images = {path for path in before if path.endswith(".tif")}
    removed = {path for path in images if path.rpartition("/")[2] not in KEPT}
    assert len(removed) >= 15
    assert after.keys() == before.keys() - removed
    assert {path for path in after if after[path] != before[path]} == {"config.yaml"}


def test_later_runs_compute_the_images_that_they_need(reduced, tmp_path):
    study = Study(tmp_path / "copy")
    shutil.copytree(reduced.folder, study.folder)
    study.rows, study.config = reduced.rows, reduced.config.copy()
    assert not jobs(study.run("--dry-run", *TARGETS))
    process = study.run("crops")
    assert process.returncode == 0, process.stderr[-4000:]
    assert jobs(process).keys() == {"crop_objects", "crops"}
    assert list(study.result("colony", "nuclei", "crops").iterdir())
    study.config["smooth_outlines"] = {"method": "none"}
    planned = jobs(study.run("--dry-run", *TARGETS))
    assert {"adjust_contrast", "smooth_outlines", "measure_objects"} <= planned.keys()
