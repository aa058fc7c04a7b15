"""Place of objects in the tissue and its regions; volumes of these, and densities of objects."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import fastremap
import numpy as np
from numpy.typing import NDArray

from cellstack.core.distance import distances_at
from cellstack.core.labels import find_boxes
from cellstack.core.planes import ComputedPlanes, Planes, Stack
from cellstack.core.types import Box, Spacing

UM3_PER_MM3 = 1e9
TISSUE, REGION = "tissue", "region"
OUTSIDE_TISSUE, OUTSIDE_REGIONS = "outside the tissue", "outside all regions"


class Region(NamedTuple):
    """Position of an object among the regions."""

    label: int
    """Label of the region, 0 outside all."""
    fraction: float | None
    """Fraction of the object within it, None outside all regions."""


class Position(NamedTuple):
    """Position of an object in the tissue."""

    fraction: float
    """Fraction of the object in the tissue."""
    distance_um: float | None
    """Distance of the centroid to the surface, positive in the tissue; None without a surface."""
    is_beyond_face: bool
    """Whether a face of the stack is nearer than that surface."""
    depth_um: float | None
    """Distance of the centroid along z from the first voxel of tissue; None without one."""


def assign_regions(labels: Stack, regions: Stack) -> list[Region]:
    """Return the region of each object.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of unsigned int
        Labels 1..n of the objects; 0 is background.
    regions : (Z, Y, X) ndarray or stack of unsigned int
        Labels of the regions; 0 is outside all.

    Returns
    -------
    (n,) list of Region
        The region at the voxel of the centroid. If this voxel is outside all regions, the one
        with most voxels of the object, the lower label of two.

    Examples
    --------
    >>> labels = np.uint16([[[1, 1, 1, 0, 2, 2, 2, 0, 3]]])
    >>> regions = np.uint16([[[7, 7, 9, 9, 9, 0, 0, 0, 0]]])
    >>> [tuple(region) for region in assign_regions(labels, regions)]
    [(7, 0.6666666666666666), (9, 0.3333333333333333), (0, None)]
    """
    boxes = find_boxes(labels)
    found = []
    for label in range(1, max(boxes, default=0) + 1):
        if label not in boxes:
            found.append(Region(0, None))
            continue
        inside = labels[boxes[label]] == label
        each, counts = np.unique(regions[boxes[label]][inside], return_counts=True)
        chosen = int(regions[_centre_voxel(inside, boxes[label])])
        if chosen == 0 and len(within := np.flatnonzero(each)):
            chosen = int(each[within[np.argmax(counts[within])]])
        fraction = float(counts[each == chosen].sum() / counts.sum())
        found.append(Region(chosen, fraction if chosen else None))
    return found


def locate_in_tissue(
    labels: Stack, tissue: Stack, spacing: Spacing, threads: int = 1
) -> list[Position]:
    """Return the position of each object in the tissue.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of unsigned int
        Labels 1..n of the objects; 0 is background.
    tissue : (Z, Y, X) ndarray or stack of uint8
        1 in the tissue, 0 elsewhere.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    threads : int
        Number of threads. The result does not depend on it.

    Returns
    -------
    (n,) list of Position

    Notes
    -----
    The distance is that of the voxel of the centroid to the nearest voxel outside the tissue,
    from centre to centre; for a centroid outside the tissue it is minus the distance to the
    nearest voxel of tissue. Faces of the stack are not the surface of the tissue, which may
    continue beyond them: where the first voxel beyond a face would be nearer, the distance is only
    an upper limit. In a stack of one plane, distances are those in the plane.

    Examples
    --------
    >>> labels = np.uint16([[[0, 0, 0, 1, 0, 0, 2, 2]]])
    >>> tissue = np.uint8([[[0, 1, 1, 1, 1, 1, 1, 1]]])
    >>> for position in locate_in_tissue(labels, tissue, (1.0, 5.0, 0.5)):
    ...     print(position.distance_um, position.is_beyond_face)
    1.5 False
    3.5 True
    """
    boxes = find_boxes(labels)
    count = max(boxes, default=0)
    fractions = np.zeros(count + 1)
    centres = np.zeros((count + 1, 3), int)
    for label, box in boxes.items():
        inside = labels[box] == label
        fractions[label] = tissue[box][inside].mean()
        centres[label] = _centre_voxel(inside, box)
    columns = np.stack([plane[centres[:, 1], centres[:, 2]] > 0 for plane in tissue])
    is_inside = columns[centres[:, 0], np.arange(count + 1)]
    around = ComputedPlanes(tissue.shape, np.uint8, lambda z: (tissue[z] == 0).view(np.uint8))
    distances = np.full(count + 1, np.nan)
    for mask, chosen, sign in ((tissue, is_inside, 1), (around, ~is_inside, -1)):
        if chosen[1:].any():
            found = distances_at(mask, centres[chosen], spacing, threads)
            distances[chosen] = sign * np.where(np.isinf(found), np.nan, found)
    shape = np.array(labels.shape)
    to_faces = np.minimum(centres + 1, shape - centres) * np.asarray(spacing, float)
    if shape[0] == 1:
        to_faces[:, 0] = np.inf
    is_beyond = ~(to_faces.min(axis=1) >= np.abs(distances))  # True without a distance
    depths = (centres[:, 0] - columns.argmax(axis=0)) * float(spacing[0])
    depths[~columns.any(axis=0)] = np.nan
    return [
        Position(
            float(fractions[label]),
            _or_none(distances[label]),
            bool(is_beyond[label]),
            _or_none(depths[label]),
        )
        for label in range(1, count + 1)
    ]


def describe_regions(
    regions: Planes | None,
    tissue: Planes | None,
    no_data: Planes | None,
    spacing: Spacing,
    frame: Box,
    names: Mapping[str, str],
    objects: Sequence[Mapping[str, Any]],
) -> list[dict[str, object]]:
    """Return the volume of the tissue and of each region, with the objects in it.

    Parameters
    ----------
    regions : (Z, Y, X) ndarray or planes of unsigned int, or None
        Labels of the regions; 0 is outside all.
    tissue : (Z, Y, X) ndarray or planes of uint8, or None
        1 in the tissue, 0 elsewhere.
    no_data : (Z, Y, X) ndarray or planes of bool, or None
        Voxels without data, which belong to no volume.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    frame : (3,) tuple of slice
        The counting frame, see :func:`cellstack.core.counting_frame.place_frame`.
    names : dict of str to str
        Names of regions by label.
    objects : sequence of dict
        For each object ``region_label`` and ``tissue_fraction``, where they are known, and whether
        it is ``measured`` and ``counted`` in the frame.

    Returns
    -------
    list of dict
        Rows for the tissue and the rest of the stack, then for each region and for what is outside
        all regions. With a tissue, the regions are restricted to it. An object is in the tissue
        if at least half of it is.

    Notes
    -----
    The density is the number of objects that count in the frame, divided by the volume in the
    frame; it is None without such a volume, and in a stack of one plane.

    Examples
    --------
    >>> regions = np.uint16([[[1, 1, 1, 2]]])
    >>> objects = [{"region_label": 1, "measured": True, "counted": True}]
    >>> for row in describe_regions(
    ...     regions, None, None, (1, 1, 1), np.s_[0:1, 0:1, 1:4], {"1": "cortex"}, objects
    ... ):
    ...     print(row["part"], row["region_name"], row["volume_um3"], row["count_found"])
    region cortex 3.0 1
    region 2 1.0 0
    outside all regions  0.0 0
    """
    rows: list[dict[str, object]] = []
    if tissue is not None:
        volumes = _volumes(tissue, None, no_data, spacing, frame)
        for value, part in ((1, TISSUE), (0, OUTSIDE_TISSUE)):
            chosen = [each for each in objects if is_in_tissue(each) == bool(value)]
            rows.append(_describe(part, "", "", volumes.get(value, (0.0, 0.0)), chosen))
    if regions is not None:
        volumes = _volumes(regions, tissue, no_data, spacing, frame)
        within = [each for each in objects if is_in_tissue(each)]
        found = set().union(*(fastremap.unique(plane).tolist() for plane in regions))
        declared = [int(label) for label in names]
        for label in sorted({*found, *declared} - {0}):
            chosen = [each for each in within if each["region_label"] == label]
            name = names.get(str(label), str(label))
            volume = volumes.get(label, (0.0, 0.0))
            rows.append(_describe(REGION, label, name, volume, chosen))
        chosen = [each for each in within if each["region_label"] == 0]
        rows.append(_describe(OUTSIDE_REGIONS, "", "", volumes.get(0, (0.0, 0.0)), chosen))
    for image in (regions, tissue):
        if image is not None and len(image) == 1:
            rows = [row | {"density_per_mm3": None} for row in rows]
    return rows


def is_in_tissue(place: Mapping[str, Any]) -> bool:
    """Return whether at least half of an object is in the tissue, or the tissue is not known.

    Examples
    --------
    >>> is_in_tissue({"tissue_fraction": 0.4}), is_in_tissue({})
    (False, True)
    """
    return float(place.get("tissue_fraction", 1.0)) >= 0.5


def _describe(
    part: str,
    label: int | str,
    name: str,
    volumes: tuple[float, float],
    objects: Collection[Mapping[str, Any]],
) -> dict[str, object]:
    """Return the row of a part of the stack with some objects and its volumes, see `_volumes`."""
    volume, in_frame = volumes
    counted = sum(bool(each["counted"]) for each in objects)
    return {
        "part": part,
        "region_label": label,
        "region_name": name,
        "volume_um3": volume,
        "volume_mm3": volume / UM3_PER_MM3,
        "count_found": len(objects),
        "count_measured": sum(bool(each["measured"]) for each in objects),
        "count_in_frame": counted,
        "volume_in_frame_um3": in_frame,
        "density_per_mm3": counted / in_frame * UM3_PER_MM3 if in_frame else None,
    }


def _volumes(
    labels: Planes,
    tissue: Planes | None,
    no_data: Planes | None,
    spacing: Spacing,
    frame: Box,
) -> dict[int, tuple[float, float]]:
    """Return the volume of each label in the tissue in um3: all of it, and that in the frame."""
    voxel = math.prod(map(float, spacing))
    voxels: dict[int, list[int]] = {}
    depth, rows, columns = frame
    for z, plane in enumerate(labels):
        known = np.ones(plane.shape, bool) if tissue is None else tissue[z] > 0
        if no_data is not None:
            known &= ~no_data[z]
        is_framed = depth.start <= z < depth.stop
        parts = [(0, plane[known])]
        if is_framed:
            parts.append((1, plane[rows, columns][known[rows, columns]]))
        for which, values in parts:
            each, counts = fastremap.unique(values, return_counts=True)
            for label, count in zip(each.tolist(), counts.tolist(), strict=True):
                voxels.setdefault(label, [0, 0])[which] += count
    return {label: (total * voxel, framed * voxel) for label, (total, framed) in voxels.items()}


def _centre_voxel(inside: NDArray[np.bool_], box: Box) -> tuple[int, ...]:
    """Return the voxel that contains the centroid of an object within its bounding box."""
    means = (float(places.mean()) for places in np.nonzero(inside))
    return tuple(side.start + math.floor(mean + 0.5) for mean, side in zip(means, box, strict=True))


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
