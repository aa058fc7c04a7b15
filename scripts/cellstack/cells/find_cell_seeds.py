"""Seeds of cells, and background: voxels that are certainly outside cells.

A method takes the smoothed membrane, its ridge strength, the spacing in um, the standard deviation
of the noise in the smoothed membrane, and its options. It returns a bool stack in which each
connected component is a seed.
"""

import logging
from typing import Any, cast

import cc3d
import edt
import fastremap
import numpy as np
from numpy.typing import NDArray

from cellstack.config.methods import Methods
from cellstack.core import maxima
from cellstack.core.distance import distance_map
from cellstack.core.labels import label_type
from cellstack.core.types import BoolVolume, Labels, Mask, Spacing, Volume
from cellstack.core.voxels import volume_voxels

METHODS = Methods()
DISC_FRACTION = 0.9  # of the radius of a disc that is marked as background
log = logging.getLogger(__name__)


def find_cell_seeds(
    smooth: Volume,
    ridges: Volume,
    spacing: Spacing,
    noise: float,
    method: str,
    options: dict[str, Any],
    *,
    certain_strength: float,
    background_radius_um: float,
    min_wall_um3: float,
    nuclei: Labels | None = None,
    no_data: BoolVolume | None = None,
) -> tuple[Labels, Mask]:
    """Find the seeds of cells and of the background.

    Parameters
    ----------
    smooth : (Z, Y, X) ndarray of float32
        Smoothed membrane.
    ridges : (Z, Y, X) ndarray of float32
        Ridge strength of the membrane; voxels above 1 are wall.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    noise : float
        Standard deviation of the noise in `smooth`.
    method : {"minima", "distance"}
        Name of the method that finds seeds.
    options : dict
        Options of the method.
    certain_strength : float
        Ridge strength above which a voxel is certainly no noise. Only such voxels keep their
        surroundings from being background.
    background_radius_um : float
        Minimum radius in um of background within a plane, see :func:`find_background`.
    min_wall_um3 : float
        Pieces of wall up to this volume are ignored when background is searched for.
    nuclei : (Z, Y, X) ndarray of uint16 or uint32, optional
        All nuclei, labelled 1..n. Each one is a seed, and other seeds that touch it are removed.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels without data, in which there are no other seeds and no seed of the background.

    Returns
    -------
    seeds : (Z, Y, X) ndarray of uint16 or uint32
        The nuclei 1..n, then the seeds of cells without a nucleus n + 1..m; 0 elsewhere. There are
        none if there are no walls.
    background : (Z, Y, X) ndarray of uint8
        1 in the background, which contains no seed.
    """
    marked, background = mark_cell_seeds(
        smooth,
        ridges,
        spacing,
        noise,
        method,
        options,
        certain_strength=certain_strength,
        background_radius_um=background_radius_um,
        min_wall_um3=min_wall_um3,
        nuclei=nuclei,
        no_data=no_data,
    )
    nuclei = np.zeros(smooth.shape, np.uint16) if nuclei is None else nuclei
    if background.all():
        return np.zeros_like(nuclei), background
    others = cc3d.connected_components(marked, connectivity=26)
    rejected = fastremap.unique(others[(nuclei > 0) | background.view(bool)])
    others = fastremap.mask(others, rejected[rejected > 0])
    others, _ = fastremap.renumber(others)
    count = int(nuclei.max(initial=0))
    total = count + int(others.max(initial=0))
    seeds = np.where(nuclei > 0, nuclei, np.where(others > 0, others.astype(np.int64) + count, 0))
    return seeds.astype(label_type(total)), background


def mark_cell_seeds(
    smooth: Volume,
    ridges: Volume,
    spacing: Spacing,
    noise: float,
    method: str,
    options: dict[str, Any],
    *,
    certain_strength: float,
    background_radius_um: float,
    min_wall_um3: float,
    nuclei: Labels | None = None,
    no_data: BoolVolume | None = None,
) -> tuple[Mask, Mask]:
    """Mark the voxels of all seeds without a nucleus, and the background.

    Parameters
    ----------
    smooth, ridges, spacing, noise, method, options, certain_strength, background_radius_um, \
    min_wall_um3, nuclei, no_data
        See :func:`find_cell_seeds`.

    Returns
    -------
    marked : (Z, Y, X) ndarray of uint8
        1 in seeds, also in those that touch a nucleus or the background. There are none if there
        are no walls.
    background : (Z, Y, X) ndarray of uint8
        1 in the background, which is everywhere if there are no walls.
    """
    if not ridges.any():
        log.warning("no walls were found in the membrane channel, so there are no cells")
        return np.zeros(smooth.shape, np.uint8), np.ones(smooth.shape, np.uint8)
    occupied = np.zeros(smooth.shape, bool) if nuclei is None else nuclei > 0
    if no_data is not None:
        occupied = occupied | no_data
    is_wall = ridges > certain_strength
    background = find_background(is_wall, occupied, spacing, background_radius_um, min_wall_um3)
    marked: BoolVolume = METHODS[method](smooth, ridges, spacing, noise, **options)
    if no_data is not None:
        marked = marked & ~no_data
    return marked.astype(np.uint8), background.view(np.uint8)


def find_background(
    is_wall: BoolVolume,
    occupied: BoolVolume,
    spacing: Spacing,
    radius_um: float,
    min_wall_um3: float,
) -> BoolVolume:
    """Find background: discs within planes that contain neither walls nor occupied voxels.

    Parameters
    ----------
    is_wall : (Z, Y, X) ndarray of bool
        Walls of cells.
    occupied : (Z, Y, X) ndarray of bool
        Nuclei, and voxels without data.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    radius_um : float
        Radius of a disc in um. A disc may extend beyond the sides of the stack.
    min_wall_um3 : float
        Connected pieces of wall up to this volume are ignored.

    Returns
    -------
    (Z, Y, X) ndarray of bool
        The discs without the outer tenth of their radius, which is enough as a seed.

    Notes
    -----
    This is a binary opening by a disc, plane by plane. A ball would miss the space above and below
    a flat colony, which is wide but may be only a few planes high.
    """
    wall: BoolVolume = cc3d.dust(
        is_wall.view(np.uint8),
        threshold=int(volume_voxels(min_wall_um3, spacing)) + 1,  # the smallest piece that is kept
        connectivity=26,
    ).astype(bool)
    return np.stack([_open_by_disc(free, spacing[1:], radius_um) for free in ~(wall | occupied)])


def _open_by_disc(free: NDArray[np.bool_], spacing: Spacing, radius_um: float) -> NDArray[np.bool_]:
    centres: NDArray[np.bool_] = edt.edt(np.ascontiguousarray(free), anisotropy=spacing) > radius_um
    if not centres.any():
        return centres
    near = edt.edt(~centres, anisotropy=spacing) < DISC_FRACTION * radius_um
    return cast(NDArray[np.bool_], free & near)


@METHODS
def minima(
    smooth: Volume,
    ridges: Volume,
    spacing: Spacing,
    noise: float,
    *,
    min_depth: float,
    noise_factor: float,
) -> BoolVolume:
    """Return the h-minima of the smoothed membrane: dark regions enclosed by brighter ones.

    Parameters
    ----------
    smooth : (Z, Y, X) ndarray of float32
    ridges, spacing
        Not used.
    noise : float
    min_depth : float
        Minimum depth below the lowest saddle to a darker minimum.
    noise_factor : float
        Minimum depth in standard deviations of the noise. The larger one of the two applies.

    Returns
    -------
    (Z, Y, X) ndarray of bool
    """
    depth = max(min_depth, noise_factor * noise)
    log.info("minimum depth: %.4g", depth)
    return maxima.h_maxima(-smooth, depth)


@METHODS
def distance(
    smooth: Volume,
    ridges: Volume,
    spacing: Spacing,
    noise: float,
    *,
    smoothing_um: float,
    h_um: float,
) -> BoolVolume:
    """Return the h-maxima of the distance to the nearest wall.

    Parameters
    ----------
    smooth, noise
        Not used.
    ridges : (Z, Y, X) ndarray of float32
    spacing : (3,) sequence of float
    smoothing_um : float
        Standard deviation in um of the Gaussian that smooths the distance map.
    h_um : float
        Minimum height in um above the highest saddle to a higher maximum.

    Returns
    -------
    (Z, Y, X) ndarray of bool
    """
    distances = distance_map((ridges <= 1).view(np.uint8), spacing, smoothing_um)
    return maxima.h_maxima(distances, h_um) & (distances > 0)
