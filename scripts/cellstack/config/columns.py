"""The columns of the tables of results: names, units and definitions.

Imported when Snakemake parses the workflow, to check the sheet, so it imports nothing heavy.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from cellstack.config.object_columns import (
    GROUPS,
    NEIGHBORS,
    ORIGIN,
    SHELLS,
    SPOTS,
    Column,
    column_names,
    describe,
    pair_column_names,
)
from cellstack.config.reasons import (
    BESIDE_NO_DATA,
    LATERAL_FACE,
    TOO_LARGE,
    TOO_SMALL,
    TOP_OR_BOTTOM,
)

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
    "density_per_mm3": (
        "1/mm3",
        "Objects found that count in the counting frame of select_objects, divided by the volume "
        "of the frame that has data; empty for a stack of one plane",
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
    "signal_to_noise_ratio": (
        "",
        "Signal of the channel of the objects divided by its noise, see quality.csv; about 1.1 for "
        "noise alone, 6 or more for images with clear objects",
    ),
}
CHECK_COLUMNS: dict[str, Column] = {  # in the order of checks.csv
    "stack": ("", "Name of the stack in the sheet"),
    "object": ("", "Kind of object: nuclei or cells"),
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
    "no_data_fraction": ("", "Fraction of the voxels without data"),
    "median_contrast_to_noise_ratio": (
        "",
        "Median of contrast_to_noise_ratio over the measured objects",
    ),
    "dimming_ratio": (
        "",
        "Signal of the channel of the objects at the last planes divided by that at the first, see "
        "quality.csv",
    ),
    "haze_ratio": (
        "",
        "Median over all nuclei of the intensity beside a nucleus, above the background and "
        "divided by the contrast of the nucleus. It is measured 0.15 to 0.36 diameters away from "
        "where the intensity is 45 % of that at the centre, both above the background",
    ),
    "sheet_fraction": (
        "",
        "Fraction of the mask of the nuclei that was removed because it is thin and wide, see "
        "clean_mask.remove_sheets",
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
    "count_repeated_planes": ("", "Number of planes that are identical to an earlier plane"),
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
REGION_COLUMNS: dict[str, Column] = {  # in the order of regions.csv
    "stack": ("", "Name of the stack in the sheet"),
    "object": ("", "Kind of object: nuclei or cells"),
    "part": (
        "",
        "tissue, outside the tissue, region, or outside all regions; with a tissue, the last two "
        "are the parts in the tissue",
    ),
    "region_label": ("", "Label of the region"),
    "region_name": ("", "Name of the region by measure_regions.names, or its label"),
    "volume_um3": ("um3", "Volume of the part, without voxels that have no data"),
    "volume_mm3": ("mm3", "The same volume in mm3"),
    "count_found": (
        "",
        "Number of objects in segmentation.tif that belong to the part, measured or not; to the "
        "tissue if at least half of the object is in it, to a region by region_label",
    ),
    "count_measured": ("", "Number of these that are measured"),
    "count_in_frame": ("", "Number of these that count in the counting frame of select_objects"),
    "volume_in_frame_um3": ("um3", "Volume of the part within the counting frame"),
    "density_per_mm3": (
        "1/mm3",
        "count_in_frame divided by volume_in_frame_um3; empty for a stack of one plane",
    ),
}
CLASS_COLUMNS: dict[str, Column] = {  # in the order of classes.csv
    "stack": ("", "Name of the stack in the sheet"),
    "object": ("", "Kind of object: nuclei or cells"),
    "class": ("", "Class; other for objects that meet no condition"),
    "count_objects": ("", "Number of measured objects of this class"),
    "class_fraction": (
        "",
        "Number of objects of this class divided by count_classified; empty without objects. "
        "Unreliable with few objects",
    ),
    "count_classified": ("", "Number of measured objects that have a class"),
    "count_without_class": (
        "",
        "Number of measured objects without a class, because it depends on a missing value",
    ),
    "count_examples": (
        "",
        "Number of examples of this class, in all stacks, to which the classifier was fitted; "
        "empty without a classifier",
    ),
    "count_examples_not_used": (
        "",
        "Number of examples of this class, in all stacks, that were not used; "
        "nuclei_classes.json or cells_classes.json has the reasons",
    ),
}
CLASS_DISTANCE_COLUMNS: dict[str, Column] = {  # in the order of class_distances.csv
    "stack": ("", "Name of the stack in the sheet"),
    "object": ("", "Kind of object: nuclei or cells"),
    "label": ("", "Label of the object in labels.ome.tif"),
    "segmentation_label": ("", "Label of the object in segmentation.tif"),
    "class": ("", "Class of the object"),
    "nearest_class": ("", "Class of the other objects of this row"),
    "nearest_segmentation_label": (
        "",
        "Label in segmentation.tif of the object of that class with the nearest surface; empty if "
        "there is no other object of the class. Only measured objects have a class",
    ),
    "surface_distance_um": (
        "um",
        "Distance to its surface, from voxel to voxel as boxes: 0 if the two share a face, an edge "
        "or a corner. Too large beside a face of the stack, see edge_distance_um",
    ),
    "nearest_centroid_distance_um": (
        "um",
        "Distance to the nearest centroid of another object of that class. Too large beside a face "
        "of the stack",
    ),
}
NEIGHBOR_COLUMNS: dict[str, Column] = {  # in the order of neighbors.csv
    "stack": ("", "Name of the stack in the sheet"),
    "object": ("", "Kind of object: nuclei or cells"),
    "segmentation_label_1": ("", "Label of the first object in segmentation.tif, the lower one"),
    "segmentation_label_2": ("", "Label of the second object in segmentation.tif"),
    "label_1": ("", "Label of the first object in labels.ome.tif; 0 if it is not measured"),
    "label_2": ("", "Label of the second object in labels.ome.tif; 0 if it is not measured"),
    "centroid_distance_um": ("um", "Distance between the centroids"),
    "surface_distance_um": (
        "um",
        "Distance between the surfaces, from voxel to voxel as boxes: 0 if the two share a face, "
        "an edge or a corner. Multiples of the voxel size",
    ),
    "contact_area_um2": (
        "um2",
        "Area of the contact, without the steps of voxels; 0 if they do not touch. Unreliable if "
        "one of them is less than five voxels or two planes thick",
    ),
    "touching": ("", "1 if the two share a face of a voxel, else 0"),
    "within_radius": (
        "",
        "1 if centroid_distance_um is at most measure_neighbors.radius_um; 0 for other pairs, of "
        "objects that touch or that are nearest to one of them",
    ),
}
SELECTION_COLUMNS: dict[str, Column] = {  # in the order of selection.csv
    "segmentation_label": ("", "Label of the object in segmentation.tif"),
    "label": ("", "Label of the object in labels.ome.tif; 0 if it is not measured"),
    "volume_um3": ("um3", "Number of voxels times the volume of a voxel"),
    "reason": ("", "kept, or why the object is not measured"),
    "counted": (
        "",
        "1 if the object counts in the counting frame of select_objects, measured or not, else 0",
    ),
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
POSITION = ("z_um", "y_um", "x_um")  # of a spot, and the region it lies in:
NUCLEUS, CYTOPLASM, CELL, NO_OBJECT = "nucleus", "cytoplasm", "cell", "none"
SPOT_COLUMNS: dict[str, Column] = {  # in the order of spots.csv
    "stack": ("", "Name of the stack in the sheet"),
    "channel": ("", "Name of the channel in the sheet"),
    "spot": ("", "Number of the spot in its stack and channel, from 1"),
    "z_um": ("um", f"Position of the centre along z, from a fit; {ORIGIN}"),
    "y_um": ("um", f"Position of the centre along y, from a fit; {ORIGIN}"),
    "x_um": ("um", f"Position of the centre along x, from a fit; {ORIGIN}"),
    "intensity": ("raw value", "Height of the fitted Gaussian above the background"),
    "background": ("raw value", "Background of the fit"),
    "integrated_intensity": (
        "raw value",
        "Sum of raw value minus background over the voxels within 0.75 diameters of the centre, "
        "which have 63 % of the light of an isolated Gaussian spot; it contains light of close "
        "neighbours, and lacks that outside the stack",
    ),
    "signal_to_noise_ratio": (
        "",
        "Intensity divided by the standard deviation of the raw values around the fit; too low "
        "beside other spots",
    ),
    "detection_ratio": (
        "",
        "Response of the blob filter divided by its local noise, which exceeds the threshold of "
        "detect_spots",
    ),
    "nucleus_segmentation_label": (
        "",
        "Label in segmentation.tif of the nucleus at the centre; empty without nucleus",
    ),
    "cell_segmentation_label": (
        "",
        "Label in segmentation.tif of the cell at the centre; empty without cell",
    ),
    "region": (
        "",
        "nucleus; cytoplasm, in a cell but in no nucleus; cell, if the nuclei of the stack were "
        "not segmented; or none",
    ),
}


def describe_tables(
    groups: Mapping[str, Sequence[str]],
    channels: Sequence[str],
    kinds: Collection[str],
    from_sheet: Iterable[str],
    has_corrections: bool = False,
    shells: int = SHELLS,
) -> dict[str, dict[str, Column]]:
    """Return units and definitions of the columns of all tables except those of scores.

    Parameters
    ----------
    groups : dict of str to sequence of str
        The groups of columns that are measured, and for each the channels that it is measured in.
    channels : sequence of str
        The channels of all stacks.
    kinds : collection of str
        The kinds of object: nuclei, cells or both.
    from_sheet : iterable of str
        The user's columns of the sheet.
    has_corrections : bool
        Whether there are corrections by hand.
    shells : int
        Number of shells of the group shells.

    Returns
    -------
    dict of str to dict of str to (str, str)
        Unit and definition by table and column.

    Examples
    --------
    >>> tables = describe_tables({"surface": ["nuclei"]}, ["nuclei"], ["nuclei"], ["mouse"])
    >>> list(tables)
    ['stacks.csv', 'objects.csv', 'checks.csv', 'statistics.csv', 'quality.csv', 'selection.csv']
    >>> tables["stacks.csv"]["mouse"]
    ('', 'from the sheet')
    """
    users = dict.fromkeys(from_sheet, ("", "from the sheet"))
    names = column_names(groups, shells) + (pair_column_names(channels) if "cells" in kinds else [])
    objects = {name: describe(name) or ("", "") for name in names}
    tables = {
        "stacks.csv": _insert(STACK_COLUMNS, users, after="flags"),
        "objects.csv": _insert(objects, users, after="segmentation_label"),
        "checks.csv": CHECK_COLUMNS,
        "statistics.csv": STATISTICS_COLUMNS,
        "quality.csv": QUALITY_COLUMNS,
        "selection.csv": SELECTION_COLUMNS,
    }
    if "tissue" in groups or "regions" in groups:
        tables["regions.csv"] = _insert(REGION_COLUMNS, users, after="object")
    if "classes" in groups:
        tables["classes.csv"] = _insert(CLASS_COLUMNS, users, after="object")
        distances = _insert(CLASS_DISTANCE_COLUMNS, users, after="segmentation_label")
        tables["class_distances.csv"] = distances
    if SPOTS in groups:
        tables["spots.csv"] = SPOT_COLUMNS
    if has_corrections:
        tables["corrections.csv"] = CORRECTION_COLUMNS
    measured = [group for group in NEIGHBORS if group in groups]
    if measured:
        tables["neighbors.csv"] = _insert(NEIGHBOR_COLUMNS, users, after="label_2")
        names = ["segmentation_label", *(name for group in measured for name in GROUPS[group])]
        tables["neighborhood.csv"] = {name: describe(name) or ("", "") for name in names}
    if "cells" in kinds:
        names = ["segmentation_label", *pair_column_names(channels), "flags"]
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
    """Return whether the tables of stacks and objects can have a column of that name."""
    return bool(describe(name) or name in STACK_COLUMNS | CHECK_COLUMNS)
