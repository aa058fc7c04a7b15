"""Selection of the objects to measure, by the faces that cut them and by volume."""

from collections.abc import Iterable, Sequence

import fastremap
import numpy as np
from numpy.typing import NDArray

from cellstack.config.reasons import (
    BESIDE_NO_DATA,
    KEPT,
    LATERAL_FACE,
    TOO_LARGE,
    TOO_SMALL,
    TOP_OR_BOTTOM,
)
from cellstack.core.labels import count_voxels, label_type, relabel, relabel_parts
from cellstack.core.no_data import labels_beside
from cellstack.core.planes import Stack, section
from cellstack.core.types import Spacing

VOLUME_TOLERANCE = 1e-9  # relative: 27 voxels of 0.001 um3 are 0.027 um3, within rounding
FACES = {  # name: axis, index along it
    "first_plane": (0, 0),
    "last_plane": (0, -1),
    "first_row": (1, 0),
    "last_row": (1, -1),
    "first_column": (2, 0),
    "last_column": (2, -1),
}
NO_DATA = "no_data"  # in the setting, beside the names of faces


def select_objects(
    labels: Stack,
    spacing: Spacing,
    *,
    exclude_touching_faces: Sequence[str],
    min_volume_um3: float,
    max_volume_um3: float | None,
    renumber: bool = True,
    no_data: Stack | None = None,
) -> tuple[Stack, NDArray[np.int_], NDArray[np.float64], list[str]]:
    """Select objects by the faces that cut them and by volume.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of uint16 or uint32
        Labels 1..n of all objects; 0 is background.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    exclude_touching_faces : sequence of str
        Names of :data:`FACES`: objects that touch one of these faces are excluded. The first and
        the last plane are ignored in a stack of one plane, in which all objects touch both. With
        ``"no_data"``, objects beside a region without data are excluded too.
    min_volume_um3 : float
        Minimum volume of an object in um3.
    max_volume_um3 : float or None
        Maximum volume of an object in um3; None for no limit.
    renumber : bool
        Whether the selected objects are renumbered 1..m in their order. Otherwise they keep their
        labels.
    no_data : (Z, Y, X) ndarray or stack of bool, optional
        Voxels without data.

    Returns
    -------
    selected : (Z, Y, X) ndarray or stack of uint16 or uint32
        Labels of the selected objects. They are computed when they are read, if `labels` are not
        in memory.
    number : (n,) ndarray of int
        Label of each object in `selected`; 0 if it was excluded.
    volume_um3 : (n,) ndarray of float
        Volume of each object in um3.
    reason : (n,) list of str
        ``"kept"``, or the first of :data:`cellstack.config.reasons.REASONS` that applies.

    Examples
    --------
    >>> labels = np.array([[[1, 0, 2, 0, 3], [0, 0, 2, 0, 3]]], np.uint16)
    >>> selected, number, volume_um3, reason = select_objects(
    ...     labels, (1, 1, 1), exclude_touching_faces=["first_column"],
    ...     min_volume_um3=2, max_volume_um3=None,
    ... )
    >>> selected
    array([[[0, 0, 1, 0, 2],
            [0, 0, 1, 0, 2]]], dtype=uint16)
    >>> reason
    ['lateral face', 'kept', 'kept']
    """
    volume = count_voxels(labels)[1:] * np.prod(spacing, dtype=np.float64)
    max_volume = np.inf if max_volume_um3 is None else max_volume_um3 * (1 + VOLUME_TOLERANCE)
    faces = [FACES[face] for face in exclude_touching_faces if face != NO_DATA]
    axial = [face for face in faces if face[0] == 0 and len(labels) > 1]
    lateral = [face for face in faces if face[0] > 0]
    reason = np.full(len(volume), KEPT, object)
    # Later assignments overwrite earlier ones, so the reasons are in reverse order of precedence.
    reason[volume > max_volume] = TOO_LARGE
    reason[volume < min_volume_um3 * (1 - VOLUME_TOLERANCE)] = TOO_SMALL
    if no_data is not None and NO_DATA in exclude_touching_faces:
        reason[labels_beside(labels, no_data) - 1] = BESIDE_NO_DATA
    reason[_touching(labels, axial, len(volume))] = TOP_OR_BOTTOM
    reason[_touching(labels, lateral, len(volume))] = LATERAL_FACE
    kept = reason == KEPT
    number = np.where(kept, np.cumsum(kept) if renumber else np.arange(1, len(kept) + 1), 0)
    table = np.concatenate([[0], number]).astype(label_type(number.max(initial=0)))
    if isinstance(labels, np.ndarray):
        return relabel(labels, table), number, volume, list(reason)
    return relabel_parts(labels, table), number, volume, list(reason)


def _touching(labels: Stack, faces: Iterable[tuple[int, int]], count: int) -> NDArray[np.bool_]:
    """Return for each label 1..n whether it touches one of the faces."""
    touching = np.zeros(count + 1, bool)
    for axis, index in faces:
        touching[fastremap.unique(np.ascontiguousarray(section(labels, axis, index)))] = True
    return touching[1:]
