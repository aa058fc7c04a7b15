"""Measurement of neighbours: distances between objects, contacts, and density, in 3D and in um."""

from collections.abc import Collection
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellstack.core import parallel
from cellstack.core.balls import ball_volumes, edge_distances
from cellstack.core.boundaries import measure_contact_areas
from cellstack.core.gaps import gap
from cellstack.core.overlaps import count_overlaps, find_containers
from cellstack.core.planes import Stack
from cellstack.core.types import BoolVolume, Spacing
from cellstack.tissue.nearest import Objects, find_nearer_surface, find_nearest_surface

Pair: TypeAlias = tuple[int, int]
"""Indices of two objects, the lower one first."""

UM3_PER_MM3 = 1e9


class Neighbors(NamedTuple):
    """Neighbours of the objects of a stack."""

    pairs: list[dict[str, float]]
    """One for each pair, ordered by label; see
    :data:`cellstack.config.columns.NEIGHBOR_COLUMNS`."""
    objects: list[dict[str, float | None]]
    """One for each object, ordered by label; the groups ``neighbors`` and ``other_kind`` of
    :data:`cellstack.config.object_columns.GROUPS` define the keys."""


def measure_neighbors(
    labels: Stack,
    spacing: Spacing,
    *,
    nearest_count: int,
    radius_um: float,
    no_data: BoolVolume | None = None,
    kind: str = "nuclei",
    others: Stack | None = None,
    threads: int = 1,
) -> Neighbors:
    """Measure the neighbours of each object.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of unsigned int
        All objects; 0 is background.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    nearest_count : int
        Number of nearest objects, by their centroids, that are neighbours at any distance.
    radius_um : float
        Objects are neighbours if their centroids are at most this distance apart.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels without data, which are treated like space outside the stack.
    kind : str
        Kind of the objects: nuclei or cells.
    others : (Z, Y, X) ndarray or stack of unsigned int, optional
        All objects of the other kind. The nearest one is found for each object.
    threads : int
        Number of objects that are worked on in parallel. The result does not depend on it.

    Returns
    -------
    Neighbors
        Pairs are objects within the radius of each other, objects that touch, and each object with
        those nearest to it, by their centroids and by their surfaces.

    Notes
    -----
    Distances between surfaces are defined in :mod:`cellstack.core.gaps`, areas of contacts in
    :func:`cellstack.core.boundaries.contact_areas`.

    Examples
    --------
    >>> labels = np.uint16([[[1, 1, 2, 2, 0, 0, 3, 3]]])
    >>> found = measure_neighbors(labels, (2.0, 1.0, 0.5), nearest_count=1, radius_um=1.5)
    >>> [pair["surface_distance_um"] for pair in found.pairs]
    [0.0, 1.0]
    >>> [row["nearest_centroid_distance_um"] for row in found.objects]
    [1.0, 1.0, 2.0]
    """
    objects = Objects(labels, spacing, threads)
    names = objects.names.tolist()
    if not names:
        return Neighbors([], [])
    areas, fractions = _measure_contacts(labels, spacing, objects.names, threads)
    nearest, distances = _find_nearest(objects, nearest_count)
    within = objects.points.pairs(radius_um)
    of_each = {(min(i, j), max(i, j)) for i, each in enumerate(nearest.tolist()) for j in each}
    gaps = _measure_gaps(objects, within | of_each | areas.keys(), areas, threads)
    smallest = [np.inf] * len(names)
    for (i, j), distance in gaps.items():
        smallest[i], smallest[j] = min(smallest[i], distance), min(smallest[j], distance)
    counts, touching = (
        np.bincount(np.array(list(each), int).ravel(), minlength=len(names)).tolist()
        for each in (within, areas)
    )
    edges = edge_distances(objects.centroids, labels.shape, spacing, no_data).tolist()
    volumes = ball_volumes(objects.centroids, radius_um, labels.shape, spacing, no_data)
    rows: list[dict[str, float | None]] = []
    for i, name in enumerate(names):
        own = distances[i].tolist()
        first = own[0] if own else np.inf
        row: dict[str, float | None] = {
            "segmentation_label": name,
            "nearest_centroid_distance_um": first if own else None,
            "nearest_surface_distance_um": smallest[i] if own else None,
            "mean_nearest_centroid_distance_um": (
                float(np.mean(own)) if len(own) == nearest_count else None
            ),
            "neighbor_count": counts[i],
            "touching_count": touching[i],
            "contact_fraction": fractions[i],
            "local_density_per_mm3": (
                counts[i] / float(volumes[i]) * UM3_PER_MM3
                if len(labels) > 1 and volumes[i] > 0
                else None
            ),
            "edge_distance_um": edges[i],
            "nearest_incomplete": int(edges[i] < first),
            "neighborhood_incomplete": int(edges[i] < radius_um),
        }
        rows.append(row)
    if others is not None:
        found = _find_nearest_of_other_kind(objects, labels, kind, others, spacing, threads)
        for row, (gap_um, label) in zip(rows, found, strict=True):
            row["nearest_other_kind_segmentation_label"] = label
            row["nearest_other_kind_surface_distance_um"] = gap_um
    return Neighbors(
        [
            {
                "segmentation_label_1": names[i],
                "segmentation_label_2": names[j],
                "centroid_distance_um": float(
                    np.linalg.norm(objects.centroids[i] - objects.centroids[j])
                ),
                "surface_distance_um": gaps[i, j],
                "contact_area_um2": areas.get((i, j), 0.0),
                "touching": int((i, j) in areas),
                "within_radius": int((i, j) in within),
            }
            for i, j in sorted(gaps)
        ],
        rows,
    )


def _measure_contacts(
    labels: Stack, spacing: Spacing, names: NDArray[np.int_], threads: int
) -> tuple[dict[Pair, float], list[float | None]]:
    """Return the area of each contact, and the fraction of the surface of each object in contact.

    Faces of the stack are not part of the surface. The surface of an object of a few voxels cannot
    be measured like an area of contact; its fraction is then None.
    """
    touching_labels, areas = measure_contact_areas(labels, spacing, threads)
    is_contact = touching_labels[:, 0] > 0
    lower, upper = np.searchsorted(names, touching_labels).T
    contact = np.zeros(len(names))
    np.add.at(contact, lower[is_contact], areas[is_contact])
    np.add.at(contact, upper[is_contact], areas[is_contact])
    free = np.bincount(upper[~is_contact], areas[~is_contact], len(names))
    touches = np.isin(np.arange(len(names)), [lower[is_contact], upper[is_contact]])
    fractions = [
        float(one / (one + other)) if one + other > 0 else None if touching else 0.0
        for one, other, touching in zip(contact, free, touches, strict=True)
    ]
    pairs = zip(lower[is_contact].tolist(), upper[is_contact].tolist(), strict=True)
    return dict(zip(pairs, areas[is_contact].tolist(), strict=True)), fractions


def _find_nearest(objects: Objects, count: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the objects with the nearest centroids, and their distances, for each object.

    There are fewer than `count` if there are not as many others.
    """
    total = len(objects.names)
    count = min(count, total - 1)
    distances, found = objects.points.nearest(objects.centroids, count + 1)
    is_own = found == np.arange(total)[:, None]
    is_own[~is_own.any(axis=1), -1] = True  # more than `count` others at the same place
    shape = (total, count)
    return found[~is_own].reshape(shape), distances[~is_own].reshape(shape)


def _measure_gaps(
    objects: Objects, pairs: Collection[Pair], touching: Collection[Pair], threads: int
) -> dict[Pair, float]:
    """Return the distance between the surfaces of pairs, and of others that are nearest."""
    partners: list[list[int]] = [[] for _ in objects.names]
    for i, j in sorted(pairs):
        partners[i].append(j)

    def measure(i: int) -> list[tuple[Pair, float]]:
        return [
            ((i, j), 0.0 if (i, j) in touching else gap(objects.corners(i), objects.corners(j)))
            for j in partners[i]
        ]

    indices = range(len(partners))
    gaps = dict(each for own in parallel.map_processes(measure, indices, threads) for each in own)
    smallest = [np.inf] * len(partners)
    known: list[set[int]] = [{i} for i in indices]
    for (i, j), distance in gaps.items():
        smallest[i], smallest[j] = min(smallest[i], distance), min(smallest[j], distance)
        known[i].add(j)
        known[j].add(i)

    def find(i: int) -> tuple[float, int | None]:
        return find_nearer_surface(objects, i, objects, known[i], smallest[i])

    for i, (distance, nearer) in enumerate(parallel.map_processes(find, indices, threads)):
        if nearer is not None:
            gaps[min(i, nearer), max(i, nearer)] = distance
    return gaps


def _find_nearest_of_other_kind(
    objects: Objects,
    labels: Stack,
    kind: str,
    others: Stack,
    spacing: Spacing,
    threads: int,
) -> list[tuple[float | None, int | None]]:
    """Return distance and label of the nearest object of the other kind, for each object.

    The cell that contains a nucleus, and the nuclei that a cell contains, are left out. The
    distance to an object that overlaps is 0.
    """
    other_objects = Objects(others, spacing, threads)
    if len(other_objects.names) == 0:
        return [(None, None)] * len(objects.names)
    nuclei, cells = (labels, others) if kind == "nuclei" else (others, labels)
    overlaps = count_overlaps(nuclei, cells)
    owners = find_containers(overlaps)
    contained: list[set[int]] = [set() for _ in objects.names]
    overlapping: dict[int, int] = {}
    both = overlaps.is_object_pair
    for nucleus, cell in zip(
        overlaps.true_label[both].tolist(), overlaps.label[both].tolist(), strict=True
    ):
        own, other = (nucleus, cell) if kind == "nuclei" else (cell, nucleus)
        i, j = np.searchsorted(objects.names, own), np.searchsorted(other_objects.names, other)
        if owners[nucleus] == cell:
            contained[i].add(int(j))
        else:
            overlapping.setdefault(int(i), other)

    def find(i: int) -> tuple[float | None, int | None]:
        if i in overlapping:
            return 0.0, overlapping[i]
        distance, nearest = find_nearest_surface(objects, i, other_objects, contained[i])
        if nearest is None:
            return None, None
        return distance, int(other_objects.names[nearest])

    return parallel.map_processes(find, range(len(objects.names)), threads)
