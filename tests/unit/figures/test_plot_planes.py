import numpy as np
import pytest
from drawn import boxes_image, edges_of, outlines_of, panels, pixels_per_um, scale_bars, texts_of
from hypothesis import given
from hypothesis import strategies as st

from cellstack.core.labels import find_boxes
from cellstack.figures import drawing, outlines
from cellstack.figures.grid import MAX_HEIGHT, MAX_WIDTH
from cellstack.figures.outlines import Number
from cellstack.figures.plot_planes import choose_planes, plot_planes


def test_objects_have_the_same_color_on_all_planes():
    labels = boxes_image((12, 30, 60), [(0, 12), (2, 12), (2, 12)], [(0, 12), (2, 12), (12, 40)])
    shown = panels(plot_planes(np.zeros(labels.shape, np.uint8), labels, (1, 1, 1), title="s"))
    assert len({tuple(color for color, _ in outlines_of(axes)) for axes in shown.values()}) == 1


def test_labels_with_gaps_are_drawn_in_place_and_in_their_colors():
    numbers = (2, 3, 7, 8, 20, 21, 40)
    boxes = [[(i % 2, i % 2 + 2), (2 + i, 12 + i), (1 + 8 * i, 8 + 8 * i)] for i in range(7)]
    labels = boxes_image((3, 24, 60), *boxes, labels=numbers)
    shown = panels(plot_planes(np.zeros(labels.shape, np.uint8), labels, (1, 0.5, 0.4), title="s"))
    colors = outlines.label_colors(find_boxes(labels))
    for z in range(3):
        drawn = [(edges_of(line, (0.5, 0.4)), c) for c, line in outlines_of(shown[f"plane {z}"])]
        assert drawn == [
            ((rows, columns), colors[label])
            for label, (depth, rows, columns) in zip(numbers, boxes, strict=True)
            if depth[0] <= z < depth[1]
        ]
    assert [len(outlines_of(axes)) for axes in shown.values()] == [4, 7, 3]


def test_planes_are_captioned_with_depth_and_number():
    raw, labels = np.zeros((30, 8, 8), np.uint8), np.zeros((30, 8, 8), np.uint16)
    figure = plot_planes(raw, labels, (0.58, 1, 1), title="s")
    assert list(panels(figure)) == [f"plane {z}" for z in choose_planes(0, 30)]
    captions = {"z = 0.58 µm (plane 1)", "z = 9.28 µm (plane 16)", "z = 16.24 µm (plane 28)"}
    assert captions <= set(texts_of(figure))
    assert "12 of 30 planes" in texts_of(figure)


@given(st.integers(0, 2000), st.integers(1, 2000))
def test_planes_are_evenly_spaced(first, count):
    planes = choose_planes(first, first + count)
    assert len(planes) == min(count, 12)
    assert planes[0] >= first and planes[-1] < first + count
    steps = np.diff(planes)
    assert len(planes) == 1 or (steps.min() >= 1 and np.ptp(steps) <= 1)
    assert count > 12 or planes == list(range(first, first + count))


@pytest.mark.parametrize("count", [1, 5])
def test_all_planes_of_a_thin_stack_are_shown(count):
    raw, labels = np.zeros((count, 8, 8), np.uint8), np.zeros((count, 8, 8), np.uint16)
    figure = plot_planes(raw, labels, (1, 1, 1), title="s")
    assert "All planes" in texts_of(figure)
    assert len(figure.axes) == count


def test_panels_show_the_planes_at_true_scale_in_one_grey_range():
    raw = np.random.default_rng(0).integers(0, 900, (30, 60, 72)).astype(np.uint16)
    spacing = (1.3, 0.5, 0.35)
    figure = plot_planes(raw, np.zeros(raw.shape, np.uint16), spacing, title="s")
    limits = pytest.approx(tuple(np.percentile(raw[choose_planes(0, 30)], (0.5, 99.5))))
    scale = pixels_per_um(figure.axes[0])
    for z, axes in zip(choose_planes(0, 30), figure.axes, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), raw[z])
        assert axes.images[0].get_clim() == limits
        assert axes.get_xlim() == pytest.approx((-0.175, 71.5 * 0.35))
        assert axes.get_ylim() == pytest.approx((59.5 * 0.5, -0.25))
        assert pixels_per_um(axes) == pytest.approx((scale[0], scale[0]))
    # half of a panel of 25.2 um
    assert scale_bars(figure) == [(pytest.approx(10 * scale[0]), 10)]


@pytest.mark.parametrize(
    ("shape", "columns"), [((1, 40, 60), 1), ((12, 40, 60), 4), ((5, 20, 200), 1)]
)
def test_panels_fill_the_room_in_rows(shape, columns):
    figure = plot_planes(
        np.zeros(shape, np.uint8), np.zeros(shape, np.uint16), (1, 0.5, 0.5), title="s"
    )
    boxes = [axes.bbox for axes in figure.axes]
    lefts = sorted({round(box.x0) for box in boxes})
    assert len(lefts) == columns
    # from left to right, then down
    places = [(round(-box.y0), round(box.x0)) for box in boxes]
    assert places == sorted(places)
    assert not any(a.overlaps(b) for a in boxes for b in boxes if a is not b)
    width = max(box.x1 for box in boxes) - min(box.x0 for box in boxes)
    height = max(box.y1 for box in boxes) - min(box.y0 for box in boxes)
    assert width == pytest.approx(MAX_WIDTH) or 0.9 * MAX_HEIGHT < height <= MAX_HEIGHT
    assert width <= MAX_WIDTH + 1
    bottom = min(box.y0 for box in boxes)
    assert bottom == pytest.approx(drawing.MARGIN, abs=1)


def test_bar_of_a_single_column_is_a_fifth_of_a_panel():
    shape = (1, 60, 72)
    figure = plot_planes(
        np.zeros(shape, np.uint8), np.zeros(shape, np.uint16), (1, 0.5, 0.35), title="s"
    )
    assert scale_bars(figure) == [(pytest.approx(5 * pixels_per_um(figure.axes[0])[0]), 5)]


def test_planes_without_objects_at_the_ends_are_not_shown():
    labels = boxes_image((60, 20, 20), [(10, 30), (2, 9), (2, 9)], [(20, 50), (2, 9), (12, 19)])
    figure = plot_planes(np.zeros(labels.shape, np.uint8), labels, (1, 1, 1), title="s")
    assert list(panels(figure)) == [f"plane {z}" for z in choose_planes(10, 50)]
    assert "12 of 60 planes (objects in planes 10 to 49)" in texts_of(figure)


def test_objects_are_numbered_and_flagged_ones_marked():
    boxes = [(0, 2), (2, 12), (2, 12)], [(0, 2), (2, 12), (20, 40)], [(0, 2), (16, 28), (2, 50)]
    labels = boxes_image((2, 30, 60), *boxes, labels=(1, 5, 9))
    raw = np.zeros(labels.shape, np.uint8)
    numbers = {1: Number(1, False), 9: Number(2, True)}  # 5 is not measured
    figure = plot_planes(raw, labels, (1, 1, 1), title="s", numbers=numbers)
    for axes in panels(figure).values():
        written = {text.get_text(): text.get_position() for text in axes.texts}
        assert written == {"1": pytest.approx((6.5, 6.5)), "2!": pytest.approx((25.5, 21.5))}
    assert "3 objects found, measured or not, 1 flagged (!)" in texts_of(figure)


def test_objects_smaller_than_their_number_are_not_numbered():
    labels = boxes_image((1, 600, 600), [(0, 1), (2, 4), (2, 4)])
    raw = np.zeros(labels.shape, np.uint8)
    figure = plot_planes(raw, labels, (1, 1, 1), title="s", numbers={1: Number(1, True)})
    assert [len(axes.texts) for axes in figure.axes] == [0]
