"""Bring labels made elsewhere onto the grid of a stack, numbered as the rest of the workflow expects."""

import fastremap
import numpy as np

from cellstack import io
from cellstack.errors import InputError


def read_labels(name, planes, shape, dtype):
    """Put planes of labels one after the other into a stack.

    Parameters
    ----------
    name : str
        What messages call the labels.
    planes : iterable of (Y, X) ndarray
        Of integers, or of floats that hold whole numbers.
    shape : tuple of int
        Z, Y, X.
    dtype : dtype
        The planes' type.

    Returns
    -------
    (Z, Y, X) ndarray of integers
        The labels as they are.

    Raises
    ------
    InputError
        Where a value is no label: negative, not whole, a colour.
    """
    if dtype.kind not in "uif":
        raise InputError(f"{name}: labels of type {dtype.name} are not read: give one whole number per object")
    labels = np.empty(shape, np.int64 if dtype.kind == "f" else dtype)
    for plane, target in zip(planes, labels, strict=True):
        if plane.ndim == 3:
            raise InputError(f"{name}: holds colours: give labels as one whole number per object")
        if dtype.kind == "f" and not (np.isfinite(plane).all() and (plane == np.rint(plane)).all()):
            raise InputError(f"{name}: holds values that are not whole numbers: give labels as one whole number per object")
        target[...] = plane
    if labels.size and labels.min() < 0:
        raise InputError(f"{name}: the smallest label is {labels.min()}: give labels of 0 (background) and above")
    return labels


def sample_labels(labels, factors):
    """Take the voxel at the middle of each block, for labels have no mean.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of integers
        0 is background.
    factors : (3,) sequence of int
        The size of a block along z, y, x. What is left over at the end of an axis is cut off.

    Returns
    -------
    ndarray
        On the grid of :func:`cellstack.import_stack.downsample`.
    """
    whole = tuple(slice(factor // 2, length // factor * factor, factor) for length, factor in zip(labels.shape, factors, strict=True))
    return labels[whole]


def renumber(labels):
    """Number labels from 1 without gaps, in the order of their old numbers.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of integers
        0 is background.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        Labels that are 1..n already stay as they are.
    """
    old = fastremap.unique(labels)
    old = old[old != 0]
    new = {int(label): number for number, label in enumerate(old, 1)} | {0: 0}
    return fastremap.remap(labels, new).astype(io.label_type(len(old)))
