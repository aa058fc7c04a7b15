"""The part of a ball that lies in a stack."""

import math

import numpy as np
from numpy.typing import NDArray

from cellstack.core.types import BoolVolume, Spacing

LINES = 64  # across the diameter of a ball, along z and along y


def edge_distances(
    centres: NDArray[np.float64],
    shape: tuple[int, ...],
    spacing: Spacing,
    no_data: BoolVolume | None = None,
) -> NDArray[np.float64]:
    """Return the distance of points to the nearest place without data.

    Parameters
    ----------
    centres : (n, 3) ndarray of float
        Points in the stack, in um; the centre of the first voxel is at 0.
    shape : (3,) tuple of int
        Number of voxels of the stack.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels without data. The distance to them is that between centres of voxels.

    Returns
    -------
    (n,) ndarray of float
        Distance in um to the nearest face of the stack, or to the nearest voxel without data. First
        and last plane are not faces of a stack of one plane.

    Examples
    --------
    >>> edge_distances(np.array([[2.0, 5.0, 6.0]]), (9, 20, 20), (1.0, 0.5, 0.5))
    array([2.5])
    """
    steps, sizes = np.asarray(spacing, float), np.asarray(shape)
    to_faces = np.minimum(centres + steps / 2, (sizes - 0.5) * steps - centres)
    if shape[0] == 1:
        to_faces = to_faces[:, 1:]
    distances: NDArray[np.float64] = to_faces.min(axis=1)
    if no_data is not None and no_data.any():
        import edt  # rarely needed

        # As uint8, because edt takes twice as long for bool.
        to_no_data = edt.edt((~no_data).view(np.uint8), anisotropy=tuple(steps), parallel=1)
        z, y, x = np.rint(centres / steps).astype(int).T
        distances = np.minimum(distances, to_no_data[z, y, x])
    return distances


def ball_volumes(
    centres: NDArray[np.float64],
    radius_um: float,
    shape: tuple[int, ...],
    spacing: Spacing,
    no_data: BoolVolume | None = None,
) -> NDArray[np.float64]:
    """Return the volume of the part of balls that lies in the stack and has data.

    Parameters
    ----------
    centres : (n, 3) ndarray of float
        Centres of the balls in um; the centre of the first voxel is at 0.
    radius_um : float
        Radius of the balls.
    shape : (3,) tuple of int
        Number of voxels of the stack, which ends at the faces of its voxels.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels without data.

    Returns
    -------
    (n,) ndarray of float
        In um3.

    Notes
    -----
    Lines along x are summed, up to 64 in each direction across a ball. Errors are below 0.1 % at
    faces of the stack.

    Examples
    --------
    >>> centres = np.array([[50.0, 50, 50], [-0.5, 50, 50], [-0.5, -0.5, -0.5]])
    >>> ball_volumes(centres, 10.0, (101, 101, 101), (1.0, 1.0, 1.0)).round(-1)
    array([4190., 2090.,  520.])
    """
    steps = np.asarray(spacing, float)
    low, high = -steps / 2, (np.asarray(shape) - 0.5) * steps
    is_data = before = None
    if no_data is not None and no_data.any():
        is_data = ~no_data
        before = np.zeros((*shape[:2], shape[2] + 1), np.int32)  # voxels with data up to each face
        np.cumsum(is_data, axis=2, out=before[:, :, 1:])
    volumes = np.empty(len(centres))
    for i, centre in enumerate(centres):
        start, stop = centre - radius_um, centre + radius_um
        if before is None and np.all(start >= low) and np.all(stop <= high):
            volumes[i] = 4 / 3 * math.pi * radius_um**3
            continue
        start, stop = np.maximum(low, start), np.minimum(high, stop)
        z, y = (
            start[axis] + (np.arange(LINES) + 0.5) * (stop - start)[axis] / LINES for axis in (0, 1)
        )
        rest = radius_um**2 - ((z - centre[0]) ** 2)[:, None] - (y - centre[1]) ** 2
        width = np.sqrt(np.maximum(0, rest))
        ends = [np.clip(centre[2] + side * width, low[2], high[2]) for side in (-1, 1)]
        if before is None or is_data is None:
            lengths = ends[1] - ends[0]
        else:
            rows = [
                np.minimum((place - low[axis]) / steps[axis], shape[axis] - 1).astype(int)
                for axis, place in ((0, z), (1, y))
            ]
            sums = []
            for end in ends:
                place = (end - low[2]) / steps[2]
                column = np.minimum(place, shape[2] - 1).astype(int)
                voxel = (rows[0][:, None], rows[1], column)
                sums.append(before[voxel] + (place - column) * is_data[voxel])
            lengths = (sums[1] - sums[0]) * steps[2]
        volumes[i] = lengths.sum() * np.prod((stop - start)[:2] / LINES)
    return volumes
