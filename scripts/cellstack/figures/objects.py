"""Colour and number of each object, the same in all figures and meshes.

Matplotlib is not imported here, as meshes need no figure.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from cellstack.config.reasons import TOUCHES
from cellstack.core.types import Boxes
from cellstack.figures.colors import COLORS
from cellstack.files.tables import read_rows


class Number(NamedTuple):
    """How a measured object is called in figures.

    Attributes
    ----------
    label : int
        In labels.ome.tif.
    is_marked : bool
        Whether it has a flag other than that it touches a face, which a figure shows.
    only_touches : bool
        Whether its only flags are that it touches a face.
    """

    label: int
    is_marked: bool
    only_touches: bool = False


Numbers: TypeAlias = Mapping[int, Number]
"""By label in segmentation.tif."""


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
    dict of int to Number
        By the label in ``segmentation.tif``.
    """
    numbers = {}
    for row in read_rows(path):
        touches = [flag.startswith(TOUCHES) for flag in row["flags"].split(";") if flag]
        numbers[int(row["segmentation_label"])] = Number(
            int(row["label"]),
            is_marked=not all(touches),
            only_touches=bool(touches) and all(touches),
        )
    return numbers
