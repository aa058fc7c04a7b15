import math

import numpy as np
import pytest

from cellstack.core.balls import ball_volumes, edge_distances

SPACING = (1.5, 0.5, 0.4)
SHAPE = (30, 80, 110)  # 45 x 40 x 44 um
BALL = 4 / 3 * math.pi


def cap(radius, height):
    return math.pi * height**2 * (3 * radius - height) / 3


def test_ball_within_the_stack_is_complete():
    centre = np.array([[22.0, 20.0, 21.0]])
    assert ball_volumes(centre, 9.0, SHAPE, SPACING)[0] == pytest.approx(BALL * 9**3)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("depth", [0.2, 3.0, 7.5])
def test_ball_cut_by_a_face_lacks_a_cap(axis, side, depth):
    centre = np.array([22.0, 20.0, 21.0])
    face = (-0.5, SHAPE[axis] - 0.5)[side] * SPACING[axis]
    centre[axis] = face + (depth, -depth)[side]
    expected = BALL * 9**3 - cap(9.0, 9.0 - depth)
    assert ball_volumes(centre[None], 9.0, SHAPE, SPACING)[0] == pytest.approx(expected, rel=1e-3)


def test_ball_larger_than_the_stack_is_the_stack():
    volume = math.prod(SHAPE) * math.prod(SPACING)
    found = ball_volumes(np.array([[22.0, 20.0, 21.0]]), 99.0, SHAPE, SPACING)
    assert found[0] == pytest.approx(volume)


def test_voxels_without_data_are_left_out():
    rng = np.random.default_rng(0)
    no_data = np.zeros(SHAPE, bool)
    no_data[:, :, :30] = True
    no_data[20:, 40:, 60:] = True
    centres = rng.uniform(0.1, 0.9, (20, 3)) * np.array(SHAPE) * SPACING
    # voxels are divided into 4 x 2 x 2 parts and counted
    fine = no_data.repeat(4, 0).repeat(2, 1).repeat(2, 2)
    steps = np.divide(SPACING, (4, 2, 2))
    places = [
        (np.arange(size) + 0.5) * step - spacing / 2
        for size, step, spacing in zip(fine.shape, steps, SPACING, strict=True)
    ]
    for centre in centres:
        squares = np.ix_(*((place - at) ** 2 for place, at in zip(places, centre, strict=True)))
        expected = np.count_nonzero((sum(squares) < 81) & ~fine) * np.prod(steps)
        found = ball_volumes(centre[None], 9.0, SHAPE, SPACING, no_data)[0]
        assert found == pytest.approx(expected, rel=0.02, abs=2)


def test_edge_distance_is_that_to_the_nearest_face():
    centres = np.array([[22.0, 20.0, 2.0], [1.0, 20.0, 20.0], [22.0, 39.0, 20.0]])
    np.testing.assert_allclose(
        edge_distances(centres, SHAPE, SPACING), [2.2, 1.75, 79.5 * 0.5 - 39]
    )


def test_first_and_last_plane_are_no_faces_of_one_plane():
    centre = np.array([[0.0, 20.0, 3.0]])
    assert edge_distances(centre, (1, *SHAPE[1:]), SPACING)[0] == pytest.approx(3.2)


def test_edge_distance_to_voxels_without_data():
    no_data = np.zeros(SHAPE, bool)
    no_data[15, 40, 50] = True
    centres = np.array([[15 * 1.5, 44 * 0.5, 53 * 0.4], [22.0, 20.0, 2.0]])
    found = edge_distances(centres, SHAPE, SPACING, no_data)
    np.testing.assert_allclose(found, [math.hypot(2.0, 1.2), 2.2], rtol=1e-6)
