import numpy as np
import pytest

from cellstack.spots.assign_spots import assign_spots
from cellstack.spots.count_spots import count_spots

SPACING = (0.5, 0.2, 0.1)
NUCLEI, CELLS = np.zeros((2, 4, 8, 16), np.uint16)
NUCLEI[1:3, 2:4, 2:6] = 3
CELLS[:, 1:6, 1:8] = 7
CELLS[:, 1:6, 8:12] = 2
# in a nucleus, in the cytoplasm of two cells, outside, and outside the stack by half a voxel
VOXELS = np.array([[1, 2, 2], [0.6, 3.4, 5.4], [0, 1, 1], [2, 3, 9], [0, 0, 0], [3.5, 7.5, 15.5]])


def test_objects_are_those_of_the_nearest_voxel():
    rows = assign_spots(VOXELS * SPACING, {"nuclei": NUCLEI, "cells": CELLS}, SPACING)
    assert [row["nucleus_segmentation_label"] for row in rows] == [3, 3, None, None, None, None]
    assert [row["cell_segmentation_label"] for row in rows] == [7, 7, 7, 2, None, None]
    assert [row["region"] for row in rows] == [*["nucleus"] * 2, *["cytoplasm"] * 2, "none", "none"]


@pytest.mark.parametrize(
    ("kind", "labels", "inside"), [("nuclei", NUCLEI, "nucleus"), ("cells", CELLS, "cell")]
)
def test_one_kind_of_object(kind, labels, inside):
    rows = assign_spots(VOXELS * SPACING, {kind: labels}, SPACING)
    assert {row["region"] for row in rows} == {inside, "none"}
    assert assign_spots(np.empty((0, 3)), {kind: labels}, SPACING) == []


def test_counts():
    rows = assign_spots(VOXELS * SPACING, {"nuclei": NUCLEI, "cells": CELLS}, SPACING)
    spots = [
        {name: str(cell or "") for name, cell in row.items()} | {"intensity": str(10 * number)}
        for number, row in enumerate(rows, 1)
    ]
    found = count_spots(spots, "FISH", [2, 7, 5], kind="cells", by_region=True)
    assert [row["count_spots_FISH"] for row in found] == [1, 3, 0]
    assert [row["mean_spot_intensity_FISH"] for row in found] == [40, 20, None]
    assert [row["count_spots_nucleus_FISH"] for row in found] == [0, 2, 0]
    assert [row["count_spots_cytoplasm_FISH"] for row in found] == [1, 1, 0]
    (nucleus,) = count_spots(spots, "FISH", [3], kind="nuclei", by_region=False)
    assert nucleus == {"count_spots_FISH": 2, "mean_spot_intensity_FISH": 15}
