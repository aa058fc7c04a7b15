"""The preset `tutorial` against the same steps in plain scikit-image, voxel by voxel."""

import importlib.util

import numpy as np
import pytest
import tifffile
from conftest import ROOT
from skimage import exposure, filters, restoration
from study import Study

from cellstack import io, whole_files
from cellstack.simulate_stack import simulate_stack

SPACING = (0.29, 0.26, 0.26)  # the tutorial's, for which the numbers of the preset were made
SHAPE = (60, 128, 160)
CLOSE = 1e-5  # Li's threshold is found on a histogram of 65,536 bins


@pytest.fixture(scope="module")
def plain():
    spec = importlib.util.spec_from_file_location("plain_tutorial", ROOT / "benchmarks" / "plain_tutorial.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=["simulated", "real"])
def study(request, tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("tutorial"))
    if request.param == "simulated":
        stack = simulate_stack(SHAPE, SPACING, diameter_um=10, count=14, seed=3).nuclei_image
    else:  # at half the tutorial's resolution: brought to its grid, since the numbers of the steps count voxels
        half = tifffile.imread(request.getfixturevalue("data") / "tutorial" / "nuclei.tif")
        stack = half.repeat(2, 0).repeat(2, 1).repeat(2, 2)[:, : SHAPE[1], : SHAPE[2]]
    io.write_stack(study.folder / "stack.tif", stack, SPACING)
    study.add("stack", image="stack.tif", preset="tutorial", diameter_um=10)
    study.process = study.run("results/stacks.csv", "results/stack/nuclei/clean.tif", cores=2)
    assert study.process.returncode == 0, study.process.stderr[-4000:]
    study.stack = stack
    return study


def written(study, name):
    return io.read_stack(study.result("stack", "nuclei", name))[0]


def test_the_mask_is_that_of_plain_scikit_image(study):
    low, high = np.percentile(study.stack, (0.5, 99.5))
    contrast = exposure.rescale_intensity(study.stack, in_range=(low, high), out_range=np.float32)
    np.testing.assert_array_equal(written(study, "contrast.tif"), contrast)
    denoised = np.stack([restoration.denoise_bilateral(plane) for plane in contrast])
    np.testing.assert_array_equal(written(study, "denoised.tif"), denoised)
    threshold = 0.9 * filters.threshold_li(denoised)
    assert whole_files.read_json(study.result("stack", "nuclei", "threshold.json"))["threshold"] == pytest.approx(threshold, abs=CLOSE)
    differ = written(study, "mask.tif") != (denoised >= threshold)
    assert np.all(np.abs(denoised[differ] - threshold) <= CLOSE)
    assert differ.mean() < 1e-4


def test_the_labels_are_those_of_plain_scikit_image(study, plain):
    segmented, split = plain.segment(study.stack, "intensity"), written(study, "split.tif")
    overlap = np.zeros((segmented.max() + 1, split.max() + 1), int)
    np.add.at(overlap, (segmented, split), 1)
    partner = overlap.argmax(axis=1)
    assert overlap.shape[0] == overlap.shape[1]
    assert sorted(partner) == list(range(len(partner)))
    # voxels close to the threshold, and what they change of the distances
    assert segmented.size - overlap.max(axis=1).sum() <= 10


def test_the_selection_is_that_of_plain_scikit_image(study, plain):
    split = written(study, "split.tif").astype(int)
    np.testing.assert_array_equal(written(study, "labels.ome.tif"), plain.clear_sides(split))
