import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import tifffile
from conftest import ROOT

SPACING = np.array([0.29, 0.26, 0.26])  # the script's
SHAPE = (40, 72, 110)
CENTRES = np.array([(20, 36, 24), (20, 36, 66), (20, 36, 105)])  # the last one is cut by the last column
RADIUS = 15


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """Three bright balls, dimmer outwards so that the watershed has one basin per ball, in noise."""
    distances = [np.sqrt(sum((axis - c) ** 2 for axis, c in zip(np.indices(SHAPE), centre, strict=True))) for centre in CENTRES]
    nearest = np.min(distances, axis=0)
    stack = np.where(nearest <= RADIUS, 4000 - 60 * nearest, 300) + np.random.default_rng(0).normal(0, 20, SHAPE)
    path = tmp_path_factory.mktemp("plain") / "balls.tif"
    tifffile.imwrite(path, stack.astype(np.uint16))
    return path


@pytest.fixture(scope="module")
def results(image):
    return run(image, image.parent / "out")


def run(image, folder, *options):
    subprocess.run([sys.executable, ROOT / "benchmarks/plain_tutorial.py", image, folder, *options], check=True)
    return pd.read_csv(folder / "objects.csv"), tifffile.imread(folder / "segmented.tif"), tifffile.imread(folder / "labels.tif")


def test_objects_within_the_sides_are_measured_in_um(image, results):
    table, _, labels = results
    assert table["label"].tolist() == [1, 2]
    assert "solidity" not in table
    assert np.allclose(table[[f"centroid-{axis}" for axis in range(3)]], CENTRES[:2] * SPACING, atol=0.3)
    volume = 4 / 3 * np.pi * (RADIUS * SPACING).prod()
    assert np.allclose(table["area"], volume, rtol=0.05)
    surface = 4 * np.pi * (RADIUS * SPACING.mean()) ** 2  # within 1 % of the ellipsoid's
    assert (table["surface_area"] / surface).between(1.05, 1.16).all()  # marching cubes on a mask follow its steps
    for label, mean in zip(table["label"], table["intensity_mean"], strict=True):
        assert mean == pytest.approx(tifffile.imread(image)[labels == label].mean())


def test_labels_hold_all_objects_and_those_within_the_sides(results):
    _, segmented, labels = results
    assert segmented.shape == labels.shape == SHAPE
    assert np.unique(segmented).tolist() == [0, 1, 2, 3]
    assert not labels[:, :, -1].any()
    assert np.array_equal(labels > 0, (segmented > 0) & (segmented != segmented[tuple(CENTRES[2])]))


def test_options_add_solidity_and_flood_the_distance(image):
    table, _, _ = run(image, image.parent / "options", "--solidity", "--watershed", "distance")
    assert len(table) == 2
    assert table["solidity"].between(0.9, 1).all()
