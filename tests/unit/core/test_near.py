"""Tests of cellstack.core.near."""

import edt
import numpy as np
import pytest

from cellstack.core.near import within_distance

SPACINGS = [(0.29, 0.26, 0.26), (1.3, 0.2, 0.27), (0.4, 1.1, 0.3)]


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("shape", [(9, 12, 20), (1, 7, 64), (5, 1, 65), (4, 6, 150)])
@pytest.mark.parametrize("distance_um", [0.1, 0.73, 2.9])
def test_same_as_distance_map(shape, spacing, distance_um):
    mask = np.random.default_rng(1).random(shape) > 0.99
    mask[0, 0, [0, -1]] = True
    distance = edt.edt((~mask).view(np.uint8), anisotropy=spacing)
    np.testing.assert_array_equal(
        within_distance(mask, distance_um, spacing), distance <= distance_um
    )


def test_distance_of_whole_voxels_is_included():
    mask = np.zeros((7, 7, 7), bool)
    mask[3, 3, 3] = True
    near = within_distance(mask, 1.5, (1.5, 0.5, 0.75))
    assert np.argwhere(near[:, 3, 3]).ravel().tolist() == [2, 3, 4]
    assert near[3, :, 3].sum() == 7
    assert near[3, 3].sum() == 5


def test_object_only_below_the_voxel_size():
    mask = np.random.default_rng(2).random((4, 5, 70)) > 0.5
    np.testing.assert_array_equal(within_distance(mask, 0.19, (1.0, 0.3, 0.2)), mask)
