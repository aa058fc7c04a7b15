"""Each cell and what of nuclei is in it: volumes, where the nucleus lies, and intensities in nucleus and cytoplasm.

Halo: none, a cell is looked at as a whole.
"""

import edt
import numpy as np

OWNED = 0.5  # of a nucleus that must lie within a cell for it to be the cell's


def find_owners(cells, nuclei):
    """Find the cell that each nucleus lies in.

    Parameters
    ----------
    cells : (Z, Y, X) ndarray of unsigned int
        1..n, 0 is background.
    nuclei : (Z, Y, X) ndarray of unsigned int
        1..m, 0 is background.

    Returns
    -------
    (m + 1,) ndarray of int
        The label of the cell that holds more than half of the nucleus, 0 for none.
    """
    base = int(cells.max(initial=0)) + 1
    inside = nuclei > 0
    volumes = np.bincount(nuclei[inside], minlength=int(nuclei.max(initial=0)) + 1)
    pairs, counts = np.unique(nuclei[inside].astype(np.int64) * base + cells[inside], return_counts=True)
    nucleus, cell = np.divmod(pairs, base)
    owners = np.zeros(len(volumes), np.int64)
    most = counts > OWNED * volumes[nucleus]
    owners[nucleus[most]] = cell[most]
    return owners


def measure_pairs(cells, boxes, nuclei, owners, spacing):
    """Measure each cell against the nuclei in it.

    Parameters
    ----------
    cells : (Z, Y, X) ndarray of unsigned int
        0 is background.
    boxes : dict of int to tuple of slice
        As :func:`cellstack.relabel.find_boxes` gives them.
    nuclei : (Z, Y, X) ndarray of unsigned int
        0 is background.
    owners : (m + 1,) ndarray of int
        As :func:`find_owners` gives them.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    list of dict
        One per cell, in the order of `boxes`; the keys are defined in :data:`cellstack.columns.PAIR_COLUMNS`. Where a cell has no nucleus,
        there is their number alone, 0; where it has several, they are taken together.
    """
    spacing = np.asarray(spacing, float)
    return [_measure_pair(cells, label, box, nuclei, np.flatnonzero(owners == label), spacing) for label, box in boxes.items()]


def _measure_pair(cells, label, box, nuclei, owned, spacing):
    cell = cells[box] == label
    nucleus = cell & np.isin(nuclei[box], owned)
    count = np.count_nonzero(nucleus)
    if count == 0:
        return {"nuclei_count": 0}
    volumes = [np.count_nonzero(cell & (nuclei[box] == each)) for each in owned]
    to_wall = _distance_to_wall(cells, label, box, spacing)[nucleus]
    offset = (np.argwhere(nucleus).mean(axis=0) - np.argwhere(cell).mean(axis=0)) * spacing
    return {
        "nuclei_count": len(owned),
        "nucleus_split_label": int(owned[np.argmax(volumes)]),
        "nucleus_volume_um3": count * float(np.prod(spacing)),
        "nucleus_to_cell_volume_ratio": count / np.count_nonzero(cell),
        "nucleus_offset_um": float(np.linalg.norm(offset)),
        "nucleus_wall_distance_min_um": float(to_wall.min()),
        "nucleus_wall_distance_mean_um": float(to_wall.mean(dtype=np.float64)),
    }


def _distance_to_wall(cells, label, box, spacing):
    """Give the distance of each voxel of a cell to the nearest voxel outside of it; where the stack ends there is no wall."""
    around = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in box)
    distance = edt.edt(np.ascontiguousarray(cells[around] == label), anisotropy=tuple(spacing))
    return distance[tuple(slice(side.start - wide.start, side.stop - wide.start) for side, wide in zip(box, around, strict=True))]


def measure_parts(cells, boxes, nuclei, owners, raw, channel):
    """Measure the raw values of one channel in the nucleus and in the cytoplasm, the cell without its nucleus.

    Parameters
    ----------
    cells, boxes, nuclei, owners
        As for :func:`measure_pairs`.
    raw : (Z, Y, X) ndarray of integer or float
        The channel, as it was recorded.
    channel : str
        What the columns call it.

    Returns
    -------
    list of dict
        One per cell, in the order of `boxes`; the keys are defined in :data:`cellstack.columns.PAIR_COLUMNS`. Empty for a cell without a
        nucleus.
    """
    rows = []
    for label, box in boxes.items():
        cell = cells[box] == label
        nucleus = cell & np.isin(nuclei[box], np.flatnonzero(owners == label))
        row = {}
        if nucleus.any():
            for part, mask in (("nucleus", nucleus), ("cytoplasm", cell & ~nucleus)):
                values = raw[box][mask]
                total = values.sum(dtype=np.int64 if values.dtype.kind in "iu" else np.float64).item()
                row[f"{part}_mean_intensity_{channel}"] = total / len(values) if len(values) else None
                row[f"{part}_sum_intensity_{channel}"] = total
        rows.append(row)
    return rows


def flag_pairs(split_labels, rows, contacts):
    """Say of each cell why to look at it.

    Parameters
    ----------
    split_labels : list of int
        The label of each cell in split.tif.
    rows : list of dict
        What :func:`measure_pairs` gives for each cell.
    contacts : iterable of dict of str to str
        The table of :mod:`cellstack.measure_contacts`.

    Returns
    -------
    list of str
        One per cell, parted by ``;``: that it has no nucleus or several, or that there is no wall between it and another cell, so that two
        nuclei share what is one cell. Nothing where there is nothing to say.
    """
    open_to = {}
    for contact in contacts:
        if contact["wall_missing"] == "1":
            one, other = int(contact["split_label_1"]), int(contact["split_label_2"])
            open_to.setdefault(one, []).append(other)
            open_to.setdefault(other, []).append(one)
    flags = []
    for label, row in zip(split_labels, rows, strict=True):
        count = row["nuclei_count"]
        of_nuclei = [] if count == 1 else ["no nucleus"] if count == 0 else [f"{count} nuclei"]
        flags.append(";".join([*of_nuclei, *(f"no wall to {other}" for other in open_to.get(label, []))]))
    return flags
