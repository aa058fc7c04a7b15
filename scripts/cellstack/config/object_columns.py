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

SPOTS = "spots"  # the group of columns that is measured if detect_spots names a channel
CHANNEL, CHANNEL_1, CHANNEL_2 = "<channel>", "<channel_1>", "<channel_2>"
SHELL = "<shell>"  # number of a shell, from 1
SHELLS = 5  # number of shells by default
CLASSES = ("classes", "class_probabilities")  # groups that come after the flags
RELATIONS = ("correlation", "background", "shells")  # groups that measure_relations measures
PAIR = f"{CHANNEL_1}_{CHANNEL_2}"
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
        "large for its stack, a volume that differs from the median by more than 3.5 robust "
        "standard deviations and a factor of 2; irregular for its stack, a solidity below the "
        "median by more than 3.5 robust standard deviations and 0.15; long for its stack, a major "
        "axis of more than 1.4 times the median; seeds close together, less than half the median "
        "diameter from that of another object; low contrast, a difference from the surrounding "
        "background below 1.2 standard deviations of that background; bright for its stack, that "
        "difference is more than 8 times the median; several parts that do not touch; for cells "
        "also: no nucleus, several nuclei, or no wall towards another cell, given by its label in "
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
        "standard deviation (n - 1) of this background, in the channel that shows the objects; "
        "empty without background",
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
            "Surface area by Crofton's formula in 13 directions, within 2 % on ellipsoids; faces "
            "of the stack count as surface",
        ),
        "surface_area_unit_spacing": (
            "voxel side2",
            "Surface area by the same formula as if voxels were cubes with a side of 1; for "
            "comparison with measurements without spacing. The mesh of the scikit-image tutorial "
            "is mesh_area_outer_unit_spacing in the group mesh",
        ),
        "sphericity": (
            "",
            "Surface area of the sphere with the same volume, divided by the surface area; "
            "1 for a sphere",
        ),
    },
    "mesh": {
        "mesh_area_um2": (
            "um2",
            "Surface area of the mesh by marching cubes halfway between the voxels at the "
            "boundary (level 0.5). It follows the steps between voxels and is too large, however "
            "small they are: 7 to 9 % on ellipsoids with cubic voxels, 25 to 28 % with planes 8 "
            "pixels apart. Therefore surface_area_um2 is not a mesh",
        ),
        "mesh_area_outer_um2": (
            "um2",
            "Surface area of the mesh through the centres of the voxels around the object (level "
            "0, as in the scikit-image tutorial), half a voxel outside mesh_area_um2",
        ),
        "mesh_area_outer_unit_spacing": (
            "voxel side2",
            "The same mesh as if voxels were cubes with a side of 1: the surface area in pixels "
            "of the scikit-image tutorial",
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
    "regions": {
        "region_label": (
            "",
            "Label of the region at the voxel of the centroid or, if this voxel is outside all "
            "regions, of the region with most voxels of the object; 0 outside all",
        ),
        "region_name": ("", "Name of this region by measure_regions.names, or its label"),
        "region_fraction": ("", "Fraction of the object within this region; empty without one"),
    },
    "tissue": {
        "tissue_fraction": ("", "Fraction of the object in the tissue"),
        "tissue_surface_distance_um": (
            "um",
            "Distance of the voxel of the centroid to the nearest voxel outside the tissue, "
            "from centre to centre; outside, minus the distance to the nearest voxel of tissue; "
            "faces of the stack are not the surface; empty without a surface",
        ),
        "tissue_surface_uncertain": (
            "",
            "1 if a face of the stack is nearer than the surface, or there is none: the surface "
            "may be nearer beyond the face, and the distance is an upper limit; else 0",
        ),
        "tissue_depth_um": (
            "um",
            "Distance along z of the voxel of the centroid from the first voxel of tissue, which "
            "is the first plane if the tissue reaches it; empty without tissue there",
        ),
    },
    SPOTS: {
        f"count_spots_{CHANNEL}": (
            "",
            f"Number of spots of channel {CHANNEL} whose centre lies in a voxel of the object",
        ),
        f"mean_spot_intensity_{CHANNEL}": (
            "raw value",
            f"Mean over these spots of their height above the background, in channel {CHANNEL}; "
            "empty without spots",
        ),
        f"count_spots_nucleus_{CHANNEL}": (
            "",
            f"Number of the spots of channel {CHANNEL} in the cell that lie in a nucleus; for "
            "cells in stacks with nuclei",
        ),
        f"count_spots_cytoplasm_{CHANNEL}": (
            "",
            f"Number of the spots of channel {CHANNEL} in the cell that lie in no nucleus; for "
            "cells in stacks with nuclei",
        ),
    },
    "neighbors": {
        "nearest_centroid_distance_um": (
            "um",
            "Distance to the nearest centroid of another object; empty without another object. "
            "Too large if nearest_incomplete is 1",
        ),
        "nearest_surface_distance_um": (
            "um",
            "Distance to the nearest surface of another object, from voxel to voxel as boxes: 0 if "
            "the two share a face, an edge or a corner. Multiples of the voxel size; too large "
            "beside a face of the stack",
        ),
        "mean_nearest_centroid_distance_um": (
            "um",
            "Mean distance to the nearest centroids of other objects, as many as "
            "measure_neighbors.nearest_count; empty with fewer objects. Too large near a face, see "
            "edge_distance_um",
        ),
        "neighbor_count": (
            "",
            "Number of other objects whose centroids are at most measure_neighbors.radius_um away. "
            "Too small if neighborhood_incomplete is 1",
        ),
        "touching_count": (
            "",
            "Number of other objects that share a face of a voxel. Too small for objects cut by a "
            "face, and dependent on the outlines",
        ),
        "contact_fraction": (
            "",
            "Area of contact with other objects divided by the area of the surface, without faces "
            "of the stack; both are measured like contact_area_um2. Unreliable in objects that are "
            "less than five voxels or two planes thick; empty if their area cannot be measured",
        ),
        "local_density_per_mm3": (
            "1/mm3",
            "neighbor_count divided by the volume of the ball of that radius, without its parts "
            "outside the stack or without data; empty for a stack of one plane. The object "
            "itself is not counted. Scatters more where little of the ball is in the stack",
        ),
        "edge_distance_um": (
            "um",
            "Distance from the centroid to the nearest face of the stack or voxel without data; "
            "first and last plane are no faces of a stack of one plane",
        ),
        "nearest_incomplete": (
            "",
            "1 if edge_distance_um is less than nearest_centroid_distance_um, so that an object "
            "outside the stack may be nearer, else 0",
        ),
        "neighborhood_incomplete": (
            "",
            "1 if edge_distance_um is less than measure_neighbors.radius_um, so that neighbours "
            "outside the stack are not counted, else 0",
        ),
    },
    "other_kind": {
        "nearest_other_kind_segmentation_label": (
            "",
            "Label in segmentation.tif of the object of the other kind with the nearest surface: "
            "for nuclei a cell, for cells a nucleus, without those of which one contains more than "
            "half of the other; empty without such an object",
        ),
        "nearest_other_kind_surface_distance_um": (
            "um",
            "Distance to the surface of that object, measured like nearest_surface_distance_um; 0 "
            "if the two overlap. Too large near a face of the stack",
        ),
    },
    "classes": {
        "class": (
            "",
            "Class of the object: the first one of the configuration whose condition it meets, or "
            "other; with examples, the most probable class of the classifier. Empty if it depends "
            "on a missing value. Unreliable for objects that are flagged or cut by a face",
        ),
    },
    "class_probabilities": {
        "class_probability": (
            "",
            "Probability of the class according to the classifier; not calibrated, so use it to "
            "find doubtful objects",
        ),
    },
    "correlation": {
        f"pearson_{PAIR}": (
            "",
            f"Pearson's correlation of the raw values of {CHANNEL_1} and {CHANNEL_2} over the "
            "voxels; empty with fewer than three voxels or if a channel is constant. Unreliable in "
            "objects of few voxels; blur, mostly along z, makes it larger",
        ),
        f"spearman_{PAIR}": (
            "",
            f"Spearman's rank correlation of the raw values of {CHANNEL_1} and {CHANNEL_2} over "
            "the voxels; empty and unreliable where Pearson's is",
        ),
        f"manders_m1_{PAIR}": (
            "",
            f"Fraction of the intensity of {CHANNEL_1}, above colocalization_background, in voxels "
            f"where {CHANNEL_2} is above colocalization_threshold. Unreliable if the threshold "
            "does not separate stained from unstained voxels",
        ),
        f"manders_m2_{PAIR}": (
            "",
            f"Fraction of the intensity of {CHANNEL_2}, above colocalization_background, in voxels "
            f"where {CHANNEL_1} is above colocalization_threshold. Unreliable where "
            "manders_m1 is",
        ),
        f"overlap_coefficient_{PAIR}": (
            "",
            f"Sum of the products of {CHANNEL_1} and {CHANNEL_2}, both above "
            "colocalization_background, divided by the square root of the product of their sums of "
            "squares. Large for all even stains, also without correlation",
        ),
        f"colocalization_background_{CHANNEL}": (
            "raw value",
            f"Background of channel {CHANNEL} in the stack: percentile 5 of the means of blocks of "
            "4 x 4 pixels; 0 with background: none. Too high if objects fill the stack",
        ),
        f"colocalization_threshold_{CHANNEL}": (
            "raw value",
            f"Threshold of channel {CHANNEL} in the stack: that of the configuration, or Otsu's",
        ),
    },
    "background": {
        f"background_intensity_{CHANNEL}": (
            "raw value",
            f"Background of channel {CHANNEL}. Global: percentile 5 of the means of blocks of 4 x "
            "4 pixels of the stack; too high if objects fill the stack. Local: median of the "
            "voxels outside all objects, 0.05 to 0.2 diameters from this one; empty with fewer "
            "than 20 such voxels, too high beside blurred or unsegmented objects. None: 0",
        ),
        f"mean_intensity_above_background_{CHANNEL}": (
            "raw value",
            f"Mean of the raw values of channel {CHANNEL} minus background_intensity_{CHANNEL}",
        ),
        f"sum_intensity_above_background_{CHANNEL}": (
            "raw value",
            f"Mean of channel {CHANNEL} above background times the number of voxels. Too low in "
            "objects cut by a face",
        ),
    },
    "parts": {  # of cells, in stacks with nuclei
        **{
            f"{part}_mean_intensity_above_background_{CHANNEL}": (
                "raw value",
                f"Mean of the raw values of channel {CHANNEL} in the {part} of the cell minus "
                f"background_intensity_{CHANNEL}",
            )
            for part in ("nucleus", "cytoplasm")
        },
        f"nucleus_to_cytoplasm_ratio_{CHANNEL}": (
            "",
            f"Mean of channel {CHANNEL} above background in the nucleus divided by that in the "
            "cytoplasm; empty if one of them is not above the background. Unreliable if the "
            "cytoplasm has few voxels or is hardly brighter than the background",
        ),
    },
    "shells": {
        f"shell_{SHELL}_volume_um3": (
            "um3",
            f"Volume of shell {SHELL}; shell 1 is at the surface. Shells are bounded by the "
            "distance to the nearest voxel centre outside the object; faces of the stack do not "
            "count as outside. Unreliable in objects cut by a face, or less than ten voxels thick "
            "along z",
        ),
        f"shell_{SHELL}_mean_intensity_{CHANNEL}": (
            "raw value",
            f"Mean of the raw values of channel {CHANNEL} in shell {SHELL}; empty without voxels. "
            f"Unreliable where shell_{SHELL}_volume_um3 is",
        ),
        f"shell_{SHELL}_relative_intensity_{CHANNEL}": (
            "",
            f"Mean of channel {CHANNEL} in shell {SHELL} divided by that in the object, both above "
            "background (see background_intensity); 1 for an even stain, empty if the object is "
            "not above it. Blur makes the outer shells darker",
        ),
    },
}
NEIGHBORS = ("neighbors", "other_kind")  # groups that measure_neighbors measures
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


def column_names(groups: Mapping[str, Iterable[str]], shells: int = SHELLS) -> list[str]:
    """Return the columns of the table of objects, in order, without those of pairs.

    Parameters
    ----------
    groups : dict of str to iterable of str
        The groups of columns that are measured, and for each the channels that it is measured in.
    shells : int
        Number of shells of the group shells.

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
        if group in groups and group not in CLASSES:
            names += fill_in(columns, groups[group], shells)
    place = names.index("flags") + 1
    return names[:place] + [n for g in CLASSES if g in groups for n in GROUPS[g]] + names[place:]


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


def fill_in(columns: Iterable[str], channels: Iterable[str], shells: int = SHELLS) -> list[str]:
    """Return names of columns with the names of channels and the numbers of shells filled in.

    Parameters
    ----------
    columns : iterable of str
        Names that can contain ``<channel>``, or ``<channel_1>`` and ``<channel_2>``, or
        ``<shell>``.
    channels : iterable of str
    shells : int
        Number of shells.

    Returns
    -------
    list of str
        First the columns without a channel, then those of each channel, then those of each pair.

    Examples
    --------
    >>> fill_in(["n", "mean_<channel>", "r_<channel_1>_<channel_2>"], ["a", "b"])
    ['n', 'mean_a', 'mean_b', 'r_a_b']
    """
    channels = list(channels)
    columns = [
        name.replace(SHELL, str(number))
        for name in columns
        for number in range(1, (shells if SHELL in name else 1) + 1)
    ]
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
