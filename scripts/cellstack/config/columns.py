"""The columns of the tables of results: names, units and definitions.

Imported when Snakemake parses the workflow, to check the sheet, so it imports nothing heavy.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from cellstack.config.reasons import (
    BESIDE_NO_DATA,
    LATERAL_FACE,
    TOO_LARGE,
    TOO_SMALL,
    TOP_OR_BOTTOM,
)

Column: TypeAlias = tuple[str, str]
"""Unit and definition."""

CHANNEL = "<channel>"
CHANNEL_OF = {"nuclei": "nuclei", "cells": "membrane"}  # object: the channel that shows it
PERCENTILES = (5, 25, 75, 95)  # in addition to the median
AXES = {"major": "Longest", "middle": "Middle", "minor": "Shortest"}
ELLIPSOID = "axis of the ellipsoid with the same second moments as the voxel centres"
ORIGIN = "the centre of the first voxel is at 0"
COLUMNS: dict[str, Column] = {  # in the order of the table
    "stack": ("", "Name of the stack in the sheet"),
    "object": ("", "Kind of object: nuclei or cells"),
    "label": ("", "Label of the object in labels.ome.tif"),
    "segmentation_label": (
        "",
        "Label of the object in segmentation.tif, which also contains the objects not measured",
    ),
    "flags": (
        "",
        "Unusual properties, joined by ;: touches a face, or a region without data; small or "
        "large (volume) or irregular (solidity) for its stack, by more than 3.5 robust standard "
        "deviations; seeds close "
        "together, less than half the median diameter apart; low contrast, a difference from the "
        "surrounding background below the standard deviation of that background; bright for its "
        "stack, that difference is more than 8 times the median; for cells also: "
        "no nucleus, several nuclei, or no wall towards another cell, given by its label in "
        "segmentation.tif",
    ),
    "corrections": (
        "",
        "Corrections by hand that made or accepted the object, in order, joined by ;",
    ),
    "volume_voxels": ("voxel", "Number of voxels"),
    "volume_um3": ("um3", "Number of voxels times the volume of a voxel"),
    "filled_volume_um3": (
        "um3",
        "Volume including cavities, from which no path across faces, edges or corners leads out",
    ),
    "convex_volume_um3": (
        "um3",
        "Volume of the voxels whose centres lie in the convex hull of the object's voxel centres",
    ),
    "equivalent_diameter_um": ("um", "Diameter of the sphere with the same volume"),
    "feret_diameter_max_um": ("um", "Maximum distance between two points on faces of voxels"),
    "surface_area_um2": (
        "um2",
        "Surface area by Crofton's formula in 13 directions; faces of the stack count as surface",
    ),
    "surface_area_unit_spacing": (
        "voxel side2",
        "Surface area as if voxels were cubes with a side of 1; for comparison with the tutorial",
    ),
    "sphericity": (
        "",
        "Surface area of the sphere with the same volume, divided by the surface area; "
        "1 for a sphere",
    ),
    "solidity": ("", "Volume divided by the convex volume; 1 for a convex object"),
    "extent": ("", "Volume divided by the volume of the bounding box"),
    "euler_number": (
        "",
        "Number of connected components minus handles plus cavities; 1 for a solid ball",
    ),
    "centroid_z_um": ("um", f"Mean position of the voxel centres along z; {ORIGIN}"),
    "centroid_y_um": ("um", f"Mean position of the voxel centres along y; {ORIGIN}"),
    "centroid_x_um": ("um", f"Mean position of the voxel centres along x; {ORIGIN}"),
    "bbox_min_z": ("voxel", "First plane of the object, counted from 0"),
    "bbox_min_y": ("voxel", "First row of the object, counted from 0"),
    "bbox_min_x": ("voxel", "First column of the object, counted from 0"),
    "bbox_max_z": ("voxel", "Last plane of the object, plus 1"),
    "bbox_max_y": ("voxel", "Last row of the object, plus 1"),
    "bbox_max_x": ("voxel", "Last column of the object, plus 1"),
    **{
        f"touches_{end}_{side}": (
            "",
            f"1 if the object reaches the {end} {side} of the stack and may be cut there, else 0",
        )
        for side in ("plane", "row", "column")
        for end in ("first", "last")
    },
    **{f"axis_{name}_length_um": ("um", f"{which} {ELLIPSOID}") for name, which in AXES.items()},
    **{
        f"direction_{name}_{axis}": (
            "",
            f"Component along {axis} of the unit vector along the {which.lower()} axis "
            "of that ellipsoid",
        )
        for name, which in AXES.items()
        for axis in "zyx"
    },
    **{
        f"inertia_{name}_um2": (
            "um2",
            f"Moment of inertia about the {which.lower()} axis, divided by the volume",
        )
        for name, which in AXES.items()
    },
    "contrast_to_noise_ratio": (
        "",
        "Mean raw value of the object minus that of the background around it, divided by the "
        "standard deviation of this background, in the channel that shows the objects; empty "
        "without background",
    ),
    f"mean_intensity_{CHANNEL}": ("raw value", f"Mean of the raw values of channel {CHANNEL}"),
    f"sd_intensity_{CHANNEL}": (
        "raw value",
        f"Standard deviation (n - 1) of the raw values of channel {CHANNEL} over the voxels; empty "
        "for one voxel",
    ),
    f"median_intensity_{CHANNEL}": ("raw value", f"Median of the raw values of channel {CHANNEL}"),
    f"min_intensity_{CHANNEL}": ("raw value", f"Minimum of the raw values of channel {CHANNEL}"),
    f"max_intensity_{CHANNEL}": ("raw value", f"Maximum of the raw values of channel {CHANNEL}"),
    f"sum_intensity_{CHANNEL}": ("raw value", f"Sum of the raw values of channel {CHANNEL}"),
    **{
        f"p{percent}_intensity_{CHANNEL}": (
            "raw value",
            f"Percentile {percent} of the raw values of channel {CHANNEL}",
        )
        for percent in PERCENTILES
    },
    **{
        f"centroid_weighted_{CHANNEL}_{axis}_um": (
            "um",
            f"Mean position along {axis}, weighted by the raw values of channel {CHANNEL}",
        )
        for axis in "zyx"
    },
}
PAIR_COLUMNS: dict[str, Column] = {  # last in the table of cells, in stacks with nuclei
    "nuclei_count": (
        "",
        "Number of nuclei with more than half of their volume in the cell; "
        "the next columns treat several nuclei as one",
    ),
    "nucleus_segmentation_label": (
        "",
        "Label of the nucleus in segmentation.tif; of the largest one if there are several",
    ),
    "nucleus_volume_um3": ("um3", "Volume of the part of the nucleus that lies in the cell"),
    "nucleus_to_cell_volume_ratio": ("", "Volume of the nucleus divided by that of the cell"),
    "nucleus_offset_um": ("um", "Distance between the centroids of nucleus and cell"),
    "nucleus_wall_distance_min_um": (
        "um",
        "Minimum distance from a voxel of the nucleus to a voxel outside the cell; "
        "faces of the stack do not count as walls",
    ),
    "nucleus_wall_distance_mean_um": ("um", "Mean of that distance over the voxels of the nucleus"),
    **{
        f"{part}_{name}_intensity_{CHANNEL}": (
            "raw value",
            f"{what} of the raw values of channel {CHANNEL} in the {part}{of}",
        )
        for part, of in (("nucleus", ""), ("cytoplasm", ", the cell without its nucleus"))
        for name, what in (("mean", "Mean"), ("sum", "Sum"))
    },
}

STACK_COLUMNS: dict[str, Column] = {  # in the order of stacks.csv
    "stack": ("", "Name of the stack in the sheet"),
    "object": ("", "Kind of object: nuclei or cells"),
    "status": (
        "",
        "ok or no objects; failed or not run for stacks without results, in tables that were "
        "collected without them",
    ),
    "flags": ("", "Reasons to check the stack, joined by ;"),
    "count_found": ("", "Number of objects in segmentation.tif, whether measured or not"),
    "count_measured": ("", "Number of objects in labels.ome.tif and in objects.csv"),
    "count_flagged": ("", "Number of measured objects with flags in objects.csv"),
    "count_corrected": (
        "",
        "Number of measured objects that were corrected or accepted by hand",
    ),
    "count_corrections": ("", "Number of corrections of the objects of the stack"),
    "count_corrections_not_applied": (
        "",
        "Number of corrections that were not applied, because the objects at their points do not "
        "fit them; corrections.csv has the reasons",
    ),
    "density_per_mm3": (
        "1/mm3",
        "Objects found that do not touch the first row or the first column, divided by the volume "
        "of the stack that has data; empty for a stack of one plane",
    ),
    "median_equivalent_diameter_um": (
        "um",
        "Median of equivalent_diameter_um over the measured objects",
    ),
    "median_volume_um3": ("um3", "Median of volume_um3 over the measured objects"),
    "diameter_um": ("um", "Diameter that the sizes of all stages are derived from"),
    "diameter_source": (
        "",
        "given; estimated from the stack; from nuclei, for cells; or fallback, if nothing was "
        "found for an estimate",
    ),
    "estimated_diameter_um": (
        "um",
        "Typical diameter of the bright objects in the image, estimated even if the diameter is "
        "given; empty for cells and external labels, and if nothing was found",
    ),
    **{f"voxel_size_{axis}_um": ("um", f"Voxel size along {axis}") for axis in "zyx"},
    **{f"shape_{axis}_voxels": ("voxel", f"Number of voxels along {axis}") for axis in "zyx"},
    "stack_volume_um3": ("um3", "Volume of the stack, with regions without data"),
    "no_data_fraction": ("", "Fraction of the voxels without data"),
    "median_contrast_to_noise_ratio": (
        "",
        "Median of contrast_to_noise_ratio over the measured objects",
    ),
    "signal_to_noise_ratio": (
        "",
        "Signal of the channel of the objects divided by its noise, see quality.csv; about 1.1 for "
        "noise alone, 6 or more for images with clear objects",
    ),
    "dimming_ratio": (
        "",
        "Signal of the channel of the objects at the last planes divided by that at the first, see "
        "quality.csv",
    ),
    "haze_ratio": (
        "",
        "Intensity beside nuclei, at 0.15 to 0.36 diameters from their outlines, above the "
        "background and divided by their contrast: the median over all nuclei",
    ),
    "count_saturated": (
        "",
        "Number of measured nuclei with the highest value of all nuclei in at least a quarter of "
        "their voxels",
    ),
    **{
        f"count_dropped_{reason.replace(' ', '_')}": ("", f"Number of objects found, but not {why}")
        for reason, why in {
            LATERAL_FACE: "measured because a lateral face cuts them",
            TOP_OR_BOTTOM: "measured because the first or last plane cuts them",
            BESIDE_NO_DATA: "measured because they touch a region without data",
            TOO_SMALL: "measured because their volume is below select_objects.min_volume_um3",
            TOO_LARGE: "measured because their volume is above select_objects.max_volume_um3",
        }.items()
    },
    "count_dropped_dim": (
        "",
        "Number of sharp objects that are not segmented because others are much brighter",
    ),
    "cut_by_faces": (
        "",
        "Number of objects found that touch each face of the stack, joined by ;, such as "
        "first plane 3;last row 1; first and last plane are left out in a stack of one plane",
    ),
}
BLOCKS = "means of blocks of 4 x 4 pixels"
QUALITY_COLUMNS: dict[str, Column] = {  # in the order of quality.csv
    "stack": ("", "Name of the stack in the sheet"),
    "channel": ("", "Name of the channel in the sheet"),
    "flags": ("", "Reasons to check the channel, joined by ;"),
    "saturated_fraction": ("", "Fraction of the voxels with the highest value of the channel"),
    "zero_fraction": ("", "Fraction of the voxels with the value 0"),
    "count_grey_levels": (
        "",
        "Number of different values; in float images, among about a million voxels",
    ),
    "noise_sd_intensity": (
        "raw value",
        "Standard deviation of the noise that is independent from voxel to voxel",
    ),
    "signal_to_noise_ratio": (
        "",
        f"Percentile 99.5 minus percentile 5 of {BLOCKS}, divided by noise_sd_intensity; "
        "about 1.1 for noise alone",
    ),
    "dimming_ratio": (
        "",
        "Signal at signal_end_um divided by that at signal_start_um, by the fit of an exponential "
        f"to the signal of the planes with signal: percentile 99 minus percentile 5 of {BLOCKS}",
    ),
    "dimming_fit_fraction": (
        "",
        "Fraction of the variance of the logarithm of the signal that the exponential of "
        "dimming_ratio explains",
    ),
    "signal_start_um": (
        "um",
        "Position along z of the first plane whose signal is at least twice noise_sd_intensity; "
        "the first plane of the stack is at 0",
    ),
    "signal_end_um": (
        "um",
        "Position along z of the last plane with such a signal, see signal_start_um",
    ),
    "background_range_ratio": (
        "",
        f"Range of percentile 10 of {BLOCKS} over 4 x 4 tiles of the field of view, divided by the "
        "signal of the stack",
    ),
    "count_blurred_planes": (
        "",
        "Number of planes whose focus, the mean square gradient divided by the variance, is less "
        "than half that of the adjacent planes",
    ),
    "count_repeated_planes": ("", "Number of planes that are identical to the plane before"),
    "count_missing_planes": ("", "Number of constant planes in a stack that has other planes"),
}
STATISTICS_COLUMNS: dict[str, Column] = {  # in the order of statistics.csv
    "stack": ("", "Name of the stack in the sheet"),
    "object": ("", "Kind of object: nuclei or cells"),
    "column": ("", "Column of objects.csv"),
    "unit": ("", "Unit of this column, and of all statistics but n"),
    "n": (
        "",
        "Number of measured objects with a value; statistics without enough values are empty",
    ),
    "mean": ("", "Arithmetic mean"),
    "sd": ("", "Standard deviation of the sample (divided by n - 1)"),
    "min": ("", "Minimum"),
    **{f"p{percent}": ("", f"Percentile {percent}") for percent in (5, 25)},
    "median": ("", "Median"),
    **{f"p{percent}": ("", f"Percentile {percent}") for percent in (75, 95)},
    "max": ("", "Maximum"),
    "total": ("", "Sum, for volumes, surface areas and summed intensities"),
}
CONTACT_COLUMNS: dict[str, Column] = {  # in the order of contacts.csv
    "stack": ("", "Name of the stack in the sheet"),
    "object": ("", "Kind of object"),
    "segmentation_label_1": ("", "Label of the first cell in segmentation.tif, the lower one"),
    "segmentation_label_2": ("", "Label of the second cell in segmentation.tif"),
    "label_1": ("", "Label of the first cell in labels.ome.tif; 0 if it is not measured"),
    "label_2": ("", "Label of the second cell in labels.ome.tif; 0 if it is not measured"),
    "contact_area_um2": ("um2", "Area of the contact"),
    "wall_strength": ("", "Mean ridge strength over the contact; 1 is the Otsu threshold"),
    "wall_missing": (
        "",
        "1 if the wall is weaker than min_wall_strength and the contact larger than "
        "min_contact_fraction of merge_cells, else 0",
    ),
}
SELECTION_COLUMNS: dict[str, Column] = {  # in the order of selection.csv
    "segmentation_label": ("", "Label of the object in segmentation.tif"),
    "label": ("", "Label of the object in labels.ome.tif; 0 if it is not measured"),
    "volume_um3": ("um3", "Number of voxels times the volume of a voxel"),
    "reason": ("", "kept, or why the object is not measured"),
}
CORRECTION_COLUMNS: dict[str, Column] = {  # in the order of corrections.csv
    "stack": ("", "Name of the stack in the sheet"),
    "object": ("", "Kind of object: nuclei or cells"),
    "number": ("", "Number of the correction among those of this stack and kind, from 1"),
    "action": ("", "merge, split, delete, add, redraw or accept"),
    "z_um": ("um", f"First point of the correction along z; {ORIGIN}"),
    "y_um": ("um", f"First point of the correction along y; {ORIGIN}"),
    "x_um": ("um", f"First point of the correction along x; {ORIGIN}"),
    "count_points": ("", "Number of points of the correction"),
    "status": ("", "applied, or not applied"),
    "reason": ("", "Why it was not applied"),
    "segmentation_labels": (
        "",
        "Labels in segmentation.tif of the objects that the correction made or accepted, joined "
        "by ;, without those that a later correction changed",
    ),
}


def column_names(channels: Iterable[str]) -> list[str]:
    """Return the columns of the table of objects, in order.

    Parameters
    ----------
    channels : iterable of str
        The channels that are measured.

    Returns
    -------
    list of str
        The names in :data:`COLUMNS`, with those of a channel repeated for each channel.
    """
    return _fill_in(COLUMNS, channels)


def pair_column_names(channels: Iterable[str]) -> list[str]:
    """Return the columns that only the table of cells has, in order.

    Parameters
    ----------
    channels : iterable of str
        The channels that are measured.

    Returns
    -------
    list of str
        The names in :data:`PAIR_COLUMNS`, with those of a channel repeated for each channel.
    """
    return _fill_in(PAIR_COLUMNS, channels)


def _fill_in(columns: Mapping[str, Column], channels: Iterable[str]) -> list[str]:
    fixed = [name for name in columns if CHANNEL not in name]
    by_channel = [name for name in columns if CHANNEL in name]
    return fixed + [name.replace(CHANNEL, channel) for channel in channels for name in by_channel]


def describe(column: str) -> Column | None:
    """Return the unit and the definition of a column.

    Parameters
    ----------
    column : str
        The name of a column.

    Returns
    -------
    tuple of str or None
        Unit and definition, with the name of the channel filled in; None for an unknown column.

    Examples
    --------
    >>> describe("mean_intensity_membrane")
    ('raw value', 'Mean of the raw values of channel membrane')
    """
    for name, (unit, definition) in (COLUMNS | PAIR_COLUMNS).items():
        pattern = re.escape(name).replace(CHANNEL, "([^_]+)")  # names of channels contain no "_"
        channel = re.fullmatch(pattern, column)
        if channel:
            return unit, definition.replace(CHANNEL, "".join(channel.groups()))
    return None


def describe_tables(
    channels: Sequence[str],
    kinds: Collection[str],
    from_sheet: Iterable[str],
    has_corrections: bool = False,
) -> dict[str, dict[str, Column]]:
    """Return units and definitions of the columns of all tables except those of scores.

    Parameters
    ----------
    channels : sequence of str
        The channels that are measured.
    kinds : collection of str
        The kinds of object: nuclei, cells or both.
    from_sheet : iterable of str
        The user's columns of the sheet.
    has_corrections : bool
        Whether there are corrections by hand.

    Returns
    -------
    dict of str to dict of str to (str, str)
        Unit and definition by table and column.

    Examples
    --------
    >>> tables = describe_tables(["nuclei"], ["nuclei"], ["mouse"])
    >>> list(tables)
    ['stacks.csv', 'objects.csv', 'statistics.csv', 'quality.csv', 'selection.csv']
    >>> tables["stacks.csv"]["mouse"]
    ('', 'from the sheet')
    """
    users = dict.fromkeys(from_sheet, ("", "from the sheet"))
    all_columns = {**COLUMNS, **(PAIR_COLUMNS if "cells" in kinds else {})}
    objects = {name: describe(name) or ("", "") for name in _fill_in(all_columns, channels)}
    tables = {
        "stacks.csv": _insert(STACK_COLUMNS, users, after="flags"),
        "objects.csv": _insert(objects, users, after="segmentation_label"),
        "statistics.csv": STATISTICS_COLUMNS,
        "quality.csv": QUALITY_COLUMNS,
        "selection.csv": SELECTION_COLUMNS,
    }
    if has_corrections:
        tables["corrections.csv"] = CORRECTION_COLUMNS
    if "cells" in kinds:
        names = ["label", *pair_column_names(channels), "flags"]
        tables["contacts.csv"] = CONTACT_COLUMNS
        tables["pairs.csv"] = {name: describe(name) or ("", "") for name in names}
    return tables


def _insert(
    columns: Mapping[str, Column], others: Mapping[str, Column], after: str
) -> dict[str, Column]:
    place = list(columns).index(after) + 1
    items = list(columns.items())
    return dict([*items[:place], *others.items(), *items[place:]])


def is_result(name: str) -> bool:
    """Return whether objects.csv or stacks.csv has, or may have, a column of that name."""
    return bool(describe(name) or name in STACK_COLUMNS)
