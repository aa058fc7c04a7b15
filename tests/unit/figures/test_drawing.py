import math

import cc3d
import numpy as np
import pytest
import tifffile
from drawn import outlines_of
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.lines import Line2D
from PIL import Image

from cellstack.core.labels import find_boxes
from cellstack.errors import InputError
from cellstack.figures import drawing
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
    (line,) = drawing.outlines(np.ones(size, bool), start, spacing)
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
    areas = sorted(area(line) for line in drawing.outlines(mask, (0, 0), (1, 1)))
    assert areas == pytest.approx([8.5, 13.5, 62.5])
    assert drawing.outlines(np.zeros((3, 3), bool), (0, 0), (1, 1)) == []


def test_outlines_are_drawn_in_the_given_colors():
    axes = drawing.add_panel(drawing.new_figure(100, 100), 0, 0, (0, 50, 50, 0), 2)
    squares = [np.array([(0, 0), (9, 0), (9, 9), (0, 9), (0, 0.0)]) + 10 * i for i in range(3)]
    drawing.draw_outlines(axes, squares, COLORS[:3])
    assert [color for color, _ in outlines_of(axes)] == list(COLORS[:3])
    drawing.draw_outlines(axes, squares[:1])
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
    colors = drawing.label_colors(find_boxes(labels))
    touching = [(a, b) for a, b in cc3d.region_graph(labels, connectivity=6) if a and b]
    assert touching
    assert not [(a, b) for a, b in touching if colors[a] == colors[b]]


def test_colors_depend_on_the_order_of_labels_not_on_gaps_in_their_numbers():
    labels = np.kron(np.arange(1, 13, dtype=np.uint16).reshape(1, 3, 4), np.ones((1, 4, 4), int))
    colors = drawing.label_colors(find_boxes(labels.astype(np.uint16)))
    with_gaps = drawing.label_colors(find_boxes((labels * 7 + 2).astype(np.uint16)))
    assert with_gaps == {label * 7 + 2: color for label, color in colors.items()}
    assert drawing.label_colors({}) == {}


@given(st.floats(1e-4, 1e6))
def test_scale_bar_is_the_largest_round_length(limit):
    length = drawing.round_length(limit)
    assert limit / 2.5 * (1 - 1e-9) < length <= limit
    assert f"{length:.6e}"[:8] in {"1.000000", "2.000000", "5.000000"}


def test_scale_bar_just_below_a_power_of_ten():
    assert drawing.round_length(np.nextafter(1000, 0)) == 500


def test_display_range():
    stack = np.random.default_rng(0).normal(size=(5, 20, 20)).astype(np.float32)
    expected = np.percentile(stack, (0.5, 99.5))
    assert drawing.display_range(stack[:2], stack[2:]) == pytest.approx(expected)
    sparse = np.zeros(10_000)
    sparse[3] = 8
    assert drawing.display_range(sparse) == (0, 8)
    assert drawing.display_range(np.full((2, 2), 3, np.uint8)) == (3, 3)


def test_header_is_higher_with_a_note():
    assert drawing.header_height("x") > drawing.header_height("")


def test_error_of_different_shapes_names_the_images():
    images = {"raw": np.zeros((3, 8, 8)), "labels": np.zeros((3, 8, 9))}
    with pytest.raises(InputError) as error:
        drawing.check_shapes("a-stack", images)
    assert str(error.value) == (
        "a-stack: images differ in shape (raw (3, 8, 8), labels (3, 8, 9)); delete these files and "
        "run the workflow again"
    )


@pytest.mark.parametrize("colors", [(), COLORS])
def test_saved_colors(tmp_path, colors):
    figure = drawing.new_figure(300, 200)
    tones = [*COLORS, "black", "white"]
    for i, color in enumerate(tones):
        x = (i + 0.5) / len(tones)
        figure.add_artist(Line2D([x, x], [0, 1], color=color, linewidth=20 * drawing.PIXEL))
    drawing.save(figure, tmp_path / "a.png", colors)
    image = Image.open(tmp_path / "a.png")
    assert image.size == (300, 200)
    assert "Software" not in image.info
    counts = image.convert("RGB").getcolors(10_000)
    seen = {"#{:02x}{:02x}{:02x}".format(*color) for _, color in counts}
    assert {*COLORS, "#000000", "#ffffff"} <= seen
