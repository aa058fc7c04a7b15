"""Distance to the background of a mask, in um."""

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cellstack.core import parallel
from cellstack.core.boxes import widen_box
from cellstack.core.labels import find_boxes
from cellstack.core.planes import Planes
from cellstack.core.types import Labels, Mask, Spacing, Volume

ISOTROPY_TOLERANCE = 1e-6  # relative difference of voxel sizes that count as equal


def distance_map(
    mask: Mask,
    spacing: Spacing,
    sigma_um: float = 0.0,
    threads: int = 1,
    components: Labels | None = None,
) -> Volume:
    """Return the distance of each foreground voxel to the background.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
        0 or 1. Space beyond the faces of the stack is not background.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Standard deviation in um of a Gaussian that smooths the map, against a rough surface of
        the mask; 0 for none.
    threads : int
        Number of threads. The result does not depend on it.
    components : (Z, Y, X) ndarray of unsigned int, optional
        Labels of the connected components of the mask; several may have the same label. With them
        the result is the same, in less time.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        Distance in um, 0 in the background. In a mask without background it is not defined: all
        voxels get half the smallest extent of the stack.

    Examples
    --------
    >>> mask = np.array([[[0, 1, 1, 1, 0]]], np.uint8)
    >>> distance_map(mask, (2.0, 0.5, 0.5))
    array([[[0. , 0.5, 1. , 0.5, 0. ]]], dtype=float32)
    """
    steps, unit = _steps_and_unit(spacing)
    if components is None:
        distance = _squares(mask, steps, threads)
    else:
        distance = _squares_by_component(mask, components, steps, threads)

    def take_root(z: int) -> None:  # edt does it in one thread only
        np.sqrt(distance[z], out=distance[z])
        distance[z] *= unit

    parallel.map_threads(take_root, range(len(mask)), threads)
    if np.isinf(distance.flat[:1]).any():  # no background: all voxels are infinite
        distance = np.full(mask.shape, min(np.multiply(mask.shape, spacing)) / 2, np.float32)
    if sigma_um > 0:
        from cellstack.core.filters import gaussian_kernels, separable_filter  # slow to import

        separable_filter(distance, gaussian_kernels(sigma_um, spacing), out=distance)
        # With components, a mask in a mapped file is not read at all.
        inside = mask if components is None else components

        def clear_background(z: int) -> None:
            distance[z] *= inside[z] > 0

        parallel.map_threads(clear_background, range(len(mask)), threads)
    return distance


def _squares(mask: Mask, steps: Spacing, threads: int) -> Volume:
    import edt

    squares: Volume = edt.edtsq(mask, anisotropy=steps, parallel=threads)
    return squares


def _squares_by_component(mask: Mask, components: Labels, steps: Spacing, threads: int) -> Volume:
    """Return the squares, computed in the box of each component and one voxel around it.

    The nearest background of a component is next to it.
    """
    boxes = {label: widen_box(box) for label, box in find_boxes(components).items()}
    if sum(components[box].size for box in boxes.values()) > mask.size:  # they overlap
        return _squares(mask, steps, threads)
    squares = np.zeros(mask.shape, np.float32)
    for label, box in boxes.items():
        own = components[box] == label
        squares[box] += _squares(own.view(np.uint8), steps, threads)  # 0 elsewhere
    return squares


def _steps_and_unit(spacing: Spacing) -> tuple[Spacing, np.float32]:
    """Return the steps in which squares are computed, and the unit of their roots in um.

    Squares of whole voxels are exact, so that equal distances are equal in float32 too.
    """
    is_isotropic = max(spacing) - min(spacing) <= ISOTROPY_TOLERANCE * max(spacing)
    return ((1.0, 1.0, 1.0), np.float32(spacing[-1])) if is_isotropic else (spacing, np.float32(1))


def distances_at(
    mask: Planes, voxels: NDArray[np.integer], spacing: Spacing, threads: int = 1
) -> NDArray[np.float32]:
    """Return the distance of some voxels to the background of a mask that is read plane by plane.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray or planes of uint8
        0 or 1. Space beyond the faces of the stack is not background.
    voxels : (n, 3) ndarray of int
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    threads : int
        Number of threads. The result does not depend on it.

    Returns
    -------
    (n,) ndarray of float32
        The values of :func:`distance_map` at the voxels, within rounding; infinite in a mask
        without background.

    Examples
    --------
    >>> mask = np.array([[[0, 1, 1, 1, 0]]], np.uint8)
    >>> distances_at(mask, np.array([[0, 0, 2], [0, 0, 3]]), (2.0, 0.5, 0.5))
    array([1. , 0.5], dtype=float32)
    """
    import edt

    steps, unit = _steps_and_unit(spacing)
    step = np.float32(steps[0]) ** 2
    squares = np.full(len(voxels), np.inf, np.float32)
    for z, plane in enumerate(mask):
        within = edt.edtsq(np.ascontiguousarray(plane), anisotropy=steps[1:], parallel=threads)
        across = step * np.square(voxels[:, 0] - z).astype(np.float32)
        np.minimum(squares, within[voxels[:, 1], voxels[:, 2]] + across, out=squares)
    distances: NDArray[np.float32] = np.sqrt(squares) * unit
    return distances


def planes_near(
    mask: Planes, spacing: Spacing, radius_um: float | np.float32, threads: int = 1
) -> Iterator[NDArray[np.bool_]]:
    """Yield for each plane the voxels up to a distance from those of a mask.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray or planes of uint8
        0 or 1. Each plane is read once.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    radius_um : float
        The distance in um, between the centres of voxels.
    threads : int
        Number of threads. The result does not depend on it.

    Yields
    ------
    (Y, X) ndarray of bool

    Examples
    --------
    >>> mask = np.uint8([[[0, 0, 0]], [[1, 0, 0]]])
    >>> [plane.tolist() for plane in planes_near(mask, (1.0, 1.0, 1.0), 1.0)]
    [[[True, False, False]], [[True, True, False]]]
    """
    import edt

    steps, unit = _steps_and_unit(spacing)
    step = np.float32(steps[0]) ** 2
    limit = np.square(np.float32(radius_um) / unit)
    reach = int(radius_um / np.float32(spacing[0]))
    size = mask.shape[1:]
    near = deque(np.zeros(size, bool) for _ in range(reach))  # of the planes not yet yielded
    first = 0
    for z, plane in enumerate(mask):
        near.append(np.zeros(size, bool))
        if plane.any():
            outside = np.ascontiguousarray(1 - plane)
            within = edt.edtsq(outside, anisotropy=steps[1:], parallel=threads)
            for other in range(max(first, z - reach), z + reach + 1):
                near[other - first] |= within <= limit - step * np.float32((other - z) ** 2)
        if z - reach >= 0:
            yield near.popleft()
            first += 1
    yield from list(near)[: len(mask) - first]
