import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cellstack.core.blocks import choose_counts, place_blocks

AXIS = st.tuples(st.integers(1, 60), st.integers(1, 5), st.integers(0, 20))


@given(st.tuples(AXIS, AXIS, AXIS))
def test_each_voxel_belongs_to_one_core_and_the_overlap_is_complete(axes):
    shape, counts, overlap = zip(*axes, strict=True)
    blocks = place_blocks(shape, counts, overlap)
    owners = np.zeros(shape, int)
    for name, block in blocks.items():
        assert block.name == name
        owners[tuple(slice(*each) for each in block.core)] += 1
        assert block.voxels == math.prod(stop - start for start, stop in block.extent)
        for axis in range(3):
            (start, stop), (first, last) = block.core[axis], block.extent[axis]
            assert first == 0 or start - first >= overlap[axis]
            assert last == shape[axis] or last - stop >= overlap[axis]
            assert 0 <= first <= start < stop <= last <= shape[axis]
    assert (owners == 1).all()


@given(st.integers(20_000, 2_000_000))
def test_no_block_is_larger_than_allowed(max_voxels):
    shape, overlap = (60, 200, 170), (3, 8, 9)
    counts, largest = choose_counts(shape, overlap, max_voxels)
    blocks = place_blocks(shape, counts, overlap).values()
    assert max(block.voxels for block in blocks) == largest <= max_voxels


def test_blocks_are_not_mostly_overlap():
    counts, largest = choose_counts((60, 200, 170), (20, 60, 60), 50_000)
    assert counts == (6, 6, 5)
    assert largest > 50_000
