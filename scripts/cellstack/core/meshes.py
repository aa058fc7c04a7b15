"""Surface of an object as a mesh of triangles."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellstack.core import filters
from cellstack.core.types import BoolVolume, Spacing, Volume

STEPS_PER_DIAMETER = 24  # of the grid, along the diameter of a ball of the same volume
SIGMA_STEPS = 0.75  # smoothing of the surface, relative to the coarsest axis or the grid


class Mesh(NamedTuple):
    """A closed surface of triangles."""

    vertices: NDArray[np.float32]
    """Of shape (n, 3): z, y, x in um from the centre of the first voxel of the stack."""
    faces: NDArray[np.int32]
    """Of shape (m, 3): vertices of each triangle. With x, y and z along a right-handed system of
    axes, they run counter-clockwise as seen from outside."""

    @property
    def normals(self) -> NDArray[np.float32]:
        """Unit vectors that point outwards at each vertex, as z, y, x, of shape (n, 3)."""
        across = self._cross_products()
        sums = np.stack(
            [
                np.bincount(
                    self.faces.ravel(), np.repeat(across[:, axis], 3), minlength=len(self.vertices)
                )
                for axis in range(3)
            ],
            axis=1,
        )
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        return (sums / np.where(lengths > 0, lengths, 1)).astype(np.float32)

    @property
    def volume_um3(self) -> float:
        """Enclosed volume in um3."""
        first = self.vertices[self.faces[:, 0]].astype(float)
        return float(np.sum(first * self._cross_products())) / 6

    def _cross_products(self) -> NDArray[np.float64]:
        """Return outward vectors of twice the area of each triangle."""
        a, b, c = (self.vertices[self.faces[:, i]].astype(float) for i in range(3))
        # z, y, x is a left-handed system if x, y, z is a right-handed one
        return np.cross(c - a, b - a)


def surface_mesh(
    mask: BoolVolume,
    spacing: Spacing,
    start: Sequence[int] = (0, 0, 0),
    shape: Sequence[int] | None = None,
    min_step_um: float = 0.0,
) -> Mesh:
    """Return a smooth mesh of the surface of an object.

    It encloses exactly the volume of the voxels.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        An object within its bounding box, with at least one voxel.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    start : (3,) sequence of int
        Index of the first voxel of the mask in the stack.
    shape : (3,) sequence of int, optional
        Shape of the stack. Where the object is cut by a face of the stack, the mesh is flat.
    min_step_um : float
        Minimum step of the grid in um, for a coarser mesh.

    Returns
    -------
    Mesh

    Notes
    -----
    The distance to the surface is interpolated on a grid of equal steps along all axes, smoothed by
    a Gaussian and cut by marching cubes. The step is a 24th of the diameter of a ball of the same
    volume, but at least the finest voxel size and `min_step_um`. The standard deviation of the
    Gaussian is 0.75 of the step or of the coarsest voxel size, whichever is larger, to
    remove the steps between voxels.

    Examples
    --------
    >>> z, y, x = np.ogrid[-3:4, -12:13, -12:13]
    >>> ball = (4 * z) ** 2 + y**2 + x**2 <= 10**2
    >>> mesh = surface_mesh(ball, (4.0, 1.0, 1.0), (-3, -12, -12))
    >>> bool(abs(mesh.volume_um3 / (4 * ball.sum()) - 1) < 1e-5)
    True
    >>> radii = np.linalg.norm(mesh.vertices, axis=1)
    >>> bool(abs(radii - 10).max() < 1)
    True
    """
    from skimage.measure import marching_cubes

    volume = np.count_nonzero(mask) * float(np.prod(spacing))
    step = max(min_step_um, min(spacing), float(np.cbrt(6 / np.pi * volume)) / STEPS_PER_DIAMETER)
    sigma = SIGMA_STEPS * max(step, *spacing)
    ends = np.add(start, mask.shape)
    is_cut = [
        (shape is not None and start[axis] == 0, shape is not None and ends[axis] == shape[axis])
        for axis in range(3)
    ]
    coarse, factors, first = _subsample(mask, [int(step / (2 * size)) for size in spacing])
    margin = 3 * max(step, *spacing)
    distance, origin = _distance_on_grid(
        coarse, np.multiply(factors, spacing).tolist(), step, margin, is_cut
    )
    origin += np.multiply(first, spacing)
    distance = filters.gaussian(distance, (step,) * 3, sigma_um=sigma)
    within = _distance_to_faces(distance.shape, step, origin, mask.shape, spacing, is_cut)
    level = _level_of(distance[within > 0], volume / step**3)
    field = np.minimum(distance - np.float32(level), within)
    vertices, faces, _, _ = marching_cubes(field, 0, spacing=(step,) * 3)
    mesh = Mesh((vertices + origin).astype(np.float32), faces.astype(np.int32))
    centre = mesh.vertices.mean(axis=0, dtype=float)
    factor = np.cbrt(volume / mesh.volume_um3)
    scaled = centre + factor * (mesh.vertices - centre) + np.multiply(start, spacing)
    return Mesh(scaled.astype(np.float32), mesh.faces)


def _subsample(mask: BoolVolume, factors: Sequence[int]) -> tuple[BoolVolume, list[int], list[int]]:
    """Return every n-th voxel along each axis, with the steps and the first index.

    Two samples per step of the grid suffice, and large objects take less memory.
    """
    steps = [max(1, factor) for factor in factors]
    first = [step // 2 for step in steps]
    coarse = mask[tuple(slice(at, None, step) for at, step in zip(first, steps, strict=True))]
    if coarse.any():
        return coarse, steps, first
    return mask, [1, 1, 1], [0, 0, 0]


def _distance_on_grid(
    mask: BoolVolume,
    spacing: Spacing,
    step: float,
    margin: float,
    is_cut: Sequence[tuple[bool, bool]],
) -> tuple[Volume, NDArray[np.float64]]:
    """Return the distance to the surface, positive inside, on a grid around the object.

    An object is continued beyond the faces that cut it. The second value is the position of the
    first point of the grid in um from the first voxel of the mask.
    """
    import edt

    margins = np.ceil(margin / np.asarray(spacing)).astype(int) + 1
    padded = mask
    for axis, size in enumerate(margins):
        for side, cut in enumerate(is_cut[axis]):
            widths = [(0, 0)] * 3
            widths[axis] = (int(size), 0) if side == 0 else (0, int(size))
            padded = np.pad(padded, widths, mode="edge" if cut else "constant")
    distance = edt.edt(padded, anisotropy=spacing) - edt.edt(~padded, anisotropy=spacing)
    if not np.isfinite(distance).all():  # the object fills the stack
        distance = np.full(padded.shape, 2 * margin, np.float32)
    for axis, length in enumerate(distance.shape):
        places = np.arange(0, (length - 1) * spacing[axis], step) / spacing[axis]
        before = np.minimum(places.astype(int), length - 2)
        fraction = (places - before).astype(np.float32)
        fraction = fraction.reshape([-1 if i == axis else 1 for i in range(3)])
        low, high = (distance.take(before + i, axis=axis) for i in (0, 1))
        distance = low + (high - low) * fraction
    return distance, -margins * np.asarray(spacing)


def _distance_to_faces(
    size: Sequence[int],
    step: float,
    origin: NDArray[np.float64],
    shape: Sequence[int],
    spacing: Spacing,
    is_cut: Sequence[tuple[bool, bool]],
) -> Volume:
    """Return the distance of the points of the grid to the faces that cut the object."""
    distance = np.full(size, np.inf, np.float32)
    for axis in range(3):
        # no point may lie exactly on a face, see _level_of
        places = origin[axis] + (np.arange(size[axis]) + 1e-3) * step
        low, high = -spacing[axis] / 2, (shape[axis] - 0.5) * spacing[axis]
        for cut, inside in zip(is_cut[axis], (places - low, high - places), strict=True):
            if cut:
                inside = inside.reshape([-1 if i == axis else 1 for i in range(3)])
                distance = np.minimum(distance, inside.astype(np.float32))
    return distance


def _level_of(distances: NDArray[np.float32], count: float) -> float:
    """Return the level above which a number of distances lie."""
    ordered = np.sort(distances)[::-1]
    last = min(max(round(count), 1), len(ordered) - 1)
    # no point may lie exactly on the level: marching cubes would make triangles without area
    below = ordered[last:][ordered[last:] < ordered[last - 1]]
    return float((ordered[last - 1] + below[0]) / 2) if len(below) else float(ordered[-1]) - 1
