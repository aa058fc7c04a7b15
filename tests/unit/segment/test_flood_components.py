import logging

import numpy as np
import pytest
from shapes import read_only
from skimage.segmentation import watershed

from cellstack.core.distance import distance_map
from cellstack.segment import flood_components as module
from cellstack.segment.flood_components import flood_components

SPACING = (1.1, 0.5, 0.45)
NEIGHBORS = np.ones((3, 3, 3))


def flood(landscape, mask, seeds, max_voxels, threads=1):
    """Flood a mask that is one component."""
    labels = np.zeros(mask.shape, np.uint16)
    flood_components(
        lambda box: landscape[box],
        read_only(seeds),
        read_only(mask.astype(np.uint16)),
        {1: int(seeds.max())},
        SPACING,
        labels,
        compactness=0.0,
        connectivity=3,
        threads=threads,
        max_voxels=max_voxels,
    )
    return labels


def crowd():
    """Return landscape, mask and seeds of touching balls of 4 um, one in each 3.4 um."""
    shape, rng = (22, 90, 100), np.random.default_rng(3)
    points = np.indices(shape).reshape(3, -1).T * SPACING
    grid = np.indices((7, 13, 13)).reshape(3, -1).T * 3.4 + 1.7
    centres = grid + rng.normal(0, 0.25, grid.shape)
    centres = centres[(centres < np.multiply(shape, SPACING) - 1).all(axis=1)]
    mask, seeds = np.zeros(len(points), np.uint8), np.zeros(len(points), np.uint16)
    for label, centre in enumerate(centres, 1):
        distance = np.linalg.norm(points - centre, axis=1)
        mask[distance < 2] = 1
        seeds[distance.argmin()] = label
    mask, seeds = mask.reshape(shape), seeds.reshape(shape)
    return -distance_map(mask, SPACING, 0.4), mask, seeds


@pytest.mark.parametrize("threads", [1, 3])
def test_parts_give_the_labels_of_the_complete_component(threads, monkeypatch, caplog):
    landscape, mask, seeds = crowd()
    expected = watershed(landscape, seeds.astype(int), NEIGHBORS, mask=mask.astype(bool))
    shapes = []

    def flood_part(heights, *arguments):
        shapes.append(heights.shape)
        return watershed_of_part(heights, *arguments)

    watershed_of_part = module.watershed
    monkeypatch.setattr(module, "watershed", flood_part)
    with caplog.at_level(logging.INFO):
        labels = flood(landscape, mask, seeds, 70_000, threads)
    np.testing.assert_array_equal(labels, expected)
    assert len(shapes) > 1
    assert max(map(np.prod, shapes)) < mask.size
    assert not caplog.messages


@pytest.mark.parametrize("is_reached", [True, False])
def test_a_component_whose_parts_disagree_is_flooded_at_once(is_reached, caplog):
    """Many small objects on one side, and a long one on the other, which has a far seed."""
    landscape, mask, seeds = crowd()
    seeds[:, :, 45:] = 0
    if is_reached:
        seeds[4, 45, 45:95:10] = seeds.max() + 1
    seeds[2, 4, 98] = seeds.max() + 1
    expected = watershed(landscape, seeds.astype(int), NEIGHBORS, mask=mask.astype(bool))
    with caplog.at_level(logging.INFO):
        labels = flood(landscape, mask, seeds, 70_000)
    np.testing.assert_array_equal(labels, expected)
    assert caplog.messages == ["flooded at once, since parts disagreed: 1 components"]


def test_large_objects_are_flooded_at_once():
    mask = np.ones((8, 60, 60), np.uint8)
    seeds = np.zeros(mask.shape, np.uint16)
    seeds[4, 30, [10, 50]] = 1, 2
    landscape = np.random.default_rng(0).random(mask.shape)
    expected = watershed(landscape, seeds.astype(int), NEIGHBORS)
    np.testing.assert_array_equal(flood(landscape, mask, seeds, 10_000), expected)
