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


@pytest.mark.parametrize("ratio", [1, 4])
def test_f1_at_half_overlap(demo, ratio):
    with demo.result("scores.csv").open(newline="") as file:
        scores = [row for row in csv.DictReader(file) if row["stack"] == f"simulated-ratio{ratio}" and row["iou_threshold"] == "0.5"]
    assert len(scores) == 1
    assert float(scores[0]["f1"]) >= 0.9


def test_ratio_8(tmp_path):
    study = Study(tmp_path)
    study.config["simulate_stack"] = {"ratio8": {"shape": [24, 192, 192], "spacing": [2.08, 0.26, 0.26], "nuclei_count": 40, "seed": 5}}
    study.config["diameter_um"] = {"nuclei": 10}
    folder = "resources/simulated/ratio8"
    study.add("ratio8", image=f"{folder}/image.ome.tif", index="nuclei", truth=f"{folder}/nuclei.ome.tif")
    process = study.run("results/scores.csv", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    with study.result("scores.csv").open(newline="") as file:
        assert next(float(row["f1"]) for row in csv.DictReader(file) if row["iou_threshold"] == "0.5") >= 0.9
