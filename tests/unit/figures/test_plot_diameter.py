import numpy as np
import pytest
from drawn import panels, pixels_per_um, scale_bars, texts_of
from study import constant

from cellstack.figures.plot_diameter import plot_diameter

SPACING = (1.0, 0.4, 0.5)
ESTIMATE = {
    "diameter_um": 8.0,
    "source": "estimated",
    "found_um": [7.5, 8.0, 8.4],
    "scales_um": [20, 10, 5],
    "sizes_um": [12, 8.1, None],
}


def test_circles_have_the_diameter_and_panels_the_true_aspect():
    z, y, x = np.ogrid[:16, :100, :80]
    middle = (8, 20, 22)  # um
    ball = (z * 1.0 - middle[0]) ** 2 + (y * 0.4 - middle[1]) ** 2 + (x * 0.5 - middle[2]) ** 2 < 16
    raw = np.where(ball, 200, 10).astype(np.uint8)
    shown = panels(plot_diameter(raw, SPACING, ESTIMATE, title="s"))
    assert shown.keys() == {"plane", "scales", "objects"}
    box = shown["plane"].get_window_extent()
    assert box.width / box.height == pytest.approx(80 * 0.5 / (100 * 0.4), rel=0.01)
    (circle, _) = shown["plane"].collections
    assert circle.get_offsets()[0] == pytest.approx([22, 20], abs=1)
    assert circle.get_widths()[0] == pytest.approx(8, rel=0.1)
    for name in ("scales", "objects"):
        assert "8 µm" in [text.get_text().strip() for text in shown[name].texts]


def test_stack_without_objects():
    estimate = ESTIMATE | {"found_um": [], "sizes_um": [None] * 3}
    figure = plot_diameter(constant(5), SPACING, estimate, title="s", note="simulated data")
    assert {"no objects found", "simulated data"} <= set(texts_of(figure))
    assert not any(axes.collections for axes in figure.axes)


def ball(middle_um, radius_um, shape=(16, 100, 80)):
    """Return the mask of a ball, with its middle in um from the centre of the first voxel."""
    grid = zip(np.ogrid[tuple(map(slice, shape))], SPACING, middle_um, strict=True)
    return sum((index * step - at) ** 2 for index, step, at in grid) < radius_um**2


def test_brightest_plane_has_its_scale_and_number():
    raw = np.random.default_rng(0).integers(0, 50, (16, 100, 80)).astype(np.uint8)
    raw[5] += 100
    figure = plot_diameter(raw, SPACING, ESTIMATE | {"found_um": []}, title="s")
    axes = panels(figure)["plane"]
    np.testing.assert_array_equal(axes.images[0].get_array(), raw[5])
    assert axes.images[0].get_clim() == pytest.approx(tuple(np.percentile(raw[5], (0.5, 99.5))))
    assert axes.get_xlim() == pytest.approx((-0.25, 39.75))
    assert axes.get_ylim() == pytest.approx((39.8, -0.2))
    scale = pixels_per_um(axes)
    assert scale[0] == pytest.approx(scale[1])
    assert scale_bars(figure) == [(pytest.approx(5 * scale[0]), 5)]  # a fifth of 40 um is 8
    assert "Plane 5, counted from 0" in texts_of(figure)
    assert not axes.collections


def test_circles_are_sections_of_balls_and_dim_or_far_ones_are_left_out():
    raw = np.full((16, 100, 80), 10, np.uint8)
    raw[ball((8, 12, 10), 4)] = 200
    raw[ball((11, 30, 30), 4)] = 200  # 3 um above the plane
    raw[ball((8, 30, 12), 4)] = 25  # dim
    raw[ball((2, 10, 32), 2)] = 200  # does not reach the plane
    raw[8] += 20
    axes = panels(plot_diameter(raw, SPACING, ESTIMATE, title="s"))["plane"]
    rim, circles = axes.collections
    found = sorted(zip(*circles.get_offsets().T, circles.get_widths(), strict=True))
    assert len(found) == 2
    assert found[0] == pytest.approx((10, 12, 8), abs=0.8)
    # 2 (4 ** 2 - 3 ** 2) ** 0.5; the middle of the blob may be half a voxel off along z
    assert found[1] == pytest.approx((30, 30, 5.3), abs=0.9)
    np.testing.assert_array_equal(rim.get_offsets(), circles.get_offsets())
    assert rim.get_linewidths()[0] > circles.get_linewidths()[0]


def test_plot_of_scales_has_the_sizes_found_and_the_line_of_equality():
    axes = panels(plot_diameter(constant(5), SPACING, ESTIMATE, title="s"))["scales"]
    equal, found, mark = axes.lines
    np.testing.assert_allclose(equal.get_xydata(), [(5 / 1.2,) * 2, (20 * 1.2,) * 2])
    np.testing.assert_array_equal(found.get_xdata(), [20, 10, 5])
    np.testing.assert_array_equal(found.get_ydata(), [12, 8.1, np.nan])
    assert list(mark.get_xdata()) == [8, 8]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert axes.get_xlim() == pytest.approx((5 / 1.2, 24))
    assert axes.get_xlabel() == "diameter searched for, in µm"
    assert axes.get_ylabel() == "diameter found, in µm"


def test_histogram_counts_objects_by_diameter():
    axes = panels(plot_diameter(constant(5), SPACING, ESTIMATE, title="s"))["objects"]
    end = 1.25 * 8.4
    assert axes.get_xlim() == pytest.approx((0, end))
    counts, edges = np.histogram(ESTIMATE["found_um"], 30, (0, end))
    assert [bar.get_height() for bar in axes.patches] == list(counts)
    np.testing.assert_allclose([bar.get_x() for bar in axes.patches], edges[:-1], atol=1e-9)
    (mark,) = axes.lines
    assert list(mark.get_xdata()) == [8, 8]
    larger = panels(plot_diameter(constant(5), SPACING, ESTIMATE | {"diameter_um": 20}, title="s"))[
        "objects"
    ]
    assert larger.get_xlim() == pytest.approx((0, 25))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("diameter of an object, in µm", "objects")


@pytest.mark.parametrize(("diameter", "side"), [(6.0, "left"), (19.0, "right")])
def test_value_of_the_estimate_is_on_the_side_with_more_room(diameter, side):
    shown = panels(
        plot_diameter(constant(5), SPACING, ESTIMATE | {"diameter_um": diameter}, title="s")
    )
    (label,) = [t for t in shown["scales"].texts if t.get_text().strip() == f"{diameter:g} µm"]
    assert label.get_ha() == side


def test_plane_plots_and_texts_are_apart_and_inside_of_the_figure():
    for shape in ((3, 90, 20), (3, 20, 90)):
        figure = plot_diameter(constant(5, shape), SPACING, ESTIMATE, title="s", note="simulated")
        figure.canvas.draw()
        boxes = [axes.get_tightbbox() for axes in figure.axes]
        boxes += [text.get_window_extent() for text in figure.texts]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
        for box in boxes:
            assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
            assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
