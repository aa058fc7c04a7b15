"""The meshes of the measured objects: their order, their colours and their volumes."""

import numpy as np
import pytest

from cellstack.core.labels import find_boxes
from cellstack.figures.objects import label_colors
from cellstack.figures.write_meshes import make_meshes

SPACING = (2.0, 0.5, 0.4)


def test_measured_objects_in_the_order_of_their_labels_in_the_tables():
    segmentation = np.zeros((12, 40, 60), np.uint16)
    segmentation[2:6, 5:20, 5:25] = 3
    segmentation[6:10, 5:20, 30:45] = 7  # not measured
    segmentation[0:4, 22:38, 10:30] = 9  # cut by the first plane
    made = make_meshes(segmentation, SPACING, {9: (1, False), 3: (2, True)})
    colors = label_colors(find_boxes(segmentation))
    assert [each.label for each in made] == [1, 2]
    assert [each.color for each in made] == [colors[9], colors[3]]
    voxel_um3 = np.prod(SPACING)
    for each, label in zip(made, (9, 3), strict=True):
        expected = np.count_nonzero(segmentation == label) * voxel_um3
        assert each.mesh.volume_um3 == pytest.approx(expected, rel=1e-3)
        centre = np.argwhere(segmentation == label).mean(axis=0) * SPACING
        low, high = each.mesh.vertices.min(axis=0), each.mesh.vertices.max(axis=0)
        assert (low + high) / 2 == pytest.approx(centre, abs=0.3)
