"""Where cells begin, and what is surely outside of them: nuclei, dark places between walls, and wide space without any wall.

Halo: none can be stated for the methods; distances to walls are exact over the whole stack.
"""

import logging

import cc3d
import edt
import fastremap
import numpy as np

from cellstack import find_seeds, io, units
from cellstack.methods import Methods

METHODS = Methods()
INNER = 0.9  # of a disc
log = logging.getLogger(__name__)


def find_cell_seeds(smooth, walls, spacing, noise, method, options, *, background_radius_um, min_wall_um3, nuclei=None):
    """Find the seeds of cells by one of :data:`METHODS` beside the nuclei, if there are any, and seeds of the background.

    Parameters
    ----------
    smooth : (Z, Y, X) ndarray of float32
        Smoothed membrane.
    walls : (Z, Y, X) ndarray of float32
        Strength of the wall; above 1 is wall.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    noise : float
        Standard deviation of the noise in `smooth`.
    method : str
        Name of a method.
    options : dict
        Its options.
    background_radius_um : float
        Space that is this wide within a plane is no cell, see :func:`find_background`.
    min_wall_um3 : float
        Specks of wall up to this volume count as none where background is sought.
    nuclei : (Z, Y, X) ndarray of uint16 or uint32, optional
        All nuclei, 1..n. Each is a seed as a whole, so no other seed touches one.

    Returns
    -------
    seeds : (Z, Y, X) ndarray of uint16 or uint32
        Nuclei 1..n, then seeds of what holds no nucleus, n + 1..m; 0 elsewhere. Where there are no walls at all there are no seeds.
    background : (Z, Y, X) ndarray of uint8
        1 where there is surely no cell; no seed is there.
    """
    nuclei = np.zeros(smooth.shape, np.uint16) if nuclei is None else nuclei
    if not walls.any():
        log.warning("no walls were found in the membrane, so no cells")
        return np.zeros_like(nuclei), np.ones(smooth.shape, np.uint8)
    background = find_background(walls, nuclei > 0, spacing, background_radius_um, min_wall_um3)
    marked = METHODS[method](smooth, walls, spacing, noise, **options)
    others = cc3d.connected_components(marked.astype(np.uint8, copy=False), connectivity=26)
    taken = fastremap.unique(others[(nuclei > 0) | background])
    others = fastremap.mask(others, taken[taken > 0])
    others, _ = fastremap.renumber(others)
    count = int(nuclei.max(initial=0))
    total = count + int(others.max(initial=0))
    seeds = np.where(nuclei > 0, nuclei, np.where(others > 0, others.astype(np.int64) + count, 0))
    return seeds.astype(io.label_type(total)), background.view(np.uint8)


def find_background(walls, nuclei, spacing, radius_um, min_wall_um3):
    """Find discs within planes that hold no wall and no nucleus, and are so wide that they are no cell.

    Parameters
    ----------
    walls : (Z, Y, X) ndarray of float32
        Strength of the wall; above 1 is wall.
    nuclei : (Z, Y, X) ndarray of bool
        True in nuclei.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    radius_um : float
        Radius in um of a disc. Half a disc at the side of the stack counts too.
    min_wall_um3 : float
        Specks of wall up to this volume count as none.

    Returns
    -------
    (Z, Y, X) ndarray of bool
        Voxels within such discs, but for the outer tenth of their radius: enough to flood the rest of it from.

    Notes
    -----
    This is an opening by a disc. Planes above and below a flat colony are wide even if they are few, which is why discs are sought and
    not balls.
    """
    wall = (walls > 1).astype(np.uint8)
    wall = cc3d.dust(wall, threshold=int(units.volume_voxels(min_wall_um3, spacing)), connectivity=26).astype(bool)
    return np.stack([_open_by_disc(free, spacing[1:], radius_um) for free in ~(wall | nuclei)])


def _open_by_disc(free, spacing, radius_um):
    middles = edt.edt(np.ascontiguousarray(free), anisotropy=spacing) > radius_um
    if not middles.any():
        return middles
    return free & (edt.edt(~middles, anisotropy=spacing) < INNER * radius_um)


@METHODS
def minima(smooth, walls, spacing, noise, *, min_depth, noise_factor):
    """Keep the dark places: minima of the smoothed membrane that lie deep enough below the lowest way to a darker one.

    Parameters
    ----------
    smooth : (Z, Y, X) ndarray of float32
        Smoothed membrane, in [0, 1].
    walls, spacing
        Not used.
    noise : float
        Standard deviation of the noise in `smooth`.
    min_depth : float
        Least depth.
    noise_factor : float
        Least depth in standard deviations of the noise. The larger of the two counts.

    Returns
    -------
    (Z, Y, X) ndarray of bool
    """
    depth = max(min_depth, noise_factor * noise)
    log.info("least depth of a minimum: %.4g", depth)
    return find_seeds.h_maxima(-smooth, spacing, h_um=depth)


@METHODS
def distance(smooth, walls, spacing, noise, *, smoothing_um, h_um):
    """Keep the middles of rooms: maxima of the distance to the walls that rise high enough above the narrow place to a wider one.

    Parameters
    ----------
    smooth
        Not used.
    walls : (Z, Y, X) ndarray of float32
        Strength of the wall; above 1 is wall.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    noise
        Not used.
    smoothing_um : float
        Standard deviation in um of a Gaussian that smooths the map of distances.
    h_um : float
        Least height in um.

    Returns
    -------
    (Z, Y, X) ndarray of bool
    """
    room = find_seeds.distance_map((walls <= 1).view(np.uint8), spacing, smoothing_um)
    return find_seeds.h_maxima(room, spacing, h_um=h_um) & (room > 0)
