"""Other numbers for labels."""

import numpy as np


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
    for plane, target in zip(labels, found, strict=True):
        np.take(table, plane, out=target, mode="clip")  # "raise" has a copy made, and there is nothing to clip
    return found
