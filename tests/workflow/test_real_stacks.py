"""The workflow on real microscopy; skipped where the stacks are absent."""

import csv
import json

import cc3d
import numpy as np
import pytest
from study import Study

from cellstack import io


@pytest.fixture(scope="module")
def study(data, tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("real"))
    tutorial, embryo, ovule = data / "tutorial", data / "embryo8", data / "ovule"
    study.add("tutorial", image=tutorial / "nuclei.tif", truth=tutorial / "nuclei_reference_labels.tif", diameter_um=12)
    study.add("tutorial", "membrane", image=tutorial / "membrane.tif")
    um = {"z_um": 1.75, "y_um": 0.8, "x_um": 0.8}
    study.add("embryo8", image=embryo / "nuclei.tif", truth=embryo / "nuclei_truth.tif", diameter_um=17, **um)
    study.add("ovule", image=ovule / "nuclei.tif", truth=ovule / "nuclei_truth.tif", diameter_um=3.2)
    walls = data / "membrane"
    um = {"z_um": 0.235, "y_um": 0.15, "x_um": 0.15}
    study.add("walls", "membrane", image=walls / "membrane.tif", truth=walls / "cells_truth.tif", diameter_um=4, **um)
    study.add("mitotic", image=data / "mitotic" / "nucleus.tif", z_um=0.29, y_um=0.26, x_um=0.26, diameter_um=12)
    study.add("planes", image=data / "planes" / "ch0", z_um=5, y_um=2, x_um=2, diameter_um=15)
    study.add("dna", image=data / "metadata" / "dna_zcyx.tif", index=1, diameter_um=20)
    study.add("no-spacing", image=data / "metadata" / "imagej_no_spacing.tif", diameter_um=10)
    study.add("xy-spacing", image=data / "metadata" / "imagej_xy_spacing_only.tif", diameter_um=10)
    study.process = study.run(cores=2)
    return study


def summary(study, stack):
    with study.result(stack, "nuclei", "summary.csv").open(newline="") as file:
        return next(csv.DictReader(file))


def f1(study, stack, kind="nuclei"):
    return json.loads(study.result(stack, "scores.json").read_text())["objects"][kind]["summary"]["f1"]


@pytest.mark.parametrize("stack", ["tutorial", "embryo8", "ovule", "mitotic", "planes", "dna"])
def test_finishes_with_objects_and_figures(study, stack):
    assert int(summary(study, stack)["count_found"]) > 0
    for figure in ("segmentation", "planes"):
        assert study.result(stack, "figures", f"nuclei_{figure}.png").stat().st_size > 10_000


def test_tutorial(study):
    found = summary(study, "tutorial")
    assert 20 <= int(found["count_found"]) <= 24
    # of the 22 nuclei of the reference, 12 touch no lateral face
    assert 11 <= int(found["count_measured"]) <= 13
    with study.result("tutorial", "nuclei", "objects.csv").open(newline="") as file:
        assert float(next(csv.DictReader(file))["mean_intensity_membrane"]) > 0
    assert f1(study, "tutorial") >= 0.95


def test_cells_of_the_tutorial_tile_the_colony_and_hold_one_nucleus_each(study):
    nuclei, cells = (io.read_stack(study.result("tutorial", kind, "split.tif"))[0] for kind in ("nuclei", "cells"))
    np.testing.assert_array_equal(cells[nuclei > 0], nuclei[nuclei > 0])
    background = cc3d.connected_components((cells == 0).astype(np.uint8), connectivity=6)
    assert background.max() == 1  # no gap within the colony
    assert (cells[13:20] == 0).mean() < 0.02
    assert not cells[:8].any()
    # below the colony lies the light of the mitotic nucleus, and its cell with it
    below = np.unique(cells[28:])
    assert set(below) <= {0, *np.unique(nuclei[28:])}
    assert (cells[28:] > 0).mean() < 0.05


def test_cells_without_nuclei(study):
    assert f1(study, "walls", "cells") >= 0.84


@pytest.mark.parametrize(("stack", "floor"), [("embryo8", 0.93), ("ovule", 0.83)])
def test_scores_do_not_fall(study, stack, floor):
    assert f1(study, stack) >= floor


def test_spacing_comes_from_file_or_sheet(study):
    def spacing(stack):
        return io.read_stack(study.result(stack, "nuclei", "split.tif"))[1]

    assert spacing("tutorial") == pytest.approx((0.58, 0.521875, 0.521875), rel=1e-5)
    assert spacing("dna") == pytest.approx((0.4994, 0.5119, 0.5119), rel=1e-3)
    assert spacing("planes") == (5, 2, 2)
    record = json.loads(study.result("dna", "nuclei", "import.json").read_text())
    assert record["spacing"]["z"]["source"] == "ImageJ spacing"


@pytest.mark.parametrize(("stack", "axes"), [("no-spacing", "zyx"), ("xy-spacing", "z")])
def test_unknown_spacing_stops_the_stack_with_the_cure(study, stack, axes):
    assert study.process.returncode != 0
    said = next(line for line in study.process.stderr.splitlines() if line.startswith(f"import_stack {stack} nuclei: "))
    assert all(f"{axis}_um" in said for axis in axes)
    assert "sheet" in said
    assert not study.result(stack, "nuclei", "raw.tif").exists()
