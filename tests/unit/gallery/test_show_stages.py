import numpy as np
import pytest
from drawn import assert_outlined, boxes_image, pixels_of
from gallery_cases import record_images

from cellstack.core.labels import find_boxes
from cellstack.core.planes import ComputedStack
from cellstack.figures import outlines
from cellstack.gallery import panel_figures
from cellstack.gallery.show_stages import show_stages

SPACING = (1.0, 0.5, 0.4)
SHAPE = (4, 24, 60)
NUMBERS = (2, 3, 7, 8, 20, 21, 40)
BOXES = [[(i % 2, i % 2 + 2), (2 + i, 12 + i), (1 + 8 * i, 8 + 8 * i)] for i in range(7)]
LABELS = boxes_image(SHAPE, *BOXES, labels=NUMBERS)
LABEL_IMAGES = ("components", "watershed", "merged", "segmentation", "labels")
VIEW = {
    "plane": 1,
    "row": 3,
    "region": [[0, size] for size in SHAPE],
    "zoom": [[0, 9], [0, 9]],
    "shape": list(SHAPE),
    "spacing": list(SPACING),
}


def stages(**changes):
    mask = (LABELS > 0).astype(np.uint8)
    seeds = boxes_image(SHAPE, *[[(z, z + 1), (9, 10), (10 + 9 * z, 11 + 9 * z)] for z in range(4)])
    grey = np.zeros(SHAPE, np.float32)
    images = dict.fromkeys(("raw", "contrast", "denoised"), grey)
    images |= dict.fromkeys(("mask", "mask_clean"), mask)
    images |= {"distance": mask * np.float32(0.5), "seeds": seeds}
    return images | dict.fromkeys(LABEL_IMAGES, LABELS) | changes


def show(name, view=VIEW, **changes):
    panels = [{"title": name, "snippet": {name: {}}, "image": name}]
    (panel,) = show_stages(stages(**changes), SPACING, view, 4.0, panels)["panels"]
    return panel


def scale():
    pixels_per_um = panel_figures.choose_scale(SHAPE[1:], SPACING[1:])
    return [pixels_per_um * step for step in SPACING[1:]]


@pytest.mark.parametrize("name", stages())
def test_stages_that_are_read_in_parts(name):
    opened = {
        key: ComputedStack(stack.shape, stack.dtype, stack.__getitem__)
        for key, stack in stages().items()
    }
    assert show(name, **opened) == show(name)


@pytest.mark.parametrize("name", LABEL_IMAGES)
def test_labels_with_gaps_are_outlined_in_place_and_in_their_colors(name):
    panel = show(name)
    colors = outlines.label_colors(find_boxes(LABELS))
    assert len(set(colors.values())) == 7
    for label, (_, *box) in zip(NUMBERS, BOXES, strict=True):
        assert_outlined(pixels_of(panel), box, colors[label], scale(), start=(1, 1))
    kind = "components" if name == "components" else "objects"
    assert panel["caption"] == f"7 {kind} in the stack"


def test_three_views_of_the_raw_stack(monkeypatch):
    raw = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    region = [[1, 4], [4, 24], [10, 50]]
    for row, expected in ((7, 7), (2, 4), (23, 23)):
        images = record_images(monkeypatch)
        panel = show("views", VIEW | {"region": region, "row": row}, raw=raw)
        plane, side, front = images
        np.testing.assert_array_equal(plane, raw[1, 4:, 10:50])
        np.testing.assert_array_equal(side, raw[1:, 4:, 30].T)
        np.testing.assert_array_equal(front, raw[1:, expected, 10:50])
    assert panel["caption"].startswith("x and y, z and y, x and z; grey from")


def test_labels_in_part_of_a_stack_have_the_same_colors():
    region = [[1, 4], [0, 24], [24, 60]]
    picture = pixels_of(show("labels", VIEW | {"region": region, "plane": 2}))
    colors = outlines.label_colors(find_boxes(LABELS))
    pixels_per_um = panel_figures.choose_scale((24, 36), SPACING[1:])
    steps = [pixels_per_um * step for step in SPACING[1:]]
    for label, (_, rows, (first, last)) in zip(NUMBERS[3::2], BOXES[3::2], strict=True):
        box = (rows, (first - 24, last - 24))
        assert_outlined(picture, box, colors[label], steps, start=(1, 1))


@pytest.mark.parametrize("name", ["mask", "mask_clean"])
def test_mask_is_outlined(name):
    mask = boxes_image(SHAPE, [(0, 4), (5, 15), (20, 33)]).astype(np.uint8)
    panel = show(name, **{name: mask})
    color = panel_figures.MASK_COLOR
    assert_outlined(pixels_of(panel), ((5, 15), (20, 33)), color, scale(), start=(1, 1))
    assert panel["caption"] == f"foreground: {mask.mean():.1%} of the stack"


def seeds_marked(plane):
    """Return for each seed whether there is a white dot at its column of the distance map."""
    panel = show("distance", VIEW | {"plane": plane})
    step = scale()[1]
    white = (pixels_of(panel) == 255).all(axis=2)[5:200]  # the first 195 rows of the map
    centers = [int(1 + (10.5 + 9 * z) * step) for z in range(4)]
    return [bool(white[:, center - 2 : center + 3].any()) for center in centers]


def test_seeds_near_the_plane_are_marked_on_the_distance_map():
    # the seed of plane z is at column 10 + 9 z; planes have a distance of 1 um, the limit is 2 um
    assert seeds_marked(plane=1) == [True, True, True, True]
    assert seeds_marked(plane=0) == [True, True, True, False]


def test_grey_image_has_its_range_as_caption():
    raw = np.full(SHAPE, 3, np.float32)
    raw[1, :12] = 9
    assert show("raw", raw=raw)["caption"] == "grey from 3 to 9"
