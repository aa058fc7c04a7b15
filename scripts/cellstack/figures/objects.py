"""Colour and number of each object, the same in all figures and meshes.

Matplotlib is not imported here, as meshes need no figure.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np

from cellstack.config.reasons import TOUCHES
from cellstack.core.types import Boxes
from cellstack.figures.colors import COLORS
from cellstack.files.tables import read_rows

Numbers: TypeAlias = Mapping[int, tuple[int, bool]]
"""By label in segmentation.tif the label in labels.ome.tif, and whether the object is flagged."""


def label_colors(boxes: Boxes) -> dict[int, str]:
    """Assign each object one of seven colours, so that objects of one colour are far apart.

    In ascending order of the labels, each object gets the colour whose nearest object is farthest
    away. The distance of two objects is that of the centres of their boxes in units of their
    sizes: below 1, ellipsoids in these boxes touch. The colours depend on the boxes alone, so an
    object has the same colour in all figures. In tissue where cells have more neighbours than
    there are colours, a few touching pairs get the same one.

    Parameters
    ----------
    boxes : dict of int to tuple of slice
        Bounding boxes by label, see :func:`cellstack.core.labels.find_boxes`.

    Returns
    -------
    dict of int to str
        Colour by label, as #rrggbb, one of :data:`cellstack.figures.colors.COLORS`.

    Examples
    --------
    >>> label_colors({3: np.s_[0:2, 0:4, 0:4], 8: np.s_[0:2, 0:4, 4:8]})
    {3: '#e69f00', 8: '#56b4e9'}
    """
    bounds = np.array(
        [[(side.start, side.stop) for side in box] for box in boxes.values()], dtype=float
    ).reshape(-1, 3, 2)
    centres, half_sizes = bounds.mean(axis=2), np.diff(bounds, axis=2)[..., 0] / 2
    chosen = np.empty(len(boxes), int)
    for i in range(len(boxes)):
        distances = np.linalg.norm(
            (centres[:i] - centres[i]) / (half_sizes[:i] + half_sizes[i]), axis=1
        )
        nearest = np.full(len(COLORS), np.inf)
        np.minimum.at(nearest, chosen[:i], distances)
        chosen[i] = np.argmax(nearest)
    return {label: COLORS[i] for label, i in zip(boxes, chosen, strict=True)}


def read_numbers(path: str | Path) -> Numbers:
    """Return the number of each measured object, and whether it is flagged.

    Parameters
    ----------
    path : path-like
        ``objects.csv`` of a stack.

    Returns
    -------
    dict of int to (int, bool)
        By the label in ``segmentation.tif``. Flags that an object touches a face do not count: a
        figure shows this.
    """
    numbers = {}
    for row in read_rows(path):
        flags = [flag for flag in row["flags"].split(";") if flag and not flag.startswith(TOUCHES)]
        numbers[int(row["segmentation_label"])] = (int(row["label"]), bool(flags))
    return numbers
