"""Size, shape, position and intensity of each object, in um and in the raw values of each channel.

Halo: none, an object is looked at as a whole.
"""

import math

import numpy as np

from cellstack import convex_hull, surface_area, topology, workers
from cellstack.columns import PERCENTILES

UNIT_SPACING = np.ones(3)  # as the tutorial of scikit-image measures surfaces


def measure_shapes(labels, boxes, spacing, threads=1):
    """Measure volume, surface, position and axes of each object.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        0 is background.
    boxes : dict of int to tuple of slice
        As :func:`cellstack.relabel.find_boxes` gives them.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    threads : int
        Objects that are measured at once. The result does not depend on it.

    Returns
    -------
    list of dict
        One per object, in the order of `boxes`; the keys are defined in :data:`cellstack.columns.COLUMNS`.
    """
    spacing = np.asarray(spacing, float)

    def measure(labelled):
        label, box = labelled
        return {"label": label} | _measure_shape(labels[box] == label, box, labels.shape, spacing)

    return workers.in_processes(measure, list(boxes.items()), threads)


def _measure_shape(mask, box, shape, spacing):
    count = int(np.count_nonzero(mask))
    voxel = float(np.prod(spacing))
    volume = count * voxel
    area, area_unit_spacing = surface_area.surface_areas(mask, (spacing, UNIT_SPACING))
    hull = convex_hull.convex_hull(mask)
    convex = convex_hull.count_voxels(hull, mask.shape)
    centre, moments = _second_moments(mask, count)
    diameter = math.cbrt(6 * volume / math.pi)
    return {
        "volume_voxels": count,
        "volume_um3": volume,
        "filled_volume_um3": topology.filled_count(mask) * voxel,
        "convex_volume_um3": convex * voxel,
        "equivalent_diameter_um": diameter,
        "feret_diameter_max_um": convex_hull.feret_diameter_max(hull, spacing),
        "surface_area_um2": area,
        "surface_area_unit_spacing": area_unit_spacing,
        "sphericity": math.pi * diameter**2 / area,
        "solidity": count / convex,
        "extent": count / mask.size,
        "euler_number": topology.euler_number(mask),
        **{
            f"centroid_{axis}_um": float((side.start + middle) * step)
            for axis, side, middle, step in zip("zyx", box, centre, spacing, strict=True)
        },
        **{f"bbox_min_{axis}": side.start for axis, side in zip("zyx", box, strict=True)},
        **{f"bbox_max_{axis}": side.stop for axis, side in zip("zyx", box, strict=True)},
        **_touches(box, shape),
        **_axes(moments * np.outer(spacing, spacing)),
    }


def _touches(box, shape):
    row = {}
    for name, side, length in zip(("plane", "row", "column"), box, shape, strict=True):
        row |= {f"touches_first_{name}": int(side.start == 0), f"touches_last_{name}": int(side.stop == length)}
    return row


def _axes(moments):
    """Describe the ellipsoid with these second moments, in um2: lengths and directions of its axes, moments of inertia."""
    variances, directions = np.linalg.eigh(moments)  # rising
    variances = variances.clip(0)  # rounding can turn a variance of 0 negative
    names = ("minor", "middle", "major")
    row = {}
    for i in (2, 1, 0):  # an ellipsoid with semi-axis a has the variance a ** 2 / 5 along it
        row[f"axis_{names[i]}_length_um"] = float(np.sqrt(20 * variances[i]))
    for i in (2, 1, 0):
        direction = directions[:, i] * np.sign(directions[np.abs(directions[:, i]).argmax(), i])  # either way is right: take one
        row |= {f"direction_{names[i]}_{axis}": float(part) for axis, part in zip("zyx", direction, strict=True)}
    for i in (2, 1, 0):
        row[f"inertia_{names[i]}_um2"] = float(variances.sum() - variances[i])
    return row


def _second_moments(mask, count):
    """Give the mean and the covariance matrix of the voxel positions, in voxels, from the three projections: they are exact counts."""
    projections = {kept: mask.sum(axis=summed) for kept, summed in (((1, 2), 0), ((0, 2), 1), ((0, 1), 2))}
    profiles = (projections[0, 1].sum(axis=1), projections[0, 1].sum(axis=0), projections[0, 2].sum(axis=0))
    centre = [float((profile * np.arange(len(profile))).sum()) / count for profile in profiles]
    offsets = [np.arange(len(profile)) - middle for profile, middle in zip(profiles, centre, strict=True)]
    moments = np.diag([float((profile * offset**2).sum()) / count for profile, offset in zip(profiles, offsets, strict=True)])
    for (i, j), projection in projections.items():
        moments[i, j] = moments[j, i] = float((projection * np.outer(offsets[i], offsets[j])).sum()) / count
    return centre, moments


def measure_intensities(labels, boxes, raw, spacing, channel, threads=1):
    """Measure the raw values of one channel in each object.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        0 is background.
    boxes : dict of int to tuple of slice
        As :func:`cellstack.relabel.find_boxes` gives them.
    raw : (Z, Y, X) ndarray of integer or float
        The channel, as it was recorded.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    channel : str
        What the columns call it.
    threads : int
        Objects that are measured at once. The result does not depend on it.

    Returns
    -------
    list of dict
        One per object, in the order of `boxes`; the keys are defined in
        :data:`cellstack.columns.COLUMNS`. Sums are exact for integers, else float64. A centroid that has no weight is None.
    """

    def measure(labelled):
        label, box = labelled
        return _measure_intensity(raw[box], labels[box] == label, box, spacing, channel)

    return workers.in_processes(measure, list(boxes.items()), threads)


def _measure_intensity(raw, mask, box, spacing, channel):
    values = raw[mask]
    total = values.sum(dtype=np.int64 if values.dtype.kind in "iu" else np.float64).item()
    median, *percentiles = (float(value) for value in np.percentile(values, (50, *PERCENTILES)))
    return {
        f"mean_intensity_{channel}": total / len(values),
        f"sd_intensity_{channel}": float(values.std(dtype=np.float64)),
        f"median_intensity_{channel}": median,
        f"min_intensity_{channel}": values.min().item(),
        f"max_intensity_{channel}": values.max().item(),
        f"sum_intensity_{channel}": total,
        **{f"p{percent}_intensity_{channel}": value for percent, value in zip(PERCENTILES, percentiles, strict=True)},
        **{f"centroid_weighted_{channel}_{axis}_um": place for axis, place in _weighted_centroid(raw, mask, box, spacing)},
    }


def _weighted_centroid(raw, mask, box, spacing):
    """Yield the mean position along z, y, x, weighted by intensity; None where the intensities sum to nothing."""
    weights = np.where(mask, raw, 0)
    for i, (axis, side, step) in enumerate(zip("zyx", box, spacing, strict=True)):
        profile = weights.sum(axis=tuple({0, 1, 2} - {i}), dtype=np.float64)
        total = profile.sum()
        place = float((profile * np.arange(side.start, side.stop)).sum() / total * step) if total > 0 else None
        yield axis, place
