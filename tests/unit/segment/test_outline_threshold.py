import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erf

from cellstack.segment.outline_threshold import find_thresholds

SPACINGS = [*((0.2 * ratio, 0.2, 0.2) for ratio in (1.1, 4, 8)), (0.6, 0.3, 0.15)]
each_spacing = pytest.mark.parametrize("spacing", SPACINGS, ids=str)


def radii(spacing, field=16.0):
    """Return the distance of each voxel from the centre in um."""
    axes = [np.arange(-field / 2, field / 2, step) for step in spacing]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return np.sqrt(z**2 + y**2 + x**2)


def thresholds(stack, backgrounds, contrasts, level=0.5, owners=None, **others):
    """Return the thresholds of objects that share a stack, by default of one."""
    owners = np.zeros(stack.shape, int) if owners is None else owners
    values = (np.float32(each) for each in (stack.ravel(), backgrounds, contrasts))
    stack, backgrounds, contrasts = values
    return find_thresholds(stack, owners.ravel(), backgrounds, contrasts, level, **others)


@each_spacing
@pytest.mark.parametrize("level", [0.3, 0.5, 0.8])
def test_a_homogeneous_ball_is_cut_at_the_level(spacing, level):
    stack = 0.2 + 0.6 * (radii(spacing) < 4)
    assert thresholds(stack, [0.2], [0.6], level) == pytest.approx(0.2 + level * 0.6, abs=1e-4)


@each_spacing
@pytest.mark.parametrize("start", [0.9, 1.0, 1.2])
def test_a_gaussian_blob_is_cut_at_half_its_mean_however_its_centre_was_measured(spacing, start):
    def excess(radius):
        """Return the intensity at a radius minus half the mean within it, for a sigma of 1."""
        edge = np.exp(-(radius**2) / 2)
        integral = np.sqrt(np.pi / 2) * erf(radius / np.sqrt(2)) - radius * edge
        return edge - 0.5 * 3 / radius**3 * integral

    edge = np.exp(-(brentq(excess, 1, 3) ** 2) / 2)
    assert 0.21 < edge < 0.22
    stack = 0.1 + 0.7 * np.exp(-((radii(spacing) / 2) ** 2) / 2)
    found = thresholds(stack, [0.1], [0.7 * start / 2], 0.5)
    assert found == pytest.approx(0.1 + 0.7 * edge, abs=0.02)


def test_the_mean_is_limited_by_the_centre():
    stack = np.full((5, 5, 5), 0.3)  # haze around a bright voxel
    stack[2, 2, 2] = 1
    assert thresholds(stack, [0.1], [0.9], 0.2) == pytest.approx(0.1 + 0.2 * 0.7 * 0.9)
    assert thresholds(stack, [0.1], [0.25]) == pytest.approx(0.1 + (24.8 + 0.9) / 125 / 2, abs=1e-3)

    stack = np.full((5, 5, 5), 0.3)  # an object beside a brighter one
    stack[:, :, 4] = 1
    assert thresholds(stack, [0.1], [0.2]) == pytest.approx(0.2)


def test_objects_do_not_depend_on_each_other():
    rng = np.random.default_rng(1)
    stack, owners = rng.random((4, 6, 9)), rng.integers(0, 3, (4, 6, 9))
    backgrounds, contrasts, lifts = [0.1, 0.2, 0.05], [0.5, 0.4, 0.6], np.array([1, 1.5, 1])
    together = thresholds(stack, backgrounds, contrasts, owners=owners, lifts=lifts)
    for number in range(3):
        alone = thresholds(
            stack[owners == number], [backgrounds[number]], [contrasts[number]], lifts=lifts[number]
        )
        assert alone[0] == together[number]


def test_a_lift_raises_the_mean():
    stack = 0.2 + 0.4 * (radii(SPACINGS[0]) < 4)
    assert thresholds(stack, [0.2], [0.6], lifts=1.5) == pytest.approx(0.5, abs=1e-4)


def test_an_object_without_bright_voxels_keeps_the_height_of_its_centre():
    assert thresholds(np.zeros((2, 3, 4)), [0.1], [0.6]) == pytest.approx(0.4)
