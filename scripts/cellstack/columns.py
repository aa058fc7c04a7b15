"""The columns of the table of objects: names, units, definitions. Plain text, so that the sheet can be checked against it."""

CHANNEL = "<channel>"
COLUMNS = {  # name: (unit, definition), in the order of the table
    "stack": ("", "Stack, as the sheet names it"),
    "object": ("", "Kind of object: nuclei or cells"),
    "label": ("", "Label of the object in labels.ome.tif"),
    "split_label": ("", "Label of the same object in split.tif, where all objects are, also those not measured"),
    "volume_voxels": ("voxel", "Number of voxels"),
    "volume_um3": ("um3", "Number of voxels times the volume of a voxel"),
    "equivalent_diameter_um": ("um", "Diameter of the sphere of the same volume"),
    "surface_area_um2": ("um2", "Surface area by Crofton's formula in 13 directions, closed where the stack ends"),
    "sphericity": ("", "Surface area of the sphere of the same volume, divided by the surface area; 1 for a sphere"),
    "centroid_z_um": ("um", "Mean position along z of the voxel centres; the centre of the first voxel is at 0"),
    "centroid_y_um": ("um", "Mean position along y of the voxel centres; the centre of the first voxel is at 0"),
    "centroid_x_um": ("um", "Mean position along x of the voxel centres; the centre of the first voxel is at 0"),
    "bbox_min_z": ("voxel", "First plane of the object, counted from 0"),
    "bbox_min_y": ("voxel", "First row of the object, counted from 0"),
    "bbox_min_x": ("voxel", "First column of the object, counted from 0"),
    "bbox_max_z": ("voxel", "Last plane of the object, plus 1"),
    "bbox_max_y": ("voxel", "Last row of the object, plus 1"),
    "bbox_max_x": ("voxel", "Last column of the object, plus 1"),
    "axis_major_length_um": ("um", "Longest axis of the ellipsoid that has the same second moments as the voxel centres"),
    "axis_middle_length_um": ("um", "Middle axis of the ellipsoid that has the same second moments as the voxel centres"),
    "axis_minor_length_um": ("um", "Shortest axis of the ellipsoid that has the same second moments as the voxel centres"),
    f"mean_intensity_{CHANNEL}": ("raw value", f"Mean of the raw values of channel {CHANNEL}"),
    f"sd_intensity_{CHANNEL}": ("raw value", f"Standard deviation of the raw values of channel {CHANNEL} over the voxels (divided by n)"),
    f"min_intensity_{CHANNEL}": ("raw value", f"Lowest raw value of channel {CHANNEL}"),
    f"max_intensity_{CHANNEL}": ("raw value", f"Highest raw value of channel {CHANNEL}"),
    f"sum_intensity_{CHANNEL}": ("raw value", f"Sum of the raw values of channel {CHANNEL}"),
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
    fixed = [name for name in COLUMNS if CHANNEL not in name]
    return fixed + [name.replace(CHANNEL, channel) for channel in channels for name in COLUMNS if CHANNEL in name]


def describe(column):
    """Give the unit and the definition of a column.

    Parameters
    ----------
    column : str
        The name of a column, for instance ``"mean_intensity_membrane"``.

    Returns
    -------
    tuple of str or None
        Unit and definition, with the name of the channel filled in; None where the column is none of :data:`COLUMNS`.
    """
    for name, (unit, definition) in COLUMNS.items():
        start, placeholder, _ = name.partition(CHANNEL)
        if column == name or (placeholder and column.startswith(start)):
            return unit, definition.replace(CHANNEL, column[len(start) :])
    return None
