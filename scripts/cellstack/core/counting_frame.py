"""The unbiased counting frame: which objects of a stack count towards their number per volume.

An object that a face cuts lies partly in the space beyond. If it always counts, large objects count
too often; if it never does, they count too rarely. Imagine space divided into boxes of the size of
the frame, in an order: from front to back, from top to bottom, from left to right. An object counts
in the first box that it reaches. So each one counts exactly once in all of space, whatever its size
and shape. In one frame these are the objects that reach the frame but no earlier box, the region
beyond Gundersen's forbidden faces and their extensions.
"""

from collections.abc import Sequence
from math import ceil, prod

import numpy as np
from numpy.typing import NDArray

from cellstack.core.labels import count_voxels, highest_label
from cellstack.core.planes import Planes
from cellstack.core.types import Box, Labels, Spacing

FIRST_FACES = ("first_plane", "first_row", "first_column")  # by axis


def place_frame(
    shape: Sequence[int], spacing: Spacing, faces: Sequence[str], guard_um: float = 0.0
) -> Box:
    """Place the counting frame in a stack.

    Parameters
    ----------
    shape : (3,) sequence of int
        Voxels along z, y, x.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    faces : sequence of str
        The :data:`FIRST_FACES` whose objects do not count. The first plane is ignored in a stack
        of one plane.
    guard_um : float
        Depth in um of the guard zone before the opposite faces. Objects that reach the frame are
        complete if they extend less than this beyond it.

    Returns
    -------
    (3,) tuple of slice
        The frame. Along each axis of `faces` it begins after the first layer of voxels, which
        shows the objects that continue beyond it, and ends at the guard zone. It may be empty.

    Examples
    --------
    >>> place_frame((9, 50, 60), (1.0, 0.5, 0.5), ["first_row", "first_column"], 2.0)
    (slice(0, 9, None), slice(1, 46, None), slice(1, 56, None))
    """
    frame = []
    for size, step, face in zip(shape, spacing, FIRST_FACES, strict=True):
        is_cut = face in faces and not (face == FIRST_FACES[0] and size == 1)
        guard = ceil(guard_um / step - 1e-9) if is_cut else 0
        start = int(is_cut)
        frame.append(slice(start, max(start, size - guard)))
    return tuple(frame)


def count_in_frame(labels: Planes, frame: Box) -> NDArray[np.bool_]:
    """Return which objects count in a counting frame.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or planes of unsigned int
        Labels 1..n of all objects; 0 is background.
    frame : (3,) tuple of slice
        From :func:`place_frame`.

    Returns
    -------
    (n,) ndarray of bool

    Notes
    -----
    The objects that count are those that reach the frame, but not the earlier boxes. These are the
    voxels before the frame along z; those within its range of planes, or anywhere along z if it
    has all planes, that are before it along y; and those within both ranges before it along x. The
    count is exact for convex objects that extend beyond the frame by less than the guard zone.
    Without a guard zone, the parts of objects beyond the last faces are not known, and a few at the
    edges count in two adjacent stacks: of spheres with a diameter of a tenth of the sides, 0.2 %.

    References
    ----------
    .. [1] H. J. G. Gundersen, "Notes on the estimation of the numerical density of arbitrary
       profiles: the edge effect", Journal of Microscopy 111, 1977.
    .. [2] V. Howard, S. Reid, A. Baddeley and A. Boyde, "Unbiased estimation of particle density
       in the tandem scanning reflected light microscope", Journal of Microscopy 138, 1985.

    Examples
    --------
    >>> labels = np.array([[[1, 1, 0, 2, 0, 3]]], np.uint16)
    >>> count_in_frame(labels, (slice(0, 1), slice(0, 1), slice(1, 6)))
    array([False,  True,  True])
    """
    planes, rows, columns = frame
    reached, earlier = np.zeros((2, highest_label(labels) + 1), bool)
    for z, plane in enumerate(labels):
        if z < planes.start:
            earlier[_labels_in(plane)] = True
        if z < planes.stop:
            earlier[_labels_in(plane[: rows.start])] = True
            earlier[_labels_in(plane[: rows.stop, : columns.start])] = True
        if planes.start <= z < planes.stop:
            reached[_labels_in(plane[rows, columns])] = True
    counted: NDArray[np.bool_] = reached & ~earlier
    return counted[1:]


def _labels_in(part: Labels) -> NDArray[np.intp]:
    """Return the labels in a part of a plane, in a quarter of the time of indexing with it."""
    return np.flatnonzero(count_voxels(part[None]))


def frame_volume(frame: Box, spacing: Spacing) -> float:
    """Return the volume of a counting frame in um3.

    Examples
    --------
    >>> frame_volume((slice(0, 9), slice(1, 46), slice(1, 56)), (1.0, 0.5, 0.5))
    5568.75
    """
    return float(prod(side.stop - side.start for side in frame) * prod(map(float, spacing)))
