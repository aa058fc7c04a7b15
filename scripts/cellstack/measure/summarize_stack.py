"""Summary of the objects of a stack: counts, distributions of measurements, and flags."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cellstack.config.object_columns import CHANNEL_OF, PERCENTILES, describe
from cellstack.config.reasons import (
    BESIDE_NO_DATA,
    BRIGHT,
    CONTRAST,
    IRREGULAR,
    LATERAL_FACE,
    OTHER_DIAMETER,
    PARTS,
    REASONS,
    SEEDS,
    SUGGESTED,
    TOO_LARGE,
    TOO_SMALL,
    TOP_OR_BOTTOM,
)
from cellstack.core.counting import agree, counted
from cellstack.core.counting_frame import frame_volume
from cellstack.core.planes import Stack, section
from cellstack.core.types import Box, Spacing

TOTALLED = ("volume_um3", "surface_area_um2", "sum_intensity_")
NOT_DESCRIBED = (
    "stack",
    "object",
    "label",
    "segmentation_label",
    "flags",
    "corrections",
    "class",  # and its probability
    "centroid_",
    "bbox_",
    "touches_",
    "direction_",
    "nucleus_segmentation_label",
    "region_label",
    "region_name",
    "tissue_surface_uncertain",
    "nearest_other_kind_segmentation_label",
)
UM3_PER_MM3 = 1e9
MAX_DIAMETER_RATIO = 1.5
MIN_OBJECTS = 5  # for flags that depend on a fraction of the objects
# Fractions of the objects above which a stack is flagged
MAX_OUTSIDE_RANGE = 0.25
MAX_CUT = 0.75
MAX_FLAGGED = 1 / 3
MIN_CONTRAST_TO_NOISE = 1.75
MEASURED_SOURCES = ("given", "estimated")  # of a diameter that objects are expected to have
MAX_HAZE_RATIO = 0.175  # 0.07 to 0.16 without haze; 0.15 to 0.2 if volumes are 10 % too large
MAX_CLIPPED_FRACTION = 0.6  # up to which volumes are at most 10 % too large; 0.3 in other stacks
SATURATED_PERCENTILE = 75
MAX_BRIGHTNESS_RATIO = 12.0  # up to which dim objects are found beside bright ones
NO_OBJECTS = "no objects"
MIN_VOXELS_OF_DIAMETER = 2  # smaller objects cannot be distinguished from noise
NOT_APPLIED = "not applied"  # status of a correction
SATURATED, NOISY = "saturated", "low signal to noise"  # of objects, and of the whole channel
MAX_LENGTH_ALONG_Z = 2.0  # of nuclei, relative to that across; by blur and shape up to 1.7
MAX_NUCLEUS_TO_CELL_VOLUME = 0.9  # of cells whose wall was found; then 0.2 to 0.5
# Of the rest of a cell and its nucleus, in standard deviations of the voxels of the cell: from 0.38
# in simulated and real cells, at most 0.13 if the membrane is shifted far, mirrored or transposed
MIN_MEMBRANE_CONTRAST = 0.15
WHY_FLAGGED = {
    SEEDS: "objects may be split into several",
    IRREGULAR: "check the figures",
    CONTRAST: "they may be noise",
}


def summarize_stack(
    columns: Mapping[str, Sequence[str]],
    reasons: Sequence[str],
    segmentation: Stack,
    spacing: Spacing,
    diameter_um: float,
    diameter_source: str | None = "given",
    image_flags: Sequence[str] = (),
    no_data_fraction: float = 0.0,
    mask_record: Mapping[str, float] | None = None,
    channel: str = "nuclei",
    estimated_um: float | None = None,
    quality: Mapping[str, float | None] | None = None,
    doubt: str = "",
    corrections: Sequence[str] = (),
    count_in_frame: int = 0,
    frame: Box | None = None,
) -> dict[str, object]:
    """Summarize a stack: its size, the number of its objects, their typical size, and flags.

    Parameters
    ----------
    columns : dict of str to (n,) sequence of str
        The table of objects by column; an empty cell is a missing value.
    reasons : sequence of str
        For each object in segmentation.tif ``"kept"``, or the reason why it was not selected, see
        :mod:`cellstack.config.reasons`.
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects, measured or not.
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
    mask_record : dict, optional
        Records of the mask, see :func:`cellstack.segment.binarize.binarize_with_record` and
        :func:`cellstack.segment.clean_mask.clean_mask_with_record`.
    channel : str
        Name of the channel that shows the objects. It may be absent.
    estimated_um : float, optional
        The diameter that the image suggests, see
        :func:`cellstack.prepare.estimate_diameter.check_diameter`.
    quality : dict, optional
        Image quality of the channel that shows the objects, see
        :func:`cellstack.measure.measure_quality.quality_row`.
    doubt : str
        Why an estimated diameter is uncertain; empty if it is not.
    corrections : sequence of str
        Status of each correction of the stack, ``"applied"`` or ``"not applied"``.
    count_in_frame : int
        Number of objects that count in the counting frame.
    frame : (3,) tuple of slice, optional
        The counting frame, see :func:`cellstack.core.counting_frame.place_frame`. Without it there
        is no density.

    Returns
    -------
    dict of str to object
        The cells of :data:`cellstack.config.columns.STACK_COLUMNS` and
        :data:`cellstack.config.columns.CHECK_COLUMNS`, without the names of stack and kind.
        None if there are too few objects.

    Notes
    -----
    The diameter compared with `diameter_um` is that of the sphere with the volume of the object; in
    a stack of one plane, that of the circle with the area of its section.

    Examples
    --------
    >>> columns = {"label": ["1", "2"], "flags": ["", ""], "volume_um3": ["113", "268"],
    ...            "equivalent_diameter_um": ["6", "8"]}
    >>> reasons = ["kept", "kept", "lateral face"]
    >>> segmentation = np.zeros((20, 90, 90), np.uint16)
    >>> summary = summarize_stack(columns, reasons, segmentation, (1, 0.5, 0.5), 10.0)
    >>> summary["count_found"], summary["count_measured"], summary["median_equivalent_diameter_um"]
    (3, 2, 7.0)
    """
    count = len(columns["label"])
    shape = segmentation.shape
    counts = Counter(reasons)
    dropped = {reason: counts[reason] for reason in REASONS}
    mask, image = mask_record or {}, quality or {}
    sheets = None
    if "sheet_voxels" in mask:
        sheets = mask["sheet_voxels"] / max(1, mask["foreground_voxels"])
    saturated, highest = _count_saturated(columns, channel)
    volume_um3 = math.prod(shape) * math.prod(float(step) for step in spacing)
    diameters = _numbers(columns["equivalent_diameter_um"])
    volumes = _numbers(columns["volume_um3"])
    contrasts = _numbers(columns.get("contrast_to_noise_ratio", ()))
    contrast = float(np.median(contrasts)) if len(contrasts) else None
    summary: dict[str, object] = {
        "status": "ok" if count else NO_OBJECTS,
        "flags": "",  # filled in below
        "count_found": len(reasons),
        "count_measured": count,
        "count_flagged": sum(bool(cell) for cell in columns["flags"]),
        "count_corrected": sum(bool(cell) for cell in columns.get("corrections", ())),
        "count_corrections": len(corrections),
        "count_corrections_not_applied": corrections.count(NOT_APPLIED),
        "density_per_mm3": _density(count_in_frame, frame, shape, spacing, no_data_fraction),
        "median_equivalent_diameter_um": float(np.median(diameters)) if count else None,
        "median_volume_um3": float(np.median(volumes)) if len(volumes) else None,
        "diameter_um": diameter_um,
        "diameter_source": diameter_source,
        "estimated_diameter_um": estimated_um,
        **{f"voxel_size_{axis}_um": step for axis, step in zip("zyx", spacing, strict=True)},
        **{f"shape_{axis}_voxels": size for axis, size in zip("zyx", shape, strict=True)},
        "stack_volume_um3": volume_um3,
        "no_data_fraction": no_data_fraction,
        "median_contrast_to_noise_ratio": contrast,
        "signal_to_noise_ratio": image.get("signal_to_noise_ratio"),
        "dimming_ratio": image.get("dimming_ratio"),
        "haze_ratio": mask.get("haze_ratio"),
        "sheet_fraction": sheets,
        "count_saturated": saturated,
    }
    for reason, number in dropped.items():
        summary[f"count_dropped_{reason.replace(' ', '_')}"] = number
    summary["count_dropped_dim"] = mask.get("dropped_dim")
    summary["cut_by_faces"] = _cut_by_faces(segmentation)
    flags_of_stack = _flags_of_mask(mask, sheets or 0.0)
    if unfit := corrections.count(NOT_APPLIED):
        flags_of_stack.insert(
            0,
            f"corrections not applied: {unfit} of {len(corrections)} (the objects do not fit them, "
            f"see {channel}/corrections.csv)",
        )
    if saturated:
        flags_of_stack.append(
            f"{SATURATED}: {saturated} of {counted(count, 'objects')} "
            f"{agree(saturated, 'has', 'have')} the highest value, {highest:g}, in at least a "
            f"quarter of {agree(saturated, 'its', 'their')} voxels (volumes can be too large)"
        )
    if no_data_fraction > 0:
        flag = f"no data in {100 * no_data_fraction:.1f} % of the voxels"
        excluded = dropped[BESIDE_NO_DATA]
        flags_of_stack.append(flag + f", objects beside them excluded: {excluded}" * (excluded > 0))
    flags_of_stack += _flags_of_objects(columns["flags"], reasons, contrast)
    flags_of_stack += _flags_of_pairs(columns)
    of_diameter = _flags_of_diameter(diameters, shape, spacing, diameter_um, diameter_source)
    if estimated_um and _differ(estimated_um, diameter_um):
        of_diameter.append(
            f"{SUGGESTED} of {estimated_um:.3g} um, not {diameter_um:.3g} um "
            "(check diameter_um, the voxel size and the channel)"
        )
    length = _length_along_z(columns) if channel == CHANNEL_OF["nuclei"] else None
    if length is not None and length > MAX_LENGTH_ALONG_Z:
        of_diameter.append(
            f"long along z: the median object is {length:.2g} times as long along z as across "
            "(check the voxel size along z)"
        )
    thickness_um = shape[0] * spacing[0]
    if shape[0] > 1 and thickness_um < diameter_um and diameter_source in MEASURED_SOURCES:
        of_diameter.append(
            f"thinner than an object: {shape[0]} planes are {thickness_um:.3g} um, and diameter_um "
            f"{diameter_um:.3g} um (volumes and shapes are those of sections)"
        )
    if doubt:
        of_diameter.append(f"the estimated diameter is uncertain: {doubt} (give diameter_um)")
    if count == 0:
        absence = f"{NO_OBJECTS}: {_explain_absence(dropped, shape, spacing, diameter_um)}"
        of_diameter.insert(0, absence)
    repeated = tuple(
        f"{channel}: {start}"
        for start in (SATURATED, NOISY)
        if any(flag.startswith(start) for flag in flags_of_stack)
    )
    of_image = [flag for flag in image_flags if not repeated or not flag.startswith(repeated)]
    summary["flags"] = ";".join([*of_diameter, *of_image, *flags_of_stack])
    return summary


def describe_objects(columns: Mapping[str, Sequence[str]]) -> list[dict[str, object]]:
    """Describe the distribution of each measurement over the objects of a stack.

    Parameters
    ----------
    columns : dict of str to (n,) sequence of str
        The table of objects by column; an empty cell is a missing value.

    Returns
    -------
    list of dict of str to object
        A row for each measured column, with the cells of
        :data:`cellstack.config.columns.STATISTICS_COLUMNS`, without the names of stack and kind.
        Standard deviations are those of a sample (n - 1). None if there are too few values. Labels,
        positions and directions are not described.

    Examples
    --------
    >>> (row,) = describe_objects({"label": ["1", "2"], "volume_um3": ["6", "8"]})
    >>> row["column"], row["unit"], row["n"], row["mean"], round(row["sd"], 3)
    ('volume_um3', 'um3', 2, 7.0, 1.414)
    """
    rows = []
    for name, cells in columns.items():
        if name.startswith(NOT_DESCRIBED):
            continue
        sample = _numbers(cells)
        (unit, _) = describe(name) or ("", "")
        total = float(sample.sum()) if name.startswith(TOTALLED) else None
        row: dict[str, object] = {"column": name, "unit": unit, **_describe(sample), "total": total}
        rows.append(row)
    return rows


def _numbers(cells: Sequence[str]) -> NDArray[np.float64]:
    return np.array([float(cell) for cell in cells if cell])


def _density(
    count_in_frame: int,
    frame: Box | None,
    shape: tuple[int, ...],
    spacing: Spacing,
    no_data_fraction: float,
) -> float | None:
    """Return the number of objects per mm3 of the counting frame that has data."""
    if frame is None or shape[0] == 1:
        return None
    volume_um3 = frame_volume(frame, spacing) * (1 - no_data_fraction)
    return count_in_frame / volume_um3 * UM3_PER_MM3 if volume_um3 else None


def _cut_by_faces(segmentation: Stack) -> str:
    """Return the number of objects that reach each face, without faces that none reaches."""
    counts = []
    for axis, side in enumerate(("plane", "row", "column")):
        if axis == 0 and len(segmentation) == 1:
            continue  # all objects reach both
        for end, index in (("first", 0), ("last", -1)):
            found = np.unique(section(segmentation, axis, index))
            if number := np.count_nonzero(found):
                counts.append(f"{end} {side} {number}")
    return ";".join(counts)


def _flags_of_diameter(
    diameters: NDArray[np.float64],
    shape: tuple[int, ...],
    spacing: Spacing,
    diameter_um: float,
    diameter_source: str | None,
) -> list[str]:
    """Return the flag of a stack whose objects have another diameter than those looked for."""
    if not len(diameters) or diameter_source not in MEASURED_SOURCES:
        return []
    if shape[0] == 1:
        diameters = _section_diameters(diameters, spacing[0])
    median = float(np.median(diameters))
    if not _differ(median, diameter_um):
        return []
    return [
        f"{OTHER_DIAMETER}: the median is {median:.3g} um, and diameter_um {diameter_um:.3g} um "
        "(check which of them is right)"
    ]


def _length_along_z(columns: Mapping[str, Sequence[str]]) -> float | None:
    """Return the typical length along z of objects that touch no face, relative to that across.

    None if there are fewer than five, or without the axes of objects.
    """
    if "axis_major_length_um" not in columns:
        return None
    lengths, directions = (
        np.array([_numbers(columns[name.format(axis)]) for axis in ("major", "middle", "minor")])
        for name in ("axis_{}_length_um", "direction_{}_z")
    )
    touches = [_numbers(cells) for name, cells in columns.items() if name.startswith("touches_")]
    is_complete = ~np.any(touches, axis=0)
    if np.count_nonzero(is_complete) < MIN_OBJECTS:
        return None
    along_z = ((lengths * directions) ** 2).sum(axis=0)
    across = ((lengths**2).sum(axis=0) - along_z) / 2  # the mean of two directions
    typical = np.median(across[is_complete])
    return math.sqrt(np.median(along_z[is_complete]) / typical) if typical else None


def _differ(diameter: float, other: float) -> bool:
    return max(diameter / other, other / diameter) > MAX_DIAMETER_RATIO


def _flags_of_objects(
    flags: Sequence[str], reasons: Sequence[str], contrast: float | None
) -> list[str]:
    """Return the flags of a stack in which many objects are excluded or unusual."""
    found = []
    counts = Counter(reasons)
    outside = counts[TOO_SMALL] + counts[TOO_LARGE]
    if outside > MAX_OUTSIDE_RANGE * len(reasons) and len(reasons) >= MIN_OBJECTS:
        found.append(
            f"outside the size range: {outside} of {len(reasons)} objects (check diameter_um)"
        )
    cut = counts[LATERAL_FACE] + counts[TOP_OR_BOTTOM]
    if cut > MAX_CUT * len(reasons) and len(reasons) >= MIN_OBJECTS:
        found.append(f"cut by a face and not measured: {cut} of {len(reasons)} objects")
    for start, why in WHY_FLAGGED.items():
        number = sum(any(flag.startswith(start) for flag in cell.split(";")) for cell in flags)
        if number > MAX_FLAGGED * len(flags) and len(flags) >= MIN_OBJECTS:
            found.append(f"{start}: {number} of {len(flags)} objects ({why})")
    if divided := sum(PARTS in cell.split(";") for cell in flags):
        found.append(
            f"{PARTS}: {divided} of {counted(len(flags), 'objects')} (a label may be that of "
            "several objects)"
        )
    if bright := sum(BRIGHT in cell.split(";") for cell in flags):
        found.append(
            f"{BRIGHT}: {counted(bright, 'objects')} (objects beside "
            f"{agree(bright, 'it', 'them')} can be missing or too small)"
        )
    if contrast is not None and contrast < MIN_CONTRAST_TO_NOISE:
        found.append(
            f"{NOISY}: the median contrast of the objects is {contrast:.2g} standard "
            "deviations of their background (check the figures)"
        )
    return found


def _flags_of_pairs(columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the flag of a stack in whose nuclei the membrane is as bright as beside them."""
    membrane = CHANNEL_OF["cells"]
    names = [f"{part}_mean_intensity_{membrane}" for part in ("nucleus", "cytoplasm")]
    if names[0] not in columns:
        return []
    empty = [""] * len(columns[names[0]])  # a column that is not measured
    inside, outside, ratios, spread = (
        np.array([float(cell or "nan") for cell in columns.get(name, empty)])
        for name in (*names, "nucleus_to_cell_volume_ratio", f"sd_intensity_{membrane}")
    )
    fills = ratios > MAX_NUCLEUS_TO_CELL_VOLUME
    found = (fills | (inside > outside))[~np.isnan(ratios)]  # of cells with a nucleus
    if len(found) < MIN_OBJECTS:
        return []
    number, why = np.count_nonzero(found), "(check whether the channels are shifted or mixed up)"
    if number > MAX_FLAGGED * len(found):
        return [
            f"{membrane} in nuclei: {number} of {len(found)} nuclei are as bright as the rest of "
            f"their cell, or fill it {why}"
        ]
    with np.errstate(divide="ignore", invalid="ignore"):  # a constant channel
        contrast = (outside - inside) / spread
    known = contrast[np.isfinite(contrast)]
    if len(known) >= MIN_OBJECTS and np.median(known) < MIN_MEMBRANE_CONTRAST:
        return [f"{membrane} in nuclei: most are about as bright as the rest of their cell {why}"]
    return []


def _flags_of_mask(quality: Mapping[str, float], sheet_fraction: float) -> list[str]:
    """Return the flags of a stack that follow from the records of its mask."""
    flags = []
    if sheet_fraction > 0:
        flags.append(
            f"sheets removed: {100 * sheet_fraction:.2g} % of the mask was in thin, wide "
            "structures (if they are flat nuclei, leave remove_sheets out of clean_mask.steps)"
        )
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
    if (clipped := quality.get("clipped_fraction", 0.0)) > MAX_CLIPPED_FRACTION:
        flags.append(
            f"clipped: {100 * clipped:.0f} % of the voxels of objects have the highest contrast, "
            "since they fill little of the stack (volumes are too large, raise "
            "adjust_contrast.percentile_stretch.high)"
        )
    if seams := quality.get("seam_disagreements", 0):
        flags.append(
            f"seams: blocks disagreed on {counted(seams, 'objects')} (raise "
            "split_into_blocks.overlap_um)"
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


def _describe(sample: NDArray[np.float64]) -> dict[str, float | None]:
    """Return the statistics of one measurement."""
    n = len(sample)
    quantiles: list[float | None] = (
        np.percentile(sample, (*PERCENTILES, 50)).tolist() if n else [None] * (len(PERCENTILES) + 1)
    )
    named = dict(zip([f"p{percent}" for percent in PERCENTILES], quantiles[:-1], strict=True))
    return {
        "n": n,
        "mean": float(sample.mean()) if n else None,
        "sd": float(sample.std(ddof=1)) if n > 1 else None,
        "min": float(sample.min()) if n else None,
        **named,
        "median": quantiles[-1],
        "max": float(sample.max()) if n else None,
    }


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
    excluded = [f"{reason}: {number}" for reason, number in dropped.items() if number]
    if excluded:
        return f"all that were found are excluded ({', '.join(excluded)})"
    return "nothing was found (check diameter_um, the channel and the contrast of the image)"
