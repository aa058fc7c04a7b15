"""Labels by number: other numbers for them, how many voxels each has, and where it lies."""

import numpy as np

from cellstack import workers


def relabel(labels, table):
    """Look each label up in a table.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of unsigned int
    table : (n + 1,) ndarray
        What stands for each of 0..n.

    Returns
    -------
    (Z, Y, X) ndarray of the type of `table`

    Notes
    -----
    The same as ``table[labels]``, in half the time.
    """
    found = np.empty(labels.shape, table.dtype)

    def look_up(z):
        np.take(table, labels[z], out=found[z], mode="clip")  # "raise" has a copy made, and there is nothing to clip

    workers.in_threads(look_up, range(len(labels)), workers.useful_threads(labels))
    return found


def count_voxels(labels):
    """Count the voxels of each label.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of unsigned int

    Returns
    -------
    (n + 1,) ndarray of int
        For 0..n, the highest label.

    Notes
    -----
    The same as ``numpy.bincount(labels.ravel())``, in a tenth of the time and without a copy of the labels, which may be eight times as
    large: what is counted are runs of one label.
    """
    counts = np.zeros(int(labels.max(initial=0)) + 1, int)
    for plane in labels:
        flat = plane.ravel()
        ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]), len(flat) - 1) if len(flat) else np.zeros(0, int)
        np.add.at(counts, flat[ends], np.diff(ends, prepend=-1))
    return counts


def find_boxes(labels):
    """Find the bounding box of each label.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of unsigned int
        0 is background.

    Returns
    -------
    dict of int to tuple of slice
        The boxes by label, labels rising; a label without voxels is left out.

    Notes
    -----
    Those of `cc3d.statistics` and `scipy.ndimage.find_objects`, sooner, as it looks at runs of one label.
    """
    count = int(labels.max(initial=0)) + 1
    low, high = np.full((3, count), max(labels.shape)), np.zeros((3, count), int)
    for z, plane in enumerate(labels):
        label, y, start, stop = _runs_in_rows(plane)
        for axis, first, behind in ((0, z, z + 1), (1, y, y + 1), (2, start, stop)):
            np.minimum.at(low[axis], label, first)
            np.maximum.at(high[axis], label, behind)
    found = np.flatnonzero(high[0, 1:]) + 1
    bounds = np.stack([low, high], axis=-1)[:, found].swapaxes(0, 1).tolist()
    return {label: tuple(slice(*side) for side in box) for label, box in zip(found.tolist(), bounds, strict=True)}


def _runs_in_rows(plane):
    """List the runs of one label in each row: label, row, first column, and the one behind the last."""
    ends = np.ones(plane.shape, bool)
    np.not_equal(plane[:, 1:], plane[:, :-1], out=ends[:, :-1])
    places = np.flatnonzero(ends)
    y, last = np.divmod(places, max(1, plane.shape[1]))
    start = np.zeros_like(last)
    start[1:] = np.where(y[1:] == y[:-1], last[:-1] + 1, 0)
    return plane.ravel()[places], y, start, last + 1
