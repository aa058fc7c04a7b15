"""What looks wrong with a measured object: cut by a face, of another size or shape than its stack's others, with too many seeds, dim.

Halo: 0.2 of an object's diameter, for its contrast.
"""

import edt
import numpy as np

from cellstack import workers
from cellstack.reasons import CONTRAST, IRREGULAR, LARGE, SEEDS, SMALL, TOUCHES

FAR = 3.5  # robust standard deviations from the median
FEWEST = 5  # objects that tell a spread
NEAR = 0.5  # of the median diameter, below which two seeds lie close together
RIM, SURROUND = 0.05, 0.2  # of the diameter of an object: where its surround begins, behind the blur of its edge, and where it ends
LEAST_CONTRAST = 1.0  # standard deviations of the surround
LEAST_SURROUND = 20  # voxels


def flag_objects(rows, contrast=None, crowded=()):
    """Say of each object what looks wrong.

    Parameters
    ----------
    rows : list of dict
        Measured objects, with ``split_label``, ``volume_um3``, ``solidity`` and ``touches_...``, see :data:`cellstack.columns.COLUMNS`.
    contrast : (n,) sequence of float, optional
        As of :func:`measure_contrast`; not-a-number is not flagged.
    crowded : collection of int
        Labels in split.tif of objects whose seeds lie close together, as of :func:`find_crowded`.

    Returns
    -------
    list of str
        For each object its flags, joined by ";". Volume (its logarithm) and solidity are compared with the median, in units of 1.4826 times
        the median absolute deviation, over the objects that touch no face, or over all where fewer than five do not. Fewer than five in
        all, or no spread, flag nothing. A solidity is flagged if it is too low.

    References
    ----------
    .. [1] B. Iglewicz and D. C. Hoaglin, "How to Detect and Handle Outliers", ASQC Quality Press, 1993: the limit of 3.5.
    """
    if not rows:
        return []
    faces = [name for name in rows[0] if name.startswith("touches_")]
    touched = [[name.removeprefix("touches_").replace("_", " ") for name in faces if row[name]] for row in rows]
    whole = np.array([not each for each in touched])
    reference = whole if whole.sum() >= FEWEST else np.ones(len(rows), bool)
    size = _deviation(np.log([row["volume_um3"] for row in rows]), reference)
    shape = _deviation(np.array([row["solidity"] for row in rows]), reference)
    contrast = np.full(len(rows), np.nan) if contrast is None else np.asarray(contrast)
    return [
        ";".join(
            [TOUCHES + face for face in touched[i]]
            + [SMALL] * bool(size[i] < -FAR)
            + [LARGE] * bool(size[i] > FAR)
            + [IRREGULAR] * bool(shape[i] < -FAR)
            + [SEEDS] * (row["split_label"] in crowded)
            + [CONTRAST] * bool(contrast[i] < LEAST_CONTRAST)
        )
        for i, row in enumerate(rows)
    ]


def _deviation(values, reference):
    """Give how many robust standard deviations values lie from the median of some of them; not-a-number where there is no spread."""
    middle = np.median(values[reference])
    spread = 1.4826 * np.median(np.abs(values[reference] - middle))
    return (values - middle) / spread if reference.sum() >= FEWEST and spread > 0 else np.full(len(values), np.nan)


def measure_contrast(split, boxes, rows, raw, spacing, threads=1):
    """Measure by how much objects stand out from their surround.

    Parameters
    ----------
    split : (Z, Y, X) ndarray of uint16 or uint32
        All objects found; 0 is background.
    boxes : list of tuple of slice
        The bounding box of each object of `rows`.
    rows : list of dict
        Measured objects, with ``split_label`` and ``equivalent_diameter_um``.
    raw : (Z, Y, X) ndarray of integer or float
        The channel that shows them.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    threads : int
        Objects that are measured at once. The result does not depend on it.

    Returns
    -------
    (n,) ndarray of float
        Mean of the object minus mean of its surround, divided by the standard deviation of the surround: of the background 0.05 to 0.2 of
        the object's diameter away from it. Not-a-number where fewer than 20 voxels of background lie there; infinite without noise.
    """
    spacing = np.asarray(spacing, float)

    def measure(boxed):
        row, box = boxed
        near, far = RIM * row["equivalent_diameter_um"], SURROUND * row["equivalent_diameter_um"]
        reach = np.ceil(far / spacing).astype(int)
        around = tuple(slice(max(side.start - int(pad), 0), side.stop + int(pad)) for side, pad in zip(box, reach, strict=True))
        inside = split[around] == row["split_label"]
        distance = edt.edt((~inside).view(np.uint8), anisotropy=tuple(spacing), parallel=1)  # of bool it takes twice as long
        surround = raw[around][(split[around] == 0) & (distance > near) & (distance <= far)]
        if len(surround) < LEAST_SURROUND:
            return np.nan
        height = raw[around][inside].mean(dtype=float) - surround.mean(dtype=float)
        noise = surround.std(dtype=float)
        return height / noise if noise > 0 else np.copysign(np.inf, height) if height else 0.0

    return np.array(workers.in_processes(measure, list(zip(rows, boxes, strict=True)), threads), float)


def find_crowded(seeds, split, spacing, distance_um):
    """Find objects with a seed that lies close to another one, in the same object or in the next.

    Parameters
    ----------
    seeds : (Z, Y, X) ndarray of unsigned int
        1..k; 0 elsewhere.
    split : (Z, Y, X) ndarray of uint16 or uint32
        All objects found.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    distance_um : float
        Seeds whose centroids lie closer than this are close together.

    Returns
    -------
    set of int
        Labels in `split`.
    """
    from scipy.spatial import KDTree

    places = np.flatnonzero(seeds > 0)  # few voxels, found sooner among truth values
    present, index, counts = np.unique(seeds.ravel()[places], return_inverse=True, return_counts=True)
    if len(present) < 2:
        return set()
    centroids = [np.bincount(index, along) / counts for along in np.unravel_index(places, seeds.shape)]
    pairs = KDTree(np.stack(centroids, axis=1) * np.asarray(spacing)).query_pairs(distance_um)
    close = np.zeros(len(present), bool)
    close[[each for pair in pairs for each in pair]] = True
    return set(np.unique(split.ravel()[places[close[index]]]).tolist()) - {0}
