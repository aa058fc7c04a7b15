"""From compartments to cells: those without a wall between them are one, and what holds no nucleus is judged by brightness or shape.

Halo: none, a compartment is looked at as a whole.
"""

import heapq
from typing import NamedTuple

import fastremap
import numpy as np

from cellstack import convex_hull, interfaces, io, relabel, units

BACKGROUND = 0
DARK_PERCENTILE = 10  # of a compartment: its inside, whatever its walls


class Merged(NamedTuple):
    """Cells, and what became of the compartments.

    Attributes
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        Nuclei's cells 1..n, each with the label of its nucleus, then cells without a nucleus; 0 is background.
    counts : dict of str to int
        How many compartments there were, and how many were merged for want of a wall, taken for background, or joined as too small.
    """

    labels: np.ndarray
    counts: dict


def merge_cells(
    compartments,
    walls,
    smooth,
    spacing,
    nuclei_count,
    *,
    min_wall,
    min_contact,
    min_solidity,
    min_volume_um3,
    min_volume_without_nucleus_um3,
):
    """Merge compartments on their adjacency graph.

    Parameters
    ----------
    compartments : (Z, Y, X) ndarray of uint16 or uint32
        1..m, of which the first `nuclei_count` hold a nucleus each; 0 is background.
    walls : (Z, Y, X) ndarray of float32
        Strength of the wall; 1 is where walls begin.
    smooth : (Z, Y, X) ndarray of float32
        Smoothed membrane.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    nuclei_count : int
        How many compartments hold a nucleus. Two of these never merge, nor one of them with the background.
    min_wall : float
        Compartments whose wall is weaker than this, in the mean over their contact, are one.
    min_contact : float
        They are only where their contact makes up at least this part of the contacts of one of them: where three walls meet there is no
        ridge, and a touch of corners tells nothing.
    min_solidity : float
        Where there are no nuclei, a compartment that fills less of its convex hull is background.
    min_volume_um3 : float
        A smaller compartment joins the neighbour, background too, from which the weakest wall divides it.
    min_volume_without_nucleus_um3 : float
        The same where other compartments hold nuclei and this one does not.

    Returns
    -------
    Merged

    Notes
    -----
    Merging begins at the weakest wall, and the strengths of walls that become one are averaged by area [1]_. A compartment that
    holds no nucleus beside others that do is background where its inside is darker than theirs is as a rule: in space
    between cells there is no cytoplasm. Without nuclei it is the shape that tells: space between round cells is hollow on all sides.

    References
    ----------
    .. [1] F. Meyer and S. Beucher, "Morphological segmentation", Journal of Visual Communication and Image Representation 1, 1990; mean
       strength as in `skimage.graph.merge_hierarchical`.
    """
    graph = _Graph(compartments, walls, spacing, protected=range(1, nuclei_count + 1))
    counts = {"compartments": len(graph.contacts) - 1}

    def without_wall(one, other, wall, area):
        return wall < min_wall and area >= min_contact * min(graph.contact(one), graph.contact(other))

    def too_small(one, other, wall, area):
        return min(graph.own_size(one), graph.own_size(other)) < smallest

    counts["merged_for_want_of_a_wall"] = graph.merge(without_wall)
    dark = _darker_than_cells(graph, compartments, smooth, nuclei_count) if nuclei_count else []
    hollow = [] if nuclei_count else _hollow(graph, compartments, min_solidity)
    for label in dark + hollow:
        graph.join(BACKGROUND, label)
    counts["darker_than_the_cells"], counts["space_between_cells"] = len(dark), len(hollow)
    smallest = units.volume_voxels(min_volume_without_nucleus_um3 if nuclei_count else min_volume_um3, spacing)
    counts["too_small"] = graph.merge(too_small)
    roots = graph.roots()
    kept = np.unique(roots[roots > nuclei_count])
    number = np.zeros(len(roots), np.int64)
    number[: nuclei_count + 1] = np.arange(nuclei_count + 1)
    number[kept] = nuclei_count + 1 + np.arange(len(kept))
    counts["cells_with_nucleus"], counts["cells_without_nucleus"] = nuclei_count, len(kept)
    return Merged(number[roots].astype(io.label_type(nuclei_count + len(kept)))[compartments], counts)


class _Graph:
    """Compartments as nodes, their contacts as edges that bear the sum of wall times area, and the area."""

    def __init__(self, labels, walls, spacing, protected):
        count = int(labels.max(initial=0))
        self.size = np.bincount(labels.ravel(), minlength=count + 1)
        self.parent = np.arange(count + 1)
        self.protected = {BACKGROUND, *protected}
        self.contacts = {label: {} for label in range(count + 1)}
        for (one, other), edge in _measure_walls(labels, walls, spacing).items():
            self.contacts[one][other] = self.contacts[other][one] = edge

    def contact(self, label):
        return sum(area for _, area in self.contacts[label].values())

    def own_size(self, label):
        """Size in voxels, without limit for what never goes."""
        return np.inf if label in self.protected else self.size[label]

    def merge(self, wanted):
        """Join neighbours, weakest wall first, as long as a pair is `wanted`; give the number of pairs."""
        edges = ((one, other, edge) for one, contacts in self.contacts.items() for other, edge in contacts.items() if one < other)
        waiting = [(total / area, one, other) for one, other, (total, area) in edges]
        heapq.heapify(waiting)
        joined = 0
        while waiting:
            wall, one, other = heapq.heappop(waiting)
            edge = self.contacts.get(one, {}).get(other)
            if edge is None or edge[0] / edge[1] != wall or {one, other} <= self.protected or not wanted(one, other, wall, edge[1]):
                continue
            into, gone = (other, one) if other in self.protected else (one, other)
            self.join(into, gone)
            joined += 1
            for label, (total, area) in self.contacts[into].items():
                heapq.heappush(waiting, (total / area, min(into, label), max(into, label)))
        return joined

    def join(self, into, gone):
        """Make one node of two; it is called `into`."""
        for label, (total, area) in self.contacts.pop(gone).items():
            del self.contacts[label][gone]
            if label != into:
                before = self.contacts[into].get(label, (0.0, 0.0))
                edge = (before[0] + total, before[1] + area)
                self.contacts[into][label] = self.contacts[label][into] = edge
        self.parent[gone] = into
        self.size[into] += self.size[gone]

    def roots(self):
        """Give for each compartment the node that it is part of."""
        roots = self.parent
        while (roots[roots] != roots).any():
            roots = roots[roots]
        return roots


def _measure_walls(labels, walls, spacing):
    """Give the sum of wall strength times area, and the area in um2, of each pair of labels that touch."""
    base = int(labels.max(initial=0)) + 1
    keys, strengths, areas = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0)]
    for axis, before, area in interfaces.find_faces(labels, spacing):
        behind = interfaces.behind(before, axis)
        one, other = labels[before].astype(np.int64), labels[behind].astype(np.int64)
        keys.append(np.minimum(one, other) * base + np.maximum(one, other))
        strengths.append(area * np.maximum(walls[before], walls[behind]).astype(np.float64))
        areas.append(np.full(len(one), area))
    pairs, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    totals = np.bincount(inverse, np.concatenate(strengths), len(pairs)).tolist()
    areas = np.bincount(inverse, np.concatenate(areas), len(pairs)).tolist()
    return {divmod(pair, base): edge for pair, *edge in zip(pairs.tolist(), totals, areas, strict=True)}


def _darker_than_cells(graph, compartments, smooth, nuclei_count):
    """List the nodes without a nucleus whose inside is darker than that of most cells around them."""
    merged = graph.roots().astype(compartments.dtype)[compartments]
    labels = fastremap.unique(merged)
    order = np.argsort(merged, axis=None, kind="stable")
    parts = np.split(smooth.ravel()[order], np.flatnonzero(np.diff(merged.ravel()[order])) + 1)
    inside = {int(label): float(np.percentile(part, DARK_PERCENTILE)) for label, part in zip(labels, parts, strict=True)}
    dark = []
    for label in [each for each in graph.contacts if each > nuclei_count]:
        around = [inside[other] for other in graph.contacts[label] if 0 < other <= nuclei_count]
        if around and inside[label] < np.median(around):
            dark.append(label)
    return dark


def _hollow(graph, compartments, min_solidity):
    """List the nodes that fill less than `min_solidity` of their convex hull."""
    merged = graph.roots().astype(compartments.dtype)[compartments]
    boxes = relabel.find_boxes(merged)
    hollow = []
    for label in [each for each in graph.contacts if each != BACKGROUND]:
        mask = merged[boxes[label]] == label
        if np.count_nonzero(mask) < min_solidity * convex_hull.count_voxels(convex_hull.convex_hull(mask), mask.shape):
            hollow.append(label)
    return hollow
