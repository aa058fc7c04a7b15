"""Cells that are segmented in blocks are those of the stack at once."""

import cc3d
import fastremap
import numpy as np
import pytest
from block_chain import default_arguments, f1, segment_cells_of
from study import simulated

from cellstack.blocks.join_cell_seeds import (
    count_disputed_seeds,
    label_in_blocks,
    number_seeds,
)
from cellstack.blocks.join_regions import count_disagreements, paste_cores
from cellstack.blocks.measure_membrane import measure_scales
from cellstack.core.blocks import place_blocks

DIAMETER = 8.0  # of the nuclei; that of the cells is 1.4 times as large


def two_blocks(extents=((0, 7), (3, 10))):
    """Return two overlapping blocks of a row of ten voxels, with a seam in the middle."""
    flat = [(0, 1), (0, 1)]
    return [
        {"core": [*flat, core], "extent": [*flat, extent]}
        for core, extent in zip([(0, 5), (5, 10)], extents, strict=True)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("has_nuclei", [True, False], ids=["nuclei", "membrane alone"])
@pytest.mark.parametrize("spacing", [(0.9, 0.85, 0.8), (1.8, 0.45, 0.47)], ids=["1", "4"])
def test_blocks_give_the_cells_of_the_uncut_stack(spacing, has_nuclei):
    shape = tuple(np.round(np.array((26, 62, 64)) / spacing).astype(int))
    colony = simulated(shape, spacing, count=45)
    arguments = default_arguments(1.4 * DIAMETER)
    nuclei = None
    if has_nuclei:
        labels, nuclei = np.unique(colony.nuclei_labels, return_inverse=True)
        nuclei = nuclei.reshape(shape).astype(np.uint16)
        assert len(labels) > 30
    overlap = [round(2 * 1.4 * DIAMETER / step) for step in spacing]
    places = list(place_blocks(shape, (2, 2, 2), overlap).values())
    assert len(places) == 8
    assert all(place.voxels < colony.membrane_image.size for place in places)
    expected, _ = segment_cells_of(colony.membrane_image, spacing, arguments, nuclei)
    found, record = segment_cells_of(colony.membrane_image, spacing, arguments, nuclei, places)
    assert found.dtype == expected.dtype
    assert found.max() == expected.max() >= 25
    assert f1(expected, found, 0.9) >= 0.995
    assert np.mean(found != expected) < 1e-3
    assert record["at_seams"] > 20
    assert record["disputed_regions"] == 0
    assert record["disputed_seeds"] <= 1


def test_components_of_blocks_are_those_of_the_stack():
    rng = np.random.default_rng(2)
    marked = (rng.random((9, 14, 15)) < 0.12).astype(np.uint8)
    expected, _ = fastremap.renumber(cc3d.connected_components(marked, connectivity=26))
    assert expected.max() > 20
    places = place_blocks(marked.shape, (2, 3, 2), (1, 1, 1)).values()
    components = np.zeros(marked.shape, np.uint32)
    count = label_in_blocks(marked, [{"core": place.core} for place in places], components)
    assert count > expected.max()  # some were in several blocks
    numbers = number_seeds(components, count, np.zeros_like(marked), None)
    np.testing.assert_array_equal(numbers[components], expected)


def test_seeds_that_touch_nuclei_or_background_are_left_out():
    components = np.uint32([[[4, 4, 0, 2, 0, 9, 0, 1]]])
    nuclei = np.uint16([[[0, 2, 2, 0, 0, 0, 1, 0]]])
    background = np.uint8([[[0, 0, 0, 0, 0, 1, 0, 0]]])
    numbers = number_seeds(components, 9, background, nuclei)
    assert numbers[components].tolist() == [[[0, 0, 0, 3, 0, 0, 0, 4]]]
    numbers = number_seeds(components, 9, background, None)
    assert numbers[components].tolist() == [[[1, 1, 0, 2, 0, 0, 0, 3]]]


def test_seeds_that_one_block_finds_are_counted():
    blocks = two_blocks(((0, 9), (1, 10)))
    marks, outside = np.zeros((2, 2, 1, 1, 9), np.uint8)

    def count(nuclei=None):
        marked, background = np.zeros((2, 1, 1, 10), np.uint8)
        paste_cores(marked, blocks, lambda index: marks[index])
        paste_cores(background, blocks, lambda index: outside[index])
        components = np.zeros(marked.shape, np.uint32)
        highest = label_in_blocks(marked, blocks, components)
        seeds = number_seeds(components, highest, background, nuclei)[components]
        return count_disputed_seeds(
            seeds,
            components,
            background,
            nuclei,
            blocks,
            lambda index: (marks[index], outside[index]),
        )

    assert count() == {"seeds_at_seams": 0, "disputed_seeds": 0}
    marks[0, 0, 0, 4] = 1  # in the core of the first block, and not found by the second
    assert count() == {"seeds_at_seams": 1, "disputed_seeds": 1}
    marks[1, 0, 0, 3] = 1  # found by the second too
    assert count() == {"seeds_at_seams": 1, "disputed_seeds": 0}
    marks[:] = 0
    marks[0, 0, 0, 5] = 1  # in the core of the second block, which does not find it
    assert count() == {"seeds_at_seams": 0, "disputed_seeds": 1}
    nuclei = np.uint16([[[0] * 5 + [1] + [0] * 4]])
    assert count(nuclei) == {"seeds_at_seams": 0, "disputed_seeds": 0}
    marks[:] = 0
    marks[0, 0, 0, 3:6] = marks[1, 0, 0, 2:5] = 1  # rejected in both, because of a nucleus
    nuclei = np.uint16([[[0] * 3 + [1] + [0] * 6]])
    assert count(nuclei) == {"seeds_at_seams": 0, "disputed_seeds": 0}
    marks[:] = 0
    marks[0, 0, 0, 3:5] = marks[1, 0, 0, 2:4] = 1  # in the core of the first block
    assert count() == {"seeds_at_seams": 1, "disputed_seeds": 0}
    outside[1, 0, 0, 3] = 1  # rejected by the second block, which the seed does not belong to
    assert count() == {"seeds_at_seams": 1, "disputed_seeds": 1}
    outside[0, 0, 0, 4] = 1  # rejected by both
    assert count() == {"seeds_at_seams": 0, "disputed_seeds": 0}
    outside[1] = 0  # by the first block, to which it belongs, and not by the second
    assert count() == {"seeds_at_seams": 0, "disputed_seeds": 1}
    nuclei = np.uint16([[[0] * 4 + [1] + [0] * 5]])
    assert count(nuclei) == {"seeds_at_seams": 0, "disputed_seeds": 0}


def test_regions_on_which_blocks_disagree_are_counted():
    blocks = two_blocks(((0, 9), (1, 10)))
    own = [np.uint16([[[1, 1, 1, 1, 2, 2, 2, 3, 3]]]), np.uint16([[[1, 1, 1, 2, 3, 3, 3, 3, 3]]])]
    joined = np.zeros((1, 1, 10), np.uint16)
    paste_cores(joined, blocks, lambda index: own[index])
    assert joined.tolist() == [[[1, 1, 1, 1, 2, 3, 3, 3, 3, 3]]]
    # one voxel on each side of the seam is compared
    assert count_disagreements(joined, blocks, lambda index: own[index]) == {
        "regions": 3,
        "at_seams": 2,
        "disputed_regions": 1,
        "contested_voxels": 1,
    }


def test_scales_of_a_coarse_grid_are_nearly_those_of_all_voxels():
    spacing = (1.0, 0.5, 0.45)
    rng = np.random.default_rng(4)
    smooth = rng.random((20, 60, 64), np.float32)
    nuclei = np.zeros(smooth.shape, np.uint16)
    nuclei[8:13, 20:32, 30:44] = 1
    exact = measure_scales(smooth, 2 * smooth, nuclei, spacing)
    assert exact.smooth == pytest.approx(smooth.std(dtype=np.float64), rel=1e-9)
    assert exact.ridges == pytest.approx(2 * exact.smooth)
    coarse = measure_scales(smooth, smooth, nuclei, spacing, max_voxels=20_000)
    assert coarse.distance == pytest.approx(exact.distance, rel=0.03)
    assert coarse.distance != exact.distance
    assert measure_scales(smooth, smooth, None, spacing).distance == 0
    assert measure_scales(smooth, smooth, 0 * nuclei, spacing).distance == 0
