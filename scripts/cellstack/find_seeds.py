"""One seed per object: maxima of the distance to the background or of bright blobs, in um, or points set by hand.

Halo: none can be stated for the distance map; it is exact over the whole stack.
"""

import logging
from collections import deque
from itertools import pairwise

import cc3d
import numpy as np

from cellstack import coarse_grid, denoise, io, morphology, relabel, units, workers
from cellstack.errors import InputError
from cellstack.methods import Methods

METHODS = Methods()
LOGGER = logging.getLogger(__name__)  # `log` is a method
GRID = 1 / 5  # of sigma: width of a voxel of the grid on which blobs are looked for, at most
FEW = 2000  # places that are compared in less time than a tree of them takes to import
NAMED = 10  # points that the log names, at most


def distance_map(mask, spacing, sigma_um=0.0, threads=1):
    """Compute the distance of each foreground voxel to the background, in um, smoothed.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
        0 or 1. What lies beyond the faces of the stack counts as neither.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Standard deviation in um of a Gaussian that takes the roughness of the mask's surface out of the map; 0 for none.
    threads : int
        The result does not depend on it.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        0 in the background. A mask without background has no distance: half the smallest extent of the stack is used for all of it.
    """
    import edt

    distance = edt.edtsq(mask, anisotropy=spacing, parallel=threads)  # the root takes several threads here, but one there
    workers.in_threads(lambda z: np.sqrt(distance[z], out=distance[z]), range(len(mask)), threads)
    if np.isinf(distance.max(initial=0)):  # then it is so everywhere
        distance = np.full(mask.shape, min(np.multiply(mask.shape, spacing)) / 2, np.float32)
    if sigma_um > 0:
        denoise.separable_filter(distance, denoise.gaussian_kernels(sigma_um, spacing), out=distance)
        distance *= mask
    return distance


def find_seeds(distance, components, spacing, method, options, stack=None, points=None):
    """Find seeds by one of :data:`METHODS`, and at least one in each component.

    Parameters
    ----------
    distance : (Z, Y, X) ndarray of float32
        Distance to the background in um.
    components : (Z, Y, X) ndarray of uint16 or uint32
        Connected parts of the mask, 1..n.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    method : str
        Name of a method.
    options : dict
        Its options.
    stack : (Z, Y, X) ndarray of float32
        Denoised intensities, which `log` and `combined` use.
    points : (N, 3) ndarray of float
        Seed points set by hand, which `points` uses.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        0 but at the seeds, which are numbered 1..n.
    """
    marked = METHODS[method](distance, spacing, stack, points, **options)
    marked &= components > 0
    missed = np.setdiff1d(np.arange(1, int(components.max(initial=0)) + 1), components[marked])
    if len(missed):
        marked |= _highest_voxels(distance, components, missed)
    marked_components = components * marked  # cc3d keeps unequal neighbours apart: no seed lies in two components
    most = np.count_nonzero(marked)
    limits = {"max_labels": most, "out_dtype": io.label_type(most)}
    seeds, count = cc3d.connected_components(marked_components, connectivity=26, return_N=True, **limits)
    return seeds.astype(io.label_type(count), copy=False)


def _highest_voxels(values, labels, wanted):
    """Mark the first highest voxel of each label in `wanted`."""
    is_wanted = np.zeros(int(labels.max()) + 1, bool)
    is_wanted[wanted] = True
    flat = np.flatnonzero(relabel.relabel(labels, is_wanted))
    order = np.lexsort((flat, -values.ravel()[flat], labels.ravel()[flat]))
    _, first = np.unique(labels.ravel()[flat][order], return_index=True)
    marked = np.zeros(labels.shape, bool)
    marked.ravel()[flat[order[first]]] = True
    return marked


@METHODS
def h_maxima(distance, spacing, stack=None, points=None, *, h_um):
    """Keep the maxima that rise by more than `h_um` above the saddle to any higher one.

    Parameters
    ----------
    distance : (Z, Y, X) ndarray of float32
        Distance to the background in um.
    spacing : (3,) sequence of float
        Not used: height is measured in um already.
    stack, points
        Not used.
    h_um : float
        Height in um.

    Returns
    -------
    (Z, Y, X) ndarray of bool

    References
    ----------
    .. [1] P. Soille, "Morphological Image Analysis", Springer 2003, section 6.3.4; computed by SimpleITK.
    """
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(distance)
    lowered = sitk.ReconstructionByDilation(sitk.GetImageFromArray(distance - np.float32(h_um)), image, fullyConnected=True)
    return sitk.GetArrayFromImage(sitk.RegionalMaxima(lowered, fullyConnected=True, flatIsMaxima=True)).astype(bool)


@METHODS
def peaks(distance, spacing, stack=None, points=None, *, min_distance_um, shape="ball", exclude_border=False):
    """Keep the maxima that have no higher one within a distance.

    Parameters
    ----------
    distance : (Z, Y, X) ndarray of float32
        Distance to the background in um.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    stack, points
        Not used.
    min_distance_um : float
        The least distance between two maxima in um.
    shape : {"ball", "cube"}
        With a cube, `min_distance_um` is half its side, in whole voxels on each axis, and only voxels of the same connected part count.
    exclude_border : bool
        With a cube, leave out the voxels on the faces of the stack.

    Returns
    -------
    (Z, Y, X) ndarray of bool

    Notes
    -----
    With a ball as `skimage.feature.peak_local_max`, but with distances in um; of maxima of the same height the first in scan order is
    kept. With a cube the same as `peak_local_max` with a `footprint` of that cube and the connected parts as `labels`.
    """
    if shape == "cube":
        return _peaks_in_cubes(distance, units.whole_voxels(min_distance_um, spacing, "min_distance_um"), exclude_border)
    # a box inside of the sphere, but never less than the next voxels, finds few candidates fast; the sphere itself decides
    radii = [max(1, int(length / 3**0.5)) for length in units.in_voxels(min_distance_um, spacing)]
    found = _highest_in_boxes(distance, radii)
    found = found[np.argsort(-distance[tuple(found.T)], kind="stable")]
    kept = _without_lower_ones(found * spacing, min_distance_um)
    marked = np.zeros(distance.shape, bool)
    marked[tuple(found[kept].T)] = True
    return marked


def _without_lower_ones(places, distance):
    """Mark places, the highest first, that no marked one before them is near to."""
    kept = np.ones(len(places), bool)
    if len(places) > FEW:
        from scipy.spatial import cKDTree

        tree = cKDTree(places)
    for i in range(len(places)):
        if kept[i]:
            if len(places) > FEW:
                near = np.array(tree.query_ball_point(places[i], distance))
            else:
                near = np.flatnonzero(np.sum(np.square(places - places[i]), axis=1) <= distance**2)
            kept[near[near > i]] = False
    return kept


def _highest_in_boxes(values, radii):
    """List the voxels above 0 that no other within a box around them exceeds, in the order of a scan."""
    reach, *sides = radii
    box = np.ones([2 * side + 1 for side in sides], np.uint8)
    found, passed = [], deque(maxlen=reach)  # by plane: the voxels that are left, and the highest values around each
    for z, plane in enumerate(values):
        around = morphology.dilation(plane[None], box[None])[0]
        y, x = np.divmod(np.flatnonzero((plane == around) & (plane > 0)), max(1, plane.shape[1]))  # which nonzero takes longer for
        for before in passed:
            highest = before[y, x] <= plane[y, x]
            y, x = y[highest], x[highest]
        for earlier in range(max(z - reach, 0), z):
            below, left = values[earlier], found[earlier]
            found[earlier] = left[around[*left.T] <= below[*left.T]]
        found.append(np.column_stack([y, x]))
        passed.append(around)
    return np.concatenate([np.insert(left, 0, z, axis=1) for z, left in enumerate(found)])


def _peaks_in_cubes(distance, radii, exclude_border):
    """Mark the voxels that no other of the same component exceeds within a box."""
    components = cc3d.connected_components(distance > 0, connectivity=26)
    if exclude_border:
        components[[0, -1]] = components[:, [0, -1]] = components[:, :, [0, -1]] = 0
    marked = np.zeros(distance.shape, bool)
    for label, box in relabel.find_boxes(components).items():
        own = components[box] == label
        values = np.where(own, distance[box], 0)
        marked[box][tuple(_highest_in_boxes(values, radii).T)] = True
    return marked


@METHODS
def log(distance, spacing, stack, points=None, *, sigma_um, min_distance_um):
    """Keep the bright blobs of one size: the maxima of the negative Laplacian of the Gaussian within the mask.

    Parameters
    ----------
    distance : (Z, Y, X) ndarray of float32
        Above 0 within the mask; not used otherwise.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    stack : (Z, Y, X) ndarray of float32
        Denoised intensities.
    points
        Not used.
    sigma_um : float
        Standard deviation of the Gaussian in um. A ball of even brightness answers most where it is 0.29 of the diameter.
    min_distance_um : float
        The least distance between two maxima in um.

    Returns
    -------
    (Z, Y, X) ndarray of bool

    References
    ----------
    .. [1] T. Lindeberg, "Feature detection with automatic scale selection", International Journal of Computer Vision 30, 1998.
    """
    blobs = blobness(stack, spacing, sigma_um)
    for plane, in_mask in zip(blobs, distance, strict=True):
        plane *= in_mask > 0
    return peaks(blobs, spacing, min_distance_um=min_distance_um)


def blobness(stack, spacing, sigma_um):
    """Compute the negative Laplacian of the Gaussian, normalised by its scale, where it is positive.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        Denoised intensities.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Standard deviation of the Gaussian in um.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        ``-sigma**2`` times the Laplacian in um, in units of the stack; 0 where that is negative or no more than rounding.

    Notes
    -----
    Second differences of the smoothed stack, edge voxels repeated outward. `scipy.ndimage.gaussian_laplace` has sampled derivatives of
    the Gaussian instead, which agree where sigma is some voxels wide and fail where it is less than one, as along z at times.

    Where sigma is ten voxels wide or more, this is done on a grid whose voxels are at most a fifth as wide, as so smooth a result hardly
    changes from voxel to voxel.
    """
    if sigma_um * GRID >= 2 * min(spacing):
        coarse, wide, factors = coarse_grid.coarsen(stack, spacing, sigma_um * GRID)
        return coarse_grid.enlarge(blobness(coarse, wide, sigma_um), factors, stack.shape)
    smooth = denoise.gaussian(stack, spacing, sigma_um=sigma_um)
    sigmas = units.in_voxels(sigma_um, spacing)
    # 4 is the sum of a second difference's weights: below this it may be rounding of the smoothed stack, and flat ground would have maxima
    least = 4 * np.finfo(np.float32).eps * sum(sigma**2 for sigma in sigmas) * smooth.max(initial=0)
    squares = [np.float32(sigma**2) for sigma in sigmas]
    threads = workers.useful_threads(stack)
    ends = np.linspace(0, len(smooth), threads + 1).astype(int)
    # in place of what was smoothed; so what the parts of several threads have in common is taken first
    steps = {z: squares[0] * (smooth[z] - smooth[z - 1]) if 0 < z < len(smooth) else np.float32(0) for z in ends.tolist()}

    def take_differences(part):
        from_before = steps[part.start]
        for z in part:
            plane = smooth[z]
            to_next = steps[part.stop] if z + 1 == part.stop else squares[0] * (smooth[z + 1] - plane)
            total = np.subtract(from_before, to_next, out=np.empty_like(plane))
            for square, along, each in ((squares[1], plane, total), (squares[2], plane.T, total.T)):
                step = square * np.diff(along, axis=0)
                each[:-1] -= step
                each[1:] += step
            plane[:] = np.where(total > least, total, np.float32(0))
            from_before = to_next

    workers.in_threads(take_differences, [range(*pair) for pair in pairwise(ends.tolist())], threads)
    return smooth


@METHODS
def combined(distance, spacing, stack, points=None, *, sigma_um, min_distance_um, weight):
    """Keep the maxima of distance and blobs together: voxels that lie deep in the mask and in the middle of a bright blob.

    Parameters
    ----------
    distance : (Z, Y, X) ndarray of float32
        Distance to the background in um.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    stack : (Z, Y, X) ndarray of float32
        Denoised intensities.
    points
        Not used.
    sigma_um : float
        Standard deviation in um of the Gaussian of :func:`log`.
    min_distance_um : float
        The least distance between two maxima in um.
    weight : float
        From 0, the distance alone, to 1, the blobs alone.

    Returns
    -------
    (Z, Y, X) ndarray of bool

    Notes
    -----
    The maxima are those of the weighted geometric mean, which do not depend on the scale of either.
    """
    mean = blobness(stack, spacing, sigma_um)

    def join(z):
        mean[z] = distance[z] ** np.float32(1 - weight) * mean[z] ** np.float32(weight) * (distance[z] > 0)

    workers.in_threads(join, range(len(mean)), workers.useful_threads(mean))
    return peaks(mean, spacing, min_distance_um=min_distance_um)


@METHODS
def points(distance, spacing, stack, points, *, path, coordinates):
    """Take the points that were set by hand, and log those that lie outside the mask, which are left out.

    Parameters
    ----------
    distance : (Z, Y, X) ndarray of float32
        Above 0 within the mask; not used otherwise.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    stack
        Not used.
    points : (N, 3) ndarray of float
        Along z, y, x; None where there is no file.
    path : str
        What messages call the file.
    coordinates : str
        "voxels", counted from the middle of the first, or "world": the same in um.

    Returns
    -------
    (Z, Y, X) ndarray of bool

    Raises
    ------
    InputError
        There is no file.
    """
    if points is None:
        raise InputError(f"find_seeds.points.path: there is no file {path}: save the seed points there, or choose another method")
    steps = spacing if coordinates == "world" else (1, 1, 1)
    nearest = np.floor(points / steps + 0.5)
    in_stack = np.all((nearest >= 0) & (nearest < distance.shape), axis=1)
    marked = np.zeros(distance.shape, bool)
    voxels = nearest[in_stack].astype(int)
    in_mask = distance[tuple(voxels.T)] > 0
    marked[tuple(voxels[in_mask].T)] = True
    outside = np.concatenate([points[~in_stack], points[in_stack][~in_mask]])
    if len(outside):
        named = "; ".join(" ".join(f"{c:g}" for c in point) for point in outside[:NAMED]) + ("; ..." if len(outside) > NAMED else "")
        LOGGER.warning("%d of %d points of %s lie outside the mask and are left out: %s", len(outside), len(points), path, named)
    return marked
