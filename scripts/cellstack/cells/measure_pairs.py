"""Measurement of cells together with their nuclei, and of intensities in nucleus and cytoplasm."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import edt
import numpy as np
from numpy.typing import NDArray

from cellstack.core.boxes import box_within, widen_box
from cellstack.core.intensities import exact_sum
from cellstack.core.overlaps import count_overlaps, find_containers
from cellstack.core.planes import Planes, Stack
from cellstack.core.types import Box, Boxes, Spacing, Volume


def find_owners(cells: Planes, nuclei: Planes) -> NDArray[np.int64]:
    """Find the cell that each nucleus belongs to.

    Parameters
    ----------
    cells : (Z, Y, X) ndarray or stack of unsigned int
        Cells 1..n; 0 is background.
    nuclei : (Z, Y, X) ndarray or stack of unsigned int
        Nuclei 1..m; 0 is background.

    Returns
    -------
    (m + 1,) ndarray of int
        The label of the cell that contains more than half of the nucleus, 0 if there is none.

    Examples
    --------
    >>> cells = np.uint16([[[1, 1, 1, 2, 2, 0]]])
    >>> nuclei = np.uint16([[[0, 1, 1, 1, 0, 2]]])
    >>> find_owners(cells, nuclei)
    array([0, 1, 0])
    """
    return find_containers(count_overlaps(nuclei, cells))


def measure_pairs(
    cells: Stack, boxes: Boxes, nuclei: Stack, owners: NDArray[np.int64], spacing: Spacing
) -> list[dict[str, float | None]]:
    """Measure each cell together with its nuclei.

    Parameters
    ----------
    cells : (Z, Y, X) ndarray or stack of unsigned int
        0 is background.
    boxes : dict of int to tuple of slice
        Bounding boxes of the cells, see :func:`cellstack.core.labels.find_boxes`.
    nuclei : (Z, Y, X) ndarray or stack of unsigned int
        0 is background.
    owners : (m + 1,) ndarray of int
        The cell of each nucleus, see :func:`find_owners`.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    list of dict
        One for each cell, in the order of `boxes`; :mod:`cellstack.config.object_columns`
        defines the keys. Several nuclei of a cell are measured as one. A cell without a nucleus
        has the key ``nuclei_count`` only.
    """
    steps = np.asarray(spacing, float)
    return [
        _measure_pair(cells, label, box, nuclei, np.flatnonzero(owners == label), steps)
        for label, box in boxes.items()
    ]


def _measure_pair(
    cells: Stack,
    label: int,
    box: Box,
    nuclei: Stack,
    owned: NDArray[np.intp],
    spacing: NDArray[np.float64],
) -> dict[str, float | None]:
    cell, around = cells[box] == label, nuclei[box]
    nucleus = cell & np.isin(around, owned)
    count = np.count_nonzero(nucleus)
    if count == 0:
        return {"nuclei_count": 0}
    volumes = [np.count_nonzero(cell & (around == each)) for each in owned]
    to_wall = _distance_to_wall(cells, label, box, spacing)[nucleus]
    offset = (np.argwhere(nucleus).mean(axis=0) - np.argwhere(cell).mean(axis=0)) * spacing
    return {
        "nuclei_count": len(owned),
        "nucleus_segmentation_label": int(owned[np.argmax(volumes)]),
        "nucleus_volume_um3": count * float(np.prod(spacing)),
        "nucleus_to_cell_volume_ratio": count / np.count_nonzero(cell),
        "nucleus_offset_um": float(np.linalg.norm(offset)),
        "nucleus_wall_distance_min_um": float(to_wall.min()),
        "nucleus_wall_distance_mean_um": float(to_wall.mean(dtype=np.float64)),
    }


def _distance_to_wall(cells: Stack, label: int, box: Box, spacing: NDArray[np.float64]) -> Volume:
    """Return the distance of each voxel in the box of a cell to the nearest voxel outside it.

    Faces of the stack do not count as outside.
    """
    wide = widen_box(box)
    distance = edt.edt(np.ascontiguousarray(cells[wide] == label), anisotropy=tuple(spacing))
    return cast(Volume, distance[box_within(box, wide)])


def measure_parts(
    cells: Stack,
    boxes: Boxes,
    nuclei: Stack,
    owners: NDArray[np.int64],
    raw: Stack,
    channel: str,
) -> list[dict[str, float | None]]:
    """Measure the raw intensities of one channel in the nucleus and in the cytoplasm of each cell.

    Parameters
    ----------
    cells, boxes, nuclei, owners
        See :func:`measure_pairs`.
    raw : (Z, Y, X) ndarray or stack of integer or float
        Raw intensities of the channel.
    channel : str
        Name of the channel in the keys.

    Returns
    -------
    list of dict
        One for each cell, in the order of `boxes`; :mod:`cellstack.config.object_columns`
        defines the keys. It is empty for a cell without a nucleus.
    """
    rows = []
    for label, box in boxes.items():
        cell = cells[box] == label
        nucleus = cell & np.isin(nuclei[box], np.flatnonzero(owners == label))
        row: dict[str, float | None] = {}
        if nucleus.any():
            inside = raw[box]
            for part, mask in (("nucleus", nucleus), ("cytoplasm", cell & ~nucleus)):
                values = inside[mask]
                total = exact_sum(values)
                mean = total / len(values) if len(values) else None
                row[f"{part}_mean_intensity_{channel}"] = mean
                row[f"{part}_sum_intensity_{channel}"] = total
        rows.append(row)
    return rows


def flag_pairs(
    segmentation_labels: Sequence[int],
    nuclei_counts: Sequence[float | None],
    contacts: Iterable[Mapping[str, str]],
) -> list[str]:
    """Flag cells without exactly one nucleus, and cells without a wall to a neighbour.

    Parameters
    ----------
    segmentation_labels : (n,) sequence of int
        The label of each cell in segmentation.tif.
    nuclei_counts : (n,) sequence of int
        The number of nuclei of each cell.
    contacts : iterable of dict of str to str
        The rows of contacts.csv, see :data:`cellstack.config.columns.CONTACT_COLUMNS`. A missing
        wall means that two nuclei may be in the same cell.

    Returns
    -------
    list of str
        The flags of each cell, separated by ``;``.

    Examples
    --------
    >>> contact = {
    ...     "segmentation_label_1": "3", "segmentation_label_2": "5", "wall_missing": "1"
    ... }
    >>> flag_pairs([3, 4], [1, 0], [contact])
    ['no wall to 5', 'no nucleus']
    """
    without_wall: dict[int, list[int]] = {}
    for contact in contacts:
        if contact["wall_missing"] == "1":
            one = int(contact["segmentation_label_1"])
            other = int(contact["segmentation_label_2"])
            without_wall.setdefault(one, []).append(other)
            without_wall.setdefault(other, []).append(one)
    flags = []
    for label, count in zip(segmentation_labels, nuclei_counts, strict=True):
        found = [] if count == 1 else ["no nucleus"] if count == 0 else [f"{count} nuclei"]
        found += [f"no wall to {other}" for other in without_wall.get(label, [])]
        flags.append(";".join(found))
    return flags
