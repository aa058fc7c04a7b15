"""What each stage does to an image, as sentences of a methods section.

A sentence can contain settings in braces: ``{sigma_um}`` is written with its unit, and
``{slice_by_slice?plane by plane|in 3D}`` is one of two texts, depending on whether the setting is
true. ``{objects}`` and ``{object}`` are the kind of object. Keys in square brackets are those of
:data:`cellstack.publish.citations.CITATIONS`.
"""

WATERSHED = "[@soille1990]"
MORPHOLOGY = "({shape}, radius {radius_um}) [@soille2003]"

STAGES: dict[str, str] = {  # what a stage does beside its method or steps
    "import_stack": (
        "Stacks were downsampled by averaging blocks of {downsample} voxels along z, y and x."
    ),
    "find_seeds": (
        "The distance of each voxel of the mask to the background was computed in µm and smoothed "
        "by a Gaussian filter (standard deviation {smoothing_um})."
    ),
    "enhance_membrane": (
        "The {square_root?square root [@bartlett1936] of the |}membrane channel was smoothed by a "
        "Gaussian filter (standard deviation {smoothing_um})."
    ),
    "segment_cells": (
        "The cells were grown by a seeded watershed " + WATERSHED + " on the weighted mean of the "
        "smoothed membrane and the wall strength (weight of the wall strength {wall_weight})."
    ),
    "merge_cells": (
        "Neighbouring regions were merged [@meyer1990] if the mean wall strength between them was "
        "below {min_wall_strength} times Otsu's threshold and their contact was at least "
        "{min_contact_fraction} of all contacts of one of them."
    ),
}

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
        "sobel": "The strength of edges was computed by a Sobel filter in 3D.",
        "sobel_2d": "The strength of edges was computed by a Sobel filter of each plane.",
    },
    "binarize": {
        "otsu": "The mask is what exceeds Otsu's threshold [@otsu1979].",
        "li": "The mask is what exceeds the threshold of minimum cross entropy [@li1998].",
        "isodata": "The mask is what exceeds the ISODATA threshold [@ridler1978].",
        "mean": "The mask is what exceeds the mean of the stack [@glasbey1993].",
        "minimum": (
            "The mask is what exceeds the minimum between the two peaks of the histogram "
            "[@prewitt1966]."
        ),
        "triangle": ("The mask is what exceeds the threshold of the triangle method [@zack1977]."),
        "yen": "The mask is what exceeds Yen's threshold [@yen1995].",
        "fixed": (
            "The mask is what exceeds {value} on the scale from 0 to 1, the same for all stacks."
        ),
        "hysteresis": (
            "The mask was computed by a hysteresis threshold [@canny1986], low {low} and high "
            "{high} (scale: {scale})."
        ),
        "local": (
            "The mask is what exceeds a local threshold [@gonzalez2002], the mean around each "
            "voxel, weighted by a Gaussian (window {window_um}), less {offset}."
        ),
        "per_object": (
            "Bright blobs were detected by a Laplacian of Gaussian [@lindeberg1998] (standard "
            "deviation {sigma_um}, at least {min_distance_um} apart), without those whose "
            "contrast was below {min_contrast_to_noise_ratio} standard deviations of the noise or, "
            "unless at least {min_dim_objects} were similar, below {min_contrast} of that of a "
            "typical bright one. The outline of each of the {objects} was drawn with a threshold "
            "of its own: where the intensity is {level} of the way from that around it (within "
            "{background_radius_um}) to that at its centre, at most {max_radius_um} from the "
            "centre."
        ),
    },
    "clean_mask": {
        "smooth": ("The mask was smoothed by a Gaussian filter (standard deviation {sigma_um})."),
        "fill_holes": "Holes of at most {max_volume_um3} were filled.",
        "remove_small_objects": "Components of at most {max_volume_um3} were removed.",
        "erosion": "A binary erosion was applied " + MORPHOLOGY + ".",
        "dilation": "A binary dilation was applied " + MORPHOLOGY + ".",
        "opening": "A binary opening was applied " + MORPHOLOGY + ".",
        "closing": "A binary closing was applied " + MORPHOLOGY + ".",
    },
    "find_seeds": {
        "h_maxima": (
            "Its h-maxima [@soille2003] (h = {h_um}) were the seeds, one for each of the {objects}."
        ),
        "peaks": (
            "Its maxima, at least {min_distance_um} apart, were the seeds, one for each of the "
            "{objects}."
        ),
        "laplacian_of_gaussian": (
            "Maxima of the Laplacian of Gaussian [@lindeberg1998] of the denoised stack (standard "
            "deviation {sigma_um}), at least {min_distance_um} apart, were the seeds, one for each "
            "of the {objects}."
        ),
        "distance_and_blobs": (
            "Maxima of the weighted geometric mean of this distance and the Laplacian of Gaussian "
            "[@lindeberg1998] of the denoised stack (standard deviation {sigma_um}, weight "
            "{weight}), at least {min_distance_um} apart, were the seeds, one for each of the "
            "{objects}."
        ),
        "points": "The seeds were set by hand, one for each of the {objects}.",
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
            "Touching {objects} were split by a seeded watershed " + WATERSHED + " on the strength "
            "of edges."
        ),
        "blend": (
            "Touching {objects} were split by a seeded watershed " + WATERSHED + " on the weighted "
            "mean of the negative distance map and {partner} (weight of the latter {weight})."
        ),
    },
    "merge_objects": {
        "none": "No objects were merged after the watershed.",
        "convexity": (
            "Neighbours were merged again if the convexity of their union was at least "
            "{min_convexity} of theirs, the intensity at the border was at least "
            "{min_border_intensity_ratio} of that of the darker one above the background, and the "
            "volume of the union was at most {max_volume_um3}; in stacks with at least 20 objects "
            "also at most {max_relative_volume} times the 90th percentile of the volumes."
        ),
    },
    "smooth_outlines": {
        "none": "The outlines were not smoothed.",
        "smooth": (
            "The outlines were smoothed by a Gaussian filter of each object (standard deviation "
            "{sigma_um}), and objects below {min_volume_um3} were removed."
        ),
    },
    "enhance_membrane": {
        "ridges": (
            "The strength of walls is the greatest downward curvature in 3D at the scale {sigma_um}"
            " [@sato1998]."
        ),
        "ridges_2d": (
            "The strength of walls is the greatest downward curvature in each plane at the scale "
            "{sigma_um} [@sato1998]."
        ),
    },
    "find_cell_seeds": {
        "minima": (
            "Minima of the smoothed membrane that are deeper than {min_depth} and {noise_factor} "
            "standard deviations of the noise were the seeds of cells{with_nuclei? without a "
            "nucleus|}."
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
        "it was estimated from the image, as the diameter at which the nuclei detected match the "
        "size that was searched for."
    ),
    "fallback": (
        "no nuclei were detected in the image, and the largest diameter of the search was used."
    ),
    "from nuclei": "it was derived from that of the nuclei.",
}
FACTOR = "The threshold was multiplied by {factor}."
COMPACTNESS = "The watershed was compact [@neubert2014] (compactness {compactness})."
SEEDS_OF_CELLS = {
    True: (
        "Each nucleus was the seed of a cell. Regions without a wall in which a disc with a radius "
        "of {background_radius_beside_nuclei_um} fits were background."
    ),
    False: (
        "Regions without a wall in which a disc with a radius of {background_radius_um} fits were "
        "background."
    ),
}
DISTANCE_OF_CELLS = (
    "The distance to the nearest nucleus had a weight of {distance_weight} in this landscape."
)
SIZE_OF_CELLS = {
    True: (
        "Regions without a nucleus below {min_volume_without_nucleus_um3} joined a neighbour, so "
        "that a cell has at most one nucleus."
    ),
    False: (
        "Regions below {min_volume_um3} joined a neighbour, and those that fill less than "
        "{min_solidity} of their convex hull were background."
    ),
}
SELECTED = "Objects below {min_volume_um3} were not measured."
SELECTED_UP_TO = "Objects below {min_volume_um3} or above {max_volume_um3} were not measured."
FACES = "Objects that touch {faces} were not measured."
ALL_FACES = "Objects were measured whether or not they touch a face of the stack."
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
EXTERNAL = "The {objects} were segmented by other means, and their labels were read from files."
SCORED = (
    "The segmentation was compared with ground truth. Pairs of objects were matched one to one by "
    "their intersection over union [@schmidt2018]."
)
SCORED_BY_POINTS = (
    "The segmentation was compared with points that were set by hand, one in each object: an "
    "object found is correct if it contains a point."
)
