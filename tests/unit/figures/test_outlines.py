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
