"""What the gallery looks at: one plane, one row in it, a region of bounded size, and two neighbouring objects to zoom in on."""

import numpy as np

from cellstack import find_seeds, units
from cellstack.adjust_contrast import stretch
from cellstack.errors import InputError

MOST_VOXELS = 1 << 23  # in the region: some methods take seconds and 100 bytes for a million of them
BLOB = 0.29  # of the diameter: the Gaussian to which a ball of even brightness answers most
REACH = 5 * BLOB  # diameters: planes that are farther do not matter to blobs near a plane
APART = 0.6  # of the diameter: the least distance between two objects
ZOOM = 2.4  # diameters: what two neighbours fill


def choose_view(raw, spacing, diameter_um, region_um, plane=None, row=None):
    """Choose what all comparisons of a stack show.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray of uint8, uint16 or float32
        The channel of the objects.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    diameter_um : float
        Diameter of an object in um.
    region_um : float
        Side of the region in um. A region of more than :data:`MOST_VOXELS` voxels is made smaller on all axes.
    plane, row : int, optional
        Counted from 0. Without, the plane with the highest mean, and in the region of that plane the row with the highest mean.

    Returns
    -------
    dict
        ``plane`` and ``row`` in the stack; ``region``, first and last + 1 voxel along z, y, x, about the plane and the middle of the stack;
        ``zoom``, the same along y and x: two objects next to each other in the plane. And ``shape`` and ``spacing`` of the stack.

    Raises
    ------
    InputError
        The stack has no such plane or row.
    """
    for name, index, size in (("plane", plane, raw.shape[0]), ("row", row, raw.shape[1])):
        if index is not None and index >= size:
            raise InputError(f"choose_view.{name}: {index} is not in the stack; give one from 0 to {size - 1}")
    if plane is None:
        plane = int(np.argmax([image.mean() for image in raw]))
    sides = _sides(raw.shape, spacing, region_um)
    middle = (plane, raw.shape[1] // 2, raw.shape[2] // 2)
    region = [_span(centre, side, size) for centre, side, size in zip(middle, sides, raw.shape, strict=True)]
    part = raw[tuple(slice(*span) for span in region)]
    within = plane - region[0][0]
    if row is None:
        row = region[1][0] + int(np.argmax(part[within].mean(axis=1)))
    pair = _find_pair(part, spacing, diameter_um, within)
    reach = [min(ZOOM * diameter_um / step, size) for step, size in zip(spacing[1:], part.shape[1:], strict=True)]
    zoom = [
        [start + index for index in _span(centre, max(1, round(side)), size)]
        for (start, _), centre, side, size in zip(region[1:], pair, reach, part.shape[1:], strict=True)
    ]
    return {
        "plane": plane,
        "row": row,
        "region": region,
        "zoom": zoom,
        "shape": list(raw.shape),
        "spacing": [float(step) for step in spacing],
    }


def _sides(shape, spacing, region_um):
    """Give the sides of the region in voxels."""
    sides = [min(size, max(1.0, length)) for size, length in zip(shape, units.in_voxels(region_um, spacing), strict=True)]
    shrink = min(1, MOST_VOXELS / np.prod(sides)) ** (1 / 3)
    return [max(1, int(side * shrink)) for side in sides]


def _span(centre, side, size):
    """Give first and last + 1 of `side` voxels about `centre` within an axis of `size`."""
    start = int(np.clip(round(centre - side / 2), 0, size - side))
    return [start, start + side]


def _find_pair(part, spacing, diameter_um, plane):
    """Find the middle, along y and x, of the two blobs near a plane that are nearest to each other and, if possible, not cut."""
    reach = int(REACH * diameter_um / spacing[0])
    first = max(0, plane - reach)
    part = part[first : plane + reach + 1]
    blobs = find_seeds.blobness(stretch(part, spacing, low=0.5, high=99.5), spacing, BLOB * diameter_um)
    far = np.abs(np.arange(len(part)) + first - plane) * spacing[0] > BLOB * diameter_um
    blobs[far] = 0
    marked = find_seeds.peaks(blobs, spacing, min_distance_um=APART * diameter_um)
    at = np.argwhere(marked & (blobs > blobs.max(initial=0) / 2))
    to_faces = np.minimum(at[:, 1:], np.subtract(part.shape[1:], 1) - at[:, 1:]) * spacing[1:]
    whole = at[to_faces.min(axis=1) >= diameter_um / 2]
    at = whole if len(whole) >= 2 else at
    if len(at) < 2:
        return at[0, 1:] if len(at) else [size // 2 for size in part.shape[1:]]
    apart = np.linalg.norm((at[:, None] - at[None]) * spacing, axis=2)
    np.fill_diagonal(apart, np.inf)
    return at[list(np.unravel_index(apart.argmin(), apart.shape)), 1:].mean(axis=0)
