import numpy as np
import pytest
from drawn import assert_outlined, boxes_image, edges_of, outlines_of, pixels_of

from cellstack.core.labels import find_boxes
from cellstack.errors import InputError
from cellstack.figures import drawing, outlines
from cellstack.figures.colors import COLORS
from cellstack.gallery import panel_figures

SPACING = (0.5, 0.4)
NUMBERS = (2, 3, 7, 8, 20, 21, 40)
BOXES = [((2 + i, 12 + i), (1 + 8 * i, 8 + 8 * i)) for i in range(7)]
PLANE = boxes_image((1, 24, 60), *[[(0, 1), *box] for box in BOXES], labels=NUMBERS)[0]
COLOR_OF = outlines.label_colors(find_boxes(PLANE[None]))


def one_tile(shape=PLANE.shape, spacing=SPACING):
    scale = panel_figures.choose_scale(shape, spacing)
    figure, [[axes]], _ = panel_figures.tile_figure([[panel_figures.Tile(shape, spacing, scale)]])
    return figure, axes, [scale * step for step in spacing]


def picture_of(figure):
    drawn = panel_figures.draw_panels([{"title": "x"}], lambda panel: (figure, COLORS, "", ""))
    return pixels_of(drawn[0])


def test_every_label_of_a_plane_with_gaps_is_traced():
    lines, labels = panel_figures.trace(PLANE, SPACING)
    assert labels == list(NUMBERS)
    for line, (rows, columns) in zip(lines, BOXES, strict=True):
        x, y = line[:, 0] / SPACING[1], line[:, 1] / SPACING[0]
        # pixels extend by half a pixel around their centres
        assert (y.min() + 0.5, y.max() + 0.5) == pytest.approx(rows)
        assert (x.min() + 0.5, x.max() + 0.5) == pytest.approx(columns)


def test_each_part_and_hole_of_a_label_is_traced():
    image = np.zeros((9, 20), np.uint16)
    image[1:8, 1:8] = 5
    image[3:5, 3:5] = 0
    image[2:4, 12:16] = 5
    image[5:8, 12:16] = 9
    lines, labels = panel_figures.trace(image, (1, 1))
    assert labels == [5, 5, 5, 9]
    assert len(lines) == 4


def test_labels_with_gaps_are_outlined_in_place_and_in_their_colors():
    _, axes, _ = one_tile()
    panel_figures.show_labels(axes, np.zeros(PLANE.shape), (0, 1), PLANE, SPACING, COLOR_OF)
    drawn = [(edges_of(line, SPACING), color) for color, line in outlines_of(axes)]
    expected = zip(BOXES, [COLOR_OF[label] for label in NUMBERS], strict=True)
    assert drawn == list(expected)


def test_rendered_outlines_of_labels_with_gaps():
    figure, axes, scale = one_tile()
    panel_figures.show_labels(axes, np.zeros(PLANE.shape), (0, 1), PLANE, SPACING, COLOR_OF)
    picture = picture_of(figure)
    assert len(set(COLOR_OF.values())) == 7
    for box, label in zip(BOXES, NUMBERS, strict=True):
        assert_outlined(picture, box, COLOR_OF[label], scale, start=(1, 1))


def test_colors_are_those_of_the_whole_stack():
    stack = np.zeros((2, *PLANE.shape), np.uint16)
    stack[0, 14:20, 30:36] = 1  # only in the other plane
    stack[1] = PLANE
    colors = outlines.label_colors(find_boxes(stack))
    _, axes, _ = one_tile()
    panel_figures.show_labels(axes, PLANE * 0, (0, 1), PLANE, SPACING, colors)
    assert [color for color, _ in outlines_of(axes)] == [colors[label] for label in NUMBERS]


def test_mask_is_outlined_and_its_background_darker():
    mask = (PLANE > 0).astype(np.uint8)
    image = np.full(PLANE.shape, 100.0)
    _, axes, _ = one_tile()
    panel_figures.show_mask(axes, image, (0, 200), mask, SPACING)
    outlines = outlines_of(axes)
    assert {color for color, _ in outlines} == {panel_figures.MASK_COLOR}
    assert sorted(edges_of(line, SPACING) for _, line in outlines) == sorted(BOXES)
    shown = np.asarray(axes.images[0].get_array())
    np.testing.assert_allclose(shown, np.where(mask, 100, 45))


def test_rendered_outline_of_a_mask():
    figure, axes, scale = one_tile()
    mask = np.zeros(PLANE.shape, np.uint8)
    mask[5:15, 20:33] = 1
    panel_figures.show_mask(axes, PLANE * 0.0, (0, 1), mask, SPACING)
    box = ((5, 15), (20, 33))
    assert_outlined(picture_of(figure), box, panel_figures.MASK_COLOR, scale, start=(1, 1))


def test_nothing_is_outlined_in_an_empty_plane():
    _, axes, _ = one_tile()
    empty = np.zeros(PLANE.shape, np.uint8)
    panel_figures.show_mask(axes, empty, (0, 1), empty, SPACING)
    panel_figures.show_labels(axes, empty, (0, 1), empty, SPACING, {})
    assert outlines_of(axes) == []


def test_points_are_marked_in_place():
    _, axes, _ = one_tile()
    panel_figures.show_points(axes, np.array([[3.0, 10.0], [8.0, 20.0]]), SPACING)
    (dots,) = axes.lines
    np.testing.assert_allclose(dots.get_xydata(), [(4.0, 1.5), (8.0, 4.0)])


@pytest.mark.parametrize(("columns", "ratio"), [(96, 1), (48, 0.5)])
def test_picture_has_true_aspect(columns, ratio):
    figure, _, _ = one_tile((96, columns), (0.4, 0.4))
    height, width, _ = picture_of(figure).shape
    assert (width - 2) / (height - 2 - panel_figures.BAR) == pytest.approx(ratio, abs=0.01)


def test_error_becomes_the_caption_of_its_panel():
    def draw(panel):
        if panel["title"] == "bad":
            raise InputError("needs square pixels")
        return drawing.new_figure(30, 20), COLORS, "a picture", "fine"

    panels = [{"title": "bad"}, {"title": "good", "snippet": {"a": 1}, "is_own": True}]
    bad, good = panel_figures.draw_panels(panels, draw)
    assert (bad["png"], bad["width"], bad["caption"]) == (
        None,
        0,
        "No picture: needs square pixels",
    )
    assert (good["width"], good["alt"], good["caption"]) == (30, "a picture", "fine")
    assert (good["snippet"], good["is_own"], bad["snippet"]) == ({"a": 1}, True, None)
