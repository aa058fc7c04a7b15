"""Labels that are joined to sets, such as the parts of components that span several blocks."""

import numpy as np
from numpy.typing import NDArray


class DisjointSets:
    """Sets of the labels from 0 on, each represented by its lowest label.

    Parameters
    ----------
    count : int
        Number of labels, each of which is a set at first.

    Examples
    --------
    >>> sets = DisjointSets(4)
    >>> sets.join(3, 1)
    >>> sets.lowest()
    array([0, 1, 2, 1])
    """

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def __len__(self) -> int:
        return len(self._parent)

    def add(self, count: int) -> None:
        """Add labels after the highest one."""
        self._parent += range(len(self), len(self) + count)

    def join(self, one: int, other: int) -> None:
        """Join the sets of two labels."""
        low, high = sorted((self._root(one), self._root(other)))
        self._parent[high] = low

    def lowest(self) -> NDArray[np.int_]:
        """Return the lowest label of the set of each label."""
        return np.array([self._root(label) for label in range(len(self))], int)

    def _root(self, label: int) -> int:
        parent = self._parent
        while parent[label] != label:
            parent[label] = label = parent[parent[label]]
        return label
