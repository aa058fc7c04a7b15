"""Merging of regions into cells, on their adjacency graph.

Regions without a wall between them become one cell. A region without a nucleus becomes background
if it is darker than the cells around it, or if its shape is hollow.
"""

import heapq
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellstack.core import convex_hull
from cellstack.core.boundaries import measure_pairs
from cellstack.core.boxes import unite_boxes
from cellstack.core.labels import count_voxels, find_boxes, label_type, relabel
from cellstack.core.planes import Allocate, Stack, slabs
from cellstack.core.types import BoolVolume, Box, Spacing
from cellstack.core.voxels import volume_voxels

BACKGROUND = 0
INSIDE_PERCENTILE = 10  # intensity of the interior of a region, not influenced by its walls


class Merged(NamedTuple):
    """Cells, and a count of each kind of change."""

    labels: Stack
    """(Z, Y, X) cells with a nucleus 1..n, numbered as the nuclei, then cells without one."""
    counts: dict[str, int]
    """Numbers of regions, merges, regions turned into background, and cells."""


class _Contact(NamedTuple):
    """Contact of two regions."""

    total: float  # ridge strength times area, in um2
    area: float  # um2

    @property
    def strength(self) -> float:
        return self.total / self.area


def merge_cells(
    regions: Stack,
    ridges: Stack,
    smooth: Stack,
    spacing: Spacing,
    nuclei_count: int,
    *,
    min_wall_strength: float,
    min_contact_fraction: float,
    min_solidity: float,
    min_solidity_without_nucleus: float,
    min_volume_um3: float,
    min_volume_without_nucleus_um3: float,
    allocate: Allocate = np.empty,
) -> Merged:
    """Merge regions into cells.

    Parameters
    ----------
    regions : (Z, Y, X) ndarray or stack of uint16 or uint32
        Regions 1..m, of which the first `nuclei_count` contain one nucleus each; 0 is background.
    ridges : (Z, Y, X) ndarray or stack of float32
        Ridge strength of the membrane; voxels above 1 are wall.
    smooth : (Z, Y, X) ndarray or stack of float32
        Smoothed membrane.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    nuclei_count : int
        Number of regions with a nucleus. These are never merged with each other or with the
        background.
    min_wall_strength : float
        Regions are merged if the mean strength of the wall between them is below this value.
    min_contact_fraction : float
        The contact must also be at least this fraction of all contacts of one of the two regions.
        Small contacts, where three walls meet, show no ridge even between different cells.
    min_solidity : float
        In stacks without nuclei, a region of lower solidity becomes background.
    min_solidity_without_nucleus : float
        The same for regions without a nucleus in stacks with nuclei.
    min_volume_um3 : float
        A smaller region is merged with the neighbour, or the background, with the weakest wall to
        it.
    min_volume_without_nucleus_um3 : float
        The same for regions without a nucleus in stacks with nuclei.
    allocate : callable
        Provides the result.

    Returns
    -------
    Merged

    Notes
    -----
    The weakest wall is removed first. When two walls become one, their strengths are averaged by
    area [1]_. In stacks with nuclei, a region without a nucleus becomes background if its interior
    is darker than the median of the cells around it, because space between cells has no cytoplasm.
    Small spaces are as bright as cells, because the walls around them are blurred. In all stacks,
    the shape is a criterion too: space between round cells is concave on all sides.

    References
    ----------
    .. [1] F. Meyer and S. Beucher, "Morphological segmentation", Journal of Visual Communication
       and Image Representation 1, 1990; mean strength as in `skimage.graph.merge_hierarchical`.

    Examples
    --------
    >>> regions = np.uint16([[[1, 1, 2, 2, 3, 3]]])
    >>> ridges = np.float32([[[0, 0, 0, 2, 2, 0]]])
    >>> merge_cells(
    ...     regions, ridges, ridges, (1, 1, 1), 0, min_wall_strength=0.5, min_contact_fraction=0.2,
    ...     min_solidity=0, min_solidity_without_nucleus=0, min_volume_um3=0,
    ...     min_volume_without_nucleus_um3=0,
    ... ).labels
    array([[[1, 1, 1, 1, 2, 2]]], dtype=uint16)
    """
    graph = _Graph(regions, ridges, spacing, protected=range(1, nuclei_count + 1))
    counts = {"regions": len(graph.contacts) - 1}
    min_voxels = volume_voxels(
        min_volume_without_nucleus_um3 if nuclei_count else min_volume_um3, spacing
    )

    def has_no_wall(one: int, other: int, contact: _Contact) -> bool:
        smaller = min(graph.contact_area(one), graph.contact_area(other))
        return (
            contact.strength < min_wall_strength and contact.area >= min_contact_fraction * smaller
        )

    def is_too_small(one: int, other: int, contact: _Contact) -> bool:
        return min(graph.mergeable_size(one), graph.mergeable_size(other)) < min_voxels

    counts["merged_without_wall"] = graph.merge(has_no_wall)
    dark = _darker_than_cells(graph, regions, smooth, nuclei_count) if nuclei_count else []
    for label in dark:
        graph.join(BACKGROUND, label)
    limit = min_solidity_without_nucleus if nuclei_count else min_solidity
    hollow = _hollow(graph, regions, nuclei_count, limit)
    for label in hollow:
        graph.join(BACKGROUND, label)
    counts["background_by_intensity"], counts["background_by_shape"] = len(dark), len(hollow)
    counts["merged_by_size"] = graph.merge(is_too_small)
    roots = graph.roots()
    kept = np.unique(roots[roots > nuclei_count])
    number = np.zeros(len(roots), np.int64)
    number[: nuclei_count + 1] = np.arange(nuclei_count + 1)
    number[kept] = nuclei_count + 1 + np.arange(len(kept))
    counts["cells_with_nucleus"], counts["cells_without_nucleus"] = nuclei_count, len(kept)
    table = number[roots].astype(label_type(nuclei_count + len(kept)))
    labels = allocate(regions.shape, table.dtype)
    for slab in slabs(regions.shape):
        labels[slab.planes] = relabel(regions[slab.planes], table)
    return Merged(labels, counts)


class _Graph:
    """Region adjacency graph: regions are nodes, contacts are edges."""

    def __init__(
        self, regions: Stack, ridges: Stack, spacing: Spacing, protected: Iterable[int]
    ) -> None:
        self.size = count_voxels(regions)
        count = len(self.size) - 1
        self.parent = np.arange(count + 1)
        self.protected = {BACKGROUND, *protected}
        self.contacts: dict[int, dict[int, _Contact]] = {label: {} for label in range(count + 1)}
        found = measure_pairs(regions, ridges, spacing)
        edges = (found.lower, found.upper, found.total, found.face_area)
        for lower, upper, total, area in zip(*(each.tolist() for each in edges), strict=True):
            self.contacts[lower][upper] = self.contacts[upper][lower] = _Contact(total, area)

    def contact_area(self, label: int) -> float:
        return sum(contact.area for contact in self.contacts[label].values())

    def mergeable_size(self, label: int) -> float:
        """Return the size in voxels, infinite for protected nodes."""
        return np.inf if label in self.protected else self.size[label]

    def merge(self, is_wanted: Callable[[int, int, _Contact], bool]) -> int:
        """Join all neighbours that `is_wanted` accepts, weakest wall first; return their number."""
        waiting = [
            (contact.strength, one, other)
            for one, contacts in self.contacts.items()
            for other, contact in contacts.items()
            if one < other
        ]
        heapq.heapify(waiting)
        joined = 0
        while waiting:
            strength, one, other = heapq.heappop(waiting)
            current = self.contacts.get(one, {}).get(other)
            if (
                current is None
                or current.strength != strength  # changed by a merge since it was queued
                or {one, other} <= self.protected
                or not is_wanted(one, other, current)
            ):
                continue
            kept, removed = (other, one) if other in self.protected else (one, other)
            self.join(kept, removed)
            joined += 1
            for label, contact in self.contacts[kept].items():
                heapq.heappush(waiting, (contact.strength, min(kept, label), max(kept, label)))
        return joined

    def join(self, kept: int, removed: int) -> None:
        """Join two nodes."""
        for label, contact in self.contacts.pop(removed).items():
            del self.contacts[label][removed]
            if label != kept:
                before = self.contacts[kept].get(label, _Contact(0.0, 0.0))
                united = _Contact(before.total + contact.total, before.area + contact.area)
                self.contacts[kept][label] = self.contacts[label][kept] = united
        self.parent[removed] = kept
        self.size[kept] += self.size[removed]

    def roots(self) -> NDArray[np.int_]:
        """Return the node that each region belongs to."""
        roots = self.parent
        while (roots[roots] != roots).any():
            roots = roots[roots]
        return roots


class _Nodes:
    """Positions of the voxels of each node of a graph."""

    def __init__(self, graph: _Graph, regions: Stack) -> None:
        self._regions, self._roots = regions, graph.roots()
        self.boxes: dict[int, Box] = {}
        for region, box in find_boxes(regions).items():
            node = int(self._roots[region])
            self.boxes[node] = unite_boxes(self.boxes.get(node, box), box)

    def mask(self, node: int) -> BoolVolume:
        """Return the voxels of a node in its box."""
        is_part = self._roots == node
        return relabel(self._regions[self.boxes[node]], is_part)


def _darker_than_cells(
    graph: _Graph, regions: Stack, smooth: Stack, nuclei_count: int
) -> list[int]:
    """List the nodes without a nucleus that are darker than the median of the cells around them."""
    nodes = _Nodes(graph, regions)

    @cache
    def inside(node: int) -> float:
        values = smooth[nodes.boxes[node]][nodes.mask(node)]
        return float(np.percentile(values, INSIDE_PERCENTILE))

    dark = []
    for label, contacts in graph.contacts.items():
        if label > nuclei_count:
            around = [inside(other) for other in contacts if 0 < other <= nuclei_count]
            if around and inside(label) < np.median(around):
                dark.append(label)
    return dark


def _hollow(graph: _Graph, regions: Stack, nuclei_count: int, min_solidity: float) -> list[int]:
    """List the nodes without a nucleus whose solidity is below `min_solidity`."""
    nodes = _Nodes(graph, regions)
    hollow = []
    for label in graph.contacts:
        if label <= nuclei_count:  # or the background
            continue
        mask = nodes.mask(label)
        convex = convex_hull.count_voxels(convex_hull.convex_hull(mask), mask.shape)
        if np.count_nonzero(mask) < min_solidity * convex:
            hollow.append(label)
    return hollow
