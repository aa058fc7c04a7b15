"""Random scenes of nuclei from which the network of train.py learns, and its two input channels.

Everything varies: crowding, sizes, shapes, textures, hollow and mitotic nuclei, blur, distance of
planes, noise, haze, dimming, sheets, walls, debris, and the ratio of true and given diameter.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

DIAMETER = 10.0  # of a nucleus of the given diameter, in voxels
GRAIN_SIZE = 80  # voxels of the periodic noise of which textures are parts
LOCAL_STEP, LOCAL_SIGMA = 4, 15  # voxels: grid and Gaussian of the local statistics
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Random = np.random.Generator


class Scene(NamedTuple):
    """A simulated stack on a grid with ten voxels per given diameter.

    Attributes
    ----------
    image : (Z, Y, X) ndarray of float32
    labels : (Z, Y, X) ndarray of int32
    depth : (Z, Y, X) ndarray of float32
        1 at the centre of a nucleus, 0 at its outline and in the background.
    """

    image: Floats
    labels: NDArray[np.int32]
    depth: Floats


class Nucleus(NamedTuple):
    """An ellipsoid: centre and semi-axes in voxels, before the scene is stretched along z."""

    centre: Doubles
    semiaxes: Doubles
    rotation: Doubles
    brightness: float
    is_mitotic: bool


def simulate_scene(rng: Random, shape: tuple[int, int, int]) -> Scene:
    """Return a random scene."""
    draw = rng.random()  # true diameter / given diameter
    scale = (
        rng.uniform(0.72, 1.3)
        if draw < 0.65
        else rng.uniform(1.3, 1.8)
        if draw < 0.9
        else rng.uniform(0.55, 0.72)
    )
    stretch = 1.0
    if rng.random() >= 0.4:
        stretch = rng.uniform(1, 2.0) if rng.random() < 0.75 else rng.uniform(0.6, 1)
    radius = 0.5 * DIAMETER * scale * stretch ** (-1 / 3)
    nuclei, style = _lay_out(rng, np.array(shape) / [stretch, 1, 1], radius)
    grain = cut_grain(rng, shape, int(style["grain"]))
    texture = np.exp(style["texture"] * grain - style["texture"] ** 2 / 2).astype(np.float32)
    labels, bright, nearest, second = _paint(rng, nuclei, shape, stretch, style)
    gap = rng.uniform(0, 0.12) if rng.random() < 0.4 else 0.0
    if gap:  # dark between neighbours
        bright[(_subtract(second, nearest) < gap) & (labels > 0)] *= rng.uniform(0.2, 0.9)
    depth = np.where(labels > 0, np.clip(1 - nearest, 0, 1), 0).astype(np.float32)
    signal = dim(rng, bright * texture)
    signal = signal + _other_objects(rng, shape, nearest, second) * (labels == 0)
    return Scene(_expose(rng, signal), labels, depth)


def normalize(image: Floats) -> Floats:
    """Return the two channels from which the network predicts: global and local contrast."""
    low, high = np.percentile(image, (5, 99.8))
    scaled = (image - low) / max(high - low, 1e-6)
    overall = np.arcsinh(4 * scaled.clip(-1, 2)) / 2
    step = LOCAL_STEP
    padded = np.pad(scaled, [(0, -n % step) for n in scaled.shape], mode="edge").clip(-1, 2)
    blocks = [side for n in padded.shape for side in (n // step, step)]
    mean, square = (
        ndimage.gaussian_filter(
            values.reshape(blocks).mean((1, 3, 5)), LOCAL_SIGMA / step, truncate=2.5
        )
        for values in (padded, padded**2)
    )
    sd = np.sqrt(np.maximum(square - mean**2, 0)) + 0.02
    box = tuple(slice(n) for n in scaled.shape)
    mean, sd = (
        ndimage.zoom(values, step, order=1, mode="nearest", grid_mode=True)[box]
        for values in (mean, sd)
    )
    return np.stack([overall, ((scaled - mean) / sd).clip(-3, 6) / 2]).astype(np.float32)


@cache
def _grains() -> list[Floats]:
    rng = np.random.default_rng(0)
    grains = []
    for sigma in (0.6, 1.2, 2.5):
        noise = rng.standard_normal((GRAIN_SIZE,) * 3, np.float32)
        grain = ndimage.gaussian_filter(noise, sigma, mode="wrap")
        grains.append(grain / grain.std())
    return grains


def cut_grain(rng: Random, shape: tuple[int, ...], kind: int) -> Floats:
    places = [(np.arange(n) + rng.integers(GRAIN_SIZE)) % GRAIN_SIZE for n in shape]
    return _grains()[kind][np.ix_(*places)]


def log_uniform(rng: Random, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _subtract(second: Floats, nearest: Floats) -> Floats:
    """Subtract relative distances, which are infinite far from all nuclei."""
    with np.errstate(invalid="ignore"):
        return second - nearest


def _place(rng: Random, box: Doubles, radius: float) -> tuple[Doubles, Doubles | None, str]:
    """Return centres; for a shell, its normals too; and the kind of the layout."""
    volume = 4 / 3 * np.pi * radius**3
    kind = rng.choice(["pack", "ball", "shell", "cluster", "layer"], p=[0.35, 0.2, 0.2, 0.15, 0.1])
    middle = box / 2 + rng.uniform(-0.2, 0.2, 3) * box
    normals = None
    if kind == "pack":
        count = int(rng.uniform(0.02, 0.5) * np.prod(box + 2 * radius) / volume)
        centres = rng.uniform(-radius, box + radius, (max(count, 1), 3))
    elif kind in ("ball", "shell"):
        outer = rng.uniform(1.2, 2.8) * DIAMETER
        normals = rng.standard_normal((400, 3))
        normals /= np.linalg.norm(normals, axis=1)[:, None]
        if kind == "ball":
            count = int(rng.uniform(0.1, 0.5) * 4 / 3 * np.pi * (outer + radius) ** 3 / volume)
            count = min(max(count, 1), 120)
            centres = middle + normals[:count] * outer * rng.random((count, 1)) ** (1 / 3)
            normals = None
        else:
            count = int(np.clip(rng.uniform(0.15, 0.8) * 4 * outer**2 / radius**2, 2, 90))
            centres = middle + normals[:count] * (outer + rng.normal(0, 1.0, (count, 1)))
            inner = min(count, int(rng.integers(0, 14)))  # an inner cell mass
            if inner:
                scatter = rng.standard_normal((inner, 3)) * DIAMETER * 0.8
                centres[:inner] = middle + normals[0] * outer * 0.6 + scatter
    elif kind == "cluster":
        parts = []
        for _ in range(rng.integers(1, 5)):
            count = int(rng.integers(1, 14))
            place = rng.uniform(0, box)
            scatter = rng.standard_normal((count, 3)) * DIAMETER * rng.uniform(0.4, 1.2)
            parts.append(place + scatter)
        centres = np.concatenate(parts)
    else:
        count = int(rng.uniform(0.2, 0.8) * box[1] * box[2] / (np.pi * radius**2)) + 1
        centres = rng.uniform(-radius, box + radius, (count, 3))
        centres[:, 0] = middle[0] + rng.normal(0, 1.0, count)
        centres[:, 0] += rng.normal(0, 0.15) * (centres[:, 1] - middle[1])
    if rng.random() < 0.03:
        centres = centres[:0]
    return centres, normals, str(kind)


def _push_apart(centres: Doubles, radii: Doubles, gap: float) -> Doubles:
    for _ in range(12):
        between = centres[:, None] - centres[None]
        distance = np.sqrt((between**2).sum(-1)) + 1e-3
        push = np.clip(gap * (radii[:, None] + radii[None]) - distance, 0, None) / distance
        np.fill_diagonal(push, 0)
        centres = centres + 0.3 * (push[..., None] * between).sum(1)
    return centres


def _lay_out(rng: Random, box: Doubles, radius: float) -> tuple[list[Nucleus], dict[str, float]]:
    """Return the nuclei of a scene, and what they have in common."""
    size_sd = rng.uniform(0.05, 0.25)
    centres, normals, kind = _place(rng, box, radius)
    radii = radius * np.exp(rng.normal(0, size_sd, len(centres))).clip(0.55, 1.6)
    centres = _push_apart(centres, radii, rng.uniform(0.8, 1.25))
    axes_sd = rng.uniform(0.02, 0.28)
    flat = 1.0
    if kind in ("shell", "layer") and rng.random() < 0.7:
        flat = rng.uniform(1.1, 1.9)
    pancake = np.array([flat ** (-2 / 3), flat ** (1 / 3), flat ** (1 / 3)])
    bright_sd = rng.uniform(0.05, 0.5)
    mitotic_fraction = rng.choice([0, 0.05, 0.2])
    style = {
        "hollow": rng.choice([0, 0.0, 0.1, 0.9]),
        "texture": rng.uniform(0, 0.6),
        "grain": rng.integers(3),
        "dent": rng.uniform(0, 0.25),
        "nucleoli": rng.uniform(0, 1),
    }
    nuclei = []
    for index, (centre, size) in enumerate(zip(centres, radii, strict=True)):
        semiaxes = size * np.exp(rng.normal(0, axes_sd, 3))
        brightness = float(np.exp(rng.normal(0, bright_sd)))
        rotation = Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
        if normals is not None and flat > 1:
            semiaxes = size * pancake * np.exp(rng.normal(0, axes_sd / 2, 3))
            rotation = np.linalg.qr(np.column_stack([normals[index], rotation[:, :2]]))[0].T
        elif kind == "layer" and flat > 1:
            semiaxes, rotation = size * pancake, np.eye(3)
        if rng.random() >= mitotic_fraction:
            nuclei.append(Nucleus(centre, semiaxes, rotation, brightness, False))
            continue
        plate = size * rng.uniform([0.25, 0.6, 0.75], [0.5, 0.95, 1.0])
        brightness *= rng.uniform(1, 3)
        if rng.random() < 0.4:  # two daughters
            offset = rotation[0] * size * rng.uniform(0.45, 0.9)
            for each in (centre + offset, centre - offset):
                nuclei.append(Nucleus(each, plate * 0.9, rotation, brightness, True))
        else:
            nuclei.append(Nucleus(centre, plate, rotation, brightness, True))
    return nuclei, style


def _paint(
    rng: Random,
    nuclei: list[Nucleus],
    shape: tuple[int, int, int],
    stretch: float,
    style: dict[str, float],
) -> tuple[NDArray[np.int32], Floats, Floats, Floats]:
    """Return labels, brightness, and the relative distance to the two nearest nuclei."""
    nearest, second = (np.full(shape, np.inf, np.float32) for _ in range(2))
    labels, bright = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
    for number, nucleus in enumerate(nuclei, 1):
        rotation, semiaxes = nucleus.rotation, nucleus.semiaxes
        reach = np.sqrt(np.square(rotation * semiaxes[:, None]).sum(0)) * 1.35 * [stretch, 1, 1]
        centre = nucleus.centre * [stretch, 1, 1]
        low = np.clip(np.floor(centre - reach).astype(int), 0, shape)
        high = np.clip(np.ceil(centre + reach).astype(int) + 1, 0, shape)
        if (low >= high).any():
            continue
        box = tuple(map(slice, low, high))
        z, y, x = np.ix_(
            *(
                np.arange(start, stop, dtype=np.float32) - np.float32(middle)
                for start, stop, middle in zip(low, high, centre, strict=True)
            )
        )
        frame = [
            (row[0] * z / np.float32(stretch) + row[1] * y + row[2] * x) / length
            for row, length in zip(rotation, semiaxes, strict=True)
        ]
        distance = np.sqrt(sum(np.square(each) for each in frame)).astype(np.float32)
        distance += np.float32(1e-4)
        if style["dent"] > 0.02:
            directions = rng.standard_normal((3, 3))
            directions /= np.linalg.norm(directions, axis=1)[:, None]
            first, other = (
                sum(part * each for part, each in zip(direction, frame, strict=True)) / distance
                for direction in directions[:2]
            )
            bump = 1 + np.float32(style["dent"]) * (first**3 + other**2 - 0.33)
            distance = distance / bump.astype(np.float32)
        before = nearest[box]
        second[box] = np.minimum(second[box], np.maximum(before, distance))
        is_nearest = distance < before
        before[is_nearest] = distance[is_nearest]
        values = _shade(rng, nucleus, frame, distance, style)
        inside = distance < 1
        labels[box][is_nearest] = np.where(inside, number, 0)[is_nearest]
        bright[box][is_nearest] = np.where(inside, values, 0)[is_nearest]
    return labels, bright, nearest, second


def _shade(
    rng: Random,
    nucleus: Nucleus,
    frame: list[Floats],
    distance: Floats,
    style: dict[str, float],
) -> Floats:
    values = np.full(distance.shape, nucleus.brightness, np.float32)
    if nucleus.is_mitotic:
        return values
    if rng.random() < style["hollow"]:
        inner = rng.uniform(0.2, 0.8)
        values *= inner + (1 - inner) / (1 + np.exp(-(distance - 0.65) / 0.08))
    if rng.random() < style["nucleoli"]:
        for _ in range(rng.integers(1, 4)):
            place, width = rng.uniform(-0.45, 0.45, 3), rng.uniform(0.12, 0.3)
            square = sum(
                np.square(each - middle) for each, middle in zip(frame, place, strict=True)
            )
            values *= 1 - rng.uniform(0.3, 0.9) * np.exp(-square / (2 * width**2))
    return values


def dim(rng: Random, signal: Floats) -> Floats:
    """Dim a signal with depth, from either side, and along y."""
    planes, rows, _ = signal.shape
    if rng.random() < 0.65:
        factors = np.exp(np.linspace(0, np.log(rng.uniform(0.12, 0.9)), planes))
        if rng.random() < 0.5:
            factors = factors[::-1]
        signal = signal * factors.astype(np.float32)[:, None, None]
    if rng.random() < 0.2:
        factors = np.linspace(rng.uniform(0.4, 1), rng.uniform(0.4, 1), rows, dtype=np.float32)
        signal = signal * factors[:, None]
    return signal


def _other_objects(
    rng: Random, shape: tuple[int, int, int], nearest: Floats, second: Floats
) -> Floats:
    """Return the brightness of debris, sheets, walls between cells, and blobs out of focus."""
    bright = np.zeros(shape, np.float32)
    grid = np.ogrid[tuple(slice(0, n) for n in shape)]

    def squares(place: Doubles, widths: Doubles) -> Doubles:
        parts = zip(grid, place, widths, strict=True)
        return np.asarray(sum(np.square((axis - middle) / w) for axis, middle, w in parts))

    if rng.random() < 0.4:
        for _ in range(rng.integers(1, 8)):
            place = rng.uniform(0, 1, 3) * shape
            width = rng.uniform(0.05, 0.2) * DIAMETER
            inside = squares(place, np.full(3, width)) < 1
            bright += (log_uniform(rng, 0.3, 5) * inside).astype(np.float32)
    if rng.random() < 0.2:
        for _ in range(rng.integers(1, 3)):
            normal = rng.standard_normal(3)
            normal /= np.linalg.norm(normal)
            place = np.array(shape) * rng.uniform(0, 1, 3)
            distance = sum(axis * part for axis, part in zip(grid, normal, strict=True))
            distance = distance - (place * normal).sum() + 1.5 * cut_grain(rng, shape, 2)
            height = rng.uniform(0.2, 1.5)
            sheet = np.exp(-np.square(distance / rng.uniform(0.5, 1.2)))
            bright += (height * sheet).astype(np.float32)
    if rng.random() < 0.15:
        walls = np.exp(-np.square(_subtract(second, nearest) / 0.12))
        walls *= (nearest > 1) & (second < 2)
        bright += np.nan_to_num(walls).astype(np.float32) * np.float32(rng.uniform(0.2, 1.2))
    if rng.random() < 0.25:
        for _ in range(rng.integers(1, 6)):
            place = rng.uniform(0, 1, 3) * shape
            height, width = rng.uniform(0.4, 0.9), rng.uniform(0.35, 0.6)
            square = squares(place, np.array([height, width, width]) * DIAMETER)
            bright += (rng.uniform(0.05, 0.5) * np.exp(-square / 2)).astype(np.float32)
    return bright


def _expose(rng: Random, signal: Floats) -> Floats:
    """Blur a signal, add haze, background and noise, and image it at a distance of planes."""
    shape, planes = signal.shape, signal.shape[0]
    sigma = rng.uniform(0.1, 1.3)
    sigma_z = min(sigma * rng.uniform(1, 4), 4.0)
    image = ndimage.gaussian_filter(signal, (sigma_z, sigma, sigma), truncate=3)
    if rng.random() < 0.6:
        height = log_uniform(rng, 0.02, 0.6)
        width = rng.uniform(0.3, 1.5) * DIAMETER / 2
        sigmas = (width * rng.uniform(1, 2), width, width)
        haze = ndimage.gaussian_filter(signal[::2, ::2, ::2], sigmas, truncate=2.5)
        wide = haze.repeat(2, 0).repeat(2, 1).repeat(2, 2)[tuple(slice(n) for n in shape)]
        image += height * ndimage.uniform_filter(wide, 3) / max(float(haze.max()), 1e-3)
    background = 1 / log_uniform(rng, 0.15, 20) * np.ones((1, 1, shape[2]), np.float32)
    if rng.random() < 0.3:
        background *= 1 + rng.uniform(-0.4, 0.4) * np.linspace(-1, 1, shape[2])
    level = float(background.mean()) + 1
    if rng.random() < 0.3:
        coarse = rng.standard_normal((3, 4, 4))
        uneven = ndimage.zoom(coarse, np.array(shape) / coarse.shape, order=1)
        background = background + rng.uniform(0, 0.15) * uneven
    image = np.maximum(image + background, 0).astype(np.float32)
    step = log_uniform(rng, 0.5, 4.5)
    imaged = np.arange(rng.uniform(0, min(step, planes - 1)), planes, step)
    if step > 1:
        image = _interpolate(image, imaged)
    noise_to_signal = 1 / log_uniform(rng, 0.8, 25)
    constant = rng.uniform(0, 1)
    sd = np.sqrt(constant + (1 - constant) * image / level) * noise_to_signal
    noise = rng.standard_normal(image.shape, np.float32)
    draw = rng.random()
    if draw < 0.3:
        width = rng.uniform(0.4, 0.9)
        noise = ndimage.gaussian_filter(noise, (0, width, width), truncate=2)
        noise /= max(float(noise.std()), 1e-3)
    elif draw < 0.5:
        skewed = rng.standard_gamma(1.0 + 3 * rng.random(), image.shape)
        noise = ((skewed - skewed.mean()) / skewed.std()).astype(np.float32)
    image = image + sd * noise
    if step > 1:
        image = _interpolate(image, (np.arange(planes) - imaged[0]) / step)
    if rng.random() < 0.25:
        image = np.clip(image, *np.percentile(image, (1, rng.uniform(97, 99.8))))
    return image.astype(np.float32)


def _interpolate(image: Floats, places: Doubles) -> Floats:
    """Interpolate linearly between planes; those outside are repeated."""
    places = np.clip(places, 0, len(image) - 1)
    low = places.astype(int)
    high = np.minimum(low + 1, len(image) - 1)
    share = (places - low).astype(np.float32)[:, None, None]
    return image[low] * (1 - share) + image[high] * share
