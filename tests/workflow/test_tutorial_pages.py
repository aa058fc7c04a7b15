"""The pages of the tutorial: their configurations give the steps of the lecture in scikit-image."""

import numpy as np
import pandas as pd
import pytest
from skimage import measure, segmentation
from study import ROOT
from test_documents import load_script

from cellstack.evaluate.evaluate_labels import evaluate_labels
from cellstack.files.stacks import read_stack, write_labels, write_stack
from cellstack.prepare.simulate_stack import simulate_stack

pytestmark = pytest.mark.slow
PICTURES = load_script(ROOT / "docs" / "make_pictures.py")
SPACING = (0.29, 0.26, 0.26)  # that of the lecture, for which its sizes are meant


@pytest.fixture(scope="module")
def lecture(tmp_path_factory):
    """Run the chain of the lecture, and return its results and the steps in plain scikit-image."""
    folder = tmp_path_factory.mktemp("lecture")
    stack = simulate_stack((36, 110, 124), SPACING, diameter_um=8, count=9, seed=4, depth_factor=1)
    write_stack(folder / "nuclei.tif", stack.nuclei_image, SPACING)
    write_labels(folder / "truth.tif", stack.nuclei_labels, SPACING)
    example = PICTURES.Example(folder / "nuclei.tif", "", folder / "truth.tif", 8)
    results = PICTURES.run_chain(example, folder, PICTURES.chain_configuration(), "lecture")
    paths = [*results.glob("*/*/*.tif"), *results.glob("nuclei/*.tif")]
    files = {path.stem: np.asarray(read_stack(path)[0]) for path in paths}
    points = pd.read_csv(folder / "seeds" / "lecture.csv").to_numpy()
    return results, files, PICTURES.plain_steps(stack.nuclei_image, SPACING, points)


def test_contrast_and_denoised_stack_are_those_of_the_lecture(lecture):
    _, files, plain = lecture
    np.testing.assert_allclose(files["contrast"], plain["contrast"], atol=1e-5)
    np.testing.assert_allclose(files["denoised"], plain["denoised"], atol=1e-5)


def test_edges_are_those_of_the_lecture_up_to_their_unit(lecture):
    _, files, plain = lecture
    inside = np.s_[2:-2, 2:-2, 2:-2]
    both = np.corrcoef(files["edges"][inside].ravel(), plain["edges"][inside].ravel())
    assert both[0, 1] > 0.99


@pytest.mark.parametrize(("file", "step"), [("mask", "mask"), ("mask_clean", "cleaned")])
def test_masks_are_those_of_the_lecture(lecture, file, step):
    _, files, plain = lecture
    assert 0.05 < plain[step].mean() < 0.9
    assert np.mean((files[file] > 0) != plain[step]) < 2e-4


def test_distances_are_those_of_the_lecture_in_um(lecture):
    _, files, plain = lecture
    same = files["mask_clean"] > 0
    close = np.isclose(files["distance"], plain["distance"], atol=1e-3)
    assert plain["distance"].max() > 2
    assert close[same].mean() > 0.99


def test_objects_are_those_of_the_lecture(lecture):
    _, files, plain = lecture
    # points outside the mask have no object
    labels = segmentation.relabel_sequential(plain["labels"])[0].astype(np.uint16)
    scores = evaluate_labels(labels, files["segmentation"], SPACING)["summary"]
    assert scores["count_ground_truth"] >= 5
    assert scores["f1"] > 0.85


def test_measured_objects_have_the_volumes_of_regionprops(lecture):
    results, files, _ = lecture
    labels = PICTURES.clear_sides(files["segmentation"])
    np.testing.assert_array_equal(labels > 0, files["labels.ome"] > 0)
    table = pd.read_csv(results / "nuclei" / "objects.csv").sort_values("segmentation_label")
    regions = measure.regionprops_table(
        labels, files["raw"], properties=("area", "intensity_mean", "bbox")
    )
    assert len(table) > 2
    np.testing.assert_array_equal(table["volume_voxels"], regions["area"])
    np.testing.assert_allclose(table["mean_intensity_nuclei"], regions["intensity_mean"], rtol=1e-6)
    np.testing.assert_array_equal(table["bbox_min_z"], regions["bbox-0"])
    np.testing.assert_allclose(table["volume_um3"], regions["area"] * np.prod(SPACING), rtol=1e-5)
