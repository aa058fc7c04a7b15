"""Simulate a two-channel confocal stack of a cell colony with its ground truth labels.

The colony is laid out in um and painted on voxels afterwards, so the same colony can be painted at
any spacing.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cellstack.core.labels import count_voxels, find_boxes, label_type
from cellstack.core.opencv import cv2
from cellstack.core.planes import Allocate, Planes, Stack
from cellstack.core.types import Box, Labels, Spacing, Volume
from cellstack.errors import InputError
from cellstack.prepare.simulated_colony import (
    CELL_FLATNESS,
    CELL_REACH,
    Colony,
    Floats,
    lay_out,
    portable,
)

Offsets: TypeAlias = Sequence[NDArray[np.float32]]  # z, y, x in um, of any shape that broadcasts

# Lengths are fractions of the diameter of a nucleus unless the name ends in _UM.
METAPHASE_PLATE_AXES = (0.34, 0.7, 0.9)  # axes of the chromosomes of the mitotic nucleus
DENT_DEPTH = 0.2
PSF_SIGMA_UM = (0.45, 0.15, 0.15)
WALL_SIGMA_UM = 0.17  # a sheet 0.4 um wide at half maximum
MAX_PLANE_STEP_UM = 0.45  # distance of painted planes, since a wall is thinner than a plane
CYTOPLASM_SIGNAL = 0.06  # membrane signal within cells
FAR_UM = 1e6
VOXELS_PER_BLOCK = 2**20
BACKGROUND = 0.1  # fraction of the mean nuclear signal
READ_VARIANCE = 0.25  # variance of the read noise, as a fraction of that of the photon noise
SIGNAL_COUNTS = 3000.0  # mean nuclear signal in the file
OFFSET_COUNTS = 500.0  # dark level in the file


class Simulated(NamedTuple):
    """A simulated stack and its ground truth.

    Attributes
    ----------
    nuclei_image, membrane_image : (Z, Y, X) ndarray of uint16
        The two channels.
    nuclei_labels, cell_labels : (Z, Y, X) ndarray of uint16 or uint32
        Ground truth labels 1..n. A nucleus and its cell have the same label.
    mitotic : int
        Label of the only mitotic cell.
    volumes_um3 : (n,) ndarray of float
        Volume of the ellipsoid that represents each nucleus, before neighbours and faces cut it;
        for the mitotic nucleus the volume before mitosis.
    """

    nuclei_image: NDArray[np.uint16]
    membrane_image: NDArray[np.uint16]
    nuclei_labels: Labels
    cell_labels: Labels
    mitotic: int
    volumes_um3: Floats


class _Textures(NamedTuple):
    brightness: Floats  # (n,)
    nucleoli: Floats  # (n, 2, 3) in the frame of the axes, where the nucleus is the unit sphere
    origins: Floats  # (n, 3) position of each nucleus in the grain, in um
    grain: NDArray[np.float32]  # smooth periodic noise


def simulate_stack(
    shape: Sequence[int],
    spacing: Spacing,
    *,
    diameter_um: float,
    count: int,
    seed: int,
    signal_to_noise: float = 8.0,
    depth_factor: float = 2.0,
    allocate: Allocate = np.zeros,
) -> Simulated:
    """Simulate a confocal stack of a colony of cells with stained nuclei and membranes.

    Nuclei are textured, some are in contact and one is mitotic.

    Parameters
    ----------
    shape : (3,) sequence of int
        Numbers of planes, rows, columns.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    diameter_um : float
        Mean diameter of a nucleus in um: that of the sphere of the same volume. Its standard
        deviation is 12 %.
    count : int
        Number of nuclei. Lateral faces cut some of them.
    seed : int
        Seed of the random numbers. Layout and texture do not depend on the image quality, and
        nothing depends on the number of threads.
    signal_to_noise : float
        Signal-to-noise ratio of both channels: the mean signal of interphase nuclei above
        background, before blur and attenuation, divided by the standard deviation of the noise
        (photon and read noise) of a voxel with this signal.
    depth_factor : float
        Signal in the first plane divided by the signal in the last, with an exponential decay
        between them. The background does not decay.
    allocate : callable
        Returns a stack of a shape and type, whose voxels are 0: `numpy.zeros`, or that of
        :func:`cellstack.files.scratch.scratch_stacks`.

    Returns
    -------
    Simulated
        Images of both channels, labels of nuclei and cells, label of the mitotic cell and volumes
        of the nuclei.

    Raises
    ------
    InputError
        A value is out of range, there is not enough space for the nuclei, or a nucleus is smaller
        than a voxel.

    Notes
    -----
    Nuclei are dented ellipsoids of random orientation. Cells are the Voronoi regions of the nuclei
    for the distance from the nuclear surface along the ray from the centre. They end where the sum
    of a decreasing function of that distance over all nuclei, a metaball [1]_, falls below a
    threshold. The membrane is a sheet 0.4 um thick between and around the cells. The point spread
    function is a Gaussian with standard deviations of 0.45, 0.15, 0.15 um along z, y, x.

    References
    ----------
    .. [1] Blinn, J. F. (1982). A generalization of algebraic surface drawing. ACM Transactions on
       Graphics 1(3), 235-256.

    Examples
    --------
    >>> colony = simulate_stack((8, 40, 40), (0.8, 0.4, 0.4), diameter_um=6, count=3, seed=0)
    >>> colony.nuclei_image.shape, int(colony.nuclei_labels.max())
    ((8, 40, 40), 3)
    """
    _check(shape, spacing, diameter_um, count, signal_to_noise, depth_factor)
    rng = np.random.Generator(np.random.PCG64(seed))
    field = np.multiply(shape, spacing)
    colony = lay_out(rng, field, diameter_um, count)
    signals, nuclei, cells = _paint(rng, colony, shape, spacing, allocate)
    voxels = np.pad(count_voxels(nuclei), (0, count))[1 : count + 1]
    if not voxels.all():
        raise InputError(
            f"diameter_um={diameter_um:g}: nucleus {voxels.argmin() + 1} has no voxel at spacing "
            f"{spacing}; use a larger diameter or smaller voxels"
        )
    decay = depth_factor ** -np.linspace(0, 1, shape[0])
    backgrounds = BACKGROUND * rng.uniform(0.6, 1.4, (2, 2, 4, 4)).astype(np.float32)
    nuclei_image, membrane_image = (
        _expose(rng, signal, background, decay, signal_to_noise, allocate)
        for signal, background in zip(signals, backgrounds, strict=True)
    )
    volumes = 4 / 3 * np.pi * colony.semiaxes.prod(axis=1)
    return Simulated(nuclei_image, membrane_image, nuclei, cells, colony.mitotic + 1, volumes)


def _check(
    shape: Sequence[int],
    spacing: Spacing,
    diameter_um: float,
    count: int,
    signal_to_noise: float,
    depth_factor: float,
) -> None:
    for name, value, is_valid, expected in (
        ("shape", shape, len(shape) == 3 and min(shape) >= 1, "three numbers of voxels"),
        ("spacing", spacing, len(spacing) == 3 and min(spacing) > 0, "three lengths in um"),
        ("diameter_um", diameter_um, diameter_um > 0, "a length in um"),
        ("nuclei_count", count, count >= 1, "at least 1"),
        ("signal_to_noise", signal_to_noise, signal_to_noise > 0, "above 0"),
        ("depth_factor", depth_factor, depth_factor >= 1, "at least 1"),
    ):
        if not is_valid:
            raise InputError(f"{name}={value}: must be {expected}")


def _paint(
    rng: np.random.Generator,
    colony: Colony,
    shape: Sequence[int],
    spacing: Spacing,
    allocate: Allocate,
) -> tuple[list[Any], Any, Any]:
    """Return the blurred signals of both channels and the labels of nuclei and cells.

    Planes are painted at a finer step than they are imaged, a few planes at a time.
    """
    nuclei, cells = (allocate(shape, label_type(len(colony.centres))) for _ in range(2))
    signals = [allocate(shape, np.float32) for _ in range(2)]
    incomplete: list[dict[int, NDArray[np.float32]]] = [{}, {}]  # planes of the signals
    textures = _draw_textures(rng, colony)
    planes, rows, columns = shape
    # odd, so that one of the fine planes lies in the middle of the imaged plane
    fine = 2 * int(np.ceil((spacing[0] / MAX_PLANE_STEP_UM - 1) / 2)) + 1
    step = spacing[0] / fine
    blur_radius = int(np.ceil(3 * PSF_SIGMA_UM[0] / step))
    offsets = np.arange(-blur_radius, blur_radius + 1) * step
    weights = portable(np.exp, -0.5 * (offsets / PSF_SIGMA_UM[0]) ** 2)
    weights /= weights.sum()
    sigma_y, sigma_x = PSF_SIGMA_UM[1] / spacing[1], PSF_SIGMA_UM[2] / spacing[2]
    axes = [
        (np.arange(-blur_radius, planes * fine + blur_radius) + 0.5) * step,
        (np.arange(rows) + 0.5) * spacing[1],
        (np.arange(columns) + 0.5) * spacing[2],
    ]
    reaches = _extents(colony, 2 * CELL_REACH * colony.diameter)
    low, high = (colony.centres - reaches).min(axis=0), (colony.centres + reaches).max(axis=0)
    heights, *window = (
        slice(*np.searchsorted(axis, (start, end)).tolist())
        for axis, start, end in zip(axes, low, high, strict=True)
    )
    in_plane = tuple(window)  # the part of a plane that the colony covers
    rows_um, columns_um = axes[1][in_plane[0]], axes[2][in_plane[1]]
    block = max(1, VOXELS_PER_BLOCK // (len(rows_um) * len(columns_um)))
    for start in range(heights.start, heights.stop, block):
        levels = slice(start, min(start + block, heights.stop))
        painted, labels = _paint_planes(
            colony, textures, [axes[0][levels], rows_um, columns_um], nuclei.dtype
        )
        for index in range(levels.stop - levels.start):
            number = levels.start - blur_radius + index
            plane, position = divmod(number, fine)
            if position == fine // 2 and 0 <= plane < planes:
                for stack, label in zip((nuclei, cells), labels, strict=True):
                    drawn = np.zeros((rows, columns), stack.dtype)
                    drawn[in_plane] = label[index]
                    stack[plane] = drawn
            offset = number - fine // 2
            first = max(0, -((blur_radius - offset) // fine))
            last = min(planes, (offset + blur_radius) // fine + 1)
            for signal, planes_of, paint in zip(signals, incomplete, painted, strict=True):
                for plane in sorted(planes_of.keys() - range(first, last)):
                    signal[plane] = planes_of.pop(plane)
                blurred = cv2.GaussianBlur(paint[index], (0, 0), sigmaX=sigma_x, sigmaY=sigma_y)
                for plane in range(first, last):
                    weight = np.float32(weights[plane * fine - offset + blur_radius])
                    if plane not in planes_of:
                        planes_of[plane] = np.zeros((rows, columns), np.float32)
                    planes_of[plane][in_plane] += weight * blurred
    for signal, planes_of in zip(signals, incomplete, strict=True):
        for plane, values in planes_of.items():
            signal[plane] = values
    _remove_fragments(cells, nuclei)
    return signals, nuclei, cells


def _remove_fragments(cells: Any, nuclei: Stack) -> None:
    """Remove fragments of cells in crevices of the colony, separate from the rest of their cell."""
    fragments = [np.zeros((0, 3), int)]
    for label, box in find_boxes(cells).items():
        parts = cc3d.connected_components(cells[box] == label)
        has_nucleus = np.zeros(int(parts.max()) + 1, bool)
        has_nucleus[parts[nuclei[box] > 0]] = True
        has_nucleus[0] = True  # not the cell
        start = [side.start for side in box]
        fragments.append(np.argwhere(~has_nucleus[parts]) + start)
    voxels = np.concatenate(fragments)
    for z in np.unique(voxels[:, 0]).tolist():
        plane = cells[z]
        plane[tuple(voxels[voxels[:, 0] == z, 1:].T)] = 0
        cells[z] = plane


def _draw_textures(rng: np.random.Generator, colony: Colony) -> _Textures:
    count = len(colony.centres)
    brightness = np.clip(rng.normal(1, 0.15, count), 0.6, 1.4)
    brightness[colony.mitotic] = 2.5
    nucleoli = rng.uniform(-0.4, 0.4, (count, 2, 3))
    origins = rng.uniform(0, 10 * colony.diameter, (count, 3))
    grain = ndimage.gaussian_filter(rng.standard_normal((96, 96, 96), np.float32), 3, mode="wrap")
    return _Textures(brightness, nucleoli, origins, grain / grain.std())


def _paint_planes(
    colony: Colony,
    textures: _Textures,
    axes: Sequence[Floats],
    dtype: np.dtype[np.unsignedinteger[Any]],
) -> tuple[tuple[Volume, Volume], tuple[Labels, Labels]]:
    """Return both signals and the labels of nuclei and cells at coordinates (z, y, x) in um."""
    shape = tuple(len(axis) for axis in axes)
    nearest = np.full(shape, FAR_UM, np.float32)
    second = nearest.copy()
    metaball = np.zeros(shape, np.float32)
    cells = np.zeros(shape, dtype)
    reach = CELL_REACH * colony.diameter
    margin = 2 * reach * np.array([1 / CELL_FLATNESS, 1, 1])
    for index, box, offsets in _boxes(colony, axes, margin):
        distance, steepness = _surface_distance(colony, index, offsets)
        before = nearest[box]
        cells[box][distance < before] = index + 1
        np.minimum(second[box], np.maximum(before, distance), out=second[box])
        np.minimum(before, distance, out=before)
        relative = np.clip(steepness * distance / (2 * reach), 0, 1)
        metaball[box] += np.square(1 - np.square(relative))
    # distance from the free surface: that at which a single nucleus has this metaball value
    surface = 2 * reach * np.sqrt(1 - np.sqrt(np.minimum(metaball, 1))) - reach
    cells[surface > 0] = 0

    nuclei = np.where(nearest <= 0, cells, 0)
    chromatin = np.zeros(shape, np.float32)
    for index, box, offsets in _boxes(colony, axes, 0):
        found = np.nonzero(nuclei[box] == index + 1)
        points = [offset.ravel()[each] for offset, each in zip(offsets, found, strict=True)]
        values = _chromatin(colony, textures, index, points)
        chromatin[box][found] = values
        nuclei[box][tuple(each[values == 0] for each in found)] = 0

    between = _sheet(cast(Volume, (second - nearest) / 2), axes)
    membrane = np.where(cells > 0, between, 0)
    np.maximum(membrane, _sheet(np.abs(surface), axes), out=membrane)
    membrane *= portable(np.exp, 0.25 * _grain(textures, np.ix_(*axes), 0.1 * colony.diameter))
    np.maximum(membrane, CYTOPLASM_SIGNAL * (cells > 0), out=membrane)
    return (chromatin, membrane), (nuclei, cells)


def _sheet(distance: Volume, axes: Sequence[Floats]) -> Volume:
    """Return the brightness of a sheet of constant thickness where a distance-like map is 0.

    The map is divided by its slope, which differs from place to place.
    """
    slope2 = np.zeros_like(distance)
    for dimension, coordinates in enumerate(axes):
        along = np.moveaxis(distance, dimension, 0)
        if len(along) > 1:
            # the larger of forward and backward difference, as the map has a kink in the sheet
            rise = np.square(np.diff(along, axis=0) / np.float32(coordinates[1] - coordinates[0]))
            steeper = np.maximum(rise[1:], rise[:-1])
            np.moveaxis(slope2, dimension, 0)[...] += np.concatenate([rise[:1], steeper, rise[-1:]])
    np.clip(slope2, 0.02, 4, out=slope2)
    return portable(np.exp, np.square(distance) / slope2 * np.float32(-0.5 / WALL_SIGMA_UM**2))


def _extents(colony: Colony, margin: float | Floats) -> Floats:
    """Return half the sides of the bounding boxes of dented nuclei with a margin, in um."""
    half_sides = np.linalg.norm(colony.semiaxes[:, :, None] * colony.rotations, axis=1)
    extents: Floats = half_sides * (1 + DENT_DEPTH) + margin
    return extents


def _boxes(
    colony: Colony, axes: Sequence[Floats], margin: float | Floats
) -> Iterator[tuple[int, Box, Offsets]]:
    """Yield number, box and open grid of offsets from the centre in um of each nucleus in view."""
    extents = _extents(colony, margin)
    for index, (centre, extent) in enumerate(zip(colony.centres, extents, strict=True)):
        box = tuple(
            slice(*np.searchsorted(axis, (middle - half, middle + half)).tolist())
            for axis, middle, half in zip(axes, centre, extent, strict=True)
        )
        if all(part.start < part.stop for part in box):
            offsets = [
                (axis[part] - middle).astype(np.float32)
                for axis, part, middle in zip(axes, box, centre, strict=True)
            ]
            yield index, box, np.ix_(*offsets)


def _project(direction: Floats, offsets: Offsets) -> NDArray[np.float32]:
    """Return the scalar product of a direction and offsets."""
    z, y, x = (np.float32(part) * offset for part, offset in zip(direction, offsets, strict=True))
    product: NDArray[np.float32] = (z + y) + x
    return product


def _unit_sphere(
    colony: Colony, index: int, offsets: Offsets, semiaxes: Floats
) -> tuple[Offsets, NDArray[np.float32]]:
    """Return coordinates in which an ellipsoid is the unit sphere, and their distance to 0."""
    frame = [_project(row, offsets) for row in colony.rotations[index] / semiaxes[:, None]]
    return frame, np.maximum(np.sqrt(_sum_squares(frame)), np.float32(1e-6))


def _sum_squares(parts: Offsets) -> NDArray[np.float32]:
    z, y, x = (np.square(part) for part in parts)
    return (z + y) + x


def _surface_distance(
    colony: Colony, index: int, offsets: Offsets
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the distance from a nuclear surface along the ray from the centre, and its weight.

    The distance is in um. The weight is 1 for rays in the plane and rises to `CELL_FLATNESS` for
    rays along z, for the flat free surface of cells.
    """
    frame, radius = _unit_sphere(colony, index, offsets, colony.semiaxes[index])
    dent = np.float32(DENT_DEPTH) / (radius * radius * radius)
    for direction in colony.dents[index]:
        dent *= _project(direction, frame)
    length2 = np.maximum(_sum_squares(offsets), np.float32(1e-12))
    distance = np.sqrt(length2) * (1 - (1 + dent) / radius)
    return distance, np.sqrt(1 + np.float32(CELL_FLATNESS**2 - 1) * np.square(offsets[0]) / length2)


def _chromatin(
    colony: Colony, textures: _Textures, index: int, points: Offsets
) -> NDArray[np.float32]:
    """Return the brightness of a nucleus at offsets from its centre.

    It is 0 outside the chromosomes of the mitotic nucleus.
    """
    inside = [
        each + np.float32(origin)
        for each, origin in zip(points, textures.origins[index], strict=True)
    ]
    contrast = np.float32(0.2 if index == colony.mitotic else 0.35)
    grain = _grain(textures, inside, 0.011 * colony.diameter)
    texture = portable(np.exp, contrast * grain - contrast**2 / 2)  # its mean is 1
    if index == colony.mitotic:
        plate = np.multiply(METAPHASE_PLATE_AXES, colony.diameter / 2)
        frame, radius = _unit_sphere(colony, index, points, plate)
        lobes = sum(
            portable(np.sin, 5 * _project(direction, frame) / radius)
            for direction in colony.dents[index]
        )
        texture *= radius < 1 + np.float32(0.15) * lobes
    else:
        frame, _ = _unit_sphere(colony, index, points, colony.semiaxes[index])
        for nucleolus in textures.nucleoli[index]:
            offsets = [
                each - np.float32(middle) for each, middle in zip(frame, nucleolus, strict=True)
            ]
            dip = portable(np.exp, _sum_squares(offsets) * np.float32(-12.5))
            texture *= 1 - np.float32(0.5) * dip
    brightness: NDArray[np.float32] = np.float32(textures.brightness[index]) * texture
    return brightness


def _grain(
    textures: _Textures, points: Sequence[NDArray[np.floating[Any]]], step: float
) -> NDArray[np.float32]:
    indices = tuple(
        (each / step).astype(np.intp) % size
        for each, size in zip(points, textures.grain.shape, strict=True)
    )
    grain: NDArray[np.float32] = textures.grain[indices]
    return grain


def _expose(
    rng: np.random.Generator,
    signal: Planes,
    background: NDArray[np.float32],
    decay: Floats,
    signal_to_noise: float,
    allocate: Allocate,
) -> Any:
    """Convert a signal, 1 in an average nucleus, to counts with attenuation, background and noise.

    The background is given on a coarse grid for the first and the last plane.
    """
    # photons per voxel of signal 1, from the definition of the signal-to-noise ratio:
    # signal / sqrt((signal + background) * (1 + READ_VARIANCE))
    photons = signal_to_noise**2 * (1 + BACKGROUND) * (1 + READ_VARIANCE)
    read_sd = np.sqrt(READ_VARIANCE * photons * (1 + BACKGROUND))
    planes, rows, columns = signal.shape
    top, bottom = (
        cv2.resize(each, (columns, rows), interpolation=cv2.INTER_CUBIC) for each in background
    )
    image = allocate(signal.shape, np.uint16)
    for index, depth in enumerate(np.linspace(0, 1, planes, dtype=np.float32)):
        expected = signal[index] * np.float32(decay[index]) + top + depth * (bottom - top)
        detected = rng.poisson(photons * expected)
        counts = detected + read_sd * rng.standard_normal((rows, columns), np.float32)
        np.clip(np.rint(OFFSET_COUNTS + SIGNAL_COUNTS / photons * counts), 0, 65535, out=counts)
        image[index] = counts
    return image
