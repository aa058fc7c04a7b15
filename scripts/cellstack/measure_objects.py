"""Size, shape, position and intensity of each object, in um and in the raw values of each channel.

Halo: none, an object is looked at as a whole.
"""

import math

import cc3d
import numpy as np

from cellstack import surface_area


def find_boxes(labels):
    """Find the bounding box of each object.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        0 is background.

    Returns
    -------
    dict of int to tuple of slice
        The boxes by label, labels rising; a label without voxels is left out.
    """
    found = cc3d.statistics(labels)
    return {label: found["bounding_boxes"][label] for label in range(1, len(found["voxel_counts"])) if found["voxel_counts"][label]}


def measure_shapes(labels, boxes, spacing):
    """Measure volume, surface, position and axes of each object.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        0 is background.
    boxes : dict of int to tuple of slice
        As :func:`find_boxes` gives them.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    list of dict
        One per object, in the order of `boxes`; the keys are defined in :data:`cellstack.columns.COLUMNS`.
    """
    spacing = np.asarray(spacing, float)
    return [{"label": label} | _measure_shape(labels[box] == label, [side.start for side in box], spacing) for label, box in boxes.items()]


def _measure_shape(mask, start, spacing):
    count = int(np.count_nonzero(mask))
    volume = count * float(np.prod(spacing))
    area = surface_area.surface_area(mask, spacing)
    centre, moments = _second_moments(mask, count)
    # An ellipsoid with semi-axis a has the variance a ** 2 / 5 along it; rounding can turn a variance of 0 negative.
    variances = np.linalg.eigvalsh(moments * np.outer(spacing, spacing)).clip(0)
    minor, middle, major = (float(length) for length in np.sqrt(20 * variances))
    diameter = math.cbrt(6 * volume / math.pi)
    return {
        "volume_voxels": count,
        "volume_um3": volume,
        "equivalent_diameter_um": diameter,
        "surface_area_um2": area,
        "sphericity": math.pi * diameter**2 / area,
        **{f"centroid_{axis}_um": float((start[i] + centre[i]) * spacing[i]) for i, axis in enumerate("zyx")},
        **{f"bbox_min_{axis}": start[i] for i, axis in enumerate("zyx")},
        **{f"bbox_max_{axis}": start[i] + mask.shape[i] for i, axis in enumerate("zyx")},
        "axis_major_length_um": major,
        "axis_middle_length_um": middle,
        "axis_minor_length_um": minor,
    }


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


def measure_intensities(labels, boxes, raw, channel):
    """Measure the raw values of one channel in each object.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        0 is background.
    boxes : dict of int to tuple of slice
        As :func:`find_boxes` gives them.
    raw : (Z, Y, X) ndarray of integer or float
        The channel, as it was recorded.
    channel : str
        What the columns call it.

    Returns
    -------
    list of dict
        One per object, in the order of `boxes`; the keys are defined in
        :data:`cellstack.columns.COLUMNS`. Sums are exact for integers, else float64.
    """
    return [_measure_intensity(raw[box][labels[box] == label], channel) for label, box in boxes.items()]


def _measure_intensity(values, channel):
    total = values.sum(dtype=np.int64 if values.dtype.kind in "iu" else np.float64).item()
    return {
        f"mean_intensity_{channel}": total / len(values),
        f"sd_intensity_{channel}": float(values.std(dtype=np.float64)),
        f"min_intensity_{channel}": values.min().item(),
        f"max_intensity_{channel}": values.max().item(),
        f"sum_intensity_{channel}": total,
    }
