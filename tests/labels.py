"""Small label images for the tests of scores."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays


def without_gaps(labels):
    """Renumber labels to 1..n."""
    _, numbers = np.unique(np.append(labels, 0), return_inverse=True)
    return numbers[:-1].reshape(labels.shape).astype("uint16")


LABELS = arrays("uint16", (2, 3, 5), elements=st.integers(0, 4)).map(without_gaps)


def line(*runs):
    """Return a row of voxels, given as pairs of a label and a number of voxels."""
    labels = np.repeat([label for label, _ in runs], [count for _, count in runs]).astype("uint16")
    labels.flags.writeable = False
    return labels.reshape(1, 1, -1)
