"""Draw a two-channel confocal stack of a cell colony together with the labels that are true for it.

The colony is laid out in micrometres and knows nothing of voxels until it is painted, so that one colony can be seen at any spacing.
"""

from typing import NamedTuple

import cc3d
import cv2
import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from cellstack import io
from cellstack.errors import InputError

# lengths below are fractions of the diameter where they do not say um
SIZE_SD = 0.12  # of the nuclear diameter
AXES = (0.75, 1.1)  # lengths of the axes among each other
PLATE = (0.34, 0.7, 0.9)  # axes of the mitotic chromosomes
OUTSIDE = 0.25  # how far outside a lateral face a nucleus may have its centre
REACH, FLATNESS = 0.3, 2.0  # from a nucleus sideways to the free surface of its cell; how many times closer that is above and below
DENSITY = 0.32  # volume fraction of the nuclei in a colony with room around it
SPREAD, APART, BOND = 0.25, 0.06, -0.06  # gaps between nuclei: while spreading, in the end, of those that touch
BONDED = 0.3  # fraction of nuclei that seek contact
PSF_SIGMA_UM = (0.45, 0.15, 0.15)
WALL_SIGMA_UM = 0.17  # a sheet 0.4 um wide at half height
PLANE_STEP_UM = 0.45  # planes are painted at least this densely, as a wall is thinner than a plane is thick
DENT, CYTOPLASM = 0.2, 0.06  # depth of a nucleus' dents, membrane signal within cells
FAR_UM = 1e6
CHUNK_VOXELS = 2**20
BACKGROUND, READ_VARIANCE = 0.1, 0.25  # parts of the mean nuclear signal, and of its Poisson variance
SIGNAL_COUNTS, OFFSET_COUNTS = 3000.0, 500.0  # mean nuclear signal and dark level in the file


class Simulated(NamedTuple):
    """A simulated stack and its truth.

    Attributes
    ----------
    nuclei_image, membrane_image : (Z, Y, X) ndarray of uint16
        The two channels.
    nuclei_labels, cell_labels : (Z, Y, X) ndarray of uint16 or uint32
        The truth, 1..n. A nucleus and its cell bear the same label.
    mitotic : int
        The label of the one cell in mitosis.
    volumes_um3 : (n,) ndarray of float
        Volume of the ellipsoid behind each nucleus, before neighbours and faces cut it. That of the mitotic one is its volume before
        mitosis.
    """

    nuclei_image: np.ndarray
    membrane_image: np.ndarray
    nuclei_labels: np.ndarray
    cell_labels: np.ndarray
    mitotic: int
    volumes_um3: np.ndarray


class _Textures(NamedTuple):
    brightness: np.ndarray  # (n,)
    nucleoli: np.ndarray  # (n, 2, 3) in the frame of the axes, where the nucleus is the unit sphere
    origins: np.ndarray  # (n, 3) where in the grain a nucleus begins, in um
    grain: np.ndarray  # smooth noise that fits onto itself at all sides


class _Colony(NamedTuple):
    diameter: float
    mitotic: int
    centres: np.ndarray  # (n, 3) in um
    semiaxes: np.ndarray  # (n, 3) in um
    rotations: np.ndarray  # (n, 3, 3), to the frame of the axes
    dents: np.ndarray  # (n, 3, 3), three directions that dent a nucleus


def simulate_stack(shape, spacing, *, diameter_um, count, seed, signal_to_noise=8.0, depth_factor=2.0):
    """Simulate a confocal stack of a colony: textured nuclei, some in contact, one mitotic, in cells bounded by membranes.

    Parameters
    ----------
    shape : (3,) sequence of int
        Planes, rows, columns.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    diameter_um : float
        Mean diameter of a nucleus (of the sphere of its volume), in um. It varies from nucleus to nucleus with an sd of 12 %.
    count : int
        Number of nuclei. Those at lateral faces are cut by them.
    seed : int
        The same seed gives the same bytes, for any number of threads. Layout and texture do not depend on the image quality asked for.
    signal_to_noise : float
        Mean signal of interphase nuclei above background, divided by the sd of the noise (Poisson and read noise) of a voxel that bears
        this signal, before any dimming, in both channels. The mean is over the nuclei as painted, before the blur.
    depth_factor : float
        Signal in the first plane over signal in the last; between them it decays exponentially. Background does not decay.

    Returns
    -------
    Simulated
        Two uint16 images, the labels of nuclei and cells, the label of the mitotic cell and the volumes of the nuclei.

    Raises
    ------
    InputError
        If a value is out of range, if so many nuclei do not fit, or if one is too small for the voxels to show it.

    Notes
    -----
    Nuclei are dented ellipsoids with axes of random orientation. Each voxel belongs to the nucleus whose surface is nearest along the ray
    from that nucleus' centre, which makes the cells; they end where the sum of a falling function of that distance over the nuclei,
    a metaball [1]_, passes a threshold, and the membrane, a sheet 0.4 um thick, runs between and around them. The point spread function
    is a Gaussian with standard deviations of 0.45, 0.15, 0.15 um along z, y, x.

    References
    ----------
    .. [1] Blinn, J. F. (1982). A generalization of algebraic surface drawing. ACM Transactions on Graphics 1(3), 235-256.
    """
    _check(shape, spacing, diameter_um, count, signal_to_noise, depth_factor)
    rng = np.random.Generator(np.random.PCG64(seed))
    field = np.multiply(shape, spacing)
    colony = _lay_out(rng, field, diameter_um, count)
    signals, nuclei, cells = _paint(rng, colony, shape, spacing)
    seen = np.bincount(nuclei.ravel(), minlength=count + 1)[1:]
    if not seen.all():
        raise InputError(f"diameter_um={diameter_um:g}: nucleus {seen.argmin() + 1} has no voxel at spacing {spacing}; make it larger")
    decay = depth_factor ** -np.linspace(0, 1, shape[0])
    backgrounds = BACKGROUND * rng.uniform(0.6, 1.4, (2, 2, 4, 4)).astype(np.float32)
    images = [_expose(rng, *each, decay, signal_to_noise) for each in zip(signals, backgrounds, strict=True)]
    volumes = 4 / 3 * np.pi * colony.semiaxes.prod(axis=1)
    return Simulated(*images, nuclei, cells, colony.mitotic + 1, volumes)


def _check(shape, spacing, diameter_um, count, signal_to_noise, depth_factor):
    for name, value, valid, cure in (
        ("shape", shape, len(shape) == 3 and min(shape) >= 1, "three numbers of voxels"),
        ("spacing", spacing, len(spacing) == 3 and min(spacing) > 0, "three lengths in um"),
        ("diameter_um", diameter_um, diameter_um > 0, "a length in um"),
        ("count", count, count >= 1, "at least 1"),
        ("signal_to_noise", signal_to_noise, signal_to_noise > 0, "above 0"),
        ("depth_factor", depth_factor, depth_factor >= 1, "at least 1"),
    ):
        if not valid:
            raise InputError(f"{name}={value}: must be {cure}")


def _lay_out(rng, field, diameter, count):
    size = diameter * np.clip(rng.normal(1, SIZE_SD, (count, 1)), 1 - 3 * SIZE_SD, 1 + 3 * SIZE_SD)
    axes = rng.uniform(*AXES, (count, 3))
    semiaxes = size / 2 * axes / np.cbrt(axes.prod(axis=1, keepdims=True))
    rotations = Rotation.from_quat(rng.normal(size=(count, 4))).as_matrix()
    dents = rng.normal(size=(count, 3, 3))
    dents /= np.linalg.norm(dents, axis=2, keepdims=True)
    # whole cells fit in between top and bottom where the stack is deep enough for that
    margin = min((0.62 + REACH / FLATNESS) * diameter, field[0] / 2)
    low = np.array([margin, -OUTSIDE * diameter, -OUTSIDE * diameter])
    high = field - low
    centres = _scatter(rng, low, high, field, diameter, count)
    centres = _relax(rng, centres, rotations / semiaxes[:, :, None], low, high, diameter)
    depth_in_field = np.minimum(centres, field - centres)[:, 1:].min(axis=1)
    inner = np.flatnonzero(depth_in_field >= min(diameter, depth_in_field.max()))
    return _Colony(diameter, int(rng.choice(inner)), centres, semiaxes, rotations, dents)


def _scatter(rng, low, high, field, diameter, count):
    """Draw centres from a patch of lobed outline, as large as `count` nuclei need, off the middle of the field."""
    candidates = rng.uniform(low, high, (50 * count, 3))
    middle = field * np.append(0.5, rng.uniform(0.3, 0.7, 2))
    z, y, x = ((candidates - middle) / (field / 2)).T
    phases = rng.uniform(0, 2 * np.pi, 2)
    angle = np.arctan2(y, x)
    outline = 1 + 0.12 * np.sin(2 * angle + phases[0]) + 0.08 * np.sin(3 * angle + phases[1])
    outwards = np.argsort((y**2 + x**2) / outline**2 + z**2, kind="stable")
    room = np.prod(high - low + (diameter, 0, 0))
    needed = count * np.pi / 6 * diameter**3 / DENSITY
    patch = outwards[: max(count, int(len(candidates) * min(1, needed / room)))]
    return candidates[rng.choice(patch, count, replace=False)]


def _relax(rng, centres, shapes, low, high, diameter, spread_steps=60, steps=400):
    """Push nuclei apart until none overlap but those that seek contact, which are drawn into it."""
    count = len(centres)
    bonds = np.empty(0, int)
    for step in range(spread_steps + steps):
        pairs, gaps, directions = _gaps(centres, shapes, diameter)
        keys = pairs[:, 0] * count + pairs[:, 1]
        if step == spread_steps:
            bonds = _choose_bonds(rng, pairs, gaps, keys, count, diameter)
        bonded = np.isin(keys, bonds)
        wanted = np.where(bonded, BOND, SPREAD if step < spread_steps else APART) * diameter
        move = np.where(bonded, wanted - gaps, np.maximum(wanted - gaps, 0))
        if step > spread_steps and np.abs(move).max(initial=0) < 0.01 * diameter:
            break
        push = np.zeros_like(centres)
        np.add.at(push, pairs[:, 1], 0.4 * move[:, None] * directions)
        np.add.at(push, pairs[:, 0], -0.4 * move[:, None] * directions)
        centres = np.clip(centres + push, low, high)
    else:
        crushed = gaps < 1.5 * BOND * diameter
        if crushed.any():
            reached = count - len(_crowding_out(pairs[crushed]))
            raise InputError(f"count={count}: only {reached} nuclei of {diameter:g} um found room; ask for fewer, or for a larger shape")
    return centres


def _crowding_out(overlapping):
    """Name nuclei without which no pair overlaps, the one with most overlaps first."""
    removed = []
    while len(overlapping):
        removed.append(np.bincount(overlapping.ravel()).argmax())
        overlapping = overlapping[(overlapping != removed[-1]).all(axis=1)]
    return removed


def _gaps(centres, shapes, diameter):
    """Return near pairs (first < second), the gap between their surfaces along the line of centres, and that line's direction."""
    pairs = cKDTree(centres).query_pairs(2 * diameter, output_type="ndarray")
    pairs = pairs[np.lexsort(pairs.T)]
    lines = centres[pairs[:, 1]] - centres[pairs[:, 0]] + (0, 0, 1e-9)  # two at one place, as in a corner, have a direction to part in
    lengths = np.linalg.norm(lines, axis=1)
    directions = lines / lengths[:, None]
    radii = [1 / np.linalg.norm(np.einsum("pij,pj->pi", shapes[each], directions), axis=1) for each in pairs.T]
    return pairs, lengths - radii[0] - radii[1], directions


def _choose_bonds(rng, pairs, gaps, keys, count, diameter):
    """Let some nuclei seek contact with the one nearest to them."""
    nuclei = pairs.ravel()
    pair_of = np.repeat(np.arange(len(pairs)), 2)
    order = np.lexsort((gaps[pair_of], nuclei))
    nuclei, first = np.unique(nuclei[order], return_index=True)
    nearest = pair_of[order][first]
    seeking = (rng.random(count) < BONDED)[nuclei] & (gaps[nearest] < diameter / 2)
    return keys[nearest[seeking]]


def _paint(rng, colony, shape, spacing):
    """Paint signals, blurred, and labels, a few planes at a time."""
    labels = [np.zeros(shape, io.label_type(len(colony.centres))) for _ in range(2)]
    signals = [np.zeros(shape, np.float32) for _ in range(2)]
    textures = _draw_textures(rng, colony)
    planes, rows, columns = shape
    fine = 2 * int(np.ceil((spacing[0] / PLANE_STEP_UM - 1) / 2)) + 1  # odd: one of them is at the middle of the plane
    step = spacing[0] / fine
    beyond = int(np.ceil(3 * PSF_SIGMA_UM[0] / step))
    weights = np.exp(-0.5 * (np.arange(-beyond, beyond + 1) * step / PSF_SIGMA_UM[0]) ** 2)
    weights /= weights.sum()
    axes = [(np.arange(-beyond, planes * fine + beyond) + 0.5) * step]
    axes += [(np.arange(length) + 0.5) * width for length, width in zip((rows, columns), spacing[1:], strict=True)]
    reaches = _extents(colony, 2 * REACH * colony.diameter)
    limits = zip((colony.centres - reaches).min(axis=0), (colony.centres + reaches).max(axis=0), strict=True)
    heights, *window = (slice(*np.searchsorted(axis, ends)) for axis, ends in zip(axes, limits, strict=True))
    across = [axis[part] for axis, part in zip(axes[1:], window, strict=True)]
    chunk = max(1, CHUNK_VOXELS // (len(across[0]) * len(across[1])))
    for start in range(heights.start, heights.stop, chunk):
        levels = slice(start, min(start + chunk, heights.stop))
        painted, owners = _paint_planes(colony, textures, [axes[0][levels], *across], labels[0].dtype)
        for index, number in enumerate(range(levels.start - beyond, levels.stop - beyond)):
            plane, middle = divmod(number, fine)
            if middle == fine // 2 and 0 <= plane < planes:
                for each, owner in zip(labels, owners, strict=True):
                    each[plane, *window] = owner[index]
            for signal, paint in zip(signals, painted, strict=True):
                blurred = cv2.GaussianBlur(paint[index], (0, 0), sigmaX=PSF_SIGMA_UM[2] / spacing[2], sigmaY=PSF_SIGMA_UM[1] / spacing[1])
                offset = number - fine // 2
                for plane in range(max(0, -((beyond - offset) // fine)), min(planes, (offset + beyond) // fine + 1)):
                    signal[plane, *window] += np.float32(weights[plane * fine - offset + beyond]) * blurred
    nuclei, cells = labels
    parts = cc3d.connected_components(cells)
    whole = np.zeros(parts.max() + 1, bool)
    whole[parts[nuclei > 0]] = True
    cells[~whole[parts]] = 0  # crumbs in crevices of the colony, apart from the cell that they would belong to
    return signals, nuclei, cells


def _draw_textures(rng, colony):
    count = len(colony.centres)
    brightness = np.clip(rng.normal(1, 0.15, count), 0.6, 1.4)
    brightness[colony.mitotic] = 2.5
    nucleoli = rng.uniform(-0.4, 0.4, (count, 2, 3))
    origins = rng.uniform(0, 10 * colony.diameter, (count, 3))
    grain = ndimage.gaussian_filter(rng.standard_normal((96, 96, 96), np.float32), 3, mode="wrap")
    return _Textures(brightness, nucleoli, origins, grain / grain.std())


def _paint_planes(colony, textures, axes, label_type):
    """Paint both signals and both label images at coordinates (z, y, x) in um."""
    shape = tuple(len(axis) for axis in axes)
    nearest = np.full(shape, FAR_UM, np.float32)
    second = nearest.copy()
    closeness = np.zeros(shape, np.float32)
    cells = np.zeros(shape, label_type)
    reach = REACH * colony.diameter
    for index, box, offsets in _boxes(colony, axes, 2 * reach * np.array([1 / FLATNESS, 1, 1])):
        distance, steepness = _surface_distance(colony, index, offsets)
        before = nearest[box]
        cells[box][distance < before] = index + 1
        np.minimum(second[box], np.maximum(before, distance), out=second[box])
        np.minimum(before, distance, out=before)
        closeness[box] += np.square(1 - np.square(np.clip(steepness * distance / (2 * reach), 0, 1)))
    # the distance at which a single nucleus would have this closeness
    surface = 2 * reach * np.sqrt(1 - np.sqrt(np.minimum(closeness, 1))) - reach
    cells[surface > 0] = 0

    nuclei = np.where(nearest <= 0, cells, 0)
    chromatin = np.zeros(shape, np.float32)
    for index, box, offsets in _boxes(colony, axes, 0):
        found = np.nonzero(nuclei[box] == index + 1)
        points = [offset.ravel()[each] for offset, each in zip(offsets, found, strict=True)]
        values = _chromatin(colony, textures, index, points)
        chromatin[box][found] = values
        nuclei[box][tuple(each[values == 0] for each in found)] = 0

    membrane = np.where(cells > 0, _sheet((second - nearest) / 2, axes), 0)
    np.maximum(membrane, _sheet(np.abs(surface), axes), out=membrane)
    membrane *= np.exp(0.25 * _grain(textures, np.ix_(*axes), 0.1 * colony.diameter))
    np.maximum(membrane, CYTOPLASM * (cells > 0), out=membrane)
    return (chromatin, membrane), (nuclei, cells)


def _sheet(distance, axes):
    """Return the brightness of a sheet that is as thick where a distance from it rises slowly as where it rises fast."""
    slope2 = np.zeros_like(distance)
    for dimension, coordinates in enumerate(axes):
        along = np.moveaxis(distance, dimension, 0)
        if len(along) > 1:
            # forward or backward, as the distance has a kink within the sheet
            rise = np.square(np.diff(along, axis=0) / np.float32(coordinates[1] - coordinates[0]))
            steeper = np.maximum(rise[1:], rise[:-1])
            np.moveaxis(slope2, dimension, 0)[...] += np.concatenate([rise[:1], steeper, rise[-1:]])
    np.clip(slope2, 0.02, 4, out=slope2)
    return np.exp(np.square(distance) / slope2 * np.float32(-0.5 / WALL_SIGMA_UM**2))


def _extents(colony, margin):
    return np.linalg.norm(colony.semiaxes[:, :, None] * colony.rotations, axis=1) * (1 + DENT) + margin


def _boxes(colony, axes, margin):
    """Yield, for each nucleus in view, its box and the open grid of offsets from its centre in um."""
    for index, (middle, extent) in enumerate(zip(colony.centres, _extents(colony, margin), strict=True)):
        box = tuple(slice(*np.searchsorted(axis, (m - e, m + e))) for axis, m, e in zip(axes, middle, extent, strict=True))
        if all(part.start < part.stop for part in box):
            offsets = [(axis[part] - m).astype(np.float32) for axis, part, m in zip(axes, box, middle, strict=True)]
            yield index, box, np.ix_(*offsets)


def _linear(direction, offsets):
    z, y, x = (np.float32(part) * offset for part, offset in zip(direction, offsets, strict=True))
    return (z + y) + x


def _unit_sphere(colony, index, offsets, semiaxes):
    """Map offsets so that the ellipsoid becomes the unit sphere: coordinates along its axes, and the distance from the centre."""
    frame = [_linear(row, offsets) for row in colony.rotations[index] / semiaxes[:, None]]
    return frame, np.maximum(np.sqrt(sum(np.square(each) for each in frame)), np.float32(1e-6))


def _surface_distance(colony, index, offsets):
    """Return the distance from the nuclear surface along the ray from the centre in um, and how much dearer than sideways it counts."""
    frame, radius = _unit_sphere(colony, index, offsets, colony.semiaxes[index])
    dent = np.float32(DENT) / radius**3
    for direction in colony.dents[index]:
        dent *= _linear(direction, frame)
    length2 = np.maximum(sum(np.square(each) for each in offsets), np.float32(1e-12))
    distance = np.sqrt(length2) * (1 - (1 + dent) / radius)
    return distance, np.sqrt(1 + np.float32(FLATNESS**2 - 1) * np.square(offsets[0]) / length2)


def _chromatin(colony, textures, index, points):
    """Return the brightness at points (z, y, x) off the centre of a nucleus; it is 0 off the chromosomes of the mitotic one."""
    inside = [each + np.float32(origin) for each, origin in zip(points, textures.origins[index], strict=True)]
    contrast = np.float32(0.2 if index == colony.mitotic else 0.35)
    texture = np.exp(contrast * _grain(textures, inside, 0.011 * colony.diameter) - contrast**2 / 2)  # its mean is 1
    if index == colony.mitotic:
        frame, radius = _unit_sphere(colony, index, points, np.multiply(PLATE, colony.diameter / 2))
        lobes = sum(np.sin(5 * _linear(direction, frame) / radius) for direction in colony.dents[index])
        texture *= radius < 1 + np.float32(0.15) * lobes
    else:
        frame, _ = _unit_sphere(colony, index, points, colony.semiaxes[index])
        for nucleolus in textures.nucleoli[index]:
            apart2 = sum(np.square(each - np.float32(middle)) for each, middle in zip(frame, nucleolus, strict=True))
            texture *= 1 - np.float32(0.5) * np.exp(apart2 * np.float32(-12.5))
    return np.float32(textures.brightness[index]) * texture


def _grain(textures, points, step):
    return textures.grain[tuple((each / step).astype(np.intp) % size for each, size in zip(points, textures.grain.shape, strict=True))]


def _expose(rng, signal, background, decay, signal_to_noise):
    """Record a signal (1 = mean nucleus) as counts: dimmed, on a background that is given coarsely for top and bottom, with noise."""
    # photons of a voxel of signal 1, from signal / sqrt((signal + background) * (1 + read)) = signal_to_noise
    photons = signal_to_noise**2 * (1 + BACKGROUND) * (1 + READ_VARIANCE)
    read_sd = np.sqrt(READ_VARIANCE * photons * (1 + BACKGROUND))
    planes, rows, columns = signal.shape
    top, bottom = (cv2.resize(each, (columns, rows), interpolation=cv2.INTER_CUBIC) for each in background)
    image = np.empty(signal.shape, np.uint16)
    for index, depth in enumerate(np.linspace(0, 1, planes, dtype=np.float32)):
        expected = signal[index] * np.float32(decay[index]) + top + depth * (bottom - top)
        recorded = rng.poisson(photons * expected) + read_sd * rng.standard_normal((rows, columns), np.float32)
        np.clip(np.rint(OFFSET_COUNTS + SIGNAL_COUNTS / photons * recorded), 0, 65535, out=recorded)
        image[index] = recorded
    return image
