"""Local maxima of any image, for instance a distance map or the response of a blob filter."""

from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core.labels import find_boxes
from cellstack.core.planes import Planes
from cellstack.core.types import BoolVolume, Spacing, Volume
from cellstack.core.voxels import in_voxels, whole_voxels

MAX_PLACES_WITHOUT_TREE = 2000  # compared in less time than it takes to import a k-d tree


def h_maxima(values: Volume, height: float) -> BoolVolume:
    """Return the h-maxima of an image: the maxima that stand out from their surroundings.

    Parameters
    ----------
    values : (Z, Y, X) ndarray of float32
        Any image.
    height : float
        A maximum is kept if it is more than `height` above the saddle to each higher one, in the
        unit of `values`.

    Returns
    -------
    (Z, Y, X) ndarray of bool
        True in the voxels that are at most `height` below the top of such a maximum and connected
        to it.

    References
    ----------
    .. [1] P. Soille, "Morphological Image Analysis", Springer 2003, section 6.3.4; computed by
       SimpleITK.

    Examples
    --------
    >>> values = np.float32([[[0, 5, 3, 6, 0, 3, 0]]])
    >>> h_maxima(values, 1.5).astype(int)
    array([[[0, 1, 0, 1, 0, 1, 0]]])
    >>> h_maxima(values, 2.5).astype(int)
    array([[[0, 0, 0, 1, 0, 1, 0]]])
    """
    import SimpleITK as sitk

    lowered: Volume = values - np.float32(height)
    reconstructed = sitk.ReconstructionByDilation(
        sitk.GetImageFromArray(lowered), sitk.GetImageFromArray(values), fullyConnected=True
    )
    maxima = sitk.RegionalMaxima(reconstructed, fullyConnected=True, flatIsMaxima=True)
    return np.asarray(sitk.GetArrayFromImage(maxima)).astype(bool)


def find_peaks(
    values: Volume,
    spacing: Spacing,
    *,
    min_distance_um: float,
    shape: str = "ball",
    exclude_border: bool = False,
) -> BoolVolume:
    """Return the positive local maxima of an image that have no higher one within a distance.

    Parameters
    ----------
    values : (Z, Y, X) ndarray of float32
        Any image.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    min_distance_um : float
        Minimum distance between two maxima in um.
    shape : {"ball", "cube"}
        Neighbourhood within which a maximum is the highest voxel. For a cube, `min_distance_um`
        is half its side, in whole voxels on each axis, and only voxels of the same connected
        component of positive values are compared.
    exclude_border : bool
        Leave out the voxels at the faces of the stack, for a cube only.

    Returns
    -------
    (Z, Y, X) ndarray of bool

    Notes
    -----
    With a ball, this is `skimage.feature.peak_local_max` with distances in um; of several maxima
    of the same height the first one in scan order is kept. With a cube, it is `peak_local_max` with
    this cube as `footprint` and the connected components as `labels`.

    Examples
    --------
    >>> values = np.float32([[[0, 5, 4, 6, 0, 3, 0]]])
    >>> find_peaks(values, (2.0, 0.5, 0.5), min_distance_um=0.5).astype(int)
    array([[[0, 1, 0, 1, 0, 1, 0]]])
    >>> find_peaks(values, (2.0, 0.5, 0.5), min_distance_um=1.0).astype(int)
    array([[[0, 0, 0, 1, 0, 0, 0]]])
    """
    if shape == "cube":
        radii = whole_voxels(min_distance_um, spacing, "min_distance_um")
        return _peaks_in_cubes(values, radii, exclude_border)
    return peaks_of_planes(values, spacing, min_distance_um=min_distance_um)


def peaks_of_planes(values: Planes, spacing: Spacing, *, min_distance_um: float) -> BoolVolume:
    """Mark the peaks of an image that is read plane by plane; see :func:`find_peaks`, with a ball.

    Examples
    --------
    >>> values = np.float32([[[0, 5, 4, 6, 0, 3, 0]]])
    >>> peaks_of_planes(values, (2.0, 0.5, 0.5), min_distance_um=0.5).astype(int)
    array([[[0, 1, 0, 1, 0, 1, 0]]])
    """
    places, _ = list_peaks(values, spacing, min_distance_um=min_distance_um)
    marked = np.zeros(values.shape, bool)
    marked[tuple(places.T)] = True
    return marked


def list_peaks(
    values: Planes, spacing: Spacing, *, min_distance_um: float
) -> tuple[NDArray[np.int_], NDArray[np.float32]]:
    """Return where the peaks of an image are that is read plane by plane, and their heights.

    Parameters
    ----------
    values : (Z, Y, X) ndarray or planes of float32
        Any image. Each plane is read once.
    spacing, min_distance_um
        See :func:`find_peaks`, with a ball.

    Returns
    -------
    voxels : (n, 3) ndarray of int
        In scan order.
    heights : (n,) ndarray of float32

    Examples
    --------
    >>> list_peaks(np.float32([[[0, 5, 4, 6, 0]]]), (2.0, 0.5, 0.5), min_distance_um=0.5)
    (array([[0, 0, 1],
           [0, 0, 3]]), array([5., 6.], dtype=float32))
    """
    # Candidates are the highest voxels of a box within the ball (at least the next voxels), which
    # are found fast.
    radii = tuple(max(1, int(length / 3**0.5)) for length in in_voxels(min_distance_um, spacing))
    found, heights = _highest_in_boxes(values, radii)
    order = np.argsort(-heights, kind="stable")
    kept = _suppress_lower(found[order] * np.asarray(spacing), min_distance_um)
    chosen = np.sort(order[kept])
    return found[chosen], heights[chosen]


def _suppress_lower(places: NDArray[np.floating[Any]], distance: float) -> NDArray[np.bool_]:
    """Mark places, given in descending order of height, without a marked one within a distance."""
    kept = np.ones(len(places), bool)
    use_tree = len(places) > MAX_PLACES_WITHOUT_TREE
    if use_tree:
        from scipy.spatial import cKDTree

        tree = cKDTree(places)
    for i in range(len(places)):
        if kept[i]:
            if use_tree:
                near = np.array(tree.query_ball_point(places[i], distance))
            else:
                near = np.flatnonzero(np.sum(np.square(places - places[i]), axis=1) <= distance**2)
            kept[near[near > i]] = False
    return kept


def _highest_in_boxes(
    values: Planes, radii: Sequence[int]
) -> tuple[NDArray[np.int_], NDArray[np.float32]]:
    """List the positive voxels that no other voxel of a box around them exceeds, in scan order.

    Their heights are returned too.
    """
    from cellstack.core.opencv import cv2  # slow to import

    reach, *sides = radii
    box = np.ones([2 * side + 1 for side in sides], np.uint8)
    found: list[NDArray[np.int_]] = []  # candidates of each plane
    heights: list[NDArray[np.float32]] = []
    passed: deque[NDArray[np.float32]] = deque(maxlen=reach)  # maxima around each pixel of a plane
    for z, plane in enumerate(values):
        # By default OpenCV ignores pixels beyond the plane.
        around = cast("NDArray[np.float32]", cv2.dilate(plane, box))
        # np.nonzero of a plane takes longer.
        candidates = np.flatnonzero((plane == around) & (plane > 0))
        y, x = np.divmod(candidates, max(1, plane.shape[1]))
        for before in passed:
            highest = before[y, x] <= plane[y, x]
            y, x = y[highest], x[highest]
        for earlier in range(max(z - reach, 0), z):
            left = found[earlier]
            is_higher = around[*left.T] <= heights[earlier]
            found[earlier], heights[earlier] = left[is_higher], heights[earlier][is_higher]
        found.append(np.column_stack([y, x]))
        heights.append(plane[y, x])
        passed.append(around)
    places = np.concatenate([np.insert(left, 0, z, axis=1) for z, left in enumerate(found)])
    return places, np.concatenate(heights)


def _peaks_in_cubes(values: Volume, radii: Sequence[int], exclude_border: bool) -> BoolVolume:
    """Mark the voxels that no other voxel of the same component exceeds within a box."""
    import cc3d  # unused by most stages

    components = cc3d.connected_components(values > 0, connectivity=26)
    if exclude_border:
        components[[0, -1]] = components[:, [0, -1]] = components[:, :, [0, -1]] = 0
    marked = np.zeros(values.shape, bool)
    for label, box in find_boxes(components).items():
        within = np.where(components[box] == label, values[box], 0)
        marked[box][tuple(_highest_in_boxes(within, radii)[0].T)] = True
    return marked
