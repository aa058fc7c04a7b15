"""The presets of the tutorial give the same results as its steps in scikit-image."""

import importlib.util

import numpy as np
import pytest
import tifffile
import yaml
from skimage import exposure, filters, morphology, restoration
from study import ROOT, Study

from cellstack.files.records import read_json
from cellstack.files.stacks import read_stack, write_stack
from cellstack.prepare.simulate_stack import simulate_stack
from cellstack.segment.clean_mask import clean_mask

SPACING = (0.29, 0.26, 0.26)  # of the tutorial
PRESETS = {"lecture": "tutorial", "solution": "tutorial-solution"}
FACTORS = {"lecture": 1.0, "solution": 0.9}  # of Li's threshold
MAX_SIZES = {"lecture": 7999, "solution": 7172}  # voxels removed
SHAPE = (60, 128, 160)
THRESHOLD_TOLERANCE = 1e-5  # Li's threshold is computed from a histogram of 65,536 bins


@pytest.fixture(scope="module")
def plain():
    path = ROOT / "benchmarks" / "plain_tutorial.py"
    spec = importlib.util.spec_from_file_location("plain_tutorial", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def simulated_stack():
    return simulate_stack(SHAPE, SPACING, diameter_um=10, count=14, seed=3).nuclei_image


def real_stack(data):
    """Read the stack of the tutorial; it is stored at half the resolution, so voxels are repeated.

    The sizes in the preset are meant for the number of voxels at full resolution.
    """
    half = tifffile.imread(data / "tutorial" / "nuclei.tif")
    return half.repeat(2, 0).repeat(2, 1).repeat(2, 2)[:, : SHAPE[1], : SHAPE[2]]


@pytest.fixture(scope="module", params=["simulated", "real"])
def study(request, tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("tutorial"))
    if request.param == "simulated":
        study.stack = simulated_stack()
    else:
        study.stack = real_stack(request.getfixturevalue("data"))
    write_stack(study.folder / "stack.tif", study.stack, SPACING)
    for name, preset in PRESETS.items():
        study.add(name, image="stack.tif", preset=preset, diameter_um=10)
    masks = [f"results/{name}/nuclei/mask_clean.tif" for name in PRESETS]
    process = study.run("results/stacks.csv", *masks, cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return study


@pytest.fixture(params=list(PRESETS))
def name(request):
    return request.param


def read_result(study, *parts):
    return read_stack(study.result(*parts))[0]


def test_the_mask_equals_that_of_scikit_image(study, name):
    low, high = np.percentile(study.stack, (0.5, 99.5))
    contrast = exposure.rescale_intensity(study.stack, in_range=(low, high), out_range=np.float32)
    written = read_result(study, name, "channels", "nuclei", "contrast.tif")
    np.testing.assert_array_equal(written, contrast)
    # in float64, because its exponentials in float32 differ between processors
    planes = [restoration.denoise_bilateral(plane) for plane in contrast.astype(np.float64)]
    denoised = np.stack(planes).astype(np.float32)
    written = read_result(study, name, "channels", "nuclei", "denoised.tif")
    np.testing.assert_allclose(written, denoised, rtol=1e-6)
    threshold = FACTORS[name] * filters.threshold_li(denoised)
    record = read_json(study.result(name, "nuclei", "threshold.json"))
    assert record["threshold"] == pytest.approx(threshold, abs=THRESHOLD_TOLERANCE)
    mask = read_result(study, name, "nuclei", "mask.tif")
    differ = mask != (denoised >= threshold)
    assert np.all(np.abs(denoised[differ] - threshold) <= THRESHOLD_TOLERANCE)
    assert differ.mean() < 1e-4
    filled = morphology.remove_small_holes(mask > 0, max_size=MAX_SIZES[name])
    cleaned = morphology.remove_small_objects(filled, max_size=MAX_SIZES[name])
    np.testing.assert_array_equal(read_result(study, name, "nuclei", "mask_clean.tif"), cleaned)


def test_the_segmentation_equals_that_of_scikit_image(study, name, plain):
    expected = plain.segment(study.stack, solution=name == "solution")
    segmentation = read_result(study, name, "nuclei", "segmentation.tif")
    overlap = np.zeros((expected.max() + 1, segmentation.max() + 1), int)
    np.add.at(overlap, (expected, segmentation), 1)
    partner = overlap.argmax(axis=1)
    assert overlap.shape[0] == overlap.shape[1]
    assert sorted(partner) == list(range(len(partner)))
    # a few voxels differ, since the mask differs in voxels close to the threshold
    assert expected.size - overlap.max(axis=1).sum() <= 10


def test_the_selection_equals_that_of_scikit_image(study, name, plain):
    segmentation = read_result(study, name, "nuclei", "segmentation.tif").astype(int)
    labels = read_result(study, name, "nuclei", "labels.ome.tif")
    np.testing.assert_array_equal(labels, plain.clear_faces(segmentation))


@pytest.mark.parametrize("removed", [7000, 7172, 7173, 7999, 8000])
def test_sizes_are_the_voxels_of_the_tutorial(removed):
    presets = yaml.safe_load((ROOT / "config" / "presets.yaml").read_text())
    mask = np.zeros((25, 25, 25), np.uint8)
    mask.ravel()[:removed] = 1
    for name, preset in PRESETS.items():
        options = presets[preset]["clean_mask"]["remove_small_objects"]
        kept = clean_mask(mask, SPACING, [("remove_small_objects", options)]).any()
        assert kept == (removed > MAX_SIZES[name])
