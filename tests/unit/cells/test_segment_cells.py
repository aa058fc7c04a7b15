import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack.cells.segment_cells import segment_cells

SPACING = (1.0, 0.5, 0.5)
WEIGHTS = {"wall_weight": 0.2, "distance_weight": 0.15}


def two_cells(wall=1.0):
    """Two cells with a wall between them at column 15, and background from column 25 on."""
    smooth = np.zeros((5, 20, 40), np.float32)
    smooth[:, :, 15] = wall
    smooth[:, :, 25] = 1
    seeds, background = np.zeros((5, 20, 40), np.uint16), np.zeros((5, 20, 40), np.uint8)
    seeds[2, 8:12, 5:8], seeds[2, 8:12, 18:20], background[:, :, 35:] = 1, 2, 1
    return seeds, background, smooth


@pytest.mark.parametrize(
    "weights",
    [WEIGHTS, {"wall_weight": 0, "distance_weight": 0}, {"wall_weight": 1, "distance_weight": 0}],
)
def test_cells_end_at_their_walls(weights):
    seeds, background, smooth = two_cells()
    found = segment_cells(seeds, background, smooth, 2 * smooth, seeds, SPACING, **weights)
    assert (found[:, :, :15] == 1).all()
    assert (found[:, :, 16:25] == 2).all()
    assert (found[:, :, 26:] == 0).all()


def test_cells_without_a_wall_meet_half_way_between_their_nuclei():
    seeds, background, smooth = two_cells(wall=0)
    seeds[:] = 0
    seeds[2, 10, 4], seeds[2, 10, 20] = 1, 2
    found = segment_cells(seeds, background, smooth, smooth, seeds, SPACING, **WEIGHTS)
    border = (found[2, 10, :25] == 1).sum()
    assert abs(border - 12.5) <= 1


def test_no_seeds_give_no_cells():
    empty = np.zeros((3, 4, 5), np.uint16)
    found = segment_cells(
        empty,
        np.ones((3, 4, 5), np.uint8),
        np.zeros((3, 4, 5), np.float32),
        np.zeros((3, 4, 5), np.float32),
        None,
        SPACING,
        **WEIGHTS,
    )
    assert not found.any()


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_regions_cover_the_stack_and_keep_their_seeds(seed, with_background):
    rng = np.random.default_rng(seed)
    smooth = rng.random((4, 9, 8), np.float32)
    seeds = np.zeros(smooth.shape, np.uint16)
    seeds.ravel()[rng.choice(smooth.size, 4, replace=False)] = np.arange(1, 5)
    background = ((rng.random(smooth.shape) < 0.1) & (seeds == 0) & with_background).astype(
        np.uint8
    )
    found = segment_cells(seeds, background, smooth, smooth, None, SPACING, **WEIGHTS)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found[seeds > 0], seeds[seeds > 0])
    assert not found[background > 0].any()
    assert (found > 0).all() == (not background.any())
