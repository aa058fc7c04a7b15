"""Random scenes of tissue whose membranes are stained, with their ground truth.

Everything varies: the layout (cells everywhere, a ball, a layer, a tube around a lumen), sizes and
shapes of cells, the width, brightness and grain of walls, missing walls, spaces between cells, the
brightness of the surface, of the cytoplasm, of nuclei and of vesicles, blur, haze, dimming with
depth, and noise.
"""

from typing import NamedTuple

import numpy as np
from network.scenes import Doubles, Floats, Random, cut_grain, dim, log_uniform
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

DIAMETER = 20.0  # of a cell, in voxels
MIN_DISTANCE = 0.9 * DIAMETER  # of the centres of cells
WALL_KINDS = 4096
LUMEN_REACH = 3  # voxels from a lumen in which a surface is that of the lumen
Shape = tuple[int, int, int]


class Tissue(NamedTuple):
    """A simulated membrane channel.

    Attributes
    ----------
    image : (Z, Y, X) ndarray of float32
    labels : (Z, Y, X) ndarray of int32
        Cells.
    """

    image: Floats
    labels: NDArray[np.int32]


class _Domain(NamedTuple):
    """Where there is tissue."""

    depth: Floats
    """Distance to the surface in voxels, negative outside, infinite without a surface."""
    to_lumen: Floats | None = None
    """Distance to the lumen."""
    is_layer: bool = False


class _Division(NamedTuple):
    """The cells around each voxel."""

    nearest: NDArray[np.intp]
    """(Z, Y, X, 3) numbers of the nearest cells; a voxel belongs to the first one."""
    to_wall: tuple[Floats, Floats]
    """Distances in voxels to the walls towards the second and the third cell."""


class _Style(NamedTuple):
    """What the walls of a scene have in common."""

    width: float
    gap: float
    """Half the distance between neighbouring cells in voxels."""
    brightness_sd: float
    missing_fraction: float
    surface: float
    """Brightness of the surface, where that of walls is 1."""
    texture: float


def simulate_tissue(rng: Random, shape: Shape) -> Tissue:
    """Return a random scene."""
    domain = _draw_domain(rng, shape)
    centres = _scatter(rng, shape, domain)
    division = _divide(rng, shape, centres)
    style = _Style(
        width=rng.uniform(0.5, 1.3),
        gap=rng.uniform(0.02, 0.08) * DIAMETER if rng.random() < 0.2 else 0.0,
        brightness_sd=rng.uniform(0.05, 0.6),
        missing_fraction=float(rng.choice([0, 0, 0.03, 0.1])),
        surface=log_uniform(rng, 0.4, 4),
        texture=rng.uniform(0, 0.6),
    )
    is_cell = (domain.depth > 0) & (division.to_wall[0] >= style.gap)
    labels = np.where(is_cell, division.nearest[..., 0] + 1, 0).astype(np.int32)
    bright = _paint_walls(rng, domain, division, style)
    bright += _paint_inside(rng, domain, division, labels, len(centres))
    return Tissue(_expose(rng, dim(rng, bright)), labels)


def _draw_domain(rng: Random, shape: Shape) -> _Domain:
    layout = rng.choice(["everywhere", "ball", "layer", "tube"], p=[0.3, 0.25, 0.2, 0.25])
    if layout == "everywhere":
        return _Domain(np.full(shape, np.inf, np.float32))
    z, y, x = np.ogrid[tuple(map(slice, shape))]
    middle = np.array(shape) / 2
    bumps = rng.uniform(0, 0.2) * DIAMETER * _smooth_noise(rng, shape)
    if layout == "ball":
        radii = rng.uniform(1.1, 2.6, 3) * DIAMETER
        centre = middle + rng.uniform(-0.1, 0.1, 3) * shape
        parts = zip((z, y, x), centre, radii, strict=True)
        relative = np.sqrt(sum(np.square((axis - place) / r) for axis, place, r in parts))
        return _Domain(((1 - relative) * radii.min() + bumps).astype(np.float32))
    if layout == "layer":
        tilt = rng.uniform(-0.4, 0.4, 2)
        height = middle[0] + tilt[0] * (y - middle[1]) + tilt[1] * (x - middle[2]) + bumps
        depth = rng.uniform(0.35, 0.8) * DIAMETER - abs(z - height)
        return _Domain(depth.astype(np.float32), is_layer=True)
    lumen, thickness = rng.uniform([0.2, 0.7], [1.0, 1.3]) * DIAMETER
    centre = middle + rng.uniform(-0.1, 0.1, 3) * shape
    across = y - centre[1] - rng.uniform(-0.3, 0.3) * (x - centre[2])
    radius = np.hypot(rng.uniform(0.7, 1.3) * (z - centre[0]), across) + bumps
    to_lumen = (radius - lumen).astype(np.float32)
    return _Domain(np.minimum(to_lumen, np.float32(thickness) - to_lumen), to_lumen, is_layer=True)


def _smooth_noise(rng: Random, shape: Shape) -> Floats:
    coarse = rng.standard_normal([max(2, round(n / DIAMETER / 1.5)) for n in shape])
    return ndimage.zoom(coarse, np.array(shape) / coarse.shape, order=3).astype(np.float32)


def _scatter(rng: Random, shape: Shape, domain: _Domain) -> Doubles:
    """Return the centres of cells; those of a layer are in its middle."""
    volume = np.pi / 6 * DIAMETER**3
    if np.isinf(domain.depth).all():
        low, high = np.full(3, -DIAMETER), np.array(shape) + DIAMETER
        centres = rng.uniform(low, high, (int(np.prod(high - low) / volume), 3))
    else:
        limit = 0.8 * float(domain.depth.max()) if domain.is_layer else 0.15 * DIAMETER
        allowed = np.argwhere(domain.depth > limit)
        count = max(4, int(np.count_nonzero(domain.depth > 0) / volume))
        centres = allowed[rng.integers(len(allowed), size=count)] + rng.random((count, 3))
    for _ in range(int(rng.integers(4, 25))):
        pairs = cKDTree(centres).query_pairs(MIN_DISTANCE, output_type="ndarray")
        between = centres[pairs[:, 0]] - centres[pairs[:, 1]]
        length = np.linalg.norm(between, axis=1)[:, None] + 1e-3
        push = 0.2 * (MIN_DISTANCE - length) * between / length
        np.add.at(centres, pairs[:, 0], push)
        np.add.at(centres, pairs[:, 1], -push)
    return centres


def _divide(rng: Random, shape: Shape, centres: Doubles) -> _Division:
    """Divide the stack among cells, by a power diagram that is stretched and bent."""
    stretch = np.exp(rng.normal(0, 0.12, 3))
    if rng.random() < 0.2:
        stretch[rng.integers(3)] *= 0.6
    places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).astype(np.float64)
    bend = rng.uniform(0, 0.1) * DIAMETER
    for axis in range(3):
        places[..., axis] += bend * _smooth_noise(rng, shape)
    centres = centres * stretch
    weights = rng.normal(0, rng.uniform(0.02, 0.15), len(centres)) * DIAMETER**2
    lifted = np.column_stack([centres, np.sqrt(weights.max() - weights)])
    points = np.column_stack([(places * stretch).reshape(-1, 3), np.zeros(np.prod(shape))])
    distances, nearest = cKDTree(lifted).query(points, k=3)

    def to_wall(other: int) -> Floats:
        apart = np.linalg.norm(centres[nearest[:, 0]] - centres[nearest[:, other]], axis=1)
        squares = np.square(distances[:, other]) - np.square(distances[:, 0])
        return (squares / (2 * apart + 1e-3)).astype(np.float32).reshape(shape)

    return _Division(nearest.reshape(*shape, 3), (to_wall(1), to_wall(2)))


def _paint_walls(rng: Random, domain: _Domain, division: _Division, style: _Style) -> Floats:
    kinds = np.exp(rng.normal(0, style.brightness_sd, WALL_KINDS)).astype(np.float32)
    kinds[rng.random(WALL_KINDS) < style.missing_fraction] *= 0.1
    walls = np.zeros(domain.depth.shape, np.float32)
    first = division.nearest[..., 0]
    for other, distance in enumerate(division.to_wall, 1):
        second = division.nearest[..., other]
        kind = np.minimum(first, second) * 7919 + np.maximum(first, second) * 104729
        profile = np.exp(-np.square((distance - style.gap) / style.width))
        walls = np.maximum(walls, kinds[kind % WALL_KINDS] * profile)
    walls *= domain.depth > 0
    surface = style.surface * np.exp(-np.square(domain.depth / style.width))
    if domain.to_lumen is not None:  # only the apical surface can be bright
        surface = np.where(domain.to_lumen < LUMEN_REACH, surface, surface / style.surface)
    grain = cut_grain(rng, domain.depth.shape, int(rng.integers(3)))
    bright = np.maximum(walls, surface) * np.exp(style.texture * grain - style.texture**2 / 2)
    return bright.astype(np.float32)


def _paint_inside(
    rng: Random, domain: _Domain, division: _Division, labels: NDArray[np.int32], count: int
) -> Floats:
    levels = rng.uniform(0, 0.3) * np.exp(rng.normal(0, 0.3, count + 1))
    levels[0] = 0
    inside = levels[labels]
    if rng.random() < 0.4:  # nuclei, darker or brighter
        is_nucleus = np.minimum(division.to_wall[0], domain.depth) > 0.25 * DIAMETER
        inside[is_nucleus] *= rng.choice([0.3, 1.6])
    if rng.random() < 0.3:
        vesicles = ndimage.gaussian_filter((rng.random(labels.shape) < 2e-4).astype(np.float32), 1)
        inside += vesicles / vesicles.max() * rng.uniform(0.3, 2) * (labels > 0)
    return inside.astype(np.float32)


def _expose(rng: Random, signal: Floats) -> Floats:
    """Blur a signal, and add haze, background and noise."""
    sigma = rng.uniform(0.3, 1.2)
    sigma_z = min(sigma * rng.uniform(1, 3.5), 3.0)
    image = ndimage.gaussian_filter(signal, (sigma_z, sigma, sigma), truncate=3)
    image /= max(float(np.percentile(image, 95)), 1e-3)
    if rng.random() < 0.5:
        image += rng.uniform(0.05, 0.5) * ndimage.gaussian_filter(image, (8, 6, 6), truncate=2.5)
    background = 1 / log_uniform(rng, 0.3, 20)
    image += background
    constant = rng.uniform(0, 1)
    sd = np.sqrt(constant + (1 - constant) * image / (1 + background)) / log_uniform(rng, 2, 25)
    noise = rng.standard_normal(image.shape, np.float32)
    return (image + sd * noise).astype(np.float32)
