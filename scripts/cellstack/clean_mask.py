"""Cleaning of a mask: holes and small objects, by volume in um3, and outlines, by a radius in um.

Halo: the radius for erosion and dilation, twice that for opening and closing, 4 sigma for smoothing; none can be stated for the methods
that look at connected parts as a whole.
"""

import cc3d
import numpy as np

from cellstack import morphology, relabel, units
from cellstack.methods import Methods

METHODS = Methods()
FACES = 6  # neighbours share a face, scikit-image's connectivity 1


def clean_mask(mask, spacing, steps):
    """Apply methods one after the other.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
        0 or 1.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    steps : list of (str, dict)
        Names of :data:`METHODS` and their options.

    Returns
    -------
    (Z, Y, X) ndarray of uint8
        0 or 1.
    """
    for method, options in steps:
        mask = METHODS[method](mask, spacing, **options)
    return mask


@METHODS
def smooth(mask, spacing, *, sigma_um):
    """Smooth outlines: keep what is foreground in more than half of a Gaussian neighbourhood, round in um.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Standard deviation in um.

    Returns
    -------
    (Z, Y, X) ndarray of uint8
    """
    from cellstack.denoise import gaussian  # OpenCV is slow to import, and the other methods do without

    soft = gaussian(mask, spacing, sigma_um=sigma_um)
    return (soft > np.float32(0.5)).view(np.uint8)


@METHODS
def fill_holes(mask, spacing, *, max_volume_um3):
    """Fill background that is enclosed, or cut off by the faces of the stack, up to a volume.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    max_volume_um3 : float
        Holes up to this volume are filled.

    Returns
    -------
    (Z, Y, X) ndarray of uint8

    Notes
    -----
    The same as `skimage.morphology.remove_small_holes` with ``connectivity=1``.
    """
    return 1 - _without_small(1 - mask, max_volume_um3, spacing)


@METHODS
def remove_small_objects(mask, spacing, *, max_volume_um3):
    """Remove connected foreground up to a volume.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    max_volume_um3 : float
        Objects up to this volume are removed.

    Returns
    -------
    (Z, Y, X) ndarray of uint8

    Notes
    -----
    The same as `skimage.morphology.remove_small_objects` with ``connectivity=1``.
    """
    return _without_small(mask, max_volume_um3, spacing)


@METHODS
def erosion(mask, spacing, *, shape, radius_um):
    """Take off a rim of foreground; objects narrower than the shape vanish.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    shape : {"ball", "disc", "cube", "square"}
        A disc and a square are applied plane by plane.
    radius_um : float
        Radius in um, for cube and square half the side; an axis on which it is below half a voxel is left out.

    Returns
    -------
    (Z, Y, X) ndarray of uint8

    Notes
    -----
    As in `skimage.morphology.erosion` with ``mode="ignore"``: what lies outside the stack is neither foreground nor background.
    """
    return morphology.erosion(mask, morphology.footprint(shape, radius_um, spacing))


@METHODS
def dilation(mask, spacing, *, shape, radius_um):
    """Add a rim of foreground; gaps narrower than the shape close.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    shape : {"ball", "disc", "cube", "square"}
        A disc and a square are applied plane by plane.
    radius_um : float
        Radius in um, for cube and square half the side; an axis on which it is below half a voxel is left out.

    Returns
    -------
    (Z, Y, X) ndarray of uint8

    Notes
    -----
    As in `skimage.morphology.dilation` with ``mode="ignore"``: what lies outside the stack is neither foreground nor background.
    """
    return morphology.dilation(mask, morphology.footprint(shape, radius_um, spacing))


@METHODS
def opening(mask, spacing, *, shape, radius_um):
    """Remove what is narrower than the shape: specks, spikes, bridges. What remains keeps its outline.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    shape : {"ball", "disc", "cube", "square"}
        A disc and a square are applied plane by plane.
    radius_um : float
        Radius in um, for cube and square half the side; an axis on which it is below half a voxel is left out.

    Returns
    -------
    (Z, Y, X) ndarray of uint8

    Notes
    -----
    As in `skimage.morphology.opening` with ``mode="ignore"``: what lies outside the stack is neither foreground nor background.
    """
    return morphology.opening(mask, morphology.footprint(shape, radius_um, spacing))


@METHODS
def closing(mask, spacing, *, shape, radius_um):
    """Fill what is narrower than the shape: holes, dents, gaps between objects. The outline elsewhere stays.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    shape : {"ball", "disc", "cube", "square"}
        A disc and a square are applied plane by plane.
    radius_um : float
        Radius in um, for cube and square half the side; an axis on which it is below half a voxel is left out.

    Returns
    -------
    (Z, Y, X) ndarray of uint8

    Notes
    -----
    As in `skimage.morphology.closing` with ``mode="ignore"``: what lies outside the stack is neither foreground nor background.
    """
    return morphology.closing(mask, morphology.footprint(shape, radius_um, spacing))


def _without_small(mask, max_volume_um3, spacing):
    too_small = int(units.volume_voxels(max_volume_um3, spacing) * (1 + 1e-9))
    parts = cc3d.connected_components(np.require(mask, requirements="W"), connectivity=FACES)  # which refuses a read-only view
    kept = relabel.count_voxels(parts) > too_small
    kept[0] = False
    return relabel.relabel(parts, kept.view(np.uint8))
