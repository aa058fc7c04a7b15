"""The voxels near an object."""

import numpy as np
from numpy.typing import NDArray

from cellstack.core.types import BoolVolume, Spacing

WORD = 64  # voxels along x, one per bit of an integer
ONE, ALL_BUT_ONE = np.uint64(1), np.uint64(WORD - 1)


def within_distance(mask: BoolVolume, distance_um: float, spacing: Spacing) -> BoolVolume:
    """Mark the voxels at most a distance away from an object, and the object itself.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        The object.
    distance_um : float
        Distance in um between centres of voxels.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    (Z, Y, X) ndarray of bool

    Notes
    -----
    A dilation by a ball. Rows along x are stored as bits, which takes an eighth of the memory. For
    balls with a radius of about ten voxels this is many times faster than a distance map.

    Examples
    --------
    >>> mask = np.array([[[False, False, False, True, False]]])
    >>> within_distance(mask, 1.0, (2.0, 0.5, 0.5)).astype(int)
    array([[[0, 1, 1, 1, 1]]])
    """
    reach = [int(distance_um / step) for step in spacing]
    squares = [
        (np.arange(steps + 1) * step) ** 2 for steps, step in zip(reach, spacing, strict=True)
    ]
    in_ball = squares[0][:, None, None] + squares[1][:, None] + squares[2] <= distance_um**2
    widths = in_ball.sum(axis=2) - 1  # of the rows of the ball, to one side; -1 for none
    wider = [_pack(mask)]
    for _ in range(int(widths.max())):
        wider.append(_widen(wider[-1]))
    near = np.zeros_like(wider[0])
    for offset_z in range(min(reach[0], len(mask) - 1) + 1):
        plane = wider[widths[offset_z, 0]].copy()
        for offset_y in range(1, min(int((widths[offset_z] >= 0).sum()), mask.shape[1])):
            rows = wider[widths[offset_z, offset_y]]
            plane[:, offset_y:] |= rows[:, :-offset_y]
            plane[:, :-offset_y] |= rows[:, offset_y:]
        near[offset_z:] |= plane[: len(mask) - offset_z]
        near[: len(mask) - offset_z] |= plane[offset_z:]
    return np.unpackbits(near.view(np.uint8), axis=2, count=mask.shape[2], bitorder="little").view(
        bool
    )


def _pack(mask: BoolVolume) -> NDArray[np.uint64]:
    """Return each row along x as integers of 64 bits."""
    words = -(-mask.shape[2] // WORD)
    packed = np.zeros((*mask.shape[:2], words * WORD // 8), np.uint8)
    in_bytes = np.packbits(mask, axis=2, bitorder="little")
    packed[:, :, : in_bytes.shape[2]] = in_bytes
    return packed.view(np.uint64)


def _widen(rows: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Widen rows by one voxel on both sides."""
    wide: NDArray[np.uint64] = rows | rows << ONE | rows >> ONE
    wide[:, :, 1:] |= rows[:, :, :-1] >> ALL_BUT_ONE
    wide[:, :, :-1] |= rows[:, :, 1:] << ALL_BUT_ONE
    return wide
