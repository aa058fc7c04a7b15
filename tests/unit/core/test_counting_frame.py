"""The counting frame: adjacent frames count each object once, whatever its size and shape."""

import numpy as np
import pytest
from scipy import ndimage

from cellstack.core.counting_frame import FIRST_FACES, count_in_frame, frame_volume, place_frame

SPACING = (1.0, 0.5, 0.4)
SIZE = (10, 22, 26)  # of a frame, in voxels
GUARD_UM = 7.0
GUARD = (7, 14, 18)  # the same in voxels, rounded up


def field_of_balls(shape, count, radii_um, seed=1):
    """Return labels 1..count of balls that do not overlap, none of which reaches the margin.

    Also returns the shape.
    """
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint16)
    grid = [np.arange(size) * step for size, step in zip(shape, SPACING, strict=True)]
    margin = np.array(GUARD) * SPACING
    label = 0
    while label < count:
        radius = rng.uniform(*radii_um)
        centre = rng.uniform(margin, np.array(shape) * SPACING - margin)
        # an ellipsoid, 1.3 times longer along a diagonal, is convex too
        z, y, x = np.meshgrid(*[a - c for a, c in zip(grid, centre, strict=True)], indexing="ij")
        along = (z + y - x) / 3**0.5
        inside = z**2 + y**2 + x**2 - along**2 * (1 - 1 / 1.3**2) < radius**2
        if inside.any() and not labels[inside].any():
            label += 1
            labels[inside] = label
    return labels


@pytest.fixture(scope="module")
def field():
    # a margin of one guard zone around 2 x 3 x 3 frames
    shape = [n * size + 2 * guard for n, size, guard in zip((2, 3, 3), SIZE, GUARD, strict=True)]
    return field_of_balls(shape, 60, (1.0, 2.6))


def tiles(field, axes, guard):
    """Yield stacks of which each has a frame, the layer before it and the guard zone after it.

    They divide the field along some axes; the first and last ones are in the empty margin.
    """
    starts = [
        range(0, size - step, step) if axis in axes else [0]
        for axis, (size, step) in enumerate(zip(field.shape, SIZE, strict=True))
    ]
    for corner in np.stack(np.meshgrid(*starts, indexing="ij"), -1).reshape(-1, 3):
        yield field[
            tuple(
                slice(start, start + 1 + step + extra) if axis in axes else slice(None)
                for axis, (start, step, extra) in enumerate(zip(corner, SIZE, guard, strict=True))
            )
        ]


def relabelled(tile):
    labels, numbers = np.unique(tile, return_inverse=True)
    offset = 0 if labels[0] == 0 else 1
    return labels[labels > 0], (numbers.reshape(tile.shape) + offset).astype(np.uint16)


def counts_of_tiles(field, faces, guard_um, guard):
    axes = [FIRST_FACES.index(face) for face in faces]
    times = np.zeros(field.max() + 1, int)
    volume = 0.0
    for tile in tiles(field, axes, guard):
        old, labels = relabelled(tile)
        frame = place_frame(tile.shape, SPACING, faces, guard_um)
        times[old] += count_in_frame(labels, frame)
        volume += frame_volume(frame, SPACING)
    return times[1:], volume


@pytest.mark.parametrize("faces", [FIRST_FACES, FIRST_FACES[1:], FIRST_FACES[2:], ()])
def test_adjacent_frames_count_each_object_once(field, faces):
    times, _ = counts_of_tiles(field, faces, GUARD_UM, GUARD)
    assert (times == 1).all(), times


def test_the_frames_fill_the_field_without_overlap(field):
    _, volume = counts_of_tiles(field, FIRST_FACES, 0.0, (0, 0, 0))
    # the tiles begin one voxel into the field and end at its last complete frame or after it
    counts = [-(-(size - step) // step) for size, step in zip(field.shape, SIZE, strict=True)]
    covered = np.multiply(counts, SIZE)
    cut = np.minimum(covered, np.array(field.shape) - 1)
    assert volume == pytest.approx(np.prod(cut) * np.prod(SPACING))


def test_without_guard_zone_only_objects_at_edges_count_twice(field):
    """The extensions of the faces lie outside the stacks, where objects are not seen."""
    times, _ = counts_of_tiles(field, FIRST_FACES, 0.0, (0, 0, 0))
    assert times.min() == 1
    assert times.sum() <= 1.1 * len(times)
    boxes = ndimage.find_objects(field)
    for label in np.flatnonzero(times > 1):
        sides = zip(boxes[label], SIZE, strict=True)
        crossed = [(side.start - 1) // step != (side.stop - 2) // step for side, step in sides]
        assert sum(crossed) >= 2, label


def test_an_object_that_crosses_the_extension_of_a_face_does_not_count():
    labels = np.zeros((1, 8, 8), np.uint16)
    frame = place_frame(labels.shape, (1, 1, 1), ("first_row", "first_column"), 3.0)
    assert frame == (slice(0, 1), slice(1, 5), slice(1, 5))
    labels[0, 4:7, 0:3] = 1  # in the frame, and at the first column, below the frame
    labels[0, 0:3, 3:7] = 2  # in the frame and at the first row
    labels[0, 4, 4:8] = 3  # in the frame, and out of it at the last column
    labels[0, 6:, 4:] = 4  # in the guard zone
    labels[0, 5:, 3] = 5
    labels[0, 1, 1] = 6
    assert count_in_frame(labels, frame).tolist() == [False, False, True, False, False, True]


def test_a_stack_of_one_plane_and_a_guard_zone_as_large_as_the_stack():
    faces = FIRST_FACES
    assert place_frame((1, 8, 9), SPACING, faces, 0.5) == np.s_[0:1, 1:7, 1:7]
    empty = place_frame((5, 8, 9), SPACING, faces, 100.0)
    assert frame_volume(empty, SPACING) == 0
    labels = np.full((5, 8, 9), 1, np.uint16)
    assert count_in_frame(labels, empty).tolist() == [False]
    assert count_in_frame(np.zeros((5, 8, 9), np.uint16), empty).tolist() == []
