"""Relations of intensities in a run, computed again from its images."""

import csv

import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import spearmanr
from skimage.filters import threshold_otsu
from skimage.measure import manders_coloc_coeff, pearson_corr_coeff
from study import Study, jobs, write_pair

from cellstack.files.stacks import read_stack

pytestmark = pytest.mark.slow

GROUPS = ["intensity", "correlation", "background", "shells"]
TABLES = ("results/objects.csv", "results/columns.csv")


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of one stack in which all relations are measured, with a threshold that is given."""
    study = Study(tmp_path_factory.mktemp("relations"))
    write_pair(study.folder, "colony")
    study.add("colony", image="colony-nuclei.tif", labels="colony-truth.tif")
    study.add("colony", "membrane", image="colony-membrane.tif", labels="colony-cells.tif")
    study.config["measure_objects"] = {"columns": GROUPS}
    study.config["measure_relations"] = {
        "background": "local",
        "shells": 3,
        "thresholds": {"membrane": 1200},
    }
    process = study.run(*TABLES)
    assert process.returncode == 0, process.stderr[-4000:]
    study.objects = read(study.result("objects.csv"))
    return study


def images(study, kind):
    """Return the measured labels of a kind of object, both channels and the voxel size."""
    labels, spacing = read_stack(study.result("colony", kind, "labels.ome.tif"))
    channels = [
        read_stack(study.result("colony", "channels", name, "raw.tif"))[0]
        for name in ("nuclei", "membrane")
    ]
    return labels, channels, spacing


@pytest.mark.parametrize("kind", ["nuclei", "cells"])
def test_correlation_and_colocalization(study, kind):
    labels, (first, second), _ = images(study, kind)
    rows = [row for row in study.objects if row["object"] == kind]
    assert len(rows) == labels.max() > 2
    background = float(rows[0]["colocalization_background_nuclei"])
    assert 0 < background < np.median(first[labels == 0])
    assert float(rows[0]["colocalization_threshold_nuclei"]) == pytest.approx(
        threshold_otsu(first), abs=1
    )
    assert {row["colocalization_threshold_membrane"] for row in rows} == {"1200"}
    above = np.maximum(first - background, 0)
    for label, row in enumerate(rows, 1):
        mask = labels == label
        expected = {
            "pearson": pearson_corr_coeff(first.astype(float), second.astype(float), mask)[0],
            "spearman": spearmanr(first[mask], second[mask]).statistic,
            "manders_m1": manders_coloc_coeff(above, second > 1200, mask),
        }
        found = {name: float(row[f"{name}_nuclei_membrane"]) for name in expected}
        assert found == pytest.approx(expected, abs=1e-6)


def test_intensities_above_the_background(study):
    labels, (first, _), spacing = images(study, "nuclei")
    everything, _ = read_stack(study.result("colony", "nuclei", "segmentation.tif"))
    for row in (row for row in study.objects if row["object"] == "nuclei"):
        inside = labels == int(row["label"])
        away = ndimage.distance_transform_edt(~inside, sampling=spacing)
        diameter = float(row["equivalent_diameter_um"])
        around = (everything == 0) & (away > 0.05 * diameter) & (away <= 0.2 * diameter)
        level = np.median(first[around])
        assert float(row["background_intensity_nuclei"]) == level
        height = first[inside].mean() - level
        assert float(row["mean_intensity_above_background_nuclei"]) == pytest.approx(height)
        assert row["nucleus_to_cytoplasm_ratio_nuclei"] == ""


def test_the_ratio_of_nucleus_to_cytoplasm(study):
    ratios = []
    for row in (row for row in study.objects if row["object"] == "cells"):
        if not row["background_intensity_nuclei"] or not row["nucleus_mean_intensity_nuclei"]:
            continue
        level = float(row["background_intensity_nuclei"])
        nucleus, cytoplasm = (
            float(row[f"{part}_mean_intensity_nuclei"]) - level for part in ("nucleus", "cytoplasm")
        )
        expected = nucleus / cytoplasm if min(nucleus, cytoplasm) > 0 else None
        found = row["nucleus_to_cytoplasm_ratio_nuclei"]
        assert (float(found) if found else None) == pytest.approx(expected)
        ratios.append(expected)
    assert any(ratio and ratio > 2 for ratio in ratios)


def test_shells(study):
    _, (first, _), spacing = images(study, "nuclei")
    everything, _ = read_stack(study.result("colony", "nuclei", "segmentation.tif"))
    for row in (row for row in study.objects if row["object"] == "nuclei"):
        own = everything == int(row["segmentation_label"])
        depth = ndimage.distance_transform_edt(own, sampling=spacing)[own]
        parts = np.clip(np.ceil(3 * depth / depth.max() - 1e-4), 1, 3)
        for i in (1, 2, 3):
            volume = np.sum(parts == i) * np.prod(spacing)
            mean = first[own][parts == i].mean()
            assert float(row[f"shell_{i}_volume_um3"]) == pytest.approx(volume)
            assert float(row[f"shell_{i}_mean_intensity_nuclei"]) == pytest.approx(mean)
        # the image is blurred, so the outer shell is darker
        relative = [float(row[f"shell_{i}_relative_intensity_nuclei"]) for i in (1, 2)]
        assert relative[0] < 1 and relative[0] < relative[1]


def test_the_dictionary_has_these_columns(study):
    described = {
        row["column"]: row
        for row in read(study.result("columns.csv"))
        if row["table"] == "objects.csv"
    }
    assert described.keys() == study.objects[0].keys()
    assert "shell_3_volume_um3" in described and "shell_4_volume_um3" not in described
    assert "sphericity" not in described
    text = described["pearson_nuclei_membrane"]["definition"]
    assert "nuclei and membrane" in text and "<" not in text


def test_groups_that_are_not_asked_for_are_not_computed(study, tmp_path):
    other = Study(tmp_path)
    for name in ("nuclei", "truth"):
        (other.folder / f"{name}.tif").write_bytes(
            (study.folder / f"colony-{name}.tif").read_bytes()
        )
    other.add("colony", image="nuclei.tif", labels="truth.tif")
    assert "measure_relations" not in jobs(other.run("-n", *TABLES))
    other.config["measure_objects"] = {"columns": ["shells"]}
    assert jobs(other.run("-n", *TABLES))["measure_relations"] == 1
    other.config["measure_objects"] = {"columns": ["correlation"]}
    other.config["measure_relations"] = {"thresholds": {"nucle": 5, "nuclei": "high"}}
    process = other.run("-n", *TABLES)
    assert process.returncode != 0
    assert "thresholds.nuclei: 'high' is not a number; give a number" in process.stdout
    other.config["measure_relations"] = {"thresholds": {"nucle": 5}}
    errors = other.run("-n", *TABLES).stdout
    assert "has no channel 'nucle'; did you mean 'nuclei'?" in errors
    assert "no stack in stacks.tsv has two channels, which the group correlation needs" in errors
