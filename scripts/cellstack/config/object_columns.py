"""The columns of objects.csv: names, units and definitions.

The columns of a group are only measured if ``measure_objects.columns`` names the group, or if the
configuration or the sheet declares what they describe.

Imported when Snakemake parses the workflow, to check the sheet, so it imports nothing heavy.
"""

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

Column: TypeAlias = tuple[str, str]
"""Unit and definition."""

CHANNEL, CHANNEL_1, CHANNEL_2 = "<channel>", "<channel_1>", "<channel_2>"
CHANNEL_OF = {"nuclei": "nuclei", "cells": "membrane"}  # object: the channel that shows it
PERCENTILES = (5, 25, 75, 95)  # in addition to the median
AXES = {"major": "Longest", "middle": "Middle", "minor": "Shortest"}
ELLIPSOID = "axis of the ellipsoid with the same second moments as the voxel centres"
ORIGIN = "the centre of the first voxel is at 0"
COLUMNS: dict[str, Column] = {  # of all objects, in the order of the table
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
        "stack, that difference is more than 8 times the median; several parts that do not touch; "
        "for cells also: "
        "no nucleus, several nuclei, or no wall towards another cell, given by its label in "
        "segmentation.tif",
    ),
    "corrections": (
        "",
        "Corrections by hand that made or accepted the object, in order, joined by ;",
    ),
    "volume_voxels": ("voxel", "Number of voxels"),
    "volume_um3": ("um3", "Number of voxels times the volume of a voxel"),
    "equivalent_diameter_um": ("um", "Diameter of the sphere with the same volume"),
    "extent": ("", "Volume divided by the volume of the bounding box"),
    "contrast_to_noise_ratio": (
        "",
        "Mean raw value of the object minus that of the background around it, divided by the "
        "standard deviation of this background, in the channel that shows the objects; empty "
        "without background",
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
}
GROUPS: dict[str, dict[str, Column]] = {  # in the order of the table
    "surface": {
        "surface_area_um2": (
            "um2",
            "Surface area by Crofton's formula in 13 directions; faces of the stack count as "
            "surface",
        ),
        "surface_area_unit_spacing": (
            "voxel side2",
            "Surface area as if voxels were cubes with a side of 1; for comparison with the "
            "tutorial",
        ),
        "sphericity": (
            "",
            "Surface area of the sphere with the same volume, divided by the surface area; "
            "1 for a sphere",
        ),
    },
    "topology": {
        "filled_volume_um3": (
            "um3",
            "Volume including cavities, from which no path across faces, edges or corners leads "
            "out",
        ),
        "euler_number": (
            "",
            "Number of connected components minus handles plus cavities; 1 for a solid ball",
        ),
    },
    "hull": {
        "convex_volume_um3": (
            "um3",
            "Volume of the voxels whose centres lie in the convex hull of the object's voxel "
            "centres",
        ),
        "solidity": ("", "Volume divided by the convex volume; 1 for a convex object"),
        "feret_diameter_max_um": ("um", "Maximum distance between two points on faces of voxels"),
    },
    "axes": {
        **{
            f"axis_{name}_length_um": ("um", f"{which} {ELLIPSOID}") for name, which in AXES.items()
        },
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
    },
    "intensity": {
        f"mean_intensity_{CHANNEL}": ("raw value", f"Mean of the raw values of channel {CHANNEL}"),
        f"sd_intensity_{CHANNEL}": (
            "raw value",
            f"Standard deviation (n - 1) of the raw values of channel {CHANNEL} over the voxels; "
            "empty for one voxel",
        ),
        f"median_intensity_{CHANNEL}": (
            "raw value",
            f"Median of the raw values of channel {CHANNEL}",
        ),
        f"min_intensity_{CHANNEL}": (
            "raw value",
            f"Minimum of the raw values of channel {CHANNEL}",
        ),
        f"max_intensity_{CHANNEL}": (
            "raw value",
            f"Maximum of the raw values of channel {CHANNEL}",
        ),
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


def column_names(groups: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the columns of the table of objects, in order, without those of pairs.

    Parameters
    ----------
    groups : dict of str to iterable of str
        The groups of columns that are measured, and for each the channels that it is measured in.

    Returns
    -------
    list of str
        The names in :data:`COLUMNS` and of these groups, with those of a channel repeated for each
        channel.

    Raises
    ------
    KeyError
        There is no group of that name.

    Examples
    --------
    >>> column_names({"surface": ["nuclei"]})[-3:]
    ['surface_area_um2', 'surface_area_unit_spacing', 'sphericity']
    """
    unknown = groups.keys() - GROUPS.keys()
    if unknown:
        raise KeyError(f"no group of columns {sorted(unknown)}")
    names = list(COLUMNS)
    for group, columns in GROUPS.items():
        if group in groups:
            names += fill_in(columns, groups[group])
    return names


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
    return fill_in(PAIR_COLUMNS, channels)


def fill_in(columns: Iterable[str], channels: Iterable[str]) -> list[str]:
    """Return names of columns with the names of channels filled in.

    Parameters
    ----------
    columns : iterable of str
        Names that can contain ``<channel>``, or ``<channel_1>`` and ``<channel_2>``.
    channels : iterable of str

    Returns
    -------
    list of str
        First the columns without a channel, then those of each channel, then those of each pair.

    Examples
    --------
    >>> fill_in(["n", "mean_<channel>", "r_<channel_1>_<channel_2>"], ["a", "b"])
    ['n', 'mean_a', 'mean_b', 'r_a_b']
    """
    columns, channels = list(columns), list(channels)
    of_pairs = [name for name in columns if CHANNEL_1 in name]
    by_channel = [name for name in columns if CHANNEL in name]
    names = [name for name in columns if name not in (*of_pairs, *by_channel)]
    names += [name.replace(CHANNEL, channel) for channel in channels for name in by_channel]
    for first, second in itertools.combinations(channels, 2):
        names += [name.replace(CHANNEL_1, first).replace(CHANNEL_2, second) for name in of_pairs]
    return names


def describe(column: str) -> Column | None:
    """Return the unit and the definition of a column.

    Parameters
    ----------
    column : str
        The name of a column.

    Returns
    -------
    tuple of str or None
        Unit and definition, with the names of channels filled in; None for an unknown column.

    Examples
    --------
    >>> describe("mean_intensity_membrane")
    ('raw value', 'Mean of the raw values of channel membrane')
    """
    for columns in (COLUMNS, *GROUPS.values(), PAIR_COLUMNS):
        if column in columns:
            return columns[column]
        for name, (unit, definition) in columns.items():
            if "<" not in name:
                continue
            # names of channels contain no "_"
            pattern = re.sub(r"<(\w+)>", r"(?P<\1>[^_]+)", re.escape(name))
            if found := re.fullmatch(pattern, column):
                for place, channel in found.groupdict().items():
                    definition = definition.replace(f"<{place}>", channel)
                return unit, definition
    return None
