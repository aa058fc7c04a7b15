"""One seed per object: maxima of the distance map or of bright blobs, or points set by hand.

Each of :data:`METHODS` is called with `distance`, `spacing`, `stack` and `points`, as described at
:func:`find_seeds`, and with its options as keywords. It returns the voxels of the seeds as a
(Z, Y, X) ndarray of bool.
"""

import logging
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from cellstack.config.methods import Methods
from cellstack.core import maxima, parallel
from cellstack.core.blobs import blobness
from cellstack.core.counting import agree, counted
from cellstack.core.labels import label_type, relabel
from cellstack.core.types import BoolVolume, Labels, Spacing, Volume
from cellstack.errors import InputError

METHODS = Methods()
MAX_LOGGED_POINTS = 10
log = logging.getLogger(__name__)


def find_seeds(
    distance: Volume,
    components: Labels,
    spacing: Spacing,
    method: str,
    options: dict[str, Any],
    stack: Volume | None = None,
    points: NDArray[np.float64] | None = None,
) -> Labels:
    """Return seeds by one of :data:`METHODS`, at least one in each component.

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
    stack : (Z, Y, X) ndarray of float32, optional
        Denoised intensities, required by `laplacian_of_gaussian` and `distance_and_blobs`.
    points : (N, 3) ndarray of float, optional
        Seed points along z, y and x that were set by hand, required by `points`.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        The seeds, 1..n; 0 elsewhere. A component in which the method finds no seed has one at its
        maximum distance to the background.

    Examples
    --------
    >>> distance = np.array([[[0, 1, 2, 1, 0.5, 3, 0, 1]]], np.float32)
    >>> components = np.array([[[0, 1, 1, 1, 1, 1, 0, 2]]], np.uint16)
    >>> find_seeds(distance, components, (1, 1, 1), "peaks", {"min_distance_um": 2})
    array([[[0, 0, 1, 0, 0, 2, 0, 3]]], dtype=uint16)
    """
    marked: BoolVolume = METHODS[method](distance, spacing, stack, points, **options)
    marked &= components > 0
    without_seed = np.setdiff1d(
        np.arange(1, int(components.max(initial=0)) + 1), components[marked]
    )
    if len(without_seed):
        marked |= _highest_voxels(distance, components, without_seed)
    max_count = int(np.count_nonzero(marked))
    # cc3d separates different values, so that no seed extends over two components.
    seeds: Labels
    seeds, count = cc3d.connected_components(
        components * marked,
        connectivity=26,
        return_N=True,
        max_labels=max_count,
        out_dtype=label_type(max_count),
    )
    return seeds.astype(label_type(count), copy=False)


def _highest_voxels(
    values: Volume, labels: Labels, selected: NDArray[np.integer[Any]]
) -> BoolVolume:
    """Mark the highest voxel of each selected label; the first one in scan order if several."""
    is_selected = np.zeros(int(labels.max()) + 1, bool)
    is_selected[selected] = True
    flat = np.flatnonzero(relabel(labels, is_selected))
    order = np.lexsort((flat, -values.ravel()[flat], labels.ravel()[flat]))
    _, first = np.unique(labels.ravel()[flat][order], return_index=True)
    marked = np.zeros(labels.shape, bool)
    marked.ravel()[flat[order[first]]] = True
    return marked


@METHODS
def h_maxima(
    distance: Volume,
    spacing: Spacing,
    stack: Volume | None = None,
    points: NDArray[np.float64] | None = None,
    *,
    h_um: float,
) -> BoolVolume:
    """Return the h-maxima of the distance map.

    Parameters
    ----------
    h_um : float
        Minimum height in um of a maximum above the saddle to a higher one.

    See Also
    --------
    cellstack.core.maxima.h_maxima
    """
    return maxima.h_maxima(distance, h_um)


@METHODS
def peaks(
    distance: Volume,
    spacing: Spacing,
    stack: Volume | None = None,
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
    stack: Volume,
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
    response = blobness(stack, spacing, sigma_um)
    for plane, plane_distance in zip(response, distance, strict=True):
        plane *= plane_distance > 0
    return maxima.find_peaks(response, spacing, min_distance_um=min_distance_um)


@METHODS
def distance_and_blobs(
    distance: Volume,
    spacing: Spacing,
    stack: Volume,
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
    combined = blobness(stack, spacing, sigma_um)

    def combine(z: int) -> None:
        # In float64, since powers in float32 differ between processors.
        depths, blobs = (values[z].astype(np.float64) for values in (distance, combined))
        combined[z] = depths ** (1 - weight) * blobs**weight * (distance[z] > 0)

    parallel.map_threads(combine, range(len(combined)), parallel.threads_for(combined))
    return maxima.find_peaks(combined, spacing, min_distance_um=min_distance_um)


@METHODS
def points(
    distance: Volume,
    spacing: Spacing,
    stack: Volume | None,
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
    step = spacing if coordinates == "world" else (1, 1, 1)
    nearest = np.floor(points / step + 0.5)
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
