"""The gallery: its panels against the schema, its pictures against the stages, its page against HTML."""

import base64
import io as bytes_io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import yaml
from conftest import ROOT
from PIL import Image
from study import DIAMETER_UM, SPACING, simulated

from cellstack import figures, gallery_figures, gallery_panels, settings
from cellstack.adjust_contrast import adjust_contrast, stretch
from cellstack.binarize import binarize, find_threshold
from cellstack.choose_view import choose_view
from cellstack.clean_mask import clean_mask
from cellstack.compare_background import compare_background
from cellstack.compare_contrast import compare_contrast
from cellstack.compare_denoising import compare_denoising
from cellstack.compare_edges import compare_edges
from cellstack.compare_morphology import compare_morphology
from cellstack.compare_seeds import compare_seeds, find_places
from cellstack.compare_surface_area import compare_surface_area
from cellstack.compare_thresholds import compare_thresholds
from cellstack.correct_background import correct_background
from cellstack.denoise import denoise
from cellstack.detect_edges import detect_edges
from cellstack.errors import InputError
from cellstack.find_seeds import distance_map
from cellstack.label_components import label_components
from cellstack.plot_profile import plot_profile
from cellstack.plot_shapes import plot_shapes
from cellstack.surface_area import surface_area
from cellstack.views import crop, plane_of, row_of, slab
from cellstack.write_gallery import as_yaml, write_gallery


def load(name):
    return yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8"))


STAGES = load("schemas/stages.schema")
CONFIG = settings.join_schemas(load("schemas/config.schema"), STAGES)
GALLERY, PRESETS = load("gallery"), load("presets")
COMPARED = {
    "background": "correct_background",
    "contrast": "adjust_contrast",
    "denoising": "denoise",
    "edges": "detect_edges",
    "thresholds": "binarize",
    "grey_morphology": "adjust_contrast",
    "morphology": "clean_mask",
    "seeds": "find_seeds",
}
BESIDE = {"contrast": "grey_morphology", "grey_morphology": "contrast"}


def block(stage, **changes):
    """Complete settings of a stage, with changes."""
    return settings.merge(settings.fill_defaults({}, STAGES)[stage], changes)


def panels(comparison, *titles, **changes):
    stage = COMPARED[comparison]
    given, elsewhere = (GALLERY.get(name, {}) for name in (comparison, BESIDE.get(comparison)))
    listed = gallery_panels.list_panels(stage, given, block(stage, **changes), DIAMETER_UM, STAGES, elsewhere)
    return [panel for panel in listed if not titles or panel["title"] in titles]


def pixels(panel):
    return np.asarray(Image.open(bytes_io.BytesIO(base64.b64decode(panel["png"]))).convert("RGB"))


# ---- panels


def test_what_is_compared_are_stages_of_the_gallery():
    assert GALLERY.keys() <= COMPARED.keys()


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("comparison", COMPARED)
def test_a_snippet_put_into_the_configuration_gives_its_panel(comparison, preset):
    stage = COMPARED[comparison]
    given = {"stacks": "stacks.tsv", "diameter_um": {"nuclei": DIAMETER_UM}, "binarize": {"factor": 0.9}, stage: {}} | PRESETS[preset]
    config, _ = settings.complete(given, CONFIG, STAGES, check=True)
    for panel in gallery_panels.list_panels(stage, GALLERY.get(comparison, {}), config[stage], DIAMETER_UM, STAGES):
        pasted = given | yaml.safe_load(as_yaml(panel["snippet"]))
        completed, faults = settings.complete(pasted, CONFIG, STAGES, check=True)
        assert faults == []
        assert settings.stage_arguments(stage, completed[stage], DIAMETER_UM, STAGES) == panel["arguments"]


@pytest.mark.parametrize("stage", sorted(set(COMPARED.values())))
def test_every_method_has_a_panel(stage):
    shown = str([panel["arguments"] for comparison, each in COMPARED.items() if each == stage for panel in panels(comparison)])
    methods = settings.method_blocks(STAGES["properties"][stage], STAGES)
    assert [name for name in methods if f"'{name}'" not in shown] == (["points"] if stage == "find_seeds" else [])


@pytest.mark.parametrize("comparison", COMPARED)
def test_one_panel_is_that_of_the_stack(comparison):
    listed = panels(comparison)
    assert [panel["is_own"] for panel in listed].count(True) == 1
    assert len({panel["title"] for panel in listed}) == len(listed)


def test_a_stage_that_is_compared_twice_shows_no_method_twice():
    assert [panel["title"] for panel in panels("contrast")] == list(GALLERY["contrast"])
    first, *others = panels("grey_morphology")
    assert first["title"] == "adjust_contrast as configured"
    assert [panel["title"] for panel in others] == list(GALLERY["grey_morphology"])


def test_settings_that_no_panel_has_get_a_panel_of_their_own():
    first, *others = panels("denoising", method="median", median={"radius_um": 3})
    assert not first["is_own"]
    assert [panel["title"] for panel in others if panel["is_own"]] == ["median"]
    first, *others = panels("contrast", steps=["equalize", "stretch"])
    assert first["is_own"]
    assert first["title"] == "adjust_contrast as configured"
    assert first["snippet"]["adjust_contrast"]["steps"] == [{"equalize": {"nbins": 256}}, {"stretch": {"low": 0.5, "high": 99.5}}]
    assert not any(panel["is_own"] for panel in others)


def test_a_preset_goes_last_and_keeps_no_method_from_its_panel():
    further = {"preset mine": {"method": "bilateral", "bilateral": {"sigma_um": 0.26}}}
    listed = gallery_panels.list_panels("denoise", {}, block("denoise"), DIAMETER_UM, STAGES, further=further)
    assert "bilateral" in [panel["title"] for panel in listed]
    assert listed[-1]["title"] == "preset mine"
    assert listed[-1]["arguments"]["options"] == settings.fill_defaults({}, STAGES)["denoise"]["bilateral"] | {"sigma_um": 0.26}


def test_a_new_method_gets_a_panel_from_its_schema_alone():
    schema = settings.merge(STAGES, {"properties": {"denoise": {"properties": {"soften": {"$ref": "#/$defs/no_options"}}}}})
    listed = gallery_panels.list_panels("denoise", {}, settings.fill_defaults({}, schema)["denoise"], DIAMETER_UM, schema)
    assert listed[-1]["title"] == "soften"
    assert listed[-1]["arguments"] == {"method": "soften", "options": {}}


def test_seeds_set_by_hand_are_shown_where_they_are_chosen():
    assert "points" not in [panel["title"] for panel in panels("seeds")]
    assert [panel["title"] for panel in panels("seeds", method="points") if panel["is_own"]] == ["points"]


# ---- the view


@pytest.fixture(scope="module")
def colony():
    return simulated()


@pytest.fixture(scope="module")
def view(colony):
    return choose_view(colony.nuclei_image, SPACING, DIAMETER_UM, 1000)


def test_the_view_is_the_brightest_plane_and_row(colony, view):
    means = colony.nuclei_image.mean(axis=(1, 2))
    assert view["plane"] == means.argmax()
    assert view["row"] == colony.nuclei_image[view["plane"]].mean(axis=1).argmax()
    assert view["region"] == [[0, size] for size in colony.nuclei_image.shape]
    assert choose_view(colony.nuclei_image, SPACING, DIAMETER_UM, 1000, 3, 50) == view | {"plane": 3, "row": 50} | {
        "zoom": choose_view(colony.nuclei_image, SPACING, DIAMETER_UM, 1000, 3, 50)["zoom"]
    }


def test_the_region_has_its_size_about_the_plane_and_lies_in_the_stack(colony):
    for plane in (0, 8, 15):
        found = choose_view(colony.nuclei_image, SPACING, DIAMETER_UM, 8.0, plane)
        (z, z_end), (y, y_end), (x, x_end) = found["region"]
        assert (z_end - z, y_end - y, x_end - x) == (8, 20, 20)
        assert z <= plane < z_end
        assert y == x == 38
        assert y <= found["row"] < y_end
        for (low, high), (first, end) in zip(found["zoom"], found["region"][1:], strict=True):
            assert first <= low < high <= end


def test_a_large_region_is_made_smaller(colony, monkeypatch):
    monkeypatch.setattr("cellstack.choose_view.MOST_VOXELS", 20_000)
    found = choose_view(colony.nuclei_image, SPACING, DIAMETER_UM, 1000)
    sides = [end - first for first, end in found["region"]]
    assert 0.9 * 20_000 < np.prod(sides) <= 20_000
    assert np.divide(sides, colony.nuclei_image.shape) == pytest.approx(np.full(3, (20_000 / colony.nuclei_image.size) ** (1 / 3)), rel=0.1)


def test_two_neighbours_are_zoomed_in_on():
    z, y, x = np.ogrid[:20, :120, :120]
    stack = np.zeros((20, 120, 120), np.float32)
    for middle in ((10, 30, 30), (10, 80, 78), (10, 80, 90)):
        stack[sum((axis - at) ** 2 for axis, at in zip((z, y, x), middle, strict=True)) <= 25] = 1
    found = choose_view(stack, (1, 1, 1), 10, 1000, 10)
    assert found["zoom"] == [[68, 92], [72, 96]]


def test_a_plane_or_row_beyond_the_stack_is_named(colony):
    with pytest.raises(InputError, match=r"choose_view\.plane: 16 is not in the stack; give one from 0 to 15"):
        choose_view(colony.nuclei_image, SPACING, DIAMETER_UM, 40, plane=16)
    with pytest.raises(InputError, match=r"choose_view\.row: 96"):
        choose_view(colony.nuclei_image, SPACING, DIAMETER_UM, 40, row=96)


def test_parts_of_a_stack_are_those_of_the_view(colony):
    found = choose_view(colony.nuclei_image, SPACING, DIAMETER_UM, 12.0, plane=5, row=90)
    (_, _), (y, y_end), (x, x_end) = found["region"]
    part = crop(colony.nuclei_image, found)
    assert np.array_equal(plane_of(part, found), colony.nuclei_image[5, y:y_end, x:x_end])
    (top, bottom), (left, right) = found["zoom"]
    assert np.array_equal(plane_of(part, found, zoomed=True), colony.nuclei_image[5, top:bottom, left:right])
    assert np.array_equal(row_of(part, found), part[:, -1])  # row 90 lies below the region
    thin, narrowed = slab(part, found, 2.0)
    assert len(thin) == 5
    assert np.array_equal(plane_of(thin, narrowed), plane_of(part, found))


# ---- pictures


@pytest.fixture
def shown(monkeypatch):
    """Every image that is shown, in order."""
    images = []
    original = figures.show_image
    monkeypatch.setattr(figures, "show_image", lambda axes, image, *rest: images.append(image) or original(axes, image, *rest))
    return images


@pytest.fixture(scope="module")
def stages(colony):
    """The stages of the colony at their defaults."""
    contrast = stretch(colony.nuclei_image, SPACING, low=0.5, high=99.5)
    denoised = denoise(contrast, SPACING, "gaussian", {"sigma_um": 0.5})
    mask = binarize(denoised, find_threshold(denoised, "otsu", {}))
    return {"contrast": contrast, "denoised": denoised, "mask": mask, "components": label_components(mask, 26)}


def same(images, expected):
    assert len(images) == len(expected) > 0
    assert all(np.array_equal(*pair) for pair in zip(images, expected, strict=True))


def test_pictures_show_what_the_stages_give(colony, stages, view, shown):
    plane = view["plane"]
    raw, contrast, denoised = colony.nuclei_image, stages["contrast"], stages["denoised"]
    few = panels("background", "depth", "gaussian")
    compare_background(raw, SPACING, view, few)
    same(shown[::2], [correct_background(raw, SPACING, **panel["arguments"])[plane] for panel in few])
    same(shown[1::2], [correct_background(raw, SPACING, **panel["arguments"])[:, view["row"]] for panel in few])
    shown.clear()
    few = panels("contrast", "original", "gamma 0.5", "equalized")
    compare_contrast(raw, SPACING, view, few)
    same(shown, [adjust_contrast(raw, SPACING, **panel["arguments"])[plane] for panel in few])
    shown.clear()
    few = panels("denoising", "none", "median", "bilateral")
    compare_denoising(contrast, SPACING, view, DIAMETER_UM, few)
    same(shown[::2], [denoise(contrast, SPACING, **panel["arguments"])[plane] for panel in few])
    shown.clear()
    few = panels("grey_morphology", "grey erosion", "grey closing")
    compare_morphology(raw, stages["mask"], SPACING, view, few, [])
    same(shown, [adjust_contrast(raw, SPACING, **panel["arguments"])[plane] for panel in few])
    shown.clear()
    compare_edges(denoised, SPACING, view, panels("edges"))
    sobel, sobel_planes = (detect_edges(denoised, SPACING, method, {}) for method in ("sobel", "sobel_planes"))
    middle = denoised.shape[2] // 2
    expected = []
    for stack in (sobel, sobel_planes, sobel - sobel_planes):
        expected += [stack[plane], stack[:, :, middle].T, stack[:, view["row"]]]
    same(shown, expected)


def test_thresholds_are_those_of_the_whole_stack(stages, monkeypatch):
    small = choose_view(stages["denoised"], SPACING, DIAMETER_UM, 12.0)
    masks = []
    monkeypatch.setattr(gallery_figures, "show_mask", lambda axes, image, limits, mask, spacing: masks.append(mask))
    few = panels("thresholds", "otsu", "hysteresis", "local")
    section = compare_thresholds(stages["contrast"], stages["denoised"], SPACING, small, few)
    histogram, *others = section["panels"]
    for panel, mask, drawn in zip(few, masks, others, strict=True):
        found = find_threshold(stages["denoised"], **panel["arguments"])
        whole = binarize(stages["denoised"], found, SPACING)
        assert np.array_equal(mask, plane_of(crop(whole, small), small))
        assert f"foreground {whole.mean():.1%}" in drawn["caption"]
    otsu = find_threshold(stages["denoised"], "otsu", {})
    assert f"otsu {otsu:.3g}" in histogram["alt"]
    assert f"hysteresis low {0.9 * otsu:.3g}" in histogram["alt"]
    assert f"hysteresis high {1.3 * otsu:.3g}" in histogram["alt"]


def test_morphology_paints_what_goes_and_comes(stages, view):
    few = panels("morphology", "erosion", "dilation", "clean_mask as configured")
    section = compare_morphology(stages["contrast"], stages["mask"], SPACING, view, [], few)
    removed, added = (
        np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) for color in (gallery_figures.REMOVED, gallery_figures.ADDED)
    )
    for panel, drawn in zip(few, section["panels"], strict=True):
        before, after = stages["mask"], clean_mask(stages["mask"], SPACING, **panel["arguments"])
        picture = pixels(drawn)
        assert (picture == removed).all(axis=2).any() == bool((before & ~after & 1)[view["plane"]].any())
        assert (picture == added).all(axis=2).any() == bool((after & ~before & 1)[view["plane"]].any())
        assert f"removed {np.sum(before & ~after & 1) / before.sum():.1%}" in drawn["caption"]


def test_a_picture_has_true_aspect(stages):
    whole = choose_view(stages["mask"], SPACING, DIAMETER_UM, 1000)
    half = whole | {"region": [[0, 16], [0, 96], [0, 48]]}
    for view, ratio in ((whole, 1), (half, 0.5)):
        (panel,) = compare_morphology(stages["contrast"], stages["mask"], SPACING, view, [], panels("morphology", "erosion"))["panels"]
        height, width, _ = pixels(panel).shape
        assert (width - 2) / (height - 2 - gallery_figures.BAR) == pytest.approx(ratio, abs=0.01)


def test_places_are_where_methods_disagree():
    labels = np.zeros((8, 40, 80), np.uint16)
    labels[1:7, 10:30, 5:25] = 1
    labels[1:7, 10:30, 50:70] = 2
    cut = labels.copy()
    cut[labels == 2] = np.where(np.arange(80) < 60, 2, 3)[np.nonzero(labels == 2)[2]]
    one, two = np.array([[4, 20, 15], [4, 20, 60]]), np.array([[4, 20, 15], [4, 20, 55], [4, 20, 65]])
    assert find_places([(one, labels), (one, labels)], (1, 1, 1), 15) == []
    (place,) = find_places([(one, labels), (two, cut)], (1, 1, 1), 15)
    assert place == (4, 20, 60)


def test_seeds_and_labels_are_counted(stages, view):
    split = {"method": "distance", "options": {}, "compactness": 0}
    few = panels("seeds", "h_maxima", "peaks")
    section = compare_seeds(
        stages["mask"], stages["components"], stages["denoised"], stages["denoised"], SPACING, view, DIAMETER_UM, few, split
    )
    assert [panel["caption"].split(" seeds")[0].isdigit() for panel in section["panels"]] == [True, True]
    by_hand = panels("seeds", "points", method="points")
    deepest = np.argwhere(distance_map(stages["mask"], SPACING) == distance_map(stages["mask"], SPACING).max())[:1]
    section = compare_seeds(
        stages["mask"],
        stages["components"],
        *[stages["denoised"]] * 2,
        SPACING,
        view,
        DIAMETER_UM,
        by_hand,
        split,
        points=deepest.astype(float),
    )
    assert section["panels"][0]["caption"].startswith(f"{stages['components'].max()} seeds")  # one per component, one of them by hand


def test_surface_area_with_true_and_unit_spacing(colony):
    section = compare_surface_area(colony.nuclei_labels, SPACING)
    true, unit, every = section["panels"]
    areas = [[surface_area(colony.nuclei_labels == label, steps) for label in range(1, 7)] for steps in (SPACING, (1, 1, 1))]
    assert true["caption"].split(" ")[0] in [f"{area:.4g}" for area in areas[0]]
    assert unit["caption"].split(" ")[0] in [f"{area:.4g}" for area in areas[1]]
    assert every["caption"] == f"unit over true spacing: {np.median(np.divide(*areas[::-1])) * 0.16:.3g} (median)"


def test_the_shape_that_stands_apart_is_named():
    volumes, solidities, intensities = [500, 520, 480, 300], [0.98, 0.97, 0.99, 0.8], [100, 110, 90, 300]
    (panel,) = plot_shapes(volumes, solidities, intensities, [1, 2, 3, 7], "nuclei")["panels"]
    assert "number 7 stands farthest" in panel["caption"]
    assert plot_shapes([], [], [], [], "nuclei")["panels"] == []


def test_a_profile_has_every_channel(colony, view):
    raws = {"nuclei": colony.nuclei_image, "membrane": colony.membrane_image}
    (panel,) = plot_profile(raws, SPACING, view, [{"title": "profile", "snippet": {"choose_view": {"row": view["row"]}}}])["panels"]
    assert panel["caption"] == f"plane {view['plane']}, row {view['row']}, counted from 0"
    assert pixels(panel).std() > 0


@pytest.mark.parametrize(("shape", "value"), [((1, 40, 40), 0), ((6, 30, 50), 77)])
def test_nothing_to_see_is_shown_all_the_same(shape, value):
    raw = np.full(shape, value, np.uint8)
    flat = np.zeros(shape, np.float32)
    mask = np.zeros(shape, np.uint8)
    found = choose_view(raw, SPACING, DIAMETER_UM, 60)
    sections = [
        compare_background(raw, SPACING, found, panels("background")),
        compare_contrast(raw, SPACING, found, panels("contrast")),
        compare_denoising(flat, SPACING, found, DIAMETER_UM, panels("denoising")),
        compare_edges(flat, SPACING, found, panels("edges")),
        compare_thresholds(flat, flat, SPACING, found, panels("thresholds")),
        compare_morphology(raw, mask, SPACING, found, panels("grey_morphology"), panels("morphology")),
        compare_seeds(
            mask,
            mask.astype(np.uint16),
            flat,
            flat,
            SPACING,
            found,
            DIAMETER_UM,
            panels("seeds"),
            {"method": "distance", "options": {}, "compactness": 0},
        ),
        compare_surface_area(mask.astype(np.uint16), SPACING),
    ]
    assert [panel["caption"] for section in sections for panel in section["panels"] if not panel["png"]] == []
    assert [len(section["panels"]) for section in sections][-1] == 0


def test_what_cannot_be_drawn_says_why(colony):
    oblong = (1.0, 0.4, 0.5)
    found = choose_view(colony.nuclei_image, oblong, DIAMETER_UM, 1000)
    (panel,) = compare_denoising(
        stretch(colony.nuclei_image, oblong, low=0, high=100), oblong, found, DIAMETER_UM, panels("denoising", "bilateral")
    )["panels"]
    assert panel["png"] is None
    assert "needs square pixels" in panel["caption"]


# ---- the page


class Reader(HTMLParser):
    """The elements of a page, and whether each is closed."""

    EMPTY = ("meta", "link", "img", "!doctype")

    def __init__(self):
        super().__init__()
        self.open, self.elements = [], []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_refers_to_nothing_outside(view, stages):
    morphology = compare_morphology(stages["contrast"], stages["mask"], SPACING, view, [], panels("morphology", "erosion"))
    sections = {"morphology": morphology, "shapes": {"title": "Shapes", "text": "a < b", "panels": []}}
    text = write_gallery(sections, view, stack="a-stack", note="simulated data", diameter_um=DIAMETER_UM, preset="tutorial")
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    assert "://" not in text
    references = [value for _, attributes in reader.elements for key, value in attributes.items() if key in ("src", "href")]
    assert all(value.startswith(("data:", "#")) for value in references)
    identities = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert [value[1:] for value in references if value.startswith("#")] == identities == ["morphology", "shapes"]
    assert all(attributes["alt"] for tag, attributes in reader.elements if tag == "img")
    for said in ("simulated data", "0.08 d = 0.64 µm", "a &lt; b", "no objects", "<code>tutorial</code>", "96 × 96 × 16 voxels"):
        assert said in text
    assert re.search(r"<pre><code>clean_mask:\n  steps:\n  - erosion: \{shape: ball, radius_um: 0.08 d\}\n</code></pre>", text)
