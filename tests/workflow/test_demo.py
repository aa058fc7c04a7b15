"""The demo: simulated stacks at both spacing ratios, with nothing set but the diameter."""

import csv

import pytest
import yaml
from study import ROOT, Study


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("demo"))
    study.config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text()) | {"stacks": str(ROOT / "config" / "stacks.tsv")}
    study.process = study.run("results/scores.csv", "results/stacks.csv", cores=2)
    assert study.process.returncode == 0, study.process.stderr[-4000:]
    return study


def test_only_the_diameter_is_set():
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    assert set(config) == {"stacks", "diameter_um", "simulate_stack"}


def at_half_overlap(study, stack):
    """Give the scores at an IoU of 0.5 by kind of object."""
    with study.result("scores.csv").open(newline="") as file:
        return {row["object"]: row for row in csv.DictReader(file) if row["stack"] == stack and row["iou_threshold"] == "0.5"}


@pytest.mark.parametrize(("ratio", "floor"), [(1, 0.95), (4, 0.97)])
def test_f1_at_half_overlap(demo, ratio, floor):
    scores = at_half_overlap(demo, f"simulated-ratio{ratio}")
    assert float(scores["nuclei"]["f1"]) >= floor  # of 34 nuclei, and of 100
    assert float(scores["cells"]["f1"]) >= floor


def test_ratio_8(tmp_path):
    study = Study(tmp_path)
    study.config["simulate_stack"] = {"ratio8": {"shape": [24, 192, 192], "spacing": [2.08, 0.26, 0.26], "nuclei_count": 40, "seed": 5}}
    study.config["diameter_um"] = {"nuclei": 10}
    folder = "resources/simulated/ratio8"
    study.add("ratio8", image=f"{folder}/image.ome.tif", index="nuclei", truth=f"{folder}/nuclei.ome.tif")
    study.add("ratio8", "membrane", image=f"{folder}/image.ome.tif", index="membrane", truth=f"{folder}/cells.ome.tif")
    study.add("alone", "membrane", image=f"{folder}/image.ome.tif", index="membrane", truth=f"{folder}/cells.ome.tif", diameter_um=14)
    process = study.run("results/scores.csv", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    scores = at_half_overlap(study, "ratio8")
    assert float(scores["nuclei"]["f1"]) >= 0.95
    assert float(scores["cells"]["f1"]) >= 0.95  # a nucleus that is missed or joined to another costs a cell of 40
    alone = at_half_overlap(study, "alone")["cells"]
    assert float(alone["recall"]) >= 0.75
