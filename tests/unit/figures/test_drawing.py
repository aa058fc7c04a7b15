import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack.errors import InputError
from cellstack.figures import drawing


@given(st.floats(1e-4, 1e6))
def test_scale_bar_is_the_largest_round_length(limit):
    length = drawing.round_length(limit)
    assert limit / 2.5 * (1 - 1e-9) < length <= limit
    assert f"{length:.6e}"[:8] in {"1.000000", "2.000000", "5.000000"}


def test_scale_bar_just_below_a_power_of_ten():
    assert drawing.round_length(np.nextafter(1000, 0)) == 500


def test_display_range():
    stack = np.random.default_rng(0).normal(size=(5, 20, 20)).astype(np.float32)
    expected = np.percentile(stack, (0.5, 99.5))
    assert drawing.display_range(stack[:2], stack[2:]) == pytest.approx(expected)
    sparse = np.zeros(10_000)
    sparse[3] = 8
    assert drawing.display_range(sparse) == (0, 8)
    assert drawing.display_range(np.full((2, 2), 3, np.uint8)) == (3, 3)


def test_header_is_higher_with_a_note():
    assert drawing.header_height("x") > drawing.header_height("")


def test_error_of_different_shapes_names_the_images():
    images = {"raw": np.zeros((3, 8, 8)), "labels": np.zeros((3, 8, 9))}
    with pytest.raises(InputError) as error:
        drawing.check_shapes("a-stack", images)
    assert str(error.value) == (
        "a-stack: images differ in shape (raw (3, 8, 8), labels (3, 8, 9)); delete these files and "
        "run the workflow again"
    )
