"""Search for the nearest of some points."""

import numpy as np
from numpy.typing import NDArray

MAX_COMPARED = 2000  # points compared in less time than it takes to import a k-d tree


class Points:
    """Points among which the nearest ones are searched.

    Parameters
    ----------
    places : (n, 3) ndarray of float
        Positions in um.

    Notes
    -----
    Up to 2000 points are compared with each other, more are arranged in a k-d tree. The results are
    the same, except for the order of points at the same distance.

    Examples
    --------
    >>> points = Points(np.array([[0.0, 0, 0], [0, 0, 3], [0, 4, 0]]))
    >>> distances, found = points.nearest(np.array([[0.0, 0, 0]]), 2)
    >>> distances.tolist(), found.tolist()
    ([[0.0, 3.0]], [[0, 1]])
    >>> points.pairs(4.0)
    {(0, 1), (0, 2)}
    >>> points.within(np.array([0.0, 4, 1]), 1.0).tolist()
    [2]
    """

    def __init__(self, places: NDArray[np.float64]) -> None:
        self._places = places
        self._tree = None
        if len(places) > MAX_COMPARED:
            from scipy.spatial import KDTree  # slow to import

            self._tree = KDTree(places)

    def nearest(
        self, places: NDArray[np.float64], count: int
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return distance and index of the nearest points to each place, the nearest first.

        Parameters
        ----------
        places : (m, 3) ndarray of float
            In um.
        count : int
            At most the number of points.

        Returns
        -------
        distances : (m, count) ndarray of float
            In um.
        found : (m, count) ndarray of int
        """
        if self._tree is not None:
            distances, found = self._tree.query(places, range(1, count + 1))
            return distances, found
        squares = self._squares(places)
        found = np.argsort(squares, axis=1, kind="stable")[:, :count]
        return np.sqrt(np.take_along_axis(squares, found, axis=1)), found

    def pairs(self, distance_um: float) -> set[tuple[int, int]]:
        """Return the pairs of points at most a distance apart, the lower index first."""
        if self._tree is not None:
            pairs: set[tuple[int, int]] = self._tree.query_pairs(distance_um)
            return pairs
        near = np.triu(self._squares(self._places) <= distance_um**2, 1)
        return {(i, j) for i, j in np.argwhere(near).tolist()}

    def within(self, place: NDArray[np.float64], distance_um: float) -> NDArray[np.intp]:
        """Return the indices of the points at most a distance away from a place."""
        if self._tree is not None:
            return np.array(self._tree.query_ball_point(place, distance_um), np.intp)
        return np.flatnonzero(self._squares(place[None])[0] <= distance_um**2)

    def _squares(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        return squared_distances(places, self._places)


def squared_distances(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the squared distance of each pair of points.

    Parameters
    ----------
    first, second : (n, 3) and (m, 3) ndarray of float

    Returns
    -------
    (n, m) ndarray of float

    Examples
    --------
    >>> squared_distances(np.array([[0.0, 0, 0]]), np.array([[0.0, 3, 4], [2, 0, 0]]))
    array([[25.,  4.]])
    """
    total: NDArray[np.float64] = np.zeros((len(first), len(second)))
    offsets = np.empty_like(total)
    for one, other in zip(first.T, np.ascontiguousarray(second.T), strict=True):
        np.subtract.outer(one, other, out=offsets)
        offsets *= offsets
        total += offsets
    return total
