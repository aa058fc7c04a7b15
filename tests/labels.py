"""Small label images, and what they have in common with their neighbours."""

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


def contacts_by_loop(labels, ridges, spacing):
    """Return area in um2 and mean strength of the contact of each pair of labels, face by face.

    The strength of a face is the higher one of its two voxels.
    """
    sums = {}
    for place in np.ndindex(labels.shape):
        for axis in range(3):
            after = tuple(index + (each == axis) for each, index in enumerate(place))
            if after[axis] == labels.shape[axis] or labels[place] == labels[after]:
                continue
            pair = tuple(sorted((int(labels[place]), int(labels[after]))))
            face = np.prod(spacing) / spacing[axis]
            area, total = sums.get(pair, (0.0, 0.0))
            sums[pair] = area + face, total + face * float(max(ridges[place], ridges[after]))
    return {pair: (area, total / area) for pair, (area, total) in sums.items()}
