"""The pictures of the comparisons show the results of the stages."""

import re

import numpy as np
import pytest
from drawn import pixels_of, rgb
from gallery_cases import (
    SPLIT,
    colony,
    panels_of,
    record,
    record_figures,
    record_images,
    stages,
    view,
    view_of,
)
from study import DIAMETER_UM, SPACING

from cellstack.core.surface_area import surface_area
from cellstack.enhance.adjust_contrast import adjust_contrast, percentile_stretch
from cellstack.enhance.correct_background import correct_background
from cellstack.enhance.denoise import denoise
from cellstack.enhance.detect_edges import detect_edges
from cellstack.figures import drawing
from cellstack.gallery import panel_figures
from cellstack.gallery.choose_view import choose_view
from cellstack.gallery.compare_background import compare_background
from cellstack.gallery.compare_contrast import compare_contrast
from cellstack.gallery.compare_denoising import compare_denoising
from cellstack.gallery.compare_edges import compare_edges
from cellstack.gallery.compare_morphology import compare_morphology
from cellstack.gallery.compare_seeds import compare_seeds
from cellstack.gallery.compare_surface_area import compare_surface_area
from cellstack.gallery.compare_thresholds import compare_thresholds
from cellstack.gallery.plot_profile import plot_profile
from cellstack.gallery.plot_shapes import plot_shapes
from cellstack.gallery.views import crop, plane_of
from cellstack.segment.binarize import binarize, find_threshold
from cellstack.segment.clean_mask import clean_mask


@pytest.fixture
def shown(monkeypatch):
    """All images that are shown, in order."""
    return record_images(monkeypatch)


def assert_same(images, expected):
    assert len(images) == len(expected) > 0
    assert all(np.array_equal(*pair) for pair in zip(images, expected, strict=True))


def test_compare_background(shown):
    raw = colony().nuclei_image
    panels = panels_of("background", "depth", "gaussian")
    compare_background(raw, SPACING, view(), panels)
    expected = []
    for panel in panels:
        corrected = correct_background(raw, SPACING, **panel["arguments"])
        expected += [corrected[view()["plane"]], corrected[:, view()["row"]]]
    assert_same(shown, expected)


def adjusted_planes(panels):
    plane, raw = view()["plane"], colony().nuclei_image
    return [adjust_contrast(raw, SPACING, **panel["arguments"])[plane] for panel in panels]


def test_compare_contrast(shown):
    panels = panels_of("contrast", "original", "gamma 0.5", "equalized")
    assert len(panels) == 3
    compare_contrast(colony().nuclei_image, SPACING, view(), panels)
    assert_same(shown, adjusted_planes(panels))


def test_numbers_of_a_million_voxels_fit_beside_the_histogram(monkeypatch):
    figures, shape = record_figures(monkeypatch), (60, 160, 200)
    chosen = view_of(shape, SPACING)
    compare_contrast(np.zeros(shape, np.uint8), SPACING, chosen, panels_of("contrast", "original"))
    (figure,) = figures
    with drawing.default_style():
        boxes = [axes.get_tightbbox() for axes in figure.axes]
    assert "1,000,000" in [text.get_text() for text in figure.axes[1].get_yticklabels()]
    assert min(box.x0 for box in boxes) > 0
    assert max(box.x1 for box in boxes) < figure.bbox.width


def test_compare_denoising(shown):
    contrast, plane = stages()["contrast"], view()["plane"]
    panels = panels_of("denoising", "none", "median", "bilateral")
    compare_denoising(contrast, SPACING, view(), DIAMETER_UM, panels)
    expected = [denoise(contrast, SPACING, **panel["arguments"])[plane] for panel in panels]
    assert_same(shown[::2], expected)


def test_error_of_a_method_is_the_caption_of_its_panel():
    oblong = (1.0, 0.4, 0.5)
    image = colony().nuclei_image
    chosen = choose_view(image, oblong, DIAMETER_UM, 1000)
    contrast = percentile_stretch(image, oblong, low=0, high=100)
    panels = panels_of("denoising", "bilateral")
    (panel,) = compare_denoising(contrast, oblong, chosen, DIAMETER_UM, panels)["panels"]
    assert panel["png"] is None
    assert "square pixels" in panel["caption"]


def test_compare_edges(shown):
    denoised, plane, row = stages()["denoised"], view()["plane"], view()["row"]
    compare_edges(denoised, SPACING, view(), panels_of("edges"))
    sobel, sobel_2d = (detect_edges(denoised, SPACING, name, {}) for name in ("sobel", "sobel_2d"))
    middle = denoised.shape[2] // 2
    expected = []
    for stack in (sobel, sobel_2d, sobel - sobel_2d):
        expected += [stack[plane], stack[:, :, middle].T, stack[:, row]]
    assert_same(shown, expected)


def test_compare_morphology_of_grey_values(shown):
    panels = panels_of("grey_morphology", "grey erosion", "grey closing")
    assert len(panels) == 2
    compare_morphology(colony().nuclei_image, stages()["mask"], SPACING, view(), panels, [])
    assert_same(shown, adjusted_planes(panels))


def test_compare_morphology_of_the_mask():
    before, plane = stages()["mask"], view()["plane"]
    panels = panels_of("morphology", "erosion", "dilation", "clean_mask as configured")
    assert len(panels) == 3
    section = compare_morphology(stages()["contrast"], before, SPACING, view(), [], panels)
    for panel, drawn in zip(panels, section["panels"], strict=True):
        after = clean_mask(before, SPACING, **panel["arguments"])
        removed, added = before > after, after > before
        picture = pixels_of(drawn)
        for color, changed in (
            (panel_figures.REMOVED_COLOR, removed),
            (panel_figures.ADDED_COLOR, added),
        ):
            assert (picture == rgb(color)).all(axis=2).any() == changed[plane].any()
        assert f"removed {removed.sum() / before.sum():.1%}" in drawn["caption"]


def test_compare_thresholds_of_the_whole_stack(monkeypatch):
    contrast, denoised = stages()["contrast"], stages()["denoised"]
    small = choose_view(denoised, SPACING, DIAMETER_UM, 12.0)
    calls = record(monkeypatch, panel_figures, "show_mask")
    panels = panels_of("thresholds", "otsu", "hysteresis", "local")
    section = compare_thresholds(contrast, denoised, SPACING, small, panels)
    histogram, *others = section["panels"]
    for panel, call, drawn in zip(panels, calls, others, strict=True):
        threshold = find_threshold(denoised, **panel["arguments"])
        whole = binarize(denoised, threshold, SPACING)
        assert np.array_equal(call[3], plane_of(crop(whole, small), small))
        assert f"foreground {whole.mean():.1%}" in drawn["caption"]
        color = rgb(panel_figures.MASK_COLOR)
        assert (np.abs(pixels_of(drawn) - color).sum(axis=2) < 30).any()  # the outline
    otsu = find_threshold(denoised, "otsu", {})
    assert f"otsu {otsu:.3g}" in histogram["alt"]
    assert f"hysteresis low {0.9 * otsu:.3g}" in histogram["alt"]
    assert f"hysteresis high {1.3 * otsu:.3g}" in histogram["alt"]


def test_compare_surface_area():
    labels = colony().nuclei_labels
    true, unit, every = compare_surface_area(labels, SPACING)["panels"]
    areas, unit_areas = (
        np.array([surface_area(labels == label, steps) for label in range(1, 7)])
        for steps in (SPACING, (1, 1, 1))
    )
    label = int(re.match(r"object (\d+), of median volume: ", true["caption"])[1])
    assert true["caption"].split(": ")[1].startswith(f"{areas[label - 1]:.4g} µm²")
    assert unit["caption"].split(": ")[1].startswith(f"{unit_areas[label - 1]:.4g} voxels²")
    ratio = np.median(unit_areas / areas) * 0.16
    assert every["caption"] == f"unit / true spacing: {ratio:.3g} (median)"


def test_plot_shapes_names_the_outlier():
    measured = [500, 520, 480, 300], [0.98, 0.97, 0.99, 0.8], [100, 110, 90, 300]
    (panel,) = plot_shapes(*measured, [1, 2, 3, 7], "nuclei")["panels"]
    assert "number 7 differs most" in panel["caption"]
    assert plot_shapes([], [], [], [], "nuclei")["panels"] == []


def test_plot_profile_of_each_channel(shown):
    raws = {"nuclei": colony().nuclei_image, "membrane": colony().membrane_image}
    panels = [{"title": "profile", "snippet": {"choose_view": {"row": view()["row"]}}}]
    (panel,) = plot_profile(raws, SPACING, view(), panels)["panels"]
    assert panel["caption"] == f"plane {view()['plane']}, row {view()['row']}, counted from 0"
    assert_same(shown, [raw[view()["plane"]] for raw in raws.values()])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "value", "count"), [((1, 24, 24), 0, None), ((6, 24, 32), 77, 1)]
)
def test_stack_without_objects(shape, value, count):
    raw = np.full(shape, value, np.uint8)
    flat, mask = np.zeros(shape, np.float32), np.zeros(shape, np.uint8)
    chosen = choose_view(raw, SPACING, DIAMETER_UM, 60)
    at, labels = (SPACING, chosen), mask.astype(np.uint16)
    edges = panels_of("edges")
    grey, background, contrast, denoising, thresholds, morphology, seeds = (
        panels_of(name)[:count]
        for name in (
            "grey_morphology",
            "background",
            "contrast",
            "denoising",
            "thresholds",
            "morphology",
            "seeds",
        )
    )
    sections = [
        compare_background(raw, *at, background),
        compare_contrast(raw, *at, contrast),
        compare_denoising(flat, *at, DIAMETER_UM, denoising),
        compare_edges(flat, *at, edges),
        compare_thresholds(flat, flat, *at, thresholds),
        compare_morphology(raw, mask, *at, grey, morphology),
        compare_seeds(mask, labels, flat, flat, *at, DIAMETER_UM, seeds, SPLIT),
    ]
    for section in sections:
        assert section["panels"]
        assert [panel["caption"] for panel in section["panels"] if not panel["png"]] == []
    assert compare_surface_area(labels, SPACING)["panels"] == []
