"""The table selection.csv, which relates labels.ome.tif to segmentation.tif."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cellstack.core.labels import highest_label, label_type, relabel_parts
from cellstack.core.planes import ComputedStack, Stack
from cellstack.files.tables import read_rows


def read_segmentation_labels(selection: str | Path) -> dict[int, int]:
    """Read the label in segmentation.tif of each selected object.

    Parameters
    ----------
    selection : path-like
        Table written by `select_objects`.

    Returns
    -------
    dict of int to int
        Labels in segmentation.tif by label in labels.ome.tif.
    """
    return {
        int(row["label"]): int(row["segmentation_label"])
        for row in read_rows(selection)
        if row["label"] not in ("", "0")
    }


def select_labels(segmentation: Stack, segmentation_labels: Mapping[int, int]) -> ComputedStack:
    """Return the labels of labels.ome.tif, whose boxes are slow to read, from segmentation.tif.

    Parameters
    ----------
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects.
    segmentation_labels : dict of int to int
        See :func:`read_segmentation_labels`.

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
