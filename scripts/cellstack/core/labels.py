"""Relabelling, sizes and bounding boxes of labelled objects."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.core import parallel
from cellstack.core.planes import ComputedStack, Planes, Stack
from cellstack.core.types import Boxes, Labels, Scalar


def relabel_parts(labels: Stack, table: NDArray[Scalar]) -> ComputedStack:
    """Replace each label by its entry in a table when a part is read; see :func:`relabel`.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of unsigned int
    table : (n + 1,) ndarray
        The new value of each label 0..n.

    Returns
    -------
    ComputedStack
        Of the type of `table`.

    Examples
    --------
    >>> labels = np.array([[[0, 2, 2, 3]]], np.uint16)
    >>> relabel_parts(labels, np.array([0, 0, 1, 2], np.uint8))[0, :, 2:]
    array([[1, 2]], dtype=uint8)
    """
    return ComputedStack(labels.shape, table.dtype, lambda box: table[labels[box]])


def relabel(labels: Labels, table: NDArray[Scalar]) -> NDArray[Scalar]:
    """Replace each label by its entry in a table.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of unsigned int
    table : (n + 1,) ndarray
        The new value of each label 0..n.

    Returns
    -------
    (Z, Y, X) ndarray of the type of `table`

    Notes
    -----
    The same as ``table[labels]``, in half the time.

    Examples
    --------
    >>> labels = np.array([[[0, 2, 2, 3]]], np.uint16)
    >>> relabel(labels, np.array([0, 0, 1, 2], np.uint8))
    array([[[0, 1, 1, 2]]], dtype=uint8)
    """
    found = np.empty(labels.shape, table.dtype)

    def look_up(z: int) -> None:
        # With mode="raise" NumPy makes a copy; there is nothing to clip.
        np.take(table, labels[z], out=found[z], mode="clip")

    parallel.map_threads(look_up, range(len(labels)), parallel.threads_for(labels))
    return found


def highest_label(labels: Planes) -> int:
    """Return the highest label, 0 without labels.

    Examples
    --------
    >>> highest_label(np.array([[[0, 2]], [[3, 1]]], np.uint16))
    3
    """
    return max((int(plane.max(initial=0)) for plane in labels), default=0)


def count_voxels(labels: Planes) -> NDArray[np.int_]:
    """Return the number of voxels of each label.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or planes of unsigned int

    Returns
    -------
    (n + 1,) ndarray of int
        The number of voxels of each label 0..n, where n is the highest one.

    Notes
    -----
    The same as ``numpy.bincount(labels.ravel())``, in a tenth of the time and without a copy of
    the labels, which may be eight times as large: it counts runs of the same label.

    Examples
    --------
    >>> count_voxels(np.array([[[0, 2, 2, 3]]], np.uint16))
    array([1, 0, 2, 1])
    """
    counts = np.zeros(1, int)
    for plane in labels:
        flat = plane.ravel()
        if len(flat) == 0:
            continue
        counts = _lengthened(counts, int(flat.max()) + 1)
        ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]), len(flat) - 1)
        np.add.at(counts, flat[ends], np.diff(ends, prepend=-1))
    return counts


def _lengthened(values: NDArray[np.int_], length: int, fill: int = 0) -> NDArray[np.int_]:
    """Return values of shape (..., n) with more values, if there are fewer."""
    missing = length - values.shape[-1]
    if missing <= 0:
        return values
    margins = [(0, 0)] * (values.ndim - 1) + [(0, missing)]
    return np.pad(values, margins, constant_values=fill)


def find_boxes(labels: Planes) -> Boxes:
    """Return the bounding box of each label.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or planes of unsigned int
        0 is background.

    Returns
    -------
    dict of int to tuple of slice
        The boxes by label, in ascending order. A label without voxels is absent.

    Notes
    -----
    The boxes of `scipy.ndimage.find_objects`, in less time: it looks at runs of the same label.

    Examples
    --------
    >>> boxes = find_boxes(np.array([[[0, 2, 2, 3]]], np.uint16))
    >>> list(boxes)
    [2, 3]
    >>> boxes[2]
    (slice(0, 1, None), slice(0, 1, None), slice(1, 3, None))
    """
    beyond = max(labels.shape)
    low, high = np.full((3, 1), beyond), np.zeros((3, 1), int)
    for z, plane in enumerate(labels):
        count = int(plane.max(initial=0)) + 1
        low, high = _lengthened(low, count, beyond), _lengthened(high, count)
        label, y, start, stop = _runs_in_rows(plane)
        for axis, first, after in ((0, z, z + 1), (1, y, y + 1), (2, start, stop)):
            np.minimum.at(low[axis], label, first)
            np.maximum.at(high[axis], label, after)
    found = np.flatnonzero(high[0, 1:]) + 1
    bounds = np.stack([low, high], axis=-1)[:, found].swapaxes(0, 1).tolist()
    return {
        label: tuple(slice(*side) for side in box)
        for label, box in zip(found.tolist(), bounds, strict=True)
    }


def _runs_in_rows(
    plane: Labels,
) -> tuple[Labels, NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return the label, row, first column and column after the last of each run of a label."""
    ends = np.ones(plane.shape, bool)
    np.not_equal(plane[:, 1:], plane[:, :-1], out=ends[:, :-1])
    places = np.flatnonzero(ends)
    y, last = np.divmod(places, max(1, plane.shape[1]))
    start = np.zeros_like(last)
    start[1:] = np.where(y[1:] == y[:-1], last[:-1] + 1, 0)
    return plane.ravel()[places], y, start, last + 1


def select_labels(segmentation: Stack, segmentation_labels: Mapping[int, int]) -> ComputedStack:
    """Return the labels of labels.ome.tif, whose boxes are slow to read, from segmentation.tif.

    Parameters
    ----------
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects.
    segmentation_labels : dict of int to int
        For each label in labels.ome.tif the label in segmentation.tif.

    Returns
    -------
    ComputedStack

    Examples
    --------
    >>> select_labels(np.uint16([[[0, 1, 3, 3, 4]]]), {1: 3})[0, :, 1:4]
    array([[0, 1, 1]], dtype=uint16)
    """
    table = np.zeros(
        highest_label(segmentation) + 1, label_type(max(segmentation_labels, default=0))
    )
    for label, number in segmentation_labels.items():
        table[number] = label
    return relabel_parts(segmentation, table)


def label_type(count: int | np.integer[Any]) -> type[np.unsignedinteger[Any]]:
    """Return the smaller one of uint16 and uint32 that can hold labels up to `count`.

    Examples
    --------
    >>> label_type(65535), label_type(65536)
    (<class 'numpy.uint16'>, <class 'numpy.uint32'>)
    """
    return np.uint16 if count <= np.iinfo(np.uint16).max else np.uint32
