"""Which objects are measured: those that no face cuts and that have the size of an object.

Halo: none, an object is looked at as a whole.
"""

import fastremap
import numpy as np

from cellstack import io, relabel
from cellstack.reasons import KEPT, LATERAL_FACE, TOO_LARGE, TOO_SMALL, TOP_OR_BOTTOM

SLACK = 1e-9  # part of a limit: 27 voxels of 0.001 um3 are 0.027 um3, whatever the last bit says
FACES = {  # name: axis, index along it
    "first_plane": (0, 0),
    "last_plane": (0, -1),
    "first_row": (1, 0),
    "last_row": (1, -1),
    "first_column": (2, 0),
    "last_column": (2, -1),
}


def select_objects(labels, spacing, *, clear_faces, min_volume_um3, max_volume_um3, renumber=True):
    """Select objects by the faces that cut them and by volume, and renumber them 1..n in their order or keep their labels.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        All objects, 1..n.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    clear_faces : sequence of str
        Drop objects that touch these of :data:`FACES`. A stack of one plane has no first and last plane, all its objects touch both.
    min_volume_um3 : float
        Drop objects smaller than this.
    max_volume_um3 : float or None
        Drop objects larger than this; None for no limit.
    renumber : bool
        Whether the selected objects get labels without gaps.

    Returns
    -------
    selected : (Z, Y, X) ndarray of uint16 or uint32
        Selected objects, 1..m, or with their labels in `labels`.
    number : (n,) ndarray of int
        The label of each object in `selected`, 0 where it was dropped.
    volume_um3 : (n,) ndarray of float
        The volume of each object.
    reason : (n,) list of str
        ``"kept"``, or the first of :data:`cellstack.reasons.REASONS` for which the object was dropped.
    """
    volume = relabel.count_voxels(labels)[1:] * float(np.prod(spacing))
    reason = np.full(len(volume), KEPT, object)
    tests = (  # the first named reason wins, so the strongest is written last
        (TOO_LARGE, volume > (np.inf if max_volume_um3 is None else max_volume_um3 * (1 + SLACK))),
        (TOO_SMALL, volume < min_volume_um3 * (1 - SLACK)),
        (TOP_OR_BOTTOM, _touching(labels, [FACES[face] for face in clear_faces if FACES[face][0] == 0 and len(labels) > 1])),
        (LATERAL_FACE, _touching(labels, [FACES[face] for face in clear_faces if FACES[face][0] > 0])),
    )
    for name, applies in tests:
        reason[applies] = name
    kept = reason == KEPT
    number = np.where(kept, np.cumsum(kept) if renumber else np.arange(1, len(kept) + 1), 0)
    table = np.concatenate([[0], number]).astype(io.label_type(number.max(initial=0)))
    return relabel.relabel(labels, table), number, volume, list(reason)


def _touching(labels, faces):
    """Tell for each label 1..n whether it occurs in any of the faces."""
    found = np.zeros(int(labels.max(initial=0)) + 1, bool)
    for axis, index in faces:
        found[fastremap.unique(np.ascontiguousarray(np.take(labels, index, axis)))] = True
    return found[1:]
