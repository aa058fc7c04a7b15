import numpy as np
import pytest
from scipy import ndimage, spatial

from cellstack.core.overlaps import Pairs
from cellstack.evaluate.surface_distance import mean_surface_distance, surface_distances


def ball(radius, spacing, centre=(0, 0, 0), half=9.0):
    axes = np.meshgrid(
        *[np.arange(-round(half / step), round(half / step) + 1) * step for step in spacing],
        indexing="ij",
    )
    return sum((axis - middle) ** 2 for axis, middle in zip(axes, centre, strict=True)) <= radius**2


@pytest.mark.parametrize("spacing", [(0.4, 0.4, 0.4), (1.2, 0.3, 0.3), (0.3, 0.3, 0.9)])
def test_distance_of_concentric_balls(spacing):
    distance = mean_surface_distance(ball(6.5, spacing), ball(4.5, spacing), spacing)
    assert distance == pytest.approx(2, abs=0.35 * max(spacing))
    assert mean_surface_distance(ball(4.5, spacing), ball(6.5, spacing), spacing) == pytest.approx(
        distance
    )
    assert mean_surface_distance(ball(5, spacing), ball(5, spacing), spacing) == 0


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.5), (2.0, 0.5, 0.5), (1.0, 0.5, 0.25)])
@pytest.mark.parametrize("centre", [(0, 0, 0), (0, 1.5, 0), (2, 0, 1)])
def test_agrees_with_nearest_neighbours_of_scipy(spacing, centre):
    masks = ball(5, spacing), ball(4, spacing, centre)
    surfaces = [np.argwhere(mask & ~ndimage.binary_erosion(mask)) * spacing for mask in masks]
    distances = [spatial.KDTree(there).query(here)[0] for here, there in (surfaces, surfaces[::-1])]
    assert mean_surface_distance(*masks, spacing) == pytest.approx(
        np.concatenate(distances).mean(), rel=1e-5
    )


def test_faces_of_the_stack_are_not_a_surface():
    ground_truth, label = np.zeros((2, 4, 9, 9), bool)
    ground_truth[:, :, :5] = True
    label[:, :, :7] = True
    assert mean_surface_distance(ground_truth, label, (3, 1, 0.5)) == pytest.approx(1)
    assert np.isnan(
        mean_surface_distance(np.ones((3, 3, 3), bool), np.ones((3, 3, 3), bool), (1, 1, 1))
    )


def test_distances_within_boxes_agree_with_whole_stacks():
    spacing = (1.0, 0.6, 0.4)
    ground_truth, labels = np.zeros((2, 30, 60, 60), "uint16")
    for number, (z, y, x) in enumerate([(8, 15, 15), (20, 40, 40)], 1):
        axes = np.ogrid[:30, :60, :60]
        squared = sum(
            ((axis - middle) * step) ** 2
            for axis, middle, step in zip(axes, (z, y, x), spacing, strict=True)
        )
        ground_truth[squared <= 25] = number
        labels[squared <= 16] = 3 - number
    pairs = Pairs(np.array([1, 2]), np.array([2, 1]), np.array([0.5, 0.5]))
    whole = [
        mean_surface_distance(ground_truth == row, labels == column, spacing)
        for row, column in ((1, 2), (2, 1))
    ]
    np.testing.assert_allclose(surface_distances(ground_truth, labels, pairs, spacing), whole)
