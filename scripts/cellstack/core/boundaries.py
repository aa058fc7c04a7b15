"""Contacts between labels: the voxel faces that separate two different labels."""

from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core.types import Labels, Spacing

Integers = NDArray[np.integer[Any]]


class Faces(NamedTuple):
    """Voxel faces between different labels, and the pairs of labels that they separate.

    The n faces are ordered by axis, and the k pairs by label.
    """

    lower: NDArray[np.int64]
    """(k,) lower label of each pair."""
    upper: NDArray[np.int64]
    """(k,) upper label of each pair."""
    pair: NDArray[np.int64]
    """(n,) index of the pair that each face separates."""
    axis: NDArray[np.uint8]
    """(n,) axis perpendicular to each face."""
    before: NDArray[np.int64]
    """(n,) flat index of the voxel before each face."""
    after: NDArray[np.int64]
    """(n,) flat index of the voxel after each face."""
    area: NDArray[np.float64]
    """(n,) area of each face in um2."""

    def sum_by_pair(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of a value of each face, for each pair of labels."""
        return cast(NDArray[np.float64], np.bincount(self.pair, values, len(self.lower)))


def find_faces(labels: Labels, spacing: Spacing, background: bool = True) -> Faces:
    """Find the voxel faces between different labels.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of unsigned int
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    background : bool
        Whether 0 is treated as a label like the others. Otherwise its faces are left out.

    Returns
    -------
    Faces

    Examples
    --------
    >>> labels = np.array([[[1, 1, 2], [1, 0, 2]]], np.uint16)
    >>> faces = find_faces(labels, (2.0, 1.0, 0.5), background=False)
    >>> faces.lower, faces.upper, faces.sum_by_pair(faces.area)
    (array([1]), array([2]), array([2.]))
    """
    flat = labels.ravel()
    count = int(labels.max(initial=0)) + 1
    keys, axes, before, after, areas = [], [], [], [], []
    for axis in range(3):
        along = np.moveaxis(labels, axis, 0)
        index = list(np.nonzero(along[1:] != along[:-1]))
        index.insert(axis, index.pop(0))
        here = np.ravel_multi_index(tuple(index), labels.shape)
        there = here + int(np.prod(labels.shape[axis + 1 :], dtype=np.int64))
        if not background:
            inside = (flat[here] > 0) & (flat[there] > 0)
            here, there = here[inside], there[inside]
        before.append(here)
        after.append(there)
        keys.append(pair_keys(flat[here], flat[there], count))
        axes.append(np.full(len(here), axis, np.uint8))
        areas.append(np.full(len(here), float(np.prod(spacing) / spacing[axis])))
    pairs, pair = np.unique(np.concatenate(keys), return_inverse=True)
    lower, upper = np.divmod(pairs, count)
    return Faces(
        lower, upper, pair, *(np.concatenate(each) for each in (axes, before, after, areas))
    )


def pair_keys(first: Integers, second: Integers, count: int) -> NDArray[np.int64]:
    """Return one number for each unordered pair of labels.

    Parameters
    ----------
    first, second : (n,) ndarray of int
        The labels of each pair.
    count : int
        A number above all labels.

    Returns
    -------
    (n,) ndarray of int
        Keys in the order of the lower, then of the upper label. ``divmod(key, count)`` returns
        these two.

    Examples
    --------
    >>> pair_keys(np.array([1, 7]), np.array([3, 2]), 10)
    array([13, 27])
    """
    lower, upper = np.minimum(first, second), np.maximum(first, second)
    return lower.astype(np.int64) * count + upper.astype(np.int64)
