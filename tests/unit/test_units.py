import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack import units

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
def test_length(length, spacing, exact, whole):
    assert units.in_voxels(length, spacing) == pytest.approx(exact)
    assert units.whole_voxels(length, spacing) == whole


def test_skipped_axes_are_logged_with_what_was_asked(caplog):
    caplog.set_level(logging.INFO, "cellstack.units")
    units.whole_voxels(0.4, (2.0, 0.25, 1.0), "median radius")
    assert [record.message for record in caplog.records] == [
        "median radius of 0.4 um is below half a voxel on z (2 um): this axis is skipped",
        "median radius of 0.4 um is below half a voxel on x (1 um): this axis is skipped",
    ]


def test_nothing_is_logged_where_nothing_is_asked(caplog):
    caplog.set_level(logging.INFO, "cellstack.units")
    units.whole_voxels(0, (2.0, 0.25, 1.0))
    assert not caplog.records


@given(LENGTHS, SPACINGS)
def test_whole_voxels_are_the_nearest(length, spacing):
    for exact, whole in zip(units.in_voxels(length, spacing), units.whole_voxels(length, spacing), strict=True):
        assert isinstance(whole, int)
        assert abs(whole - exact) <= 0.5 * (1 + 1e-9)


@given(LENGTHS, SPACINGS)
def test_volume_of_a_cube_is_the_product_of_its_sides(length, spacing):
    z, y, x = units.in_voxels(length, spacing)
    assert units.volume_voxels(length**3, spacing) == pytest.approx(z * y * x)
