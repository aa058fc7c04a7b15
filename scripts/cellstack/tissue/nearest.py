"""Search for the objects with the nearest surfaces."""

from collections.abc import Collection
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cellstack.core.gaps import box_gaps, find_surfaces, gap
from cellstack.core.labels import find_boxes
from cellstack.core.planes import Stack
from cellstack.core.points import Points
from cellstack.core.types import Spacing
from cellstack.files.mapped import in_row_order

LARGE = 3.0  # times the median size; larger objects are compared with all others
FIRST_COMPARED = 4  # objects with the nearest centroids, before distances of boxes exclude others
CACHED_SURFACES = 128  # corners in um, of the objects compared last


class Objects:
    """The objects of a label image, to find those that are near.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of unsigned int
        0 is background.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    threads : int
        The result does not depend on it.

    Attributes
    ----------
    names : (n,) ndarray of int
        Labels, in ascending order. Objects are numbered in this order, from 0.
    centroids : (n, 3) ndarray of float
        In um.
    points : cellstack.core.points.Points
        The centroids.
    """

    def __init__(self, labels: Stack, spacing: Spacing, threads: int) -> None:
        boxes = find_boxes(labels)
        ordered = in_row_order(boxes)
        found = find_surfaces(labels, ordered, spacing, threads)
        by_label = dict(zip(ordered, found, strict=True))
        surfaces = [by_label[label] for label in boxes]
        self.names = np.array(list(boxes), int)
        self.centroids, self.low, self.high = (
            np.array(each, float).reshape(-1, 3)
            for each in (
                [surface.centroid for surface in surfaces],
                [surface.low for surface in surfaces],
                [surface.high for surface in surfaces],
            )
        )
        self.corners = lru_cache(CACHED_SURFACES)(
            lambda i: (surfaces[i].corners - 0.5) * np.asarray(spacing, float)
        )
        # The distance from the centroid to the farthest corner of the bounding box.
        self.sizes = np.linalg.norm(
            np.maximum(self.centroids - self.low, self.high - self.centroids), axis=1
        )
        is_large = self.sizes > LARGE * np.median(self.sizes) if boxes else np.zeros(0, bool)
        self._large, self._small = np.flatnonzero(is_large), np.flatnonzero(~is_large)
        self._small_points = Points(self.centroids[self._small])
        self.points = Points(self.centroids)

    def find_near(self, box: "Objects", i: int, distance_um: float) -> NDArray[np.intp]:
        """Return the objects whose boxes are nearer to a box, the nearest first.

        The box is that of object `i` of `box`.
        """
        reach = distance_um + box.sizes[i] + self.sizes[self._small].max(initial=0)
        found = self._small_points.within(box.centroids[i], reach)
        near = np.concatenate([self._small[found], self._large])
        gaps = box_gaps(box.low[i], box.high[i], self.low[near], self.high[near])
        order = np.lexsort((near, gaps))
        return near[order[gaps[order] < distance_um]]


def find_nearer_surface(
    objects: Objects, i: int, others: Objects, excluded: Collection[int], limit: float
) -> tuple[float, int | None]:
    """Find the other object with the nearest surface, if it is nearer than a limit.

    Parameters
    ----------
    objects, i
        The object from which distances are measured.
    others : Objects
    excluded : collection of int
        Numbers of other objects that do not count.
    limit : float
        In um.

    Returns
    -------
    distance : float
        In um; the limit if no object is nearer.
    nearest : int or None
        Number of the other object.
    """
    found = None
    for j in others.find_near(objects, i, limit).tolist():
        box = box_gaps(objects.low[i], objects.high[i], others.low[j], others.high[j])
        if box >= limit:
            break  # those that follow are not nearer
        if j not in excluded:
            distance = gap(objects.corners(i), others.corners(j), limit)
            if distance < limit:
                limit, found = distance, j
    return limit, found


def find_nearest_surface(
    objects: Objects, i: int, others: Objects, excluded: Collection[int] = ()
) -> tuple[float, int | None]:
    """Find the other object with the nearest surface.

    Parameters
    ----------
    objects, i
        The object from which distances are measured.
    others : Objects
    excluded : collection of int
        Numbers of other objects that do not count.

    Returns
    -------
    distance : float
        In um, see :mod:`cellstack.core.gaps`; infinite without another object.
    nearest : int or None
        Number of the other object.

    Examples
    --------
    >>> objects = Objects(np.uint16([[[1, 0, 2, 0, 0, 3]]]), (2.0, 1.0, 0.5), 1)
    >>> find_nearest_surface(objects, 1, objects, [1])
    (0.5, 0)
    """
    limit = np.inf
    nearest: int | None = None
    count = min(FIRST_COMPARED, len(others.names))
    if count == 0:
        return limit, None
    first = others.points.nearest(objects.centroids[i : i + 1], count)[1][0]
    for j in first.tolist():
        if j not in excluded:
            distance = gap(objects.corners(i), others.corners(j), limit)
            if distance < limit:
                limit, nearest = distance, j
    limit, nearer = find_nearer_surface(objects, i, others, {*excluded, *first.tolist()}, limit)
    return limit, nearest if nearer is None else nearer
