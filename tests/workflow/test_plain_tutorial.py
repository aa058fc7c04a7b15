"""The plain script of the tutorial that cellstack is compared with."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import tifffile
from study import ROOT

SPACING = np.array([0.29, 0.26, 0.26])  # of the script
SHAPE = (40, 72, 110)
CENTRES = np.array([(20, 36, 24), (20, 36, 66), (20, 36, 105)])  # the last column cuts the last one
RADIUS = 15


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """Three bright balls in noise, dimmer outwards so that the watershed has one basin per ball."""
    grid = np.indices(SHAPE)
    distances = []
    for centre in CENTRES:
        squares = [(axis - c) ** 2 for axis, c in zip(grid, centre, strict=True)]
        distances.append(np.sqrt(sum(squares)))
    nearest = np.min(distances, axis=0)
    noise = np.random.default_rng(0).normal(0, 20, SHAPE)
    stack = np.where(nearest <= RADIUS, 4000 - 60 * nearest, 300) + noise
    path = tmp_path_factory.mktemp("plain") / "balls.tif"
    tifffile.imwrite(path, stack.astype(np.uint16))
    return path


@pytest.fixture(scope="module")
def results(image):
    return run(image, image.parent / "out")


def run(image, folder, *options):
    """Run the script, and return its table and both label images."""
    script = ROOT / "benchmarks" / "plain_tutorial.py"
    subprocess.run([sys.executable, script, image, folder, *options], check=True)
    table = pd.read_csv(folder / "objects.csv")
    return table, tifffile.imread(folder / "segmented.tif"), tifffile.imread(folder / "labels.tif")


def test_objects_that_touch_no_face_are_measured_in_um(image, results):
    table, _, labels = results
    assert table["label"].tolist() == [1, 2]
    assert "solidity" not in table
    centroids = table[[f"centroid-{axis}" for axis in range(3)]]
    assert np.allclose(centroids, CENTRES[:2] * SPACING, atol=0.3)
    volume = 4 / 3 * np.pi * (RADIUS * SPACING).prod()
    assert np.allclose(table["area"], volume, rtol=0.05)
    surface = 4 * np.pi * (RADIUS * SPACING.mean()) ** 2  # within 1 % of that of the ellipsoid
    # marching cubes on a mask overestimates the surface, because it follows the voxels
    assert (table["surface_area"] / surface).between(1.05, 1.16).all()
    stack = tifffile.imread(image)
    for label, mean in zip(table["label"], table["intensity_mean"], strict=True):
        assert mean == pytest.approx(stack[labels == label].mean())


def test_labels_contain_all_segmented_objects_but_those_at_faces(results):
    _, segmented, labels = results
    assert segmented.shape == labels.shape == SHAPE
    assert np.unique(segmented).tolist() == [0, 1, 2, 3]
    assert not labels[:, :, -1].any()
    cut = segmented == segmented[tuple(CENTRES[2])]
    assert np.array_equal(labels > 0, (segmented > 0) & ~cut)


def test_options_add_solidity_and_flood_the_distance(image):
    table, _, _ = run(image, image.parent / "options", "--solidity", "--watershed", "distance")
    assert len(table) == 2
    assert table["solidity"].between(0.9, 1).all()


def test_the_solution_limits_the_planes_of_markers(image):
    """A small ball far from the plane with most of the mask has no marker, and no label."""
    stack = np.pad(tifffile.imread(image), ((30, 0), (0, 0), (0, 0)), constant_values=300)
    far = np.indices(stack.shape) - np.array((16, 20, 45)).reshape(3, 1, 1, 1)
    ball = np.sqrt((far**2).sum(axis=0)) <= 14
    stack[ball] = 4000
    path = image.parent / "far.tif"
    tifffile.imwrite(path, stack)
    _, everything, _ = run(path, image.parent / "lecture")
    _, limited, _ = run(path, image.parent / "solution", "--solution")
    assert everything[16, 20, 45]
    assert not limited[ball].any()
    assert limited[50, 36, 24] and limited[50, 36, 66]
