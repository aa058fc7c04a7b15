"""Distances of objects to the nearest object of each class."""

from collections.abc import Mapping, Sequence

import numpy as np

from cellstack.core import parallel
from cellstack.core.labels import highest_label, relabel_parts
from cellstack.core.planes import Stack
from cellstack.core.types import Spacing
from cellstack.tissue.nearest import Objects, find_nearest_surface


def measure_class_distances(
    labels: Stack,
    spacing: Spacing,
    classes: Mapping[int, str],
    names: Sequence[str],
    threads: int = 1,
) -> list[dict[str, float | str | None]]:
    """Measure the distance of each object to the nearest object of each class.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of unsigned int
        0 is background. Objects without a class are ignored.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    classes : dict of int to str
        Class of each object by its label.
    names : sequence of str
        The classes.
    threads : int
        The result does not depend on it.

    Returns
    -------
    list of dict
        For each object, in ascending order, a row for each class;
        :data:`cellstack.config.columns.CLASS_DISTANCE_COLUMNS` defines the keys. The object itself
        does not count. Distances are None if there is no other object of the class.

    Examples
    --------
    >>> labels = np.uint16([[[1, 1, 0, 2, 2, 0, 0, 3, 3]]])
    >>> rows = measure_class_distances(
    ...     labels, (2.0, 1.0, 0.5), {1: "a", 2: "a", 3: "b"}, ["a", "b"]
    ... )
    >>> [(row["segmentation_label"], row["surface_distance_um"]) for row in rows]
    [(1, 0.5), (1, 2.5), (2, 0.5), (2, 1.0), (3, 1.0), (3, None)]
    """
    highest = highest_label(labels)
    of_class = {}
    for name in names:
        kept = np.zeros(highest + 1, labels.dtype)
        own = [label for label, its in classes.items() if its == name]
        kept[own] = own
        of_class[name] = Objects(relabel_parts(labels, kept), spacing, threads)
    rows = []
    for name, objects in of_class.items():
        for other, others in of_class.items():
            rows += _measure(objects, name, others, other, threads)
    # the sort is stable: rows of an object stay in the order of the classes
    return sorted(rows, key=lambda row: int(str(row["segmentation_label"])))


def _measure(
    objects: Objects, name: str, others: Objects, other: str, threads: int
) -> list[dict[str, float | str | None]]:
    """Return the rows of the objects of one class for the nearest object of a class."""
    is_same = name == other

    def measure(i: int) -> dict[str, float | str | None]:
        row: dict[str, float | str | None] = {
            "segmentation_label": int(objects.names[i]),
            "class": name,
            "nearest_class": other,
            "nearest_segmentation_label": None,
            "surface_distance_um": None,
            "nearest_centroid_distance_um": None,
        }
        distance, nearest = find_nearest_surface(objects, i, others, [i] if is_same else ())
        if nearest is not None:
            # the first of the same class is the object itself
            centroid = objects.centroids[i : i + 1]
            to_centroid = others.points.nearest(centroid, 2 if is_same else 1)[0][0, -1]
            row |= {
                "nearest_segmentation_label": int(others.names[nearest]),
                "surface_distance_um": distance,
                "nearest_centroid_distance_um": float(to_centroid),
            }
        return row

    return parallel.map_processes(measure, range(len(objects.names)), threads)
