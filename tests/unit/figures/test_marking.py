"""Marks of the user are drawn at their places in um, in the views that show these places."""

import numpy as np
import pytest
from drawn import panels
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation

from cellstack.evaluate.evaluate_labels import evaluate_labels
from cellstack.figures import drawing, marking, png
from cellstack.figures.colors import ALERT, COLORS
from cellstack.figures.plot_diameter import plot_diameter
from cellstack.figures.plot_errors import NEIGHBOUR_COLORS, plot_errors
from cellstack.figures.plot_planes import plot_planes
from cellstack.figures.plot_segmentation import plot_segmentation

SPACING = (2.0, 0.5, 0.25)
SHAPE = (6, 40, 80)  # 12 x 20 x 20 um


def mark(kind, place_um, size_um=4.0, text="", color="#ff00ff"):
    return {
        "kind": kind, "place_um": place_um, "size_um": size_um, "text": text, "color": color,
    }  # fmt: skip


def panel(rows=40, columns=80, steps=(0.5, 0.25), scale=10):
    figure = drawing.new_figure(300, 300)
    return drawing.add_panel(figure, 20, 20, drawing.image_extent((rows, columns), steps), scale)


def boxes_on(axes):
    return [each.get_bbox().bounds for each in axes.findobj(Rectangle) if not each.get_fill()]


def texts_on(axes):
    return [each for each in axes.findobj(Annotation) if each.get_text()]


def arrows_on(axes):
    return [each for each in axes.findobj(Annotation) if each.arrow_patch is not None]


@pytest.mark.parametrize(("view", "corner"), [("xy", (10, 4)), ("xz", (10, 5)), ("yz", (5, 4))])
def test_a_box_is_centred_on_its_place_in_each_view(view, corner):
    axes = panel()
    marking.draw_marks(axes, [mark("box", [7.0, 6.0, 12.0])], SPACING, view)
    assert boxes_on(axes) == [(*corner, 4, 4)]


def test_planes_show_marks_up_to_half_their_size_away():
    wide, flat = mark("box", [5.0, 6.0, 12.0], 6), mark("box", [5.0, 6.0, 12.0], 0.1)
    shown = {}
    for plane in range(6):
        axes = panel()
        marking.draw_marks(axes, [wide, flat], SPACING, plane=plane)
        shown[plane] = [round(box[2], 3) for box in boxes_on(axes)]
    # planes are 2 um apart; a mark smaller than a voxel is shown half a voxel away
    assert shown == {0: [], 1: [6], 2: [6, 0.1], 3: [6, 0.1], 4: [6], 5: []}
    axes = panel()
    marking.draw_marks(axes, [wide], SPACING, "yz", plane=37)  # x = 9.25 um, 2.75 um away
    marking.draw_marks(axes, [wide], SPACING, "yz", plane=35)
    assert len(boxes_on(axes)) == 1


@pytest.mark.parametrize(
    ("place", "sideways", "upwards"),
    [((10, 10), -1, -1), ((1, 10), 1, -1), ((10, 1), -1, 1), ((1, 1), 1, 1)],
)
def test_an_arrow_ends_at_its_place_and_begins_in_the_view(place, sideways, upwards):
    axes = panel()
    x, y = place
    marking.draw_marks(axes, [mark("arrow", [0, y, x], 5, "dividing")], SPACING)
    (arrow,) = arrows_on(axes)
    assert arrow.xy == (x, y)
    length = 5 / np.sqrt(2)
    np.testing.assert_allclose(arrow.xyann, (x + sideways * length, y + upwards * length))
    (text,) = texts_on(axes)
    assert text.get_text() == "dividing"
    assert text.xy == arrow.xyann


@pytest.mark.parametrize("place", [(0, 0), (19.5, 19), (10, 10)])
def test_texts_are_plain_and_lie_within_the_panel(place):
    axes = panel()
    x, y = place
    marking.draw_marks(axes, [mark("text", [0, y, x], text="$5 a long text")], SPACING)
    (text,) = texts_on(axes)
    with drawing.default_style():
        inside, extent = axes.bbox, text.get_window_extent()
    assert text.get_text() == "$5 a long text"
    assert inside.x0 < extent.x0 < extent.x1 < inside.x1
    assert inside.y0 < extent.y0 < extent.y1 < inside.y1


def test_a_panel_of_a_part_of_the_stack_has_the_marks_in_this_part():
    marks = [
        mark(kind, [0, y, x], 2, "here")
        for kind in ("box", "arrow", "text")
        for y, x in ((4, 10), (15, 10), (9, 2), (9, 19), (9, 10))
    ]
    figure = drawing.new_figure(300, 300)
    axes = drawing.add_panel(figure, 20, 20, (5, 15, 13, 6), 10)
    marking.draw_marks(axes, marks, SPACING)
    assert boxes_on(axes) == [(9, 8, 2, 2)]
    assert [each.xy for each in arrows_on(axes)] == [(10, 9)]
    assert len(texts_on(axes)) == 3


def test_figures_show_marks_in_their_colour():
    raw = np.zeros(SHAPE, np.uint8)
    labels = np.zeros(SHAPE, np.uint16)
    labels[2:4, 4:9, 4:9] = 1
    marks = [mark("box", [4.0, 10.0, 10.0], 4), mark("arrow", [4.0, 15.0, 15.0])]
    for figure in (
        plot_planes(raw, labels, SPACING, title="a", marks=marks),
        plot_segmentation(raw, labels, labels, SPACING, title="a", marks=marks),
    ):
        file = png.to_png(figure, marking.palette(marks))
        assert count_magenta(file) > 100
    axes = panels(plot_planes(raw, labels, SPACING, title="a", marks=marks))
    assert {name: len(boxes_on(each)) for name, each in axes.items()} == {
        "plane 2": 1,
        "plane 3": 1,
    }
    axes = panels(plot_segmentation(raw, labels, labels, SPACING, title="a", marks=marks))
    found = {name: len(boxes_on(each)) for name, each in axes.items()}
    # the planes y = 3 um and x = 1.5 um do not show it
    assert {name for name, count in found.items() if count} == {
        "projection xy", "projection xz", "projection yz", "plane xy",
    }  # fmt: skip


def test_errors_show_marks_on_their_planes():
    raw = np.zeros(SHAPE, np.uint8)
    true_labels = np.zeros(SHAPE, np.uint16)
    true_labels[2:5, 10:21, 20:41] = 1  # missed; its middle is at z = 6, y = 7.5, x = 7.5 um
    scores = evaluate_labels(true_labels, true_labels * 0, SPACING)
    marks = [mark("box", [6.0, 7.5, 10.0], 2), mark("arrow", [6.0, 18.0, 7.5], 2)]
    marks += [mark("text", [6.0, 7.5, 7.5], 2, "here")]
    figure = plot_errors(raw, true_labels, true_labels * 0, SPACING, scores, title="a", marks=marks)
    shown = panels(figure)
    # the plane x = 7.5 um is 2.5 um away from the box, and no panel extends to the arrow
    assert {name: boxes_on(axes) for name, axes in shown.items()} == {
        "1 xy": [(9, 6.5, 2, 2)],
        "1 xz": [(9, 5, 2, 2)],
        "1 yz": [],
    }
    assert not any(map(arrows_on, shown.values()))
    assert [len(texts_on(axes)) for axes in shown.values()] == [1, 1, 1]
    assert count_magenta(png.to_png(figure, marking.palette(marks, [*NEIGHBOUR_COLORS]))) > 100


def test_estimated_diameter_shows_marks_of_its_plane():
    raw = np.zeros(SHAPE, np.uint8)
    raw[3] = 9
    estimate = {"diameter_um": 8.0, "source": "estimated", "found_um": []}
    estimate |= {"scales_um": [20, 10, 5], "sizes_um": [12, 8.1, None]}
    marks = [mark("box", [6.0, 10.0, 10.0], 4), mark("box", [10.0, 15.0, 15.0], 4)]
    marks += [mark("arrow", [6.0, 15.0, 15.0])]
    figure = plot_diameter(raw, SPACING, estimate, title="a", marks=marks)
    found = {name: boxes_on(axes) for name, axes in panels(figure).items()}
    assert found == {"plane": [(8, 8, 4, 4)], "scales": [], "objects": []}
    assert count_magenta(png.to_png(figure, marking.palette(marks, (*COLORS, ALERT)))) > 100


def count_magenta(file):
    import io

    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(file)).convert("RGB")).astype(int)
    return np.count_nonzero(np.abs(pixels - (255, 0, 255)).sum(axis=2) < 30)


def test_marks_of_many_colours_need_all_colours():
    many = [mark("box", [0, 0, 0], color=f"#0000{i:02x}") for i in range(8)]
    assert marking.palette(many) == []
    assert "#000006" in marking.palette(many[:7])
    assert marking.palette(many, ["red", "red"])[:3] == ["red", "red", "#000000"]
    assert png.to_png(drawing.new_figure(9, 9), marking.palette(many[:7]))  # at most 256 colours
