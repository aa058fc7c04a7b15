"""The workflow on real microscopy data; skipped where these stacks are not available."""

import csv
import json

import cc3d
import numpy as np
import pytest
from study import Study

from cellstack.files.stacks import read_stack

SCORED = ("tutorial", "embryo8", "ovule", "walls")
WITH_FIGURES = ("tutorial", "mitotic")


def um(z, y, x):
    return {"z_um": z, "y_um": y, "x_um": x}


@pytest.fixture(scope="module")
def study(data, tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("real"))
    study.add(
        "tutorial",
        image=data / "tutorial" / "nuclei.tif",
        ground_truth=data / "tutorial" / "nuclei_reference_labels.tif",
        diameter_um=12,
    )
    study.add("tutorial", "membrane", image=data / "tutorial" / "membrane.tif")
    study.add(
        "embryo8",
        image=data / "embryo8" / "nuclei.tif",
        ground_truth=data / "embryo8" / "nuclei_truth.tif",
        diameter_um=17,
        **um(1.75, 0.8, 0.8),
    )
    study.add(
        "ovule",
        image=data / "ovule" / "nuclei.tif",
        ground_truth=data / "ovule" / "nuclei_truth.tif",
        diameter_um=3.2,
    )
    study.add(
        "walls",
        "membrane",
        image=data / "membrane" / "membrane.tif",
        ground_truth=data / "membrane" / "cells_truth.tif",
        diameter_um=4,
        **um(0.235, 0.15, 0.15),
    )
    mitotic = data / "mitotic" / "nucleus.tif"
    study.add("mitotic", image=mitotic, diameter_um=12, **um(0.29, 0.26, 0.26))
    study.add("planes", image=data / "planes" / "ch0", diameter_um=15, **um(5, 2, 2))
    metadata = data / "metadata"
    study.add("dna", image=metadata / "dna_zcyx.tif", channel_index=1, diameter_um=20)
    study.add("no-spacing", image=metadata / "imagej_no_spacing.tif", diameter_um=10)
    study.add("xy-spacing", image=metadata / "imagej_xy_spacing_only.tif", diameter_um=10)
    stacks = dict.fromkeys(row["stack"] for row in study.rows if row["channel"] == "nuclei")
    targets = [f"results/{stack}/nuclei/summary.csv" for stack in stacks]
    targets += [f"results/{stack}/scores.json" for stack in SCORED]
    targets += [f"results/{stack}/figures/nuclei_segmentation.png" for stack in WITH_FIGURES]
    targets += ["results/tutorial/cells/segmentation.tif"]
    study.process = study.run(*targets, cores=2)
    return study


def read_summary(study, stack):
    with study.result(stack, "nuclei", "summary.csv").open(newline="") as file:
        return next(csv.DictReader(file))


def read_segmentation(study, stack, kind):
    return read_stack(study.result(stack, kind, "segmentation.tif"))[0]


def f1(study, stack, kind="nuclei"):
    scores = json.loads(study.result(stack, "scores.json").read_text())
    return scores["objects"][kind]["summary"]["f1"]


@pytest.mark.parametrize("stack", ["tutorial", "embryo8", "ovule", "mitotic", "planes", "dna"])
def test_objects_are_found(study, stack):
    assert int(read_summary(study, stack)["count_found"]) > 0


@pytest.mark.parametrize("stack", WITH_FIGURES)
def test_figures_are_drawn(study, stack):
    figure = study.result(stack, "figures", "nuclei_segmentation.png")
    assert figure.stat().st_size > 10_000


def test_tutorial(study):
    summary = read_summary(study, "tutorial")
    assert 20 <= int(summary["count_found"]) <= 24
    # 12 of the 22 nuclei of the reference do not touch a lateral face
    assert 10 <= int(summary["count_measured"]) <= 13
    with study.result("tutorial", "nuclei", "objects.csv").open(newline="") as file:
        assert float(next(csv.DictReader(file))["mean_intensity_membrane"]) > 0
    assert f1(study, "tutorial") >= 0.95


def test_cells_of_the_tutorial_fill_the_colony_and_contain_one_nucleus_each(study):
    nuclei, cells = (read_segmentation(study, "tutorial", kind) for kind in ("nuclei", "cells"))
    np.testing.assert_array_equal(cells[nuclei > 0], nuclei[nuclei > 0])
    background = cc3d.connected_components((cells == 0).astype(np.uint8), connectivity=26)
    assert background.max() == 1  # no gap within the colony
    # spaces between cells, small and not convex, have no nucleus and are not cells
    assert (cells[13:20] == 0).mean() < 0.07
    assert not cells[:8].any()
    # below the colony there is only the light of the mitotic nucleus, and its cell
    below = np.unique(cells[28:])
    assert set(below) <= {0, *np.unique(nuclei[28:])}
    assert (cells[28:] > 0).mean() < 0.05


def test_cells_without_nuclei(study):
    assert f1(study, "walls", "cells") >= 0.82


@pytest.mark.parametrize(("stack", "min_f1"), [("embryo8", 0.93), ("ovule", 0.83)])
def test_scores_do_not_decrease(study, stack, min_f1):
    assert f1(study, stack) >= min_f1


def test_the_voxel_size_comes_from_the_file_or_the_sheet(study):
    def spacing(stack):
        return read_stack(study.result(stack, "nuclei", "segmentation.tif"))[1]

    assert spacing("tutorial") == pytest.approx((0.58, 0.521875, 0.521875), rel=1e-5)
    assert spacing("dna") == pytest.approx((0.4994, 0.5119, 0.5119), rel=1e-3)
    assert spacing("planes") == (5, 2, 2)
    record = json.loads(study.result("dna", "channels", "nuclei", "import.json").read_text())
    assert record["spacing"]["z"]["source"] == "ImageJ spacing"


@pytest.mark.parametrize(("stack", "axes"), [("no-spacing", "zyx"), ("xy-spacing", "z")])
def test_an_unknown_voxel_size_is_an_error_with_advice(study, stack, axes):
    assert study.process.returncode != 0
    start = f"import_stack {stack} nuclei: "
    lines = study.process.stderr.splitlines()
    message = next(line for line in lines if line.startswith(start))
    assert all(f"{axis}_um" in message for axis in axes)
    assert "sheet" in message
    assert not study.result(stack, "channels", "nuclei", "raw.tif").exists()
