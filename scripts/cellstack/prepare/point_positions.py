"""Whether points lie in the objects of their image, judged by its intensities."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cellstack.core.opencv import cv2
from cellstack.core.planes import Stack
from cellstack.core.types import Spacing
from cellstack.errors import InputError

MIN_POINTS = 5
MIN_RANK, MIN_RANK_DIFFERENCE = 0.9, 0.15
SMOOTHING = 5  # pixels
SAMPLED_PLANES, SAMPLING = 16, 3  # about how many planes, and the step in pixels


def check_points(
    points: NDArray[np.float64],
    name: str,
    *,
    stack_name: str,
    stack: Stack,
    spacing: Spacing,
    downsample: Sequence[int],
) -> None:
    """Raise an error if points fit a stack only with another unit or another order of the axes.

    Parameters
    ----------
    points : (n, 3) ndarray of float
        In voxels of the image before downsampling.
    name, stack_name : str
        Names of the table and the stack in messages.
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
        Intensities of the channel that shows the objects.
    spacing : (3,) sequence of float
        Voxel size of the image along z, y, x in um.
    downsample : (3,) sequence of int
        Factors along z, y, x.

    Raises
    ------
    InputError
        With another unit or order, the mean rank of the intensities at the points is at least 0.9,
        and higher by 0.15. Fewer than five points are not checked.

    Notes
    -----
    The rank of an intensity is the fraction of the voxels that are darker, after smoothing. At the
    centres of nuclei in real stacks it is 0.91 to 0.99 on average, and at most 0.81 if y and x are
    exchanged.
    """
    if len(points) < MIN_POINTS:
        return
    steps = np.asarray(spacing)
    readings = {
        "voxels as um": points * steps,
        "um as voxels": points / steps,
        "y and x exchanged": points[:, [0, 2, 1]],
        "z, y, x in the order x, y, z": points[:, ::-1],
    }
    given, *others = _ranks_at([points, *readings.values()], stack, downsample)
    best = int(np.argmax(others))
    if others[best] >= max(MIN_RANK, given + MIN_RANK_DIFFERENCE):
        raise InputError(
            f"{name}: its points do not fit {stack_name}, but would with {list(readings)[best]} "
            f"(mean rank of the intensities {others[best]:.2f}, now {given:.2f}): give voxels in "
            "the columns z, y, x, or um in the columns z_um, y_um, x_um"
        )


def _ranks_at(
    readings: Sequence[NDArray[np.float64]], stack: Stack, downsample: Sequence[int]
) -> list[float]:
    """Return the mean rank of the intensities at several sets of points; 0 outside the stack."""
    factors = np.asarray(downsample)
    voxels = [np.floor(points + 0.5).astype(int) // factors for points in readings]
    inside = [np.all((each >= 0) & (each < stack.shape), axis=1).all() for each in voxels]
    found = [np.zeros(len(each), np.float32) for each in voxels]
    step = max(1, len(stack) // SAMPLED_PLANES)
    sample = []
    for z in range(len(stack)):
        at_plane = [each[:, 0] == z for each in voxels]
        is_sampled = z % step == 0
        if not is_sampled and not any(each.any() for each in at_plane):
            continue
        smooth = cv2.blur(np.asarray(stack[z], np.float32), (SMOOTHING, SMOOTHING))
        smooth = smooth.reshape(stack.shape[1:])
        if is_sampled:
            sample.append(smooth[::SAMPLING, ::SAMPLING].ravel())
        for each, here, values, is_inside in zip(voxels, at_plane, found, inside, strict=True):
            if is_inside:
                values[here] = smooth[tuple(each[here, 1:].T)]
    known = np.sort(np.concatenate(sample))
    ranks = [np.searchsorted(known, values).mean() / len(known) for values in found]
    return [float(rank) if fits else 0.0 for rank, fits in zip(ranks, inside, strict=True)]
