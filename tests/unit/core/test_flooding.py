import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack.core import parallel
from cellstack.core.flooding import MAX_TOTAL, MAX_VOXELS, OVERLAP, Part, divide, flood_in_parts

SPACING = (1.2, 0.5, 0.4)
SIDE = st.tuples(st.integers(0, 5), st.integers(1, 40))


def voxels(box):
    return math.prod(side.stop - side.start for side in box)


@given(st.tuples(SIDE, SIDE, SIDE), st.floats(0.1, 10), st.integers(1, 20_000))
def test_parts_cover_the_box_once_and_overlap(sides, diameter_um, max_voxels):
    box = tuple(slice(start, start + length) for start, length in sides)
    parts = divide(3, box, diameter_um, SPACING, max_voxels)
    owners = np.zeros([side.stop for side in box], int)
    for part in parts:
        assert part.component == 3
        owners[part.core] += 1
        for core, extent, side, step in zip(part.core, part.extent, box, SPACING, strict=True):
            margin = math.ceil(OVERLAP * diameter_um / step)
            assert extent.start == max(side.start, core.start - margin)
            assert extent.stop == min(side.stop, core.stop + margin)
    assert (owners[box] == 1).all()
    assert owners.sum() == voxels(box)
    if len(parts) > 1:
        assert sum(voxels(part.extent) for part in parts) <= MAX_TOTAL * voxels(box)
    if voxels(box) <= max_voxels:
        assert parts == [Part(3, box, box)]


def test_components_whose_parts_disagree_are_returned():
    """Labels of component 1 depend on the part, those of component 2 do not."""
    labels = np.zeros((1, 2, 30), np.uint16)
    rows = [(slice(0, 1), slice(row, row + 1), slice(0, 30)) for row in range(2)]
    parts = [part for row in range(2) for part in divide(row + 1, rows[row], 1, SPACING, 20)]

    def flood(component, box):
        found = np.ones([side.stop - side.start for side in box], int)
        return found * (box[2].start + 1) if component == 1 else found

    def belongs(component, box):
        return np.ones(labels[box].shape, bool)

    assert len(parts) == 4
    assert flood_in_parts(parts, flood, belongs, labels, 1) == {1}
    assert set(labels[0, 1]) == {1}


@pytest.mark.parametrize(("part_voxels", "at_once"), [(1000, 4), (MAX_VOXELS, 1)])
def test_the_memory_limits_how_many_large_parts_are_flooded_at_once(
    part_voxels, at_once, monkeypatch
):
    counts = []
    monkeypatch.setattr(parallel, "map_threads", lambda *arguments: counts.append(arguments[2]))
    box = (slice(0, 1), slice(0, 1), slice(0, part_voxels))
    labels = np.broadcast_to(np.uint16(0), (1, 1, part_voxels))
    flood_in_parts([Part(1, box, box)] * 5, None, None, labels, 4)
    assert counts == [at_once]
