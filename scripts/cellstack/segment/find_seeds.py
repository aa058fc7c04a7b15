"""One seed per object: maxima of the distance map or of bright blobs, or points set by hand.

Each of :data:`METHODS` is called with `distance`, `spacing`, `stack` and `points`, as described at
:func:`find_seeds`, and with its options as keywords. It returns the voxels of the seeds as a
(Z, Y, X) ndarray of bool.
"""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.config.methods import Methods
from cellstack.core import maxima, morphology, parallel
from cellstack.core.blobs import blobness_of_planes
from cellstack.core.components import number_groups
from cellstack.core.counting import agree, counted
from cellstack.core.distance import distance_map
from cellstack.core.labels import find_boxes, label_type, relabel
from cellstack.core.planes import ComputedPlanes, Stack
from cellstack.core.types import BoolVolume, Labels, Mask, Spacing, Volume
from cellstack.errors import InputError

METHODS = Methods()
MAX_LOGGED_POINTS = 10
MIN_POINTS = 5  # with fewer points outside the mask, their axes may still be right
log = logging.getLogger(__name__)


def seeds_of_mask(
    mask: Mask,
    components: Labels,
    spacing: Spacing,
    method: str,
    options: dict[str, Any],
    stack: Stack | None = None,
    points: NDArray[np.float64] | None = None,
    *,
    smoothing_um: float = 0.0,
    z_scale: float = 1.0,
    allowed: slice | None = None,
    radius_um: float = 0.0,
    threads: int = 1,
) -> tuple[Volume, Labels]:
    """Return the distance map of a mask, and its seeds by one of :data:`METHODS`.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
        1 in the objects, 0 elsewhere.
    components, spacing, method, options, stack, points
        See :func:`find_seeds`.
    smoothing_um : float
        Standard deviation in um of the Gaussian that smooths the distance map.
    z_scale : float
        Factor by which the voxel size along z is multiplied for the distance map.
    allowed : slice, optional
        Planes in which seeds are allowed, see
        :func:`cellstack.segment.choose_planes.choose_planes`. Seeds are found in the distance map
        of the mask in these planes only, and components that do not reach them have no seed. By
        default all planes are allowed.
    radius_um : float
        Radius in um of the balls to which seeds are enlarged, see :func:`enlarge`.
    threads : int
        Number of threads of the distance map.

    Returns
    -------
    distance : (Z, Y, X) ndarray of float32
        Distance of the complete mask to the background in um; 0 in the background.
    seeds : (Z, Y, X) ndarray of uint16 or uint32
        The seeds, 1..n; 0 elsewhere.

    Examples
    --------
    >>> mask = np.array([[[1, 1, 1, 0, 1]], [[1, 1, 1, 0, 0]]], np.uint8)
    >>> components = np.where(mask, [1, 1, 1, 0, 2], 0).astype(np.uint16)
    >>> options = {"min_distance_um": 2}
    >>> distance, seeds = seeds_of_mask(
    ...     mask, components, (2, 0.5, 0.5), "peaks", options, allowed=slice(1, 2)
    ... )
    >>> seeds.tolist()
    [[[0, 0, 0, 0, 0]], [[1, 0, 0, 0, 0]]]
    """
    z, y, x = spacing
    scaled = (z * z_scale, y, x)
    distance = distance_map(mask, scaled, smoothing_um, threads, components)
    if allowed is None:
        seeds = find_seeds(distance, components, spacing, method, options, stack, points)
    else:
        within = np.zeros_like(mask)
        within[allowed] = mask[allowed]
        seeds = find_seeds(
            distance_map(within, scaled, smoothing_um, threads),
            components * within.view(bool),
            spacing,
            method,
            options,
            stack,
            points,
            in_each_component=False,
        )
    return distance, enlarge(seeds, components, spacing, radius_um)


def enlarge(seeds: Labels, components: Labels, spacing: Spacing, radius_um: float) -> Labels:
    """Enlarge seeds to balls that end at the faces of their components.

    Parameters
    ----------
    seeds : (Z, Y, X) ndarray of uint16 or uint32
        Seeds 1..n; 0 elsewhere.
    components : (Z, Y, X) ndarray of uint16 or uint32
        Connected components of the mask, 1..n.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    radius_um : float
        Radius of the balls in um.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        The balls, numbered in the order of their first voxels. Where they overlap, that of the
        higher seed prevails, as in a grey dilation, but no voxel of a seed is given to another one.

    Examples
    --------
    >>> seeds = np.array([[[0, 1, 0, 0, 2, 0, 0]]], np.uint16)
    >>> enlarge(seeds, np.array([[[1, 1, 1, 1, 1, 0, 3]]], np.uint16), (1, 0.5, 0.5), 1.0)
    array([[[1, 1, 2, 2, 2, 0, 0]]], dtype=uint16)
    """
    if radius_um <= 0:
        return seeds
    import fastremap  # seeds are not enlarged by default

    ball = morphology.footprint("ball", radius_um, spacing).astype(bool)
    offsets = np.argwhere(ball) - np.array(ball.shape) // 2
    enlarged = np.zeros(seeds.shape, seeds.dtype)
    for label, box in find_boxes(seeds).items():
        own = np.argwhere(seeds[box] == label) + [side.start for side in box]
        around = np.unique((own[:, None] + offsets).reshape(-1, 3), axis=0)
        around = around[np.all((around >= 0) & (around < seeds.shape), axis=1)]
        around = around[components[tuple(around.T)] == components[tuple(own[0])]]
        enlarged[tuple(around.T)] = label
    np.copyto(enlarged, seeds, where=seeds > 0)
    numbered: Labels = fastremap.renumber(enlarged)[0].astype(seeds.dtype, copy=False)
    return numbered


def find_seeds(
    distance: Volume,
    components: Labels,
    spacing: Spacing,
    method: str,
    options: dict[str, Any],
    stack: Stack | None = None,
    points: NDArray[np.float64] | None = None,
    *,
    in_each_component: bool = True,
) -> Labels:
    """Return seeds by one of :data:`METHODS`.

    Parameters
    ----------
    distance : (Z, Y, X) ndarray of float32
        Distance to the background in um; 0 in the background.
    components : (Z, Y, X) ndarray of uint16 or uint32
        Connected components of the mask, 1..n.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    method : str
        Name of a method.
    options : dict
        Options of the method.
    stack : (Z, Y, X) ndarray or stack of float32, optional
        Denoised intensities, required by `laplacian_of_gaussian` and `distance_and_blobs`.
    points : (N, 3) ndarray of float, optional
        Seed points along z, y and x that were set by hand, required by `points`.
    in_each_component : bool
        Whether a component in which the method finds no seed has one at its maximum distance to
        the background.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        The seeds, 1..n; 0 elsewhere.

    Examples
    --------
    >>> distance = np.array([[[0, 1, 2, 1, 0.5, 3, 0, 1]]], np.float32)
    >>> components = np.array([[[0, 1, 1, 1, 1, 1, 0, 2]]], np.uint16)
    >>> find_seeds(distance, components, (1, 1, 1), "peaks", {"min_distance_um": 2})
    array([[[0, 0, 1, 0, 0, 2, 0, 3]]], dtype=uint16)
    """
    marked: BoolVolume = METHODS[method](distance, spacing, stack, points, **options)
    voxels, owners = _list_marked(marked, components)
    if in_each_component:
        without_seed = np.setdiff1d(np.arange(1, int(components.max(initial=0)) + 1), owners)
        if len(without_seed):
            added = _highest_voxels(distance, components, without_seed)
            voxels = np.union1d(voxels, added)
            owners = components.ravel()[voxels]
    numbers = number_groups(voxels, owners, components.shape)
    seeds: Labels = np.zeros(components.shape, label_type(numbers.max(initial=0)))
    seeds.ravel()[voxels] = numbers
    return seeds


def _list_marked(
    marked: BoolVolume, components: Labels
) -> tuple[NDArray[np.int_], NDArray[np.integer[Any]]]:
    """Return the indices in the flat stack of the marked voxels of components, and their labels."""
    voxels = np.flatnonzero(marked)
    owners = components.ravel()[voxels]
    return voxels[owners > 0], owners[owners > 0]


def _highest_voxels(
    values: Volume, labels: Labels, selected: NDArray[np.integer[Any]]
) -> NDArray[np.int_]:
    """Return the index of the highest voxel of each selected label, the first one if several."""
    is_selected = np.zeros(int(labels.max()) + 1, bool)
    is_selected[selected] = True
    flat = np.flatnonzero(relabel(labels, is_selected))
    order = np.lexsort((flat, -values.ravel()[flat], labels.ravel()[flat]))
    _, first = np.unique(labels.ravel()[flat][order], return_index=True)
    highest: NDArray[np.int_] = flat[order[first]]
    return highest


@METHODS
def h_maxima(
    distance: Volume,
    spacing: Spacing,
    stack: Stack | None = None,
    points: NDArray[np.float64] | None = None,
    *,
    h_um: float,
) -> BoolVolume:
    """Return the h-maxima of the distance map.

    Parameters
    ----------
    h_um : float
        Minimum height in um of a maximum above the background, and above the saddle to a higher
        one.

    See Also
    --------
    cellstack.core.maxima.h_maxima
    """
    if distance.max(initial=0) <= h_um:  # the background would be part of the only maximum
        return np.zeros(distance.shape, bool)
    return maxima.h_maxima(distance, h_um)


@METHODS
def peaks(
    distance: Volume,
    spacing: Spacing,
    stack: Stack | None = None,
    points: NDArray[np.float64] | None = None,
    *,
    min_distance_um: float,
    shape: str = "ball",
    exclude_border: bool = False,
) -> BoolVolume:
    """Return the maxima of the distance map without a higher one nearby.

    Parameters
    ----------
    min_distance_um : float
        Minimum distance between two maxima in um.
    shape : {"ball", "cube"}
        Shape of the neighbourhood of a maximum.
    exclude_border : bool
        With a cube, exclude the voxels at the faces of the stack.

    See Also
    --------
    cellstack.core.maxima.find_peaks
    """
    return maxima.find_peaks(
        distance,
        spacing,
        min_distance_um=min_distance_um,
        shape=shape,
        exclude_border=exclude_border,
    )


@METHODS
def laplacian_of_gaussian(
    distance: Volume,
    spacing: Spacing,
    stack: Stack,
    points: NDArray[np.float64] | None = None,
    *,
    sigma_um: float,
    min_distance_um: float,
) -> BoolVolume:
    """Return the centres of bright blobs: the maxima of the negative Laplacian of Gaussian.

    Only blobs in the mask are returned.

    Parameters
    ----------
    sigma_um : float
        Standard deviation of the Gaussian in um. The response to a homogeneous ball is highest
        for 0.29 times its diameter.
    min_distance_um : float
        Minimum distance between two maxima in um.

    References
    ----------
    .. [1] T. Lindeberg, "Feature detection with automatic scale selection", International Journal
       of Computer Vision 30, 1998.
    """
    response = blobness_of_planes(stack, spacing, sigma_um)

    def in_mask(z: int) -> NDArray[np.float32]:
        inside: NDArray[np.float32] = response[z] * (distance[z] > 0)
        return inside

    return _peaks(in_mask, distance, spacing, min_distance_um)


@METHODS
def distance_and_blobs(
    distance: Volume,
    spacing: Spacing,
    stack: Stack,
    points: NDArray[np.float64] | None = None,
    *,
    sigma_um: float,
    min_distance_um: float,
    weight: float,
) -> BoolVolume:
    """Return the maxima of the distance map and the Laplacian of Gaussian combined.

    They are the maxima of the weighted geometric mean, which do not depend on the units of either.

    Parameters
    ----------
    sigma_um : float
        Standard deviation of the Gaussian in um, see :func:`laplacian_of_gaussian`.
    min_distance_um : float
        Minimum distance between two maxima in um.
    weight : float
        Weight of the Laplacian of Gaussian, from 0, distance only, to 1, blobs only.
    """
    response = blobness_of_planes(stack, spacing, sigma_um)

    def combine(z: int) -> NDArray[np.float32]:
        combined = np.zeros(distance.shape[1:], np.float32)
        inside = np.flatnonzero(distance[z] > 0)
        # In float64, since powers in float32 differ between processors.
        depths, blobs = (
            values[z].ravel()[inside].astype(np.float64) for values in (distance, response)
        )
        combined.ravel()[inside] = depths ** (1 - weight) * blobs**weight
        return combined

    return _peaks(combine, distance, spacing, min_distance_um)


def _peaks(
    plane: Callable[[int], NDArray[np.float32]],
    distance: Volume,
    spacing: Spacing,
    min_distance_um: float,
) -> BoolVolume:
    """Mark the peaks of an image that is computed plane by plane."""
    threads = parallel.threads_for(distance)
    values = ComputedPlanes(distance.shape, np.float32, plane, threads)
    return maxima.peaks_of_planes(values, spacing, min_distance_um=min_distance_um)


@METHODS
def points(
    distance: Volume,
    spacing: Spacing,
    stack: Stack | None,
    points: NDArray[np.float64] | None,
    *,
    path: str,
    coordinates: str,
) -> BoolVolume:
    """Return the voxels of points set by hand. Points outside the mask are ignored and logged.

    Parameters
    ----------
    path : str
        File of the points, as messages name it.
    coordinates : {"voxels", "world"}
        Unit of the points: voxels, counted from the centre of the first one, or um.

    Raises
    ------
    InputError
        The file of the points does not exist: `points` is None.
    """
    if points is None:
        raise InputError(
            f"find_seeds.points.path: there is no file {path}: save the seed points there, "
            "or choose another method"
        )
    nearest = nearest_voxels(points, spacing, coordinates)
    in_stack = np.all((nearest >= 0) & (nearest < distance.shape), axis=1)
    marked = np.zeros(distance.shape, bool)
    voxels = nearest[in_stack].astype(int)
    in_mask = distance[tuple(voxels.T)] > 0
    marked[tuple(voxels[in_mask].T)] = True
    outside = np.concatenate([points[~in_stack], points[in_stack][~in_mask]])
    if len(outside):
        listed = [
            " ".join(f"{coordinate:g}" for coordinate in point)
            for point in outside[:MAX_LOGGED_POINTS]
        ]
        if len(outside) > MAX_LOGGED_POINTS:
            listed.append("...")
        log.warning(
            "%d of %s of %s %s outside the mask and %s ignored: %s",
            len(outside),
            counted(len(points), "points"),
            path,
            agree(len(outside), "lies", "lie"),
            agree(len(outside), "is", "are"),
            "; ".join(listed),
        )
    return marked


def check_points(
    points: NDArray[np.float64], mask: Stack, spacing: Spacing, *, path: str, coordinates: str
) -> None:
    """Raise an error if most of the points set by hand lie outside the mask or the stack.

    Parameters
    ----------
    points : (N, 3) ndarray of float
        Along z, y and x.
    mask : (Z, Y, X) ndarray or stack of uint8
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    path, coordinates : str
        See :func:`points`.

    Raises
    ------
    InputError
        They do, as if the axes are in another order or the coordinates in another unit. Fewer than
        five points are not judged.

    Examples
    --------
    >>> mask = np.ones((3, 20, 20), np.uint8)
    >>> check_points(np.array([[1.0, 9, 15]]), mask, (2, 1, 1), path="a", coordinates="voxels")
    """
    nearest = nearest_voxels(points, spacing, coordinates)
    in_stack = np.all((nearest >= 0) & (nearest < mask.shape), axis=1)
    voxels = nearest[in_stack].astype(int).tolist()
    in_mask = sum(bool(mask[z][y, x]) for z, y, x in voxels)
    if len(points) >= MIN_POINTS and 2 * in_mask < len(points):
        raise InputError(
            f"{path}: {len(points) - in_mask} of {counted(len(points), 'points')} lie outside the "
            f"mask, {len(points) - len(voxels)} of them outside the stack of {mask.shape} voxels: "
            "give axis-0, axis-1 and axis-2 in the order z, y, x, and set "
            f"find_seeds.points.coordinates, now {coordinates}, to their unit; if they are right, "
            "correct the mask with the settings of binarize"
        )


def nearest_voxels(
    points: NDArray[np.float64], spacing: Spacing, coordinates: str
) -> NDArray[np.float64]:
    """Return the voxels in which points lie, as whole numbers, also beyond the stack.

    Parameters
    ----------
    points : (N, 3) ndarray of float
        Along z, y and x.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    coordinates : {"voxels", "world"}
        Unit of the points, see :func:`points`.

    Examples
    --------
    >>> nearest_voxels(np.array([[2.0, 0.7, -0.3]]), (2.0, 0.5, 0.5), "world")
    array([[ 1.,  1., -1.]])
    """
    step = spacing if coordinates == "world" else (1, 1, 1)
    nearest: NDArray[np.float64] = np.floor(points / step + 0.5)
    return nearest
