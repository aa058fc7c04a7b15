"""Former names of configuration keys, methods, sheet columns and rules.

A former name is refused with its present name. Imported when Snakemake parses the workflow, so it
imports nothing heavy.
"""

KEYS = {  # present path with the former last part: present path; a method is a key of its stage
    "partial": "skip_incomplete_stacks",
    "outline_objects": "smooth_outlines",
    "correct_background.depth": "correct_background.depth_attenuation",
    "adjust_contrast.stretch": "adjust_contrast.percentile_stretch",
    "adjust_contrast.equalize": "adjust_contrast.equalize_histogram",
    "adjust_contrast.adaptive": "adjust_contrast.clahe",
    "denoise.median.planes": "denoise.median.slice_by_slice",
    "denoise.total_variation.planes": "denoise.total_variation.slice_by_slice",
    "detect_edges.sobel_planes": "detect_edges.sobel_2d",
    "binarize.half_height": "binarize.per_object",
    "binarize.per_object.surround_um": "binarize.per_object.background_radius_um",
    "binarize.per_object.reach_um": "binarize.per_object.max_radius_um",
    "binarize.per_object.min_contrast_to_noise": "binarize.per_object.min_contrast_to_noise_ratio",
    "find_seeds.log": "find_seeds.laplacian_of_gaussian",
    "find_seeds.combined": "find_seeds.distance_and_blobs",
    "split_objects.contrast": "split_objects.undenoised_intensity",
    "merge_objects.convexity.min_border": "merge_objects.convexity.min_border_intensity_ratio",
    "enhance_membrane.ridges_planes": "enhance_membrane.ridges_2d",
    "merge_cells.min_wall": "merge_cells.min_wall_strength",
    "merge_cells.min_contact": "merge_cells.min_contact_fraction",
    "select_objects.clear_faces": "select_objects.exclude_touching_faces",
}
COLUMNS = {"truth": "ground_truth", "index": "channel_index", "use": "include"}


def current_key(key: str) -> str:
    """Return the present name of a configuration key.

    Parameters
    ----------
    key : str
        Path of the key, separated by dots, such as ``"binarize.half_height.surround_um"``.

    Returns
    -------
    str
        The path with each former name replaced; `key` itself if none is in it.

    Examples
    --------
    >>> current_key("binarize.half_height.surround_um")
    'binarize.per_object.background_radius_um'
    >>> current_key("binarize.factor")
    'binarize.factor'
    """
    current = ""
    for part in key.split("."):
        path = f"{current}.{part}" if current else part
        current = KEYS.get(path, path)
    return current


def advice(former: str, current: str) -> str:
    """Return the message for a former name.

    Examples
    --------
    >>> advice("half_height", "per_object")
    "'half_height' was renamed; use 'per_object'"
    """
    return f"{former!r} was renamed; use {current!r}"
