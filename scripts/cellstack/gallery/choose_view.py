"""Choice of the part of a stack that the gallery shows."""

import numpy as np

from cellstack.core import maxima
from cellstack.core.blobs import blobness
from cellstack.core.planes import Stack
from cellstack.core.types import RawVolume, Spacing
from cellstack.core.voxels import in_voxels
from cellstack.enhance.adjust_contrast import percentile_stretch
from cellstack.errors import InputError
from cellstack.gallery.views import View

MAX_VOXELS = 1 << 23  # of the region: some methods take seconds and 100 bytes for a million voxels
SIGMA_DIAMETERS = 0.29  # at which the response of a uniformly bright ball is highest
REACH_DIAMETERS = 5 * SIGMA_DIAMETERS  # farther planes do not affect the blobs near a plane
DISTANCE_DIAMETERS = 0.6  # smallest distance of two objects
ZOOM_DIAMETERS = 2.4  # size of two neighbouring objects


def choose_view(
    raw: Stack,
    spacing: Spacing,
    diameter_um: float,
    region_um: float,
    plane: int | None = None,
    row: int | None = None,
) -> View:
    """Choose the part of a stack that all comparisons show.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
        Intensities of the objects.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    diameter_um : float
        Diameter of the objects in um.
    region_um : float
        Side of the region in um, which lies around the plane and the centre of the stack. A
        region of more than :data:`MAX_VOXELS` voxels is reduced along all axes.
    plane, row : int, optional
        Counted from 0. By default, the plane with the highest mean, and the row with the highest
        mean in the region of that plane.

    Returns
    -------
    View
        It zooms in on the two objects near the plane that are closest to each other.

    Raises
    ------
    InputError
        The stack has no such plane or row.
    """
    for name, index, size in (("plane", plane, raw.shape[0]), ("row", row, raw.shape[1])):
        if index is not None and index >= size:
            raise InputError(
                f"choose_view.{name}: {index} is outside the stack; "
                f"give a value from 0 to {size - 1}"
            )
    if plane is None:
        plane = int(np.argmax([image.mean() for image in raw]))
    region = []
    centre = (plane, raw.shape[1] // 2, raw.shape[2] // 2)
    sides = _region_sides(raw.shape, spacing, region_um)
    for at, side, size in zip(centre, sides, raw.shape, strict=True):
        region.append(_range_around(at, side, size))
    part = raw[tuple(slice(*span) for span in region)]
    within = plane - region[0][0]
    if row is None:
        row = region[1][0] + int(np.argmax(part[within].mean(axis=1)))
    zoom = []
    pair = _find_pair(part, spacing, diameter_um, within)
    for (start, _), between, step, size in zip(
        region[1:], pair, spacing[1:], part.shape[1:], strict=True
    ):
        side = max(1, round(min(ZOOM_DIAMETERS * diameter_um / step, size)))
        zoom.append([start + index for index in _range_around(between, side, size)])
    return {
        "plane": plane,
        "row": row,
        "region": region,
        "zoom": zoom,
        "shape": list(raw.shape),
        "spacing": [float(step) for step in spacing],
    }


def _region_sides(shape: tuple[int, ...], spacing: Spacing, region_um: float) -> list[int]:
    """Return the sides of the region in voxels."""
    sides = [
        min(size, max(1.0, length))
        for size, length in zip(shape, in_voxels(region_um, spacing), strict=True)
    ]
    factor = min(1, MAX_VOXELS / float(np.prod(sides))) ** (1 / 3)
    return [max(1, int(side * factor)) for side in sides]


def _range_around(centre: float, side: int, size: int) -> list[int]:
    """Return first and last + 1 of `side` voxels around a centre, within an axis of `size`."""
    start = int(np.clip(round(centre - side / 2), 0, size - side))
    return [start, start + side]


def _find_pair(part: RawVolume, spacing: Spacing, diameter_um: float, plane: int) -> list[float]:
    """Return the point (y, x) between the two closest blobs near a plane.

    Blobs that are cut by a face are used only if there are not two others.
    """
    reach = int(REACH_DIAMETERS * diameter_um / spacing[0])
    first = max(0, plane - reach)
    part = part[first : plane + reach + 1]
    stretched = percentile_stretch(part, spacing, low=0.5, high=99.5)
    response = blobness(stretched, spacing, SIGMA_DIAMETERS * diameter_um)
    distances = np.abs(np.arange(len(part)) + first - plane) * spacing[0]
    response[distances > SIGMA_DIAMETERS * diameter_um] = 0
    is_peak = maxima.find_peaks(response, spacing, min_distance_um=DISTANCE_DIAMETERS * diameter_um)
    blobs = np.argwhere(is_peak & (response > response.max(initial=0) / 2))
    to_faces = np.minimum(blobs[:, 1:], np.subtract(part.shape[1:], 1) - blobs[:, 1:]) * spacing[1:]
    uncut = blobs[to_faces.min(axis=1) >= diameter_um / 2]
    blobs = uncut if len(uncut) >= 2 else blobs
    if len(blobs) == 0:
        return [size // 2 for size in part.shape[1:]]
    if len(blobs) == 1:
        return [float(index) for index in blobs[0, 1:]]
    apart = np.linalg.norm((blobs[:, None] - blobs[None]) * spacing, axis=2)
    np.fill_diagonal(apart, np.inf)
    closest = blobs[list(np.unravel_index(apart.argmin(), apart.shape))]
    return [float(index) for index in closest[:, 1:].mean(axis=0)]
