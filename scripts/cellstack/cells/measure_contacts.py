"""Measurement of the contacts between cells: their areas, and the strength of the walls."""

import numpy as np

from cellstack.core.boundaries import measure_pairs
from cellstack.core.planes import Stack
from cellstack.core.types import Spacing

MEASURED = (
    "segmentation_label_1",
    "segmentation_label_2",
    "contact_area_um2",
    "wall_strength",
    "wall_missing",
)


def measure_contacts(
    labels: Stack,
    ridges: Stack,
    spacing: Spacing,
    *,
    min_wall_strength: float,
    min_contact_fraction: float,
) -> list[dict[str, float]]:
    """Measure the contact of each pair of labels that touch.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of unsigned int
        Cells 1..n; 0 is background, which is not a neighbour. A few planes are read at a time.
    ridges : (Z, Y, X) ndarray or stack of float32
        Ridge strength of the membrane.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    min_wall_strength, min_contact_fraction : float
        A wall is missing if its mean strength is below the first value, and the contact is at
        least the second value as a fraction of all contacts of one of the two cells.

    Returns
    -------
    list of dict
        One for each pair of cells that share a voxel face, ordered by label, with the keys
        :data:`MEASURED`, see :data:`cellstack.config.columns.CONTACT_COLUMNS`. For the areas see
        :func:`cellstack.core.boundaries.contact_areas`.

    Examples
    --------
    >>> labels = np.uint16([[[1, 1, 2, 2]]])
    >>> walls = np.float32([[[0, 1, 1, 0]]])
    >>> measure_contacts(
    ...     labels, walls, (1.0, 0.5, 0.5), min_wall_strength=0.5, min_contact_fraction=0.2
    ... )[0]["contact_area_um2"]
    0.5
    """
    found = measure_pairs(labels, ridges, spacing, background=False)
    strengths = found.total / found.face_area
    both = np.concatenate([found.lower, found.upper])
    of_label = np.bincount(both, np.concatenate([found.area, found.area]))
    smaller = np.minimum(of_label[found.lower], of_label[found.upper])
    missing = (strengths < min_wall_strength) & (found.area >= min_contact_fraction * smaller)
    columns = (found.lower, found.upper, found.area, strengths, missing.astype(int))
    return [
        dict(zip(MEASURED, row, strict=True))
        for row in zip(*(column.tolist() for column in columns), strict=True)
    ]
