import base64
import io

import numpy as np
import pytest
from gallery_cases import SPACING, panels_of, stages, view
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from study import DIAMETER_UM

import write_explorer as script
from cellstack.core.planes import ComputedStack
from cellstack.enhance.denoise import denoise
from cellstack.files.stacks import write_labels, write_stack
from cellstack.gallery.compare_in_3d import compare_in_3d
from cellstack.gallery.explorer_layers import (
    Grid,
    choose_grid,
    describe_objects,
    grey_layer,
    label_layer,
)
from cellstack.segment.binarize import binarize, find_threshold


def decode(layer):
    """Return the planes of a layer as the page reads them."""
    planes = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(plane)))).astype(int)
        for plane in layer["planes"]
    ]
    stack = np.stack(planes)
    return stack @ [1, 256, 65536] if layer["kind"] == "labels" else stack


def values_of(layer):
    """Return the values of a grey layer."""
    return layer["low"] + decode(layer) / 255 * (layer["high"] - layer["low"])


def test_pixels_are_averaged_until_they_are_as_large_as_the_distance_of_planes():
    grid = choose_grid((10, 40, 60), (2.0, 0.5, 0.25), 10 * 10 * 15)
    assert grid == Grid((10, 40, 60), 1, 4)
    assert grid.shown == (10, 10, 15)
    grid = choose_grid((10, 40, 60), (2.0, 0.5, 0.25), 10)
    assert np.prod(grid.shown) <= 10
    assert grid.planes > 1
    assert choose_grid((7, 5, 5), (1, 1, 1)).shown == (7, 5, 5)


@pytest.mark.parametrize(
    ("shape", "voxels"), [((1, 1, 1), 1), ((900, 2, 3), 1), ((1, 99, 1), 99), ((5, 99, 2), 49)]
)
def test_each_stack_has_pixels_left(shape, voxels):
    assert np.prod(choose_grid(shape, (1.0, 0.3, 0.2), 1).shown) == voxels


def test_only_the_planes_that_are_shown_are_read():
    stack = np.random.default_rng(0).integers(0, 999, (7, 12, 20)).astype(np.uint16)
    grid = Grid(stack.shape, 3, 2)
    read = []

    def part(box):
        read.append(box[0].start)
        return stack[box]

    opened = ComputedStack(stack.shape, stack.dtype, part)
    assert grey_layer(opened, grid, "a", "b") == grey_layer(stack, grid, "a", "b")
    assert label_layer(opened, grid, "a", "b") == label_layer(stack, grid, "a", "b")
    assert read == [1, 4] * 2


def test_grey_layers_are_means_of_squares():
    rows, columns = np.mgrid[:12, :21] * 1.0
    stack = (100 + 40 * np.arange(6.0)[:, None, None] + rows + 2 * columns).astype(np.float32)
    grid = Grid(stack.shape, 2, 3)
    layer = grey_layer(stack, grid, "nuclei", "raw")
    expected = stack[1::2].reshape(3, 4, 3, 7, 3).mean((2, 4))
    assert layer["start"] == [0, 0, 0]
    assert_allclose(values_of(layer), expected, atol=3)  # JPEG, of a range of 260


def test_a_region_lies_at_its_place_of_the_grid():
    stack = np.zeros((9, 24, 24), np.uint16)
    stack[5, 12:15, 15:18] = 900
    grid = Grid(stack.shape, 2, 3)
    start = (3, 10, 7)
    layer = grey_layer(stack[3:8, 10:, 7:], grid, "denoise", "x", start)
    shown = values_of(layer)
    (found,) = np.argwhere(shown > 450) + layer["start"]
    assert found.tolist() == [2, 12 // 3, 15 // 3]  # planes 1, 3, 5 and 7 are shown
    whole = values_of(grey_layer(stack, grid, "denoise", "x"))
    z, y, x = layer["start"]
    part = whole[z : z + shown.shape[0], y : y + shown.shape[1], x : x + shown.shape[2]]
    assert part.shape == shown.shape
    assert_allclose(part, shown, atol=60)


def test_values_that_are_not_numbers_are_dark():
    stack = np.full((2, 16, 16), np.nan, np.float32)
    stack[1] = 7
    layer = grey_layer(stack, Grid(stack.shape, 1, 1), "a", "raw")
    assert (layer["low"], layer["high"]) == (7, 8)
    assert not decode(layer).any()
    nothing = grey_layer(stack[:1], Grid((1, 16, 16), 1, 1), "a", "raw")
    assert (nothing["low"], nothing["high"], nothing["limits"]) == (0, 1, [0, 255])


def test_a_hot_pixel_does_not_take_the_grey_levels_of_all_others():
    stack = np.random.default_rng(1).integers(0, 200, (4, 128, 128)).astype(np.uint16)
    stack[2, 5, 5] = 65535
    assert grey_layer(stack, Grid(stack.shape, 1, 1), "a", "raw")["high"] < 250


def test_labels_are_exact():
    labels = np.random.default_rng(2).integers(0, 1 << 24, (3, 8, 10)).astype(np.uint32)
    layer = label_layer(labels, Grid(labels.shape, 1, 1), "nuclei", "segmentation")
    assert_array_equal(decode(layer), labels)
    layer = label_layer(labels, Grid(labels.shape, 2, 3), "nuclei", "segmentation")
    assert_array_equal(decode(layer), labels[1::2, 1:6:3, 1:9:3])


def test_compared_methods_are_those_of_the_stage():
    contrast, spacing = stages()["contrast"], SPACING
    grid = choose_grid(contrast.shape, spacing)
    panels = panels_of("denoising", "gaussian", "median")
    layers = compare_in_3d(
        "denoise", contrast, contrast, spacing, view(), DIAMETER_UM, panels, grid
    )
    assert [layer["title"] for layer in layers] == [panel["title"] for panel in panels]
    first, last = layers[0]["start"][0], layers[0]["start"][0] + len(layers[0]["planes"])
    assert last - first == 2 * int(DIAMETER_UM / 4 / spacing[0]) + 1
    expected = [denoise(contrast, spacing, **panel["arguments"])[first:last] for panel in panels]
    for i, layer in enumerate(layers):
        errors = [np.median(np.abs(values_of(layer) - image)) for image in expected]
        assert np.argmin(errors) == i
        assert errors[i] < 0.02  # JPEG


def test_compared_masks_are_those_of_the_whole_stack():
    contrast, denoised = stages()["contrast"], stages()["denoised"]
    panels = panels_of("thresholds")
    panels = [panel for panel in panels if panel["title"] in ("otsu", "li")]
    grid = choose_grid(contrast.shape, SPACING)
    layers = compare_in_3d(
        "binarize", denoised, contrast, SPACING, view(), DIAMETER_UM, panels, grid
    )
    assert len(layers) == 2
    for layer, panel in zip(layers, panels, strict=True):
        threshold = find_threshold(denoised, **panel["arguments"])
        assert_array_equal(decode(layer), binarize(denoised, threshold, SPACING, contrast))


def test_objects_are_described_with_their_flags():
    rows = [
        {"label": "1", "segmentation_label": "7", "volume_um3": "7224.4", "flags": "irregular"},
    ]
    assert describe_objects(rows, "cells") == {
        "cells/labels": {1: "7220 µm³, irregular"},
        "cells/segmentation": {7: "measured as 1, 7220 µm³, irregular"},
    }


def test_the_script_shows_a_block_of_the_stack(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    raw = rng.integers(0, 255, (4, 9, 10)).astype(np.uint16)
    labels = rng.integers(0, 3, raw.shape).astype(np.uint16)
    box = np.s_[1:4, 2:9, 3:10]
    (tmp_path / "block").mkdir()
    write_stack(tmp_path / "raw.tif", raw, (1.0, 0.5, 0.5))
    write_stack(tmp_path / "block" / "denoised.tif", np.float32(raw[box]), (1.0, 0.5, 0.5))
    write_labels(tmp_path / "labels.tif", labels, (1.0, 0.5, 0.5))
    drawn = {}

    def write(layers, grid, spacing, objects, *, note, **_):
        drawn.update({layer["title"]: layer for layer in layers}, shape=grid.shape, note=note)
        return ""

    monkeypatch.setattr(script, "write_explorer", write)
    kinds = {"raw": "grey", "denoised": "grey", "labels": "labels"}
    script.main(
        images=[tmp_path / "raw.tif", tmp_path / "block/denoised.tif", tmp_path / "labels.tif"],
        objects=[],
        raw=[],
        records=[],
        page=tmp_path / "explore.html",
        stack="a",
        note="simulated data",
        layers=[{"group": "nuclei", "title": name, "kind": kind} for name, kind in kinds.items()],
        swept={},
        variants=[],
        sources=[],
        software={},
        block={"name": "1-0-1", "extent": [[1, 4], [2, 9], [3, 10]]},
    )
    assert drawn["shape"] == (3, 7, 7)
    assert drawn["note"].startswith("simulated data. Block 1-0-1 of the stack is shown")
    assert "voxels z 1 to 3, y 2 to 8, x 3 to 9" in drawn["note"]
    assert_array_equal(decode(drawn["labels"]), labels[box])
    assert_array_equal(decode(drawn["raw"]), decode(drawn["denoised"]))
