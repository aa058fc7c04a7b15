"""Linear filters of stacks, with sizes in um."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core import parallel
from cellstack.core.opencv import cv2
from cellstack.core.planes import SLAB_VOXELS, Planes, SuccessivePlanes, slabs_to_filter
from cellstack.core.scales import TRUNCATE
from cellstack.core.types import Spacing, Volume
from cellstack.core.voxels import in_voxels

COLUMNS_PER_BLOCK = 1 << 12  # filtered along z at once, few enough for the cache
VOXELS_IN_MEMORY = 1 << 22  # filtered along z at once, of a result that is not in memory


def gaussian(stack: Planes, spacing: Spacing, *, sigma_um: float) -> Volume:
    """Smooth a stack with a 3D Gaussian filter.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes of float32, uint8 or uint16
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Standard deviation of the Gaussian in um, the same along all axes.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Notes
    -----
    The same as `scipy.ndimage.gaussian_filter` with ``sigma = sigma_um / spacing`` and
    ``mode="nearest"``, computed by OpenCV.

    Examples
    --------
    >>> stack = np.zeros((1, 1, 5), np.float32)
    >>> stack[0, 0, 2] = 1
    >>> gaussian(stack, (2.0, 0.5, 0.5), sigma_um=0.25).round(2)
    array([[[0.  , 0.11, 0.79, 0.11, 0.  ]]], dtype=float32)
    """
    return separable_filter(stack, gaussian_kernels(sigma_um, spacing))


def gaussian_kernels(sigma_um: float, spacing: Spacing) -> list[NDArray[np.float64]]:
    """Return the weights of a Gaussian along z, y and x, for :func:`separable_filter`.

    Examples
    --------
    >>> [len(kernel) for kernel in gaussian_kernels(0.5, (5.0, 0.5, 0.25))]
    [1, 9, 17]
    """
    return [_gaussian_kernel(sigma) for sigma in in_voxels(sigma_um, spacing)]


def _gaussian_kernel(sigma: float) -> NDArray[np.float64]:
    radius = int(TRUNCATE * sigma + 0.5)
    if radius == 0:
        return np.ones(1)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    normalized: NDArray[np.float64] = weights / weights.sum()
    return normalized


def separable_filter(
    stack: Planes, kernels: Sequence[NDArray[np.float64]], out: Any = None
) -> Volume:
    """Correlate a stack with a kernel along each axis; edge voxels are repeated outward.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes of float32, uint8 or uint16
    kernels : sequence of three 1D ndarrays of odd length
        For z, y and x. An axis with a kernel of length one is not filtered.
    out : (Z, Y, X) ndarray or scratch stack of float32, optional
        For the result. An array may be `stack` itself. If `out` is not in memory, see
        :data:`cellstack.core.planes.Allocate`, it is filled one plane at a time, and then filtered
        along z some rows at a time.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        Or `out`.

    Examples
    --------
    >>> slope = np.array([-0.5, 0.0, 0.5])
    >>> separable_filter(np.float32([[[0, 2, 4, 4]]]), [np.ones(1), np.ones(1), slope])
    array([[[1., 2., 1., 0.]]], dtype=float32)
    """
    along_z, along_y, along_x = kernels
    threads = parallel.threads_for(stack)
    if out is not None and not isinstance(out, np.ndarray):
        for z, plane in enumerate(stack):
            out[z] = separable_filter(plane[None], [np.ones(1), along_y, along_x])[0]
        _, height, width = stack.shape
        count = max(1, VOXELS_IN_MEMORY // max(1, len(stack) * width))
        for row in range(0, height if len(along_z) > 1 else 0, count):
            part = out[:, row : row + count]
            _filter_along_z(part.reshape(len(part), -1), along_z, threads)
            out[:, row : row + count] = part
        return cast(Volume, out)
    filtered = np.empty(stack.shape, np.float32) if out is None else out
    flat = filtered.reshape(len(stack), -1)
    _filter_within_planes(stack, range(len(stack)), along_y, along_x, flat, threads)
    if len(along_z) > 1:
        _filter_along_z(flat, along_z, threads)
    return cast(Volume, filtered)


def gaussian_of_planes(
    stack: Planes, spacing: Spacing, *, sigma_um: float, max_voxels: int = SLAB_VOXELS
) -> SuccessivePlanes:
    """Apply :func:`gaussian` to a stack that need not fit into memory.

    Parameters
    ----------
    stack, spacing, sigma_um
        See :func:`gaussian`.
    max_voxels : int
        Number of voxels of the planes that are filtered at once along z, see
        :func:`cellstack.core.planes.slabs_to_filter`.

    Returns
    -------
    SuccessivePlanes
        Of float32.

    Examples
    --------
    >>> stack = np.zeros((5, 1, 1), np.float32)
    >>> stack[2] = 1
    >>> planes = gaussian_of_planes(stack, (0.5, 2.0, 2.0), sigma_um=0.25, max_voxels=2)
    >>> [round(plane.item(), 2) for plane in planes]
    [0.0, 0.11, 0.79, 0.11, 0.0]
    """
    along_z, along_y, along_x = gaussian_kernels(sigma_um, spacing)
    halo = len(along_z) // 2
    threads = parallel.threads_for(stack)

    def iterate() -> Iterator[NDArray[np.float32]]:
        area = stack.shape[1] * stack.shape[2]
        parts = slabs_to_filter(stack.shape, halo, max_voxels)
        depth = max((part.extent.stop - part.extent.start for part in parts), default=0)
        known = np.empty((depth, area), np.float32)  # planes filtered along y and x
        first = last = 0  # of these planes
        for part in parts:
            start, stop = part.extent.start, part.extent.stop
            kept = last - start  # planes that the part before needed too
            known[:kept] = known[start - first : last - first]
            _filter_within_planes(stack, range(last, stop), along_y, along_x, known[kept:], threads)
            first, last = start, stop
            filtered = np.empty((part.planes.stop - part.planes.start, area), np.float32)
            _filter_along_z(known[: stop - start], along_z, threads, part.inside, filtered)
            yield from filtered.reshape(-1, *stack.shape[1:])

    return SuccessivePlanes(stack.shape, np.float32, iterate)


def _filter_within_planes(
    stack: Planes,
    numbers: range,
    along_y: NDArray[np.float64],
    along_x: NDArray[np.float64],
    flat: NDArray[np.float32],
    threads: int,
) -> None:
    """Filter planes of a stack along y and x, into an array of shape (Z, Y * X)."""

    def filter_plane(i: int) -> None:
        # One plane at a time, since a mask in float32 takes four times as much memory.
        plane = np.asarray(stack[numbers[i]], np.float32)
        # OpenCV does not accept the strides that NumPy may use for axes of length one.
        target = flat[i].reshape(plane.shape)
        cv2.sepFilter2D(
            plane, cv2.CV_32F, along_x, along_y, dst=target, borderType=cv2.BORDER_REPLICATE
        )

    parallel.map_threads(filter_plane, range(len(numbers)), threads)


def _filter_along_z(
    flat: NDArray[np.float32],
    kernel: NDArray[np.float64],
    threads: int,
    inside: slice = slice(None),
    out: NDArray[np.float32] | None = None,
) -> None:
    """Filter the columns of an array of shape (Z, Y * X), in place or the planes `inside` of it."""
    target = flat if out is None else out

    def filter_columns(start: int) -> None:
        columns = slice(start, start + COLUMNS_PER_BLOCK)
        target[:, columns] = cv2.sepFilter2D(
            flat[:, columns], cv2.CV_32F, np.ones(1), kernel, borderType=cv2.BORDER_REPLICATE
        )[inside]

    parallel.map_threads(filter_columns, range(0, flat.shape[1], COLUMNS_PER_BLOCK), threads)
