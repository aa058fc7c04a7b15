"""The columns of the table of objects: names, units, definitions. Plain text, so that the sheet can be checked against it."""

import re

CHANNEL = "<channel>"
PERCENTILES = (5, 25, 75, 95)  # beside the median
AXES = {"major": "Longest", "middle": "Middle", "minor": "Shortest"}
ELLIPSOID = "axis of the ellipsoid that has the same second moments as the voxel centres"
COLUMNS = {  # name: (unit, definition), in the order of the table
    "stack": ("", "Stack, as the sheet names it"),
    "object": ("", "Kind of object: nuclei or cells"),
    "label": ("", "Label of the object in labels.ome.tif"),
    "split_label": ("", "Label of the same object in split.tif, where all objects are, also those not measured"),
    "flags": (
        "",
        "What looks wrong, joined by ;: touches a face; small, large (volume) or irregular (solidity) for its stack, 3.5 robust standard "
        "deviations off; seeds close together, nearer than half the median diameter; low contrast, less above the surround than its noise; "
        "of cells too: no nucleus, or several, or no wall to another cell, named by its label in split.tif",
    ),
    "volume_voxels": ("voxel", "Number of voxels"),
    "volume_um3": ("um3", "Number of voxels times the volume of a voxel"),
    "filled_volume_um3": ("um3", "Volume with its cavities, from which no way leads out across faces, edges or corners"),
    "convex_volume_um3": ("um3", "Volume of the voxels whose centre lies in the convex hull of the object's voxel centres"),
    "equivalent_diameter_um": ("um", "Diameter of the sphere of the same volume"),
    "feret_diameter_max_um": ("um", "Greatest distance of two voxel faces of the object"),
    "surface_area_um2": ("um2", "Surface area by Crofton's formula in 13 directions, closed where the stack ends"),
    "surface_area_unit_spacing": ("voxel side2", "Surface area as if voxels were cubes with a side of 1; to compare with the tutorial"),
    "sphericity": ("", "Surface area of the sphere of the same volume, divided by the surface area; 1 for a sphere"),
    "solidity": ("", "Volume divided by the convex volume; 1 for a convex object"),
    "extent": ("", "Volume divided by the volume of the bounding box"),
    "euler_number": ("", "Connected parts, less handles, plus cavities; 1 for a solid ball"),
    "centroid_z_um": ("um", "Mean position along z of the voxel centres; the centre of the first voxel is at 0"),
    "centroid_y_um": ("um", "Mean position along y of the voxel centres; the centre of the first voxel is at 0"),
    "centroid_x_um": ("um", "Mean position along x of the voxel centres; the centre of the first voxel is at 0"),
    "bbox_min_z": ("voxel", "First plane of the object, counted from 0"),
    "bbox_min_y": ("voxel", "First row of the object, counted from 0"),
    "bbox_min_x": ("voxel", "First column of the object, counted from 0"),
    "bbox_max_z": ("voxel", "Last plane of the object, plus 1"),
    "bbox_max_y": ("voxel", "Last row of the object, plus 1"),
    "bbox_max_x": ("voxel", "Last column of the object, plus 1"),
    **{
        f"touches_{end}_{side}": ("", f"1 where the object reaches the {end} {side} of the stack, so may be cut there, else 0")
        for side in ("plane", "row", "column")
        for end in ("first", "last")
    },
    **{f"axis_{name}_length_um": ("um", f"{which} {ELLIPSOID}") for name, which in AXES.items()},
    **{
        f"direction_{name}_{axis}": ("", f"Part along {axis} of the unit vector along the {which.lower()} axis of that ellipsoid")
        for name, which in AXES.items()
        for axis in "zyx"
    },
    **{
        f"inertia_{name}_um2": ("um2", f"Moment of inertia about the {which.lower()} axis, divided by the volume")
        for name, which in AXES.items()
    },
    f"mean_intensity_{CHANNEL}": ("raw value", f"Mean of the raw values of channel {CHANNEL}"),
    f"sd_intensity_{CHANNEL}": ("raw value", f"Standard deviation of the raw values of channel {CHANNEL} over the voxels (divided by n)"),
    f"median_intensity_{CHANNEL}": ("raw value", f"Median of the raw values of channel {CHANNEL}"),
    f"min_intensity_{CHANNEL}": ("raw value", f"Lowest raw value of channel {CHANNEL}"),
    f"max_intensity_{CHANNEL}": ("raw value", f"Highest raw value of channel {CHANNEL}"),
    f"sum_intensity_{CHANNEL}": ("raw value", f"Sum of the raw values of channel {CHANNEL}"),
    **{
        f"p{percent}_intensity_{CHANNEL}": ("raw value", f"Percentile {percent} of the raw values of channel {CHANNEL}")
        for percent in PERCENTILES
    },
    **{
        f"centroid_weighted_{CHANNEL}_{axis}_um": ("um", f"Mean position along {axis}, weighted by the raw values of channel {CHANNEL}")
        for axis in "zyx"
    },
}
PAIR_COLUMNS = {  # what the table of cells has behind, in stacks with nuclei
    "nuclei_count": ("", "Nuclei of which more than half lies in the cell; below, several are taken together"),
    "nucleus_split_label": ("", "Label in split.tif of the nucleus, the largest where there are several"),
    "nucleus_volume_um3": ("um3", "Volume of the nucleus within the cell"),
    "nucleus_to_cell_volume_ratio": ("", "Volume of the nucleus divided by that of the cell"),
    "nucleus_offset_um": ("um", "Distance of the centroids of nucleus and cell"),
    "nucleus_wall_distance_min_um": (
        "um",
        "Least distance of a voxel of the nucleus to one outside of the cell; where the stack ends is no wall",
    ),
    "nucleus_wall_distance_mean_um": ("um", "Mean of that distance over the voxels of the nucleus"),
    **{
        f"{part}_{name}_intensity_{CHANNEL}": ("raw value", f"{what} of the raw values of channel {CHANNEL} in the {part}{of}")
        for part, of in (("nucleus", ""), ("cytoplasm", ", the cell without its nucleus"))
        for name, what in (("mean", "Mean"), ("sum", "Sum"))
    },
}


def column_names(channels):
    """List the columns of a table, in order.

    Parameters
    ----------
    channels : iterable of str
        The channels that are measured.

    Returns
    -------
    list of str
        The names of :data:`COLUMNS`, those for a channel repeated for each.
    """
    return _fill_in(COLUMNS, channels)


def pair_column_names(channels):
    """List the columns that the table of cells has behind, in order: those of :data:`PAIR_COLUMNS`."""
    return _fill_in(PAIR_COLUMNS, channels)


def _fill_in(columns, channels):
    fixed = [name for name in columns if CHANNEL not in name]
    return fixed + [name.replace(CHANNEL, channel) for channel in channels for name in columns if CHANNEL in name]


def describe(column):
    """Give the unit and the definition of a column.

    Parameters
    ----------
    column : str
        The name of a column, for instance ``"mean_intensity_membrane"``.

    Returns
    -------
    tuple of str or None
        Unit and definition, with the name of the channel filled in; None where the column is unknown.
    """
    for name, (unit, definition) in (COLUMNS | PAIR_COLUMNS).items():
        channel = re.fullmatch(re.escape(name).replace(CHANNEL, "([^_]+)"), column)  # names of channels have no "_"
        if channel:
            return unit, definition.replace(CHANNEL, "".join(channel.groups()))
    return None


def is_result(name):
    """Tell whether objects.csv or stacks.csv has a column of that name, or may have it."""
    of_stack = r"status|diameter_source|count_(?:found|measured|flagged|dropped_.+|flagged_.+)"
    statistic = re.fullmatch(r"(?:total|mean|sd|median|p\d+|min|max)_(.+)", name)
    return bool(describe(name) or re.fullmatch(of_stack, name) or (statistic and describe(statistic[1])))
