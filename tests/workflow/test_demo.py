"""The demo: simulated stacks at two spacing ratios, with only the diameter set.

`make accuracy` has more stacks, with a ratio of 8 among them.
"""

import csv

import pytest
import yaml
from study import ROOT, Study


def demo_configuration():
    return yaml.safe_load((ROOT / "config" / "config.yaml").read_text())


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("demo"))
    config = demo_configuration()
    study.config = config | {"stacks": str(ROOT / config["stacks"])}
    process = study.run("results/scores.csv", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return study


def test_only_the_diameter_is_set():
    assert set(demo_configuration()) == {"stacks", "diameter_um", "simulate_stack"}


def scores_at_half_overlap(study, stack):
    """Return the scores at an IoU of 0.5 by kind of object."""
    with study.result("scores.csv").open(newline="") as file:
        return {
            row["object"]: row
            for row in csv.DictReader(file)
            if row["stack"] == stack and row["iou_threshold"] == "0.5"
        }


@pytest.mark.parametrize(("ratio", "min_f1"), [(1, 0.95), (4, 0.97)])
def test_f1_at_half_overlap(demo, ratio, min_f1):
    scores = scores_at_half_overlap(demo, f"simulated-ratio{ratio}")
    assert float(scores["nuclei"]["f1"]) >= min_f1  # of 34 nuclei, and of 100
    assert float(scores["cells"]["f1"]) >= min_f1
