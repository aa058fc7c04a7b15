import numpy as np
import pytest
from scipy import ndimage, spatial

from cellstack.overlaps import Pairs
from cellstack.surface_distance import mean_surface_distance, surface_distances


def ball(radius, spacing, centre=(0, 0, 0), half=9.0):
    axes = np.meshgrid(*[np.arange(-round(half / step), round(half / step) + 1) * step for step in spacing], indexing="ij")
    return sum((axis - middle) ** 2 for axis, middle in zip(axes, centre, strict=True)) <= radius**2


@pytest.mark.parametrize("spacing", [(0.4, 0.4, 0.4), (1.2, 0.3, 0.3), (0.3, 0.3, 0.9)])
def test_concentric_balls_lie_apart_by_the_difference_of_their_radii(spacing):
    distance = mean_surface_distance(ball(6.5, spacing), ball(4.5, spacing), spacing)
    assert distance == pytest.approx(2, abs=0.35 * max(spacing))
    assert mean_surface_distance(ball(4.5, spacing), ball(6.5, spacing), spacing) == pytest.approx(distance)
    assert mean_surface_distance(ball(5, spacing), ball(5, spacing), spacing) == 0


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.5), (2.0, 0.5, 0.5)])
@pytest.mark.parametrize("centre", [(0, 0, 0), (0, 1.5, 0), (2, 0, 1)])
def test_as_nearest_neighbours_of_scipy(spacing, centre):
    masks = ball(5, spacing), ball(4, spacing, centre)
    surfaces = [np.argwhere(mask & ~ndimage.binary_erosion(mask)) * spacing for mask in masks]
    distances = [spatial.KDTree(there).query(here)[0] for here, there in (surfaces, surfaces[::-1])]
    assert mean_surface_distance(*masks, spacing) == pytest.approx(np.concatenate(distances).mean(), rel=1e-5)


def test_faces_of_the_stack_are_no_surface():
    truth, label = np.zeros((2, 4, 9, 9), bool)
    truth[:, :, :5] = True
    label[:, :, :7] = True
    assert mean_surface_distance(truth, label, (3, 1, 0.5)) == pytest.approx(1)
    assert np.isnan(mean_surface_distance(np.ones((3, 3, 3), bool), np.ones((3, 3, 3), bool), (1, 1, 1)))


def test_objects_are_compared_in_their_boxes():
    spacing = (1.0, 0.5, 0.5)
    truth, labels = np.zeros((2, 30, 60, 60), "uint16")
    for number, (z, y, x) in enumerate([(8, 15, 15), (20, 40, 40)], 1):
        axes = np.ogrid[:30, :60, :60]
        squared = sum(((axis - middle) * step) ** 2 for axis, middle, step in zip(axes, (z, y, x), spacing, strict=True))
        truth[squared <= 25] = number
        labels[squared <= 16] = 3 - number
    pairs = Pairs(np.array([1, 2]), np.array([2, 1]), np.array([0.5, 0.5]))
    whole = [mean_surface_distance(truth == row, labels == column, spacing) for row, column in ((1, 2), (2, 1))]
    np.testing.assert_allclose(surface_distances(truth, labels, pairs, spacing), whole)
