"""One seed per object: maxima of the distance to the background, measured in um.

Halo: none can be stated for the distance map; it is exact over the whole stack.
"""

import cc3d
import edt
import fastremap
import numpy as np

from cellstack import denoise, io, units
from cellstack.methods import Methods

METHODS = Methods()


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
    distance = edt.edt(mask, anisotropy=spacing, parallel=threads)
    if not np.isfinite(distance).all():
        distance = np.full(mask.shape, min(np.multiply(mask.shape, spacing)) / 2, np.float32)
    if sigma_um > 0:
        distance = denoise.gaussian(distance, spacing, sigma_um=sigma_um) * mask
    return distance


def find_seeds(distance, components, spacing, method, options):
    """Find seeds by one of :data:`METHODS`, and at least one in each component.

    Parameters
    ----------
    distance : (Z, Y, X) ndarray of float32
        Distance to the background in um.
    components : (Z, Y, X) ndarray of uint16 or uint32
        Connected parts of the mask.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    method : str
        Name of a method.
    options : dict
        Its options.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        0 but at the seeds, which are numbered 1..n.
    """
    marked = METHODS[method](distance, spacing, **options)
    marked &= components > 0
    missed = np.setdiff1d(fastremap.unique(components), fastremap.unique(components[marked]))
    missed = missed[missed > 0]
    if len(missed):
        marked |= _highest_voxels(distance, components, missed)
    marked_components = np.where(marked, components, 0)  # cc3d keeps unequal neighbours apart: no seed lies in two components
    seeds, count = cc3d.connected_components(marked_components, connectivity=26, return_N=True)
    return seeds.astype(io.label_type(count), copy=False)


def _highest_voxels(values, labels, wanted):
    """Mark the first highest voxel of each label in `wanted`."""
    flat = np.flatnonzero(np.isin(labels, wanted))
    order = np.lexsort((flat, -values.ravel()[flat], labels.ravel()[flat]))
    _, first = np.unique(labels.ravel()[flat][order], return_index=True)
    marked = np.zeros(labels.shape, bool)
    marked.ravel()[flat[order[first]]] = True
    return marked


@METHODS
def h_maxima(distance, spacing, *, h_um):
    """Keep the maxima that rise by more than `h_um` above the saddle to any higher one.

    Parameters
    ----------
    distance : (Z, Y, X) ndarray of float32
        Distance to the background in um.
    spacing : (3,) sequence of float
        Not used: height is measured in um already.
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
def peaks(distance, spacing, *, min_distance_um):
    """Keep the maxima that have no higher one within a distance.

    Parameters
    ----------
    distance : (Z, Y, X) ndarray of float32
        Distance to the background in um.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    min_distance_um : float
        The least distance between two maxima in um.

    Returns
    -------
    (Z, Y, X) ndarray of bool

    Notes
    -----
    As `skimage.feature.peak_local_max`, but with distances in um. Of maxima of the same height the first in scan order is kept.
    """
    import cv2
    from scipy.spatial import cKDTree

    # a box inside of the sphere, but never less than the next voxels, finds few candidates fast; the sphere itself decides
    z, y, x = (max(1, int(length / 3**0.5)) for length in units.in_voxels(min_distance_um, spacing))
    highest = np.stack([cv2.dilate(plane, np.ones((2 * y + 1, 2 * x + 1), np.uint8)) for plane in distance])
    highest = cv2.dilate(highest.reshape(len(distance), -1), np.ones((2 * z + 1, 1), np.uint8)).reshape(distance.shape)
    found = np.argwhere((distance == highest) & (distance > 0))
    found = found[np.argsort(-distance[tuple(found.T)], kind="stable")]
    kept = np.ones(len(found), bool)
    tree = cKDTree(found * spacing)
    for i in range(len(found)):
        if kept[i]:
            near = np.array(tree.query_ball_point(found[i] * spacing, min_distance_um))
            kept[near[near > i]] = False
    marked = np.zeros(distance.shape, bool)
    marked[tuple(found[kept].T)] = True
    return marked
