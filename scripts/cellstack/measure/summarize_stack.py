"""Summary of the objects of a stack: counts, distributions of measurements, and flags."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cellstack.config.columns import PERCENTILES
from cellstack.config.reasons import BESIDE_NO_DATA, FLAGS, KEPT, REASONS
from cellstack.core.counting import agree, counted
from cellstack.core.types import Spacing

TOTALLED = ("volume_um3", "surface_area_um2", "sum_intensity_")
NOT_SUMMARIZED = (
    "stack",
    "object",
    "label",
    "segmentation_label",
    "flags",
    "centroid_",
    "bbox_",
    "touches_",
    "direction_",
    "nucleus_segmentation_label",
)
MAX_DIAMETER_DEVIATION = 0.3
MEASURED_SOURCES = ("given", "estimated")  # of a diameter that objects are expected to have
MAX_HAZE_RATIO = 0.175  # 0.07 to 0.16 without haze; 0.15 to 0.2 if volumes are 10 % too large
SATURATED_PERCENTILE = 75
MAX_BRIGHTNESS_RATIO = 12.0  # up to which dim objects are found beside bright ones
NO_OBJECTS = "no objects"
MIN_VOXELS_OF_DIAMETER = 2  # smaller objects cannot be distinguished from noise
OTHER_DIAMETER = (
    f"median diameter differs from diameter_um by more than {100 * MAX_DIAMETER_DEVIATION:.0f} %"
)


def summarize_stack(
    columns: Mapping[str, Sequence[str]],
    reasons: Sequence[str],
    shape: tuple[int, ...],
    spacing: Spacing,
    diameter_um: float,
    diameter_source: str | None = "given",
    image_flags: Sequence[str] = (),
    no_data_fraction: float = 0.0,
    threshold_record: Mapping[str, float] | None = None,
    channel: str = "nuclei",
) -> dict[str, object]:
    """Count the objects of a stack and describe the distribution of each measurement.

    Parameters
    ----------
    columns : dict of str to (n,) sequence of str
        The table of objects by column; an empty cell is a missing value.
    reasons : sequence of str
        For each object in segmentation.tif ``"kept"``, or the reason why it was not selected, see
        :mod:`cellstack.config.reasons`.
    shape : (3,) tuple of int
        Shape of the stack.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    diameter_um : float
        The diameter that the sizes of all stages were derived from.
    diameter_source : str
        "given", "estimated", "from nuclei" or "fallback". With the last two the diameter of the
        objects is not compared with `diameter_um`.
    image_flags : sequence of str
        Findings of the import that affect the interpretation of the measurements.
    no_data_fraction : float
        Fraction of the voxels that have no data, see :mod:`cellstack.core.no_data`.
    threshold_record : dict, optional
        Record of the threshold, see :func:`cellstack.segment.binarize.binarize_with_record`.
    channel : str
        Name of the channel that shows the objects. It may be absent.

    Returns
    -------
    dict of str to object
        Status, counts, the diameter and its source, counts of flags, totals, then mean, standard
        deviation (n - 1), median, percentiles, minimum and maximum of each measurement, and the
        flags of the stack. None if there are too few objects. Labels, positions and directions are
        not summarized.

    Notes
    -----
    The diameter compared with `diameter_um` is that of the sphere with the volume of the object; in
    a stack of one plane, that of the circle with the area of its section.

    Examples
    --------
    >>> columns = {"label": ["1", "2"], "flags": ["", ""], "equivalent_diameter_um": ["6", "8"]}
    >>> reasons = ["kept", "kept", "lateral face"]
    >>> summary = summarize_stack(columns, reasons, (20, 90, 90), (1, 0.5, 0.5), 10.0)
    >>> summary["count_found"], summary["count_measured"], summary["mean_equivalent_diameter_um"]
    (3, 2, 7.0)
    """
    count = len(columns["label"])
    dropped = dict.fromkeys(REASONS, 0) | Counter(reason for reason in reasons if reason != KEPT)
    summary: dict[str, object] = {
        "status": "ok" if count else NO_OBJECTS,
        "count_found": len(reasons),
        "count_measured": count,
        "diameter_um": diameter_um,
        "diameter_source": diameter_source,
        "no_data_fraction": no_data_fraction,
    }
    for reason, number in dropped.items():
        summary[f"count_dropped_{reason.replace(' ', '_')}"] = number
    quality = threshold_record or {}
    summary["count_dropped_dim"] = quality.get("dropped_dim")
    summary["haze_ratio"] = quality.get("haze_ratio")
    saturated, highest = _count_saturated(columns, channel)
    summary["count_saturated"] = saturated
    flags = [cell.split(";") for cell in columns["flags"] if cell]
    summary["count_flagged"] = len(flags)
    for kind, start in FLAGS.items():
        flagged = [each for each in flags if any(flag.startswith(start) for flag in each)]
        summary[f"count_flagged_{kind}"] = len(flagged)
    values = {
        name: np.array([float(cell) for cell in cells if cell])
        for name, cells in columns.items()
        if not name.startswith(NOT_SUMMARIZED)
    }
    for name, sample in values.items():
        if name.startswith(TOTALLED):
            summary[f"total_{name}"] = float(sample.sum())
    for name, sample in values.items():
        summary |= _describe(name, sample)
    flags_of_stack = _flags_of_threshold(quality)
    if saturated:
        flags_of_stack.append(
            f"saturated: {saturated} of {counted(count, 'objects')} "
            f"{agree(saturated, 'has', 'have')} the highest value, {highest:g}, in at least a "
            f"quarter of {agree(saturated, 'its', 'their')} voxels (volumes can be too large)"
        )
    if no_data_fraction > 0:
        flag = f"no data in {100 * no_data_fraction:.1f} % of the voxels"
        excluded = dropped[BESIDE_NO_DATA]
        flags_of_stack.append(flag + f", objects beside them excluded: {excluded}" * (excluded > 0))
    if count == 0:
        absence = f"{NO_OBJECTS}: {_explain_absence(dropped, shape, spacing, diameter_um)}"
        summary["flags"] = ";".join([absence, *image_flags, *flags_of_stack])
        return summary
    diameters = values["equivalent_diameter_um"]
    if shape[0] == 1:
        diameters = _section_diameters(diameters, spacing[0])
    is_other = abs(np.median(diameters) / diameter_um - 1) > MAX_DIAMETER_DEVIATION
    of_diameter = [OTHER_DIAMETER] if is_other and diameter_source in MEASURED_SOURCES else []
    summary["flags"] = ";".join([*of_diameter, *image_flags, *flags_of_stack])
    return summary


def _flags_of_threshold(quality: Mapping[str, float]) -> list[str]:
    """Return the flags of a stack that follow from the record of its threshold."""
    flags = []
    if dropped := quality.get("dropped_dim", 0):
        flags.append(
            f"dim objects dropped: {dropped} (to keep them, lower "
            "binarize.per_object.min_dim_objects or min_contrast)"
        )
    if (ratio := quality.get("brightness_ratio", 1.0)) > MAX_BRIGHTNESS_RATIO:
        flags.append(
            f"some objects are {ratio:.0f} times as bright as others (dim ones that touch them can "
            "be missing or too small)"
        )
    if hollow := quality.get("hollow", 0):
        flags.append(
            f"hollow: {counted(hollow, 'objects')} {agree(hollow, 'is', 'are')} dark inside "
            "(filled)"
        )
    if (haze := quality.get("haze_ratio", 0.0)) > MAX_HAZE_RATIO:
        flags.append(
            f"haze: beside objects the intensity is {100 * haze:.0f} % of their contrast (their "
            "volumes can be too large)"
        )
    return flags


def _count_saturated(
    columns: Mapping[str, Sequence[str]], channel: str
) -> tuple[int | None, float]:
    """Return the number of objects with many voxels of the highest value, and this value.

    The number is None without intensities of the channel.
    """
    maxima = columns.get(f"max_intensity_{channel}")
    if maxima is None:
        return None, math.nan
    highest = max(map(float, maxima), default=math.nan)
    bright = columns[f"p{SATURATED_PERCENTILE}_intensity_{channel}"]
    lowest = columns[f"min_intensity_{channel}"]
    return sum(
        float(upper) == highest > float(low) for upper, low in zip(bright, lowest, strict=True)
    ), highest


def _describe(name: str, sample: NDArray[np.float64]) -> dict[str, float | None]:
    """Return the statistics of one measurement."""
    percents = (50, *PERCENTILES)
    quantiles: list[float | None] = (
        np.percentile(sample, percents).tolist() if len(sample) else [None] * len(percents)
    )
    statistics: dict[str, float | None] = {
        f"mean_{name}": float(sample.mean()) if len(sample) else None,
        f"sd_{name}": float(sample.std(ddof=1)) if len(sample) > 1 else None,
        f"median_{name}": quantiles[0],
    }
    for percent, quantile in zip(PERCENTILES, quantiles[1:], strict=True):
        statistics[f"p{percent}_{name}"] = quantile
    statistics[f"min_{name}"] = float(sample.min()) if len(sample) else None
    statistics[f"max_{name}"] = float(sample.max()) if len(sample) else None
    return statistics


def _section_diameters(diameters: NDArray[np.float64], step_um: float) -> NDArray[np.float64]:
    """Return the diameter of the circle with the area of each object, in a stack of one plane.

    `diameters` are those of the spheres with the volumes of the objects, and `step_um` is the voxel
    size along z.
    """
    areas = math.pi / 6 * diameters**3 / step_um
    return np.sqrt(4 / math.pi * areas)


def _explain_absence(
    dropped: Mapping[str, int], shape: tuple[int, ...], spacing: Spacing, diameter_um: float
) -> str:
    """Return the likely reason why a stack has no objects."""
    step = max(spacing[1:])
    side = min(size * step for size, step in zip(shape[1:], spacing[1:], strict=True))
    if diameter_um < MIN_VOXELS_OF_DIAMETER * step:
        return (
            f"diameter_um {diameter_um:.3g} is less than {MIN_VOXELS_OF_DIAMETER} voxels of "
            f"{step:.3g} um"
        )
    if diameter_um > side:
        return f"diameter_um {diameter_um:.3g} is more than the field of view, {side:.3g} um"
    excluded = [f"{number} {reason}" for reason, number in dropped.items() if number]
    if excluded:
        return f"all that were found are excluded ({', '.join(excluded)})"
    return "nothing was found (check diameter_um, the channel and the contrast of the image)"
