"""From seeds to compartments: a watershed on the membrane, the distance to the nuclei and the background.

Halo: none can be stated, a compartment may be as large as its room.
"""

import edt
import numpy as np

from cellstack import flood, io


def segment_cells(seeds, background, smooth, walls, nuclei, spacing, *, wall_weight, distance_weight, threads=1):
    """Flood the membrane from the seeds and from the background.

    Parameters
    ----------
    seeds : (Z, Y, X) ndarray of uint16 or uint32
        0 but at the seeds, which are numbered 1..m.
    background : (Z, Y, X) ndarray of uint8
        1 where there is surely no cell.
    smooth : (Z, Y, X) ndarray of float32
        Smoothed membrane.
    walls : (Z, Y, X) ndarray of float32
        Strength of the wall.
    nuclei : (Z, Y, X) ndarray of uint16 or uint32, or None
        All nuclei.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    wall_weight : float
        Of `walls` against `smooth`: from 0, the membrane as it is, to 1, its ridges alone.
    distance_weight : float
        Of the distance to the nearest nucleus, against both: 0 for none. Where there are no nuclei it has no say.
    threads : int
        The result does not depend on it.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        Compartments, each with the label of its seed; 0 is background, which there is only where `background` has some.

    Notes
    -----
    Each of the three is divided by its standard deviation over the stack, so that equal weights have the same say, whatever the units.

    References
    ----------
    .. [1] P. Soille and L. Vincent, "Determining watersheds in digital pictures via flooding simulations", 1990; computed by
       `skimage.segmentation.watershed`.
    """
    membrane = np.float32(1 - wall_weight) * _scaled(smooth) + np.float32(wall_weight) * _scaled(walls)
    if distance_weight > 0 and nuclei is not None and nuclei.any():
        far = edt.edt((nuclei == 0).view(np.uint8), anisotropy=spacing, parallel=threads)
        membrane = np.float32(1 - distance_weight) * membrane + np.float32(distance_weight) * _scaled(far)
    count = int(seeds.max(initial=0))
    if count == 0:
        return np.zeros_like(seeds)
    markers = seeds.astype(np.int32)
    markers[background.view(bool)] = count + 1
    compartments = flood.watershed(membrane, markers, connectivity=3)
    compartments[compartments > count] = 0
    return compartments.astype(io.label_type(count))


def _scaled(values):
    spread = values.std(dtype=np.float64)
    return values / np.float32(spread) if spread > 0 else np.zeros_like(values)
