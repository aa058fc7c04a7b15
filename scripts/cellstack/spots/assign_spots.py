"""The nucleus, the cell and the region that each spot lies in."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cellstack.config.columns import CELL, CYTOPLASM, NO_OBJECT, NUCLEUS
from cellstack.core.planes import Stack
from cellstack.core.types import Spacing


def assign_spots(
    positions_um: NDArray[np.float64], segmentations: Mapping[str, Stack], spacing: Spacing
) -> list[dict[str, object]]:
    """Find the objects at the centres of spots.

    Parameters
    ----------
    positions_um : (n, 3) ndarray of float
        Centres along z, y, x in um; the centre of the first voxel is at 0.
    segmentations : dict of str to (Z, Y, X) ndarray or stack of unsigned int
        Labels of the nuclei, of the cells, or of both, by kind of object; 0 is background.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    list of dict
        One for each spot; :data:`cellstack.config.columns.SPOT_COLUMNS` defines the keys
        ``nucleus_segmentation_label``, ``cell_segmentation_label`` and ``region``.

    Examples
    --------
    >>> segmentations = {"nuclei": np.uint16([[[0, 3, 0]]]), "cells": np.uint16([[[0, 7, 7]]])}
    >>> assigned = assign_spots(np.array([[0, 0, 1.1], [0, 0, 2.4]]), segmentations, (2, 1, 1))
    >>> assigned[0]["nucleus_segmentation_label"], assigned[0]["region"]
    (3, 'nucleus')
    >>> assigned[1]["cell_segmentation_label"], assigned[1]["region"]
    (7, 'cytoplasm')
    """
    labels: dict[str, list[int]] = {}
    for kind, segmentation in segmentations.items():
        voxels = np.floor(positions_um / np.asarray(spacing) + 0.5).astype(int)
        voxels = np.clip(voxels, 0, np.subtract(segmentation.shape, 1))
        labels[kind] = [0] * len(voxels)
        for z in np.unique(voxels[:, 0]).tolist():
            plane, here = segmentation[z], np.flatnonzero(voxels[:, 0] == z)
            for spot, label in zip(here, plane[voxels[here, 1], voxels[here, 2]], strict=True):
                labels[kind][spot] = int(label)
    nothing = [0] * len(positions_um)
    in_cell = CYTOPLASM if "nuclei" in segmentations else CELL
    return [
        {
            "nucleus_segmentation_label": nucleus or None,
            "cell_segmentation_label": cell or None,
            "region": NUCLEUS if nucleus else in_cell if cell else NO_OBJECT,
        }
        for nucleus, cell in zip(
            labels.get("nuclei", nothing), labels.get("cells", nothing), strict=True
        )
    ]
