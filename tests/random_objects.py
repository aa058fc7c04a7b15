"""Label images of objects at random places, and the distances between them."""

import numpy as np


def gap_of(first, second, spacing):
    """Return the minimum distance between voxels of two lists, as boxes."""
    return min(
        np.linalg.norm(np.maximum(0, np.abs(second - voxel) - 1) * spacing, axis=1).min()
        for voxel in first
    )


def random_objects(seed, shape=(8, 24, 30), count=9):
    """Return labels of boxes with holes, of one voxel to a third of the stack, some adjacent."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint16)
    for label in range(1, count + 1):
        largest = 10 if label == 1 else 5
        low = [rng.integers(0, size) for size in shape]
        box = tuple(slice(start, start + rng.integers(1, largest)) for start in low)
        labels[box] = np.where(rng.random(labels[box].shape) < 0.7, label, labels[box])
    return labels
