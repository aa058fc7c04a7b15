"""Sentences of a methods section: what each stage does to an image.

A sentence can contain settings in braces: ``{sigma_um}`` is replaced by its value and unit, and
``{slice_by_slice?plane by plane|in 3D}`` by one of two texts, depending on whether the setting is
true. ``{objects}`` and ``{object}`` are the kind of object. Keys in square brackets are those of
:data:`cellstack.publish.citations.CITATIONS`.
"""

WATERSHED = "[@soille1990]"
MORPHOLOGY = "({shape}, radius {radius_um}) [@soille2003]"

STAGES: dict[str, str] = {  # what a stage does besides its method or steps
    "import_stack": (
        "Stacks were downsampled by averaging blocks of {downsample} voxels along z, y and x."
    ),
    "find_seeds": (
        "The distance of each voxel of the mask to the background was computed in µm and smoothed "
        "by a Gaussian filter (standard deviation {smoothing_um})."
    ),
    "enhance_membrane": (
        "The {square_root?square root [@bartlett1936] of five times the noise plus the "
        "|}membrane channel was smoothed by a Gaussian filter (standard deviation {smoothing_um})."
    ),
    "segment_cells": (
        "The cells were grown by a seeded watershed " + WATERSHED + " on the weighted mean of the "
        "smoothed membrane and the wall strength (weight of the wall strength {wall_weight})."
    ),
    "merge_cells": (
        "Neighbouring regions were merged [@meyer1990] if the mean wall strength between them was "
        "below {min_wall_strength} times this threshold and their contact area was at least "
        "{min_contact_fraction} times the total contact area of one of them."
    ),
}

# Of find_seeds, if they differ from the default.
Z_SCALE = "For this distance, the voxel size along z was multiplied by {z_scale}."
PLANES = {
    "middle": "Seeds were limited to planes within {plane_range_um} of the middle plane.",
    "half_filled": (
        "Seeds were limited to planes within {plane_range_um} of the plane that was closest to "
        "half filled by the mask."
    ),
}
# Of enhance_membrane, unless one threshold applies everywhere.
LOCAL_WALLS = (
    "Voxels were wall if this strength was above Otsu's threshold [@otsu1979], or above "
    "{local_factor} times its mean around them (Gaussian, standard deviation {local_sigma_um}) if "
    "this was lower and well above the noise. The wall strength was divided by this threshold."
)
ONE_THRESHOLD = "The wall strength was divided by its Otsu threshold [@otsu1979]."
SEED_RADIUS = "The seeds were enlarged to balls (radius {radius_um})."

METHODS: dict[str, dict[str, str]] = {
    "correct_background": {
        "white_tophat": (
            "The background was removed by a white top-hat transform " + MORPHOLOGY + "."
        ),
        "gaussian": (
            "The stack smoothed by a Gaussian filter (standard deviation {sigma_um}) was "
            "subtracted as background."
        ),
        "depth_attenuation": (
            "The loss of signal with depth was corrected by an exponential fitted to percentile "
            "{percentile} of each plane [@sen1968], by a factor of at most {max_factor}."
        ),
    },
    "adjust_contrast": {
        "none": "Intensities were divided by the largest value of their data type.",
        "percentile_stretch": (
            "Intensities were rescaled linearly, so that percentile {low} of the stack became 0 "
            "and percentile {high} became 1, and were clipped to this range."
        ),
        "gamma": "Intensities were raised to the power of {gamma}.",
        "equalize_histogram": "The histogram of the stack was equalized.",
        "clahe": (
            "Contrast was enhanced by contrast limited adaptive histogram equalization in 3D "
            "[@zuiderveld1994] (tiles of {tile_um}, clip limit {clip_limit})."
        ),
        "erosion": "A grey-value erosion was applied " + MORPHOLOGY + ".",
        "dilation": "A grey-value dilation was applied " + MORPHOLOGY + ".",
        "opening": "A grey-value opening was applied " + MORPHOLOGY + ".",
        "closing": "A grey-value closing was applied " + MORPHOLOGY + ".",
    },
    "denoise": {
        "none": "The stack was not denoised.",
        "gaussian": "Noise was reduced by a Gaussian filter (standard deviation {sigma_um}).",
        "median": (
            "Noise was reduced by a median filter {slice_by_slice?plane by plane|in 3D} (half "
            "side {radius_um})."
        ),
        "bilateral": (
            "Noise was reduced by a bilateral filter of each plane [@tomasi1998] (standard "
            "deviation {sigma_um} over distance and {sigma_intensity} over intensity)."
        ),
        "total_variation": (
            "Noise was reduced by a total variation filter [@chambolle2004] {slice_by_slice?plane "
            "by plane|in 3D} (weight {weight})."
        ),
        "non_local_means": (
            "Noise was reduced by non-local means of each plane [@buades2005; @darbon2008] (half "
            "side {patch_radius_um} of a patch and {search_radius_um} of the search window, "
            "strength {strength} standard deviations of the noise)."
        ),
    },
    "detect_edges": {
        "sobel": "The edge strength was computed with a Sobel filter in 3D.",
        "sobel_2d": "The edge strength was computed with a Sobel filter plane by plane.",
    },
    "binarize": {
        "otsu": "The mask comprised the voxels above Otsu's threshold [@otsu1979].",
        "li": (
            "The mask comprised the voxels above the minimum cross-entropy threshold [@li1998]."
        ),
        "isodata": "The mask comprised the voxels above the ISODATA threshold [@ridler1978].",
        "mean": "The mask comprised the voxels above the mean of the stack [@glasbey1993].",
        "minimum": (
            "The mask comprised the voxels above the minimum between the two peaks of the "
            "histogram [@prewitt1966]."
        ),
        "triangle": (
            "The mask comprised the voxels above the threshold of the triangle method [@zack1977]."
        ),
        "yen": "The mask comprised the voxels above Yen's threshold [@yen1995].",
        "fixed": (
            "The mask comprised the voxels above a fixed threshold of {value}, on a scale "
            "from 0 to 1."
        ),
        "hysteresis": (
            "The mask was computed with a hysteresis threshold [@canny1986] (low {low}, high "
            "{high}, scale: {scale})."
        ),
        "local": (
            "The mask comprised the voxels above a local threshold [@gonzalez2002]: the "
            "Gaussian-weighted mean of their surroundings (window {window_um}) minus {offset}."
        ),
        "per_object": (
            "Bright blobs were detected with a Laplacian of Gaussian filter [@lindeberg1998] "
            "(standard deviation {sigma_um}, at least {min_distance_um} apart). Blobs with a "
            "contrast below {min_contrast_to_noise_ratio} standard deviations of the noise were "
            "discarded, as were groups of fewer than {min_dim_objects} similar blobs with a "
            "contrast below {min_contrast} times that of a typical bright blob. The outline of "
            "each {object} was drawn at a separate threshold, {level} of the way from the "
            "intensity of its surroundings (within {background_radius_um}) to its mean intensity "
            "[@ridler1978], and at most {max_radius_um} from its centre."
        ),
    },
    "clean_mask": {
        "smooth": ("The mask was smoothed by a Gaussian filter (standard deviation {sigma_um})."),
        "remove_sheets": (
            "Parts that were at most {max_thickness_um} thick and at least {min_width_um} wide "
            "were removed."
        ),
        "fill_holes": "Holes of at most {max_volume_um3} were filled.",
        "remove_small_objects": "Components of at most {max_volume_um3} were removed.",
        "erosion": "A binary erosion was applied " + MORPHOLOGY + ".",
        "dilation": "A binary dilation was applied " + MORPHOLOGY + ".",
        "opening": "A binary opening was applied " + MORPHOLOGY + ".",
        "closing": "A binary closing was applied " + MORPHOLOGY + ".",
    },
    "find_seeds": {
        "h_maxima": (
            "The h-maxima [@soille2003] (h = {h_um}) of this distance were the seeds, one per "
            "{object}."
        ),
        "peaks": (
            "The maxima of this distance, at least {min_distance_um} apart, were the seeds, one "
            "per {object}."
        ),
        "laplacian_of_gaussian": (
            "Maxima of the Laplacian of Gaussian [@lindeberg1998] of the denoised stack (standard "
            "deviation {sigma_um}), at least {min_distance_um} apart, were the seeds, one per "
            "{object}."
        ),
        "distance_and_blobs": (
            "Maxima of the weighted geometric mean of this distance and the Laplacian of Gaussian "
            "[@lindeberg1998] of the denoised stack (standard deviation {sigma_um}, weight "
            "{weight}), at least {min_distance_um} apart, were the seeds, one per {object}."
        ),
        "points": "The seeds were set by hand, one per {object}.",
    },
    "split_objects": {
        "distance": (
            "Touching {objects} were split by a seeded watershed " + WATERSHED + " on the negative "
            "distance map."
        ),
        "intensity": (
            "Touching {objects} were split by a seeded watershed " + WATERSHED + " on the negative "
            "denoised intensity."
        ),
        "undenoised_intensity": (
            "Touching {objects} were split by a seeded watershed " + WATERSHED + " on the negative "
            "intensity before denoising."
        ),
        "edges": (
            "Touching {objects} were split by a seeded watershed " + WATERSHED + " on the edge "
            "strength."
        ),
        "blend": (
            "Touching {objects} were split by a seeded watershed " + WATERSHED + " on the weighted "
            "mean of the negative distance map and {partner} (weight of the latter {weight})."
        ),
    },
    "merge_objects": {
        "none": "No objects were merged after the watershed.",
        "convexity": (
            "Touching objects were merged if the convexity of their union was at least "
            "{min_convexity} times that of the separate objects, the distance of their border to "
            "the background was at least {min_neck} times that of the centre of the thinner "
            "object, the intensity at their border, above the background, was at least "
            "{min_border_intensity_ratio} times that of the darker object, and the volume of the "
            "union was at most {max_volume_um3} and, in "
            "stacks with at least 20 objects, at most {max_relative_volume} times the 90th "
            "percentile of the volumes. In these stacks, the distance of the border was not used "
            "for unions of at most {small_relative_volume} times this percentile. Objects were "
            "removed whose mean intensity, in the denoised stack, exceeded that of the background "
            "around them by less than {min_local_contrast} times its standard deviation."
        ),
    },
    "smooth_outlines": {
        "none": "The outlines were not smoothed.",
        "smooth": (
            "The outline of each object was smoothed by a Gaussian filter (standard deviation "
            "{sigma_um}), and objects below {min_volume_um3} were removed."
        ),
    },
    "enhance_membrane": {
        "ridges": (
            "The wall strength was computed as the greatest downward curvature in 3D at the scale "
            "{sigma_um} [@sato1998]."
        ),
        "ridges_2d": (
            "The wall strength was computed as the greatest downward curvature in each plane at "
            "the scale {sigma_um} [@sato1998]."
        ),
    },
    "find_cell_seeds": {
        "minima": (
            "Minima of the smoothed membrane channel deeper than {min_depth} and than "
            "{noise_factor} standard deviations of the noise were the seeds of "
            "cells{with_nuclei? without a nucleus|}."
        ),
        "distance": (
            "h-maxima [@soille2003] (h = {h_um}) of the distance to the walls, smoothed by a "
            "Gaussian filter (standard deviation {smoothing_um}), were the seeds of "
            "cells{with_nuclei? without a nucleus|}."
        ),
    },
}

DIAMETERS = {  # by diameter_source of stacks.csv
    "estimated": (
        "it was estimated from the image as the diameter at which the detected nuclei match the "
        "size searched for."
    ),
    "fallback": (
        "no nuclei were detected in the image, so the largest diameter searched for was used."
    ),
    "from nuclei": "it was derived from that of the nuclei.",
}
FACTOR = "The threshold was multiplied by {factor}."
COMPACTNESS = "The watershed was compact [@neubert2014] (compactness {compactness})."
SEEDS_OF_CELLS = {
    True: (
        "Each nucleus was the seed of a cell. Wall-free regions that can contain a disc with a "
        "radius of {background_radius_beside_nuclei_um} were treated as background."
    ),
    False: (
        "Wall-free regions that can contain a disc with a radius of {background_radius_um} were "
        "treated as background."
    ),
}
DISTANCE_OF_CELLS = (
    "The distance to the nearest nucleus was included with a weight of {distance_weight}."
)
SIZE_OF_CELLS = {
    True: (
        "Regions without a nucleus were merged with a neighbour if they were smaller than "
        "{min_volume_without_nucleus_um3}, and treated as background if their solidity was below "
        "{min_solidity_without_nucleus}. A cell has at most one nucleus."
    ),
    False: (
        "Regions below {min_volume_um3} were merged with a neighbour, and those with a solidity "
        "below {min_solidity} were treated as background."
    ),
}
SELECTED = "Objects below {min_volume_um3} were not measured."
SELECTED_UP_TO = "Objects below {min_volume_um3} or above {max_volume_um3} were not measured."
FACES = "Objects touching {faces} were not measured."
ALL_FACES = "Objects touching a face of the stack were also measured."
FACE_NAMES = {
    "first_plane": "the first plane",
    "last_plane": "the last plane",
    "first_row": "the first row",
    "last_row": "the last row",
    "first_column": "the first column",
    "last_column": "the last column",
    "no_data": "a region without data",
}
MEASURED = (
    "The volume of an object is its number of voxels times the volume of a voxel. Its surface area "
    "was computed by Crofton's formula in 13 directions [@legland2007]. Intensities were measured "
    "in the raw image."
)
SPOTS = (
    "Spots in the channel {channel} were the maxima of the negative Laplacian of Gaussian "
    "[@lindeberg1998] at the scale of spots with a full width at half maximum of {diameter}, where "
    "it was at least {threshold} times its local noise and no higher maximum was within "
    "{distance}. A Gaussian of this width was fitted to each of them."
)
TISSUE = (
    "The tissue was segmented in the channel {channel}, smoothed by a Gaussian filter, by "
    "{method}; gaps were closed, holes filled and small pieces removed."
)
TISSUE_METHODS = {
    "otsu": "Otsu's threshold [@otsu1979]",
    "li": "the minimum cross-entropy threshold [@li1998]",
    "triangle": "the threshold of the triangle method [@zack1977]",
    "isodata": "the ISODATA threshold [@ridler1978]",
    "mean": "a threshold at its mean [@glasbey1993]",
    "yen": "Yen's threshold [@yen1995]",
    "fixed": "a fixed threshold",
}
REGIONS = "The regions in which objects lie were read from label images."
BACKGROUNDS = {  # that is subtracted from intensities
    "global": (
        "Intensities above the background were measured too. The background was percentile 5 of "
        "the means of blocks of 4 x 4 pixels of the stack."
    ),
    "local": (
        "Intensities above the background were measured too. The background was the median of the "
        "voxels around each object that are in no object."
    ),
}
CLASSES = (
    "The {objects} were assigned to the first of these classes whose condition they met: {classes}."
)
THRESHOLDS = {
    "stack": "Percentiles and Otsu's thresholds in conditions were those of each stack.",
    "study": "Percentiles and Otsu's thresholds in conditions were those of all stacks.",
}
CLASSIFIER = "The {objects} were classified by a logistic regression that was fitted to examples."
SEGMENTERS = {  # methods of run_segmenter, which replaces all stages of the segmentation
    "command": "The {objects} were segmented by another program, with the command {command}.",
    "cellpose": (
        "The {objects} were segmented by cellpose [@stringer2021] with the model {model}, in 3D."
    ),
    "stardist": "The {objects} were segmented by StarDist [@weigert2020] with the model {model}.",
}
EXTERNAL = "The {objects} were segmented externally, and their labels were read from files."
SCORED = (
    "The segmentation was compared with a ground truth. Objects were matched one to one by their "
    "intersection over union [@schmidt2018]."
)
SCORED_BY_POINTS = (
    "The segmentation was compared with points, one in each object. A segmented object "
    "was counted as correct if it contained a point."
)
COMPARED = (
    "Stacks were compared by {column} (groups: {groups}). The experimental unit was {unit}; each "
    "measurement was averaged over the objects of a stack."
)
UNITS_AVERAGED = "Means of the stacks of a unit were averaged, each with the same weight."
PAIRED_UNITS = "Units were paired by {pair}; those without a partner were left out."
NUMBER_OF_UNITS = (
    "Sample sizes are numbers of {units}, not of objects [@lord2020] (n = {numbers} per group)."
)
TESTS = {  # by whether units are paired
    False: "Means of two groups were compared by Welch's t-test [@welch1947], two-sided.",
    True: "Means of two groups were compared by the paired t-test, two-sided.",
}
CORRECTED = {
    "benjamini_hochberg": (
        "P values were corrected for {count_tests} tests by the method of Benjamini and Hochberg "
        "[@benjamini1995]."
    ),
    "holm": "P values were corrected for {count_tests} tests by the method of Holm [@holm1979].",
}
ALL_GROUPS = "All groups were compared by Welch's analysis of variance [@welch1951]."
INTERVALS = (
    "Confidence intervals ({confidence} %) of differences are expanded percentiles of 10000 "
    "bootstrap samples of the {units} [@hesterberg2015]."
)
NOT_TESTED = (
    "No test was made where a group has fewer than three {units}, or where they do not vary."
)
