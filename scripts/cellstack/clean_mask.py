"""Cleaning of a mask: holes and small objects, by volume in um3.

Halo: none can be stated for methods that look at connected parts as a whole.
"""

import cc3d

from cellstack import units
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


def _without_small(mask, max_volume_um3, spacing):
    too_small = int(units.volume_voxels(max_volume_um3, spacing) * (1 + 1e-9))
    return cc3d.dust(mask, threshold=too_small + 1, connectivity=FACES)  # dust removes what is smaller than the threshold
