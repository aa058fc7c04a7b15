import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack.core.voxels import in_voxels, volume_voxels, whole_voxels

LENGTHS = st.floats(0, 1e3)
SPACINGS = st.tuples(*[st.floats(1e-2, 1e2)] * 3)


@pytest.mark.parametrize(
    ("length", "spacing", "exact", "whole"),
    [
        (1.0, (1.0, 0.5, 0.25), (1, 2, 4), (1, 2, 4)),
        (1.0, (2.0, 1.0, 1.0), (0.5, 1, 1), (1, 1, 1)),  # half a voxel counts as one
        (0.75, (2.0, 0.5, 0.3), (0.375, 1.5, 2.5), (0, 2, 3)),
        (0.0, (2.0, 0.25, 0.25), (0, 0, 0), (0, 0, 0)),
    ],
)
def test_lengths_in_voxels(length, spacing, exact, whole):
    assert in_voxels(length, spacing) == pytest.approx(exact)
    assert whole_voxels(length, spacing) == whole


def test_skipped_axes_are_logged_with_the_length(caplog):
    caplog.set_level(logging.INFO, "cellstack.core.voxels")
    whole_voxels(0.4, (2.0, 0.25, 1.0), "median radius")
    assert [record.message for record in caplog.records] == [
        "median radius of 0.4 um is below half a voxel on z (2 um): this axis is skipped",
        "median radius of 0.4 um is below half a voxel on x (1 um): this axis is skipped",
    ]


def test_a_length_of_zero_is_not_logged(caplog):
    caplog.set_level(logging.INFO, "cellstack.core.voxels")
    whole_voxels(0, (2.0, 0.25, 1.0))
    assert not caplog.records


@given(LENGTHS, SPACINGS)
def test_whole_voxels_are_rounded(length, spacing):
    for exact, whole in zip(in_voxels(length, spacing), whole_voxels(length, spacing), strict=True):
        assert isinstance(whole, int)
        assert abs(whole - exact) <= 0.5 * (1 + 1e-9)


@given(LENGTHS, SPACINGS)
def test_volume_of_a_cube_is_the_product_of_its_sides(length, spacing):
    z, y, x = in_voxels(length, spacing)
    assert volume_voxels(length**3, spacing) == pytest.approx(z * y * x)
