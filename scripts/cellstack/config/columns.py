"""The columns of the table of objects: names, units and definitions.

Imported when Snakemake parses the workflow, to check the sheet, so it imports nothing heavy.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

Column: TypeAlias = tuple[str, str]
"""Unit and definition."""

CHANNEL = "<channel>"
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
        "surrounding background below the standard deviation of that background; for cells also: "
        "no nucleus, several nuclei, or no wall towards another cell, given by its label in "
        "segmentation.tif",
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
    f"mean_intensity_{CHANNEL}": ("raw value", f"Mean of the raw values of channel {CHANNEL}"),
    f"sd_intensity_{CHANNEL}": (
        "raw value",
        f"Standard deviation of the raw values of channel {CHANNEL} over the voxels (divided by n)",
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


def is_result(name: str) -> bool:
    """Return whether objects.csv or stacks.csv has, or may have, a column of that name."""
    of_stack = (
        r"status|diameter_source|no_data_fraction|haze_ratio"
        r"|count_(?:found|measured|saturated|flagged|dropped_.+|flagged_.+)"
    )
    statistic = re.fullmatch(r"(?:total|mean|sd|median|p\d+|min|max)_(.+)", name)
    return bool(
        describe(name) or re.fullmatch(of_stack, name) or (statistic and describe(statistic[1]))
    )
