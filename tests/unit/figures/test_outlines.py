import math

import cc3d
import numpy as np
import pytest
import tifffile
from drawn import outlines_of
from hypothesis import given
from hypothesis import strategies as st

from cellstack.core.labels import find_boxes
from cellstack.figures import drawing, outlines
from cellstack.figures.colors import COLORS


def area(line):
    x, y = line.T
    return abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(0, 50), st.integers(0, 50)),
    st.tuples(st.floats(0.05, 8), st.floats(0.05, 8)),
)
def test_outline_of_a_box_runs_along_its_edges(size, start, spacing):
    (line,) = outlines.trace_outlines(np.ones(size, bool), start, spacing)
    (left, top), (right, bottom) = line.min(0), line.max(0)
    sides = list(zip(start, size, spacing, strict=True))
    assert (top, left) == pytest.approx([(first - 0.5) * step for first, _, step in sides])
    assert (bottom, right) == pytest.approx([(a + n - 0.5) * step for a, n, step in sides])
    # each corner loses an eighth of a pixel
    assert area(line) == pytest.approx((math.prod(size) - 0.5) * math.prod(spacing))
    np.testing.assert_array_equal(line[0], line[-1])


def test_outlines_of_holes_and_of_several_parts():
    mask = np.ones((7, 12), bool)
    mask[2:5, 2:5] = False
    mask[:, 9] = False
    areas = sorted(area(line) for line in outlines.trace_outlines(mask, (0, 0), (1, 1)))
    assert areas == pytest.approx([8.5, 13.5, 62.5])
    assert outlines.trace_outlines(np.zeros((3, 3), bool), (0, 0), (1, 1)) == []


def test_outlines_are_drawn_in_the_given_colors():
    axes = drawing.add_panel(drawing.new_figure(100, 100), 0, 0, (0, 50, 50, 0), 2)
    squares = [np.array([(0, 0), (9, 0), (9, 9), (0, 9), (0, 0.0)]) + 10 * i for i in range(3)]
    outlines.draw_outlines(axes, squares, COLORS[:3])
    assert [color for color, _ in outlines_of(axes)] == list(COLORS[:3])
    outlines.draw_outlines(axes, squares[:1])
    assert outlines_of(axes)[3][0] == "#ffffff"


def panel():
    """Return a panel of 50 x 40 um at 2 pixels per um."""
    return drawing.add_panel(drawing.new_figure(100, 80), 0, 0, (0, 50, 40, 0), 2)


def rims_of(axes):
    return [each for each in axes.collections if each.get_alpha() is not None]


def test_outlines_lie_inside_by_half_their_width_with_a_dark_rim_below():
    axes = panel()
    mask = np.ones((12, 20), bool)
    (line,) = outlines.trace_outlines(mask, (4, 6), (0.5, 0.35))
    outlines.draw_outlines(axes, [line], [COLORS[0]])
    ((_, drawn),) = outlines_of(axes)
    half = outlines.LINE_WIDTH / 2 / 2  # um
    expected = [(5.5 * 0.35 + half, 25.5 * 0.35 - half), (3.5 * 0.5 + half, 15.5 * 0.5 - half)]
    for values, ends in zip(drawn.T, expected, strict=True):
        assert (values.min(), values.max()) == pytest.approx(ends)
    np.testing.assert_allclose(drawn[0], drawn[-1])
    # all sides keep their direction
    (dx, dy), (before_x, before_y) = np.diff(drawn, axis=0).T, np.diff(line, axis=0).T
    np.testing.assert_allclose(dx * before_y, dy * before_x, atol=1e-9)
    (rim,) = rims_of(axes)
    assert axes.collections.index(rim) == 0
    np.testing.assert_array_equal(rim.get_paths()[0].vertices, drawn)
    width = axes.collections[1].get_linewidths()[0]
    assert width == pytest.approx(outlines.LINE_WIDTH * drawing.PIXEL)
    assert rim.get_linewidths()[0] > 1.5 * width


def test_the_outline_of_a_pixel_is_smaller_by_half_the_width_of_its_line():
    axes = panel()
    (line,) = outlines.trace_outlines(np.ones((1, 1), bool), (1, 1), (8, 8))
    outlines.draw_outlines(axes, [line], [COLORS[0]])
    ((_, drawn),) = outlines_of(axes)
    shares = [np.abs(each[:, 0] - 8).max() / 4 for each in (line, drawn)]
    # the sides of this diamond are at 4 / 2 ** 0.5 um from its middle
    half = outlines.LINE_WIDTH / 2 / 2
    assert shares == pytest.approx([1, 1 - half * math.sqrt(2) / 4])


def test_a_sharp_corner_stays_near_its_place():
    axes = panel()
    # contourpy has the object to the left of a line in a plot with y upwards
    needle = np.array([(0, 0), (30, 0.2), (0, 0.4), (0, 0)], float)
    outlines.draw_outlines(axes, [needle], [COLORS[0]])
    ((_, drawn),) = outlines_of(axes)
    assert np.abs(drawn - needle).max() < 8 * outlines.LINE_WIDTH / 2 / 2


def test_lines_that_would_cover_the_image_are_thinner_but_not_below_half():
    square = np.array([(0, 0), (9, 0), (9, 9), (0, 9), (0, 0)], float)  # 72 pixels long
    for count, share in ((1, 1), (25, None), (200, 0.5)):
        axes = panel()
        outlines.draw_outlines(axes, [square] * count, [COLORS[0]] * count)
        width = axes.collections[1].get_linewidths()[0] / drawing.PIXEL
        if share is None:  # a quarter of the 100 x 80 pixels
            share = 0.25 * 100 * 80 / (72 * count) / outlines.LINE_WIDTH
            assert 0.5 < share < 1
        assert width == pytest.approx(outlines.LINE_WIDTH * min(max(share, 0.5), 1))


def test_outlines_without_colors_are_thin_and_dashed_and_dashed_ones_have_no_rim():
    square = np.array([(0, 0), (9, 0), (9, 9), (0, 9), (0, 0)], float)
    axes = panel()
    outlines.draw_outlines(axes, [square])
    line = axes.collections[1]
    assert line.get_linewidths()[0] == pytest.approx(outlines.NEUTRAL_LINE_WIDTH * drawing.PIXEL)
    assert line.get_linestyle()[0][1] is not None
    assert len(rims_of(axes)) == 1
    axes = panel()
    outlines.draw_outlines(axes, [square], [COLORS[0]], (0, (3, 3)))
    (line,) = axes.collections
    assert line.get_linestyle()[0][1] is not None
    axes = panel()
    outlines.draw_outlines(axes, [square], [COLORS[0]])
    assert axes.collections[1].get_linestyle()[0][1] is None
    outlines.draw_outlines(axes, [])  # nothing to draw


def test_a_new_object_gets_the_color_that_is_farthest_away():
    side = 10
    boxes = {
        label: tuple(slice(start, start + side) for start in (0, 0, at))
        for label, at in enumerate([0, 10, 20, 30, 40, 50, 60, 70, 300], 1)
    }
    colors = list(outlines.label_colors(boxes).values())
    assert colors[:7] == list(COLORS)
    assert colors[7] == COLORS[0]  # that of the object 70 voxels away
    assert colors[8] == COLORS[1]  # 290 voxels away; the first one has been used again


def test_distances_of_colors_are_relative_to_the_size_of_the_objects():
    # seven objects around the last one; that with the first colour is nearest in voxels, but small
    ats = {1: (0, 40), 2: (100, 90), 3: (100, 91), 4: (100, 92), 5: (100, 93), 6: (100, 94)}
    boxes = {
        label: (slice(0, 1), slice(y, y + 80), slice(x, x + 80)) for label, (y, x) in ats.items()
    }
    boxes |= {
        7: (slice(0, 1), slice(60, 62), slice(60, 62)),
        8: (slice(0, 1), slice(0, 80), slice(130, 210)),
    }
    colors = outlines.label_colors(boxes)
    assert len({colors[label] for label in range(1, 8)}) == 7
    bounds = {label: np.array([(s.start, s.stop) for s in box]) for label, box in boxes.items()}

    def apart(label):
        one, other = bounds[label], bounds[8]
        sizes = (np.ptp(one, axis=1) + np.ptp(other, axis=1)) / 2
        return np.linalg.norm((one.mean(axis=1) - other.mean(axis=1)) / sizes)

    assert colors[8] == colors[max(range(1, 8), key=apart)]


@pytest.mark.parametrize("grid", [(1, 6, 6), (1, 1, 30), (4, 4, 4)])
def test_touching_boxes_differ_in_color(grid):
    numbers = np.arange(1, math.prod(grid) + 1, dtype=np.uint16).reshape(grid)
    check_touching(np.kron(numbers, np.ones((2, 5, 5), np.uint16)))


@pytest.mark.parametrize("name", ["tutorial/nuclei_reference_labels.tif", "ovule/nuclei_truth.tif"])
def test_touching_nuclei_differ_in_color(data, name):
    _, numbers = np.unique(tifffile.imread(data / name), return_inverse=True)
    check_touching(numbers.astype(np.uint16))


def check_touching(labels):
    colors = outlines.label_colors(find_boxes(labels))
    touching = [(a, b) for a, b in cc3d.region_graph(labels, connectivity=6) if a and b]
    assert touching
    assert not [(a, b) for a, b in touching if colors[a] == colors[b]]


def test_colors_depend_on_the_order_of_labels_not_on_gaps_in_their_numbers():
    labels = np.kron(np.arange(1, 13, dtype=np.uint16).reshape(1, 3, 4), np.ones((1, 4, 4), int))
    colors = outlines.label_colors(find_boxes(labels.astype(np.uint16)))
    with_gaps = outlines.label_colors(find_boxes((labels * 7 + 2).astype(np.uint16)))
    assert with_gaps == {label * 7 + 2: color for label, color in colors.items()}
    assert outlines.label_colors({}) == {}


def test_flags_count_unless_they_are_those_of_a_face(tmp_path):
    rows = ["1,3,", "2,4,touches first plane", "3,9,touches first plane;low contrast"]
    path = tmp_path / "objects.csv"
    path.write_text("\n".join(["label,segmentation_label,flags", *rows]) + "\n")
    numbers = outlines.read_numbers(path)
    assert numbers == {3: (1, False, False), 4: (2, False, True), 9: (3, True, False)}


@pytest.mark.parametrize(
    ("flags", "text"),
    {
        (): "",
        ("low contrast",): ", 1 flagged (!)",
        ("touches first plane;touches last plane",): (
            ", 1 flagged, only because it touches a face"
        ),
        (
            "low contrast",
            "touches last plane",
            "touches last plane",
            "touches last plane;2 nuclei",
        ): (", 4 flagged: 2 marked with !, 2 only because they touch a face"),
    }.items(),
)
def test_the_number_of_flagged_objects_is_that_of_the_tables(tmp_path, flags, text):
    rows = [f"{i},{i},{flag}" for i, flag in enumerate(("", *flags), 1)]
    path = tmp_path / "objects.csv"
    path.write_text("\n".join(["label,segmentation_label,flags", *rows]) + "\n")
    assert outlines.count_flagged(outlines.read_numbers(path)) == text
