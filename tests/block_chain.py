"""The segmentation of nuclei without files: of a stack at once, and in blocks."""

import math

import numpy as np
from study import ROOT

from cellstack.blocks.binarize_block import binarize_block, cut_mask, threshold_block
from cellstack.blocks.choose_blobs import choose_from_blocks
from cellstack.blocks.connect_mask import connect_mask, join_cores
from cellstack.blocks.cut_block import slices_of_block
from cellstack.blocks.find_blobs import as_record, find_blobs_in_core
from cellstack.blocks.find_block_seeds import find_block_seeds
from cellstack.blocks.join_blocks import find_objects, join_blocks
from cellstack.blocks.join_cell_seeds import (
    count_disputed_seeds,
    label_in_blocks,
    number_seeds,
)
from cellstack.blocks.join_regions import count_disagreements, paste_cores
from cellstack.blocks.measure_intensities import measure_intensities
from cellstack.blocks.measure_membrane import measure_scales
from cellstack.blocks.measure_threshold import measure_threshold
from cellstack.blocks.measure_watershed import measure_watershed, typical_of_blocks
from cellstack.cells.enhance_membrane import enhance_membrane
from cellstack.cells.find_cell_seeds import find_cell_seeds, mark_cell_seeds
from cellstack.cells.merge_cells import merge_cells
from cellstack.cells.segment_cells import segment_cells
from cellstack.config import settings
from cellstack.config.schemas import Schemas
from cellstack.core.blocks import place_blocks
from cellstack.core.overlaps import count_overlaps, match_objects, pair_up
from cellstack.enhance.adjust_contrast import adjust_contrast
from cellstack.enhance.correct_background import correct_background
from cellstack.enhance.denoise import Measured, denoise
from cellstack.enhance.detect_edges import detect_edges
from cellstack.segment.binarize import binarize, find_threshold, rule_of
from cellstack.segment.choose_planes import choose_planes
from cellstack.segment.clean_mask import clean_mask
from cellstack.segment.find_seeds import seeds_of_mask
from cellstack.segment.label_components import label_components
from cellstack.segment.merge_objects import merge_objects
from cellstack.segment.smooth_outlines import smooth_outlines
from cellstack.segment.split_objects import split_objects

SCHEMA = Schemas.read(ROOT / "config").stages


def default_arguments(diameter_um):
    """Return the function that returns the default params of a stage."""
    return arguments_of(diameter_um, {})


def arguments_of(diameter_um, given):
    """Return the function that returns the params of a stage, for a configuration of stages."""

    def arguments(stage):
        block = settings.fill_defaults(given.get(stage, {}), SCHEMA["properties"][stage], SCHEMA)
        return settings.stage_arguments(stage, block, diameter_um, SCHEMA)

    return arguments


def segment(raw, spacing, arguments, points=None):
    """Return the labels of a stack that is segmented at once."""
    raw = correct_background(raw, spacing, arguments("correct_background")["steps"])
    contrast = adjust_contrast(raw, spacing, arguments("adjust_contrast")["steps"])
    stack = denoise(contrast, spacing, **arguments("denoise"))
    threshold = find_threshold(stack, **arguments("binarize"))
    mask = binarize(stack, threshold, spacing, contrast)
    mask = clean_mask(mask, spacing, **arguments("clean_mask"))
    allowed = choose_planes(mask, spacing, **limits_of_planes(arguments))
    _, watershed, distance = split(mask, stack, spacing, arguments, allowed, points=points)
    return merge_and_smooth(watershed, stack, distance, spacing, arguments)[1]


def split(mask, stack, spacing, arguments, allowed, find=seeds_of_mask, points=None, **block):
    """Return the seeds, the objects before merging and the distance to the background.

    The mask is a clean one.
    """
    components = label_components(mask, **arguments("label_components"))
    keys = ("method", "options", "smoothing_um", "z_scale", "radius_um")
    options = {key: arguments("find_seeds")[key] for key in keys}
    given = {"stack": stack, "points": points, "allowed": allowed}
    distance, seeds = find(mask, components, spacing, **given, **options, **block)
    edges = detect_edges(stack, spacing, **arguments("detect_edges"))
    watershed = split_objects(
        seeds, mask, stack, distance, spacing, **arguments("split_objects"), edges=edges
    )
    return seeds, watershed, distance


def limits_of_planes(arguments):
    """Return the settings that limit seeds to some planes."""
    return {key: arguments("find_seeds")[key] for key in ("planes", "plane_range_um")}


def merge_and_smooth(watershed, stack, distance, spacing, arguments, typical=None):
    """Return the objects before and after smoothing."""
    merging = arguments("merge_objects")
    merged = merge_objects(watershed, stack, distance, spacing, **merging, typical=typical)
    return merged, smooth_outlines(merged, spacing, **arguments("smooth_outlines"))


def plan(shape, spacing, counts, overlap_um):
    """Return the blocks of a stack."""
    overlap = [math.ceil(overlap_um / step) for step in spacing]
    return list(place_blocks(shape, counts, overlap).values())


def segment_in_blocks(raw, spacing, arguments, places, points=None):
    """Return the labels of a stack that is segmented in blocks, and the record of joining them."""
    steps = arguments("adjust_contrast")["steps"]
    corrections = arguments("correct_background")["steps"]
    measured, maps = measure_intensities(raw, spacing, corrections, steps)
    known = add_maps(steps, measured["steps"], maps)
    geometry = [{"core": place.core, "extent": place.extent} for place in places]
    stacks, drawn, regions = [], [], []
    for place in places:
        part = raw[tuple(slice(*each) for each in place.extent)]
        first = [start for start, _ in place.extent]
        corrected = measured["corrections"], first[0]
        part = correct_background(part, spacing, corrections, None, *corrected)
        contrast = adjust_contrast(part, spacing, steps, measured=known, first=first)
        of_stack = Measured(measured["noise_sd"], measured["planes"][slice(*place.extent[0])])
        stacks.append(denoise(contrast, spacing, **arguments("denoise"), measured=of_stack))
    binarization = arguments("binarize")
    if binarization["method"] == "per_object":
        options = binarization["options"]
        found = [
            as_record(find_blobs_in_core(stack, spacing, measured["noise_sd"], options, **block))
            for stack, block in zip(stacks, geometry, strict=True)
        ]
        chosen = choose_from_blocks(found, options)
        parts = spacing, chosen, options, 1.0, None
        mark = binarize_block
    elif binarization["method"] == "hysteresis":
        complete = join_cores(geometry, stacks.__getitem__)
        hysteresis = {name: binarization[name] for name in ("options", "factor")}
        connected = connect_mask(complete, **hysteresis)
        parts = (None,)

        def mark(stack, no_data, **block):
            return cut_mask(connected, no_data, **block)

    else:
        threshold = measure_threshold(geometry, stacks.__getitem__, **binarization)
        parts = spacing, rule_of(**binarization) if threshold is None else threshold, None
        mark = threshold_block
    masks = [
        clean_mask(mark(stack, *parts, **block)[0], spacing, **arguments("clean_mask"))
        for stack, block in zip(stacks, geometry, strict=True)
    ]
    complete = join_cores(geometry, masks.__getitem__)
    allowed = choose_planes(complete, spacing, **limits_of_planes(arguments))
    if allowed is not None:
        allowed = allowed.start, allowed.stop
    for mask, stack, block in zip(masks, stacks, geometry, strict=True):
        given = mask, stack, spacing, arguments, allowed, find_block_seeds, points
        drawn.append(split(*given, **block))
        regions.append(measure_watershed(*drawn[-1][:2], stack, **block))
    typical = typical_of_blocks(regions)
    results = [
        (*merge_and_smooth(watershed, stack, distance, spacing, arguments, typical), seeds)
        for (seeds, watershed, distance), stack in zip(drawn, stacks, strict=True)
    ]
    return join(raw.shape, places, results)


def add_maps(steps, measured, maps):
    """Return what was measured for the steps of the contrast, with the tiles of clahe."""
    return [
        [*known, maps] if method == "clahe" else known
        for (method, _), known in zip(steps, measured, strict=True)
    ]


def join(shape, places, results):
    """Join the labels of blocks, given as (merged, segmentation, seeds) of each."""

    def objects_of(index):
        merged, segmentation, seeds = results[index]
        return find_objects(
            segmentation, merged, seeds, [start for start, _ in places[index].extent]
        )

    pasted = np.zeros(shape, np.uint32)
    geometry = [{"core": place.core, "extent": place.extent} for place in places]
    joined = join_blocks(pasted, geometry, objects_of, lambda index: results[index][1])
    return joined.numbers[pasted], joined.record


def seeds_of_cells(find, smooth, ridges, spacing, record, arguments, nuclei):
    """Return the seeds of cells, found by a function, and the background."""
    options = dict(arguments("find_cell_seeds"))
    radii = [options.pop(f"background_radius_{name}") for name in ("um", "beside_nuclei_um")]
    return find(
        smooth,
        ridges,
        spacing,
        record["noise"],
        certain_strength=record["certain_strength"],
        background_radius_um=radii[nuclei is not None],
        nuclei=nuclei,
        **options,
    )


def segment_cells_of(membrane, spacing, arguments, nuclei=None, places=None):
    """Return the cells of a stack, at once or in blocks, and the record of joining its regions."""
    contrast = adjust_contrast(membrane, spacing, arguments("adjust_contrast")["steps"])
    smooth, ridges, record = enhance_membrane(contrast, spacing, **arguments("enhance_membrane"))
    options, found = arguments("segment_cells"), {}
    if places is None:
        parts = find_cell_seeds, smooth, ridges, spacing, record, arguments, nuclei
        seeds, background = seeds_of_cells(*parts)
        regions = segment_cells(seeds, background, smooth, ridges, nuclei, spacing, **options)
    else:
        geometry = [{"core": place.core, "extent": place.extent} for place in places]
        extents = [slices_of_block(block) for block in geometry]
        own = [
            seeds_of_cells(
                mark_cell_seeds,
                smooth[part],
                ridges[part],
                spacing,
                record,
                arguments,
                None if nuclei is None else nuclei[part],
            )
            for part in extents
        ]
        marked, background = np.zeros((2, *smooth.shape), np.uint8)
        paste_cores(marked, geometry, lambda index: own[index][0])
        paste_cores(background, geometry, lambda index: own[index][1])
        components = np.zeros(smooth.shape, np.uint32)
        numbers = number_seeds(
            components, label_in_blocks(marked, geometry, components), background, nuclei
        )
        seeds = (
            numbers[components] if nuclei is None else np.where(nuclei, nuclei, numbers[components])
        )
        background[seeds > 0] = 0
        record |= count_disputed_seeds(
            seeds, components, background, nuclei, geometry, lambda index: own[index]
        )
        scales = measure_scales(smooth, ridges, nuclei, spacing)
        of_blocks = [
            segment_cells(
                seeds[part],
                background[part],
                smooth[part],
                ridges[part],
                None if nuclei is None else nuclei[part],
                spacing,
                scales=scales,
                **options,
            )
            for part in extents
        ]
        regions = np.zeros_like(seeds)
        paste_cores(regions, geometry, lambda index: of_blocks[index])
        found = record | count_disagreements(regions, geometry, lambda index: of_blocks[index])
    count = 0 if nuclei is None else int(nuclei.max())
    merging = arguments("merge_cells")
    return merge_cells(regions, ridges, smooth, spacing, count, **merging).labels, found


def f1(expected, labels, threshold):
    """Return the F1 score of labels at an IoU threshold."""
    pairs = match_objects(pair_up(count_overlaps(expected, labels)), threshold)
    counts = [len(np.unique(each)) - 1 for each in (expected, labels)]
    return 2 * len(pairs[0]) / sum(counts)
