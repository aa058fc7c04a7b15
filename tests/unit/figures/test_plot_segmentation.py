import numpy as np
import pytest
from drawn import boxes_image, edges_of, outlines_of, panels, scale_bars, texts_of
from PIL import Image

from cellstack.core.labels import find_boxes
from cellstack.figures import outlines, png
from cellstack.figures.colors import COLORS
from cellstack.figures.outlines import Number
from cellstack.figures.plot_planes import plot_planes
from cellstack.figures.plot_segmentation import plot_segmentation

AXES = {"xy": (1, 2), "xz": (0, 2), "yz": (1, 0)}  # down, across
RATIOS = [(0.5, 0.5, 0.5), (2.0, 0.5, 0.4), (4.0, 0.4, 0.5)]


def draw(labels, spacing, raw=None):
    raw = np.zeros(labels.shape, np.uint8) if raw is None else raw
    return plot_segmentation(raw, labels, labels, spacing, title="s")


def pixels_per_um(axes):
    left, right = axes.get_xlim()
    return axes.bbox.width / (right - left)


def test_views_are_laid_out_as_in_an_orthogonal_viewer():
    shown = panels(draw(np.zeros((4, 20, 30), np.uint16), (1, 0.5, 0.5)))
    assert set(shown) == {f"{block} {view}" for block in ("projection", "plane") for view in AXES}
    for block in ("projection", "plane"):
        xy, xz, yz = (shown[f"{block} {view}"].bbox for view in ("xy", "xz", "yz"))
        assert (xz.x0, xz.x1, yz.y0, yz.y1) == pytest.approx((xy.x0, xy.x1, xy.y0, xy.y1))
        assert xz.y1 < xy.y0
        assert yz.x0 > xy.x1


def test_views_show_projections_and_the_planes_marked_by_ticks():
    raw = np.random.default_rng(0).integers(0, 999, (5, 7, 9)).astype(np.uint16)
    spacing = (2, 0.7, 0.5)
    shown = panels(draw(np.zeros((5, 7, 9), np.uint16), spacing, raw))
    images = {name: axes.images[0].get_array() for name, axes in shown.items()}
    np.testing.assert_array_equal(images["projection xy"], raw.max(0))
    np.testing.assert_array_equal(images["projection xz"], raw.max(1))
    np.testing.assert_array_equal(images["projection yz"], raw.max(2).T)
    np.testing.assert_array_equal(images["plane xy"], raw[2])
    np.testing.assert_array_equal(images["plane xz"], raw[:, 3])
    np.testing.assert_array_equal(images["plane yz"], raw[:, :, 4].T)
    for view, (down, across) in AXES.items():
        axes = shown[f"plane {view}"]
        assert axes.get_xticks() == pytest.approx([raw.shape[across] // 2 * spacing[across]])
        assert axes.get_yticks() == pytest.approx([raw.shape[down] // 2 * spacing[down]])


def test_scale_bars_have_the_length_that_is_written():
    spacing = (1.3, 0.5, 0.35)
    figure = draw(np.zeros((14, 60, 72), np.uint16), spacing)
    scale = pixels_per_um(panels(figure)["plane xz"])
    assert scale_bars(figure) == [(pytest.approx(5 * scale), 5)] * 2  # a fifth of 25.2 um
    for name, axes in panels(figure).items():
        down, across = AXES[name.split()[1]]
        assert axes.bbox.height == pytest.approx((14, 60, 72)[down] * spacing[down] * scale)
        assert axes.bbox.width == pytest.approx((14, 60, 72)[across] * spacing[across] * scale)


def test_axes_are_named_at_their_middle_planes():
    spacing = (1.3, 0.5, 0.35)
    figure = draw(np.zeros((14, 60, 72), np.uint16), spacing)
    shown = panels(figure)
    beside = [text for text in figure.texts if text.get_rotation() == 90]
    below = [text for text in figure.texts if text.get_ha() == "center" and text not in beside]
    at = {"z": 7 * 1.3, "y": 30 * 0.5, "x": 36 * 0.35}  # um
    for block in ("projection", "plane"):
        marked = {axis: f" = {um:.4g} µm" if block == "plane" else "" for axis, um in at.items()}
        for view, axis in (("xy", "y"), ("xz", "z")):
            axes = shown[f"{block} {view}"]
            (text,) = [t for t in beside if t.get_text() == axis + marked[axis]]
            box = text.get_window_extent()
            assert box.x1 == pytest.approx(axes.bbox.x0 - 8, abs=1)
            middle = axes.transData.transform((0, at[axis]))[1]
            assert (box.y0 + box.y1) / 2 == pytest.approx(middle, abs=1.5)
        for view, axis in (("xz", "x"), ("yz", "z")):
            axes = shown[f"{block} {view}"]
            (text,) = [t for t in below if t.get_text() == axis + marked[axis]]
            box = text.get_window_extent()
            assert box.y1 == pytest.approx(axes.bbox.y0 - 8, abs=1)
            middle = axes.transData.transform((at[axis], 0))[0]
            assert (box.x0 + box.x1) / 2 == pytest.approx(middle, abs=1.5)
    assert (len(beside), len(below)) == (4, 4)


def test_axis_labels_of_a_thin_stack_start_at_their_views_and_are_apart():
    figure = draw(np.zeros((3, 300, 300), np.uint16), (1.0, 0.5, 0.4))
    shown = panels(figure)
    below = {t.get_text(): t.get_window_extent() for t in figure.texts if t.get_ha() == "center"}
    x, z = (
        next(box for text, box in below.items() if text.startswith(f"{axis} =")) for axis in "xz"
    )
    assert x.x1 < z.x0
    assert shown["plane yz"].bbox.x0 - 3 <= z.x0 < shown["plane yz"].bbox.x0 + 20
    assert z.x1 <= figure.bbox.x1


@pytest.mark.parametrize("spacing", RATIOS)
def test_rendered_outline_is_at_the_edge_of_the_object(spacing, tmp_path):
    box = [(3, 7), (10, 25), (20, 32)]
    figure = draw(boxes_image((10, 40, 50), box), spacing)
    png.save(figure, tmp_path / "s.png", COLORS)
    image = np.asarray(Image.open(tmp_path / "s.png").convert("RGB")).astype(int)
    is_colored = np.ptp(image, axis=2) > 60
    for name, axes in panels(figure).items():
        left, top = round(axes.bbox.x0), round(len(image) - axes.bbox.y1)
        height, width = round(axes.bbox.height), round(axes.bbox.width)
        inside = is_colored[top : top + height, left : left + width]
        scale = pixels_per_um(axes)
        for at, axis in zip(np.nonzero(inside), AXES[name.split()[1]], strict=True):
            expected = [side * spacing[axis] * scale for side in box[axis]]
            assert (at.min(), at.max() + 1) == pytest.approx(expected, abs=2)


def test_projection_shows_the_outline_of_each_whole_object():
    lower, upper = [(1, 3), (5, 25), (5, 25)], [(6, 8), (15, 35), (15, 35)]
    shown = panels(draw(boxes_image((10, 40, 40), lower, upper), (1, 1, 1)))
    (first, one), (second, other) = outlines_of(shown["projection xy"])
    assert edges_of(one, (1, 1)) == ((5, 25), (5, 25))
    assert edges_of(other, (1, 1)) == ((15, 35), (15, 35))
    assert first != second
    assert len(outlines_of(shown["plane xy"])) == 1  # no plane cuts both objects
    assert len(outlines_of(shown["plane xz"])) == 2


def test_planes_are_those_that_cut_most_objects():
    boxes = [(2, 4), (5, 9), (5, 9)], [(3, 6), (5, 9), (20, 24)], [(14, 16), (30, 34), (5, 9)]
    labels = boxes_image((20, 40, 40), *boxes)
    raw = np.random.default_rng(0).integers(0, 99, labels.shape).astype(np.uint8)
    figure = draw(labels, (1, 1, 1), raw)
    shown = panels(figure)
    np.testing.assert_array_equal(shown["plane xy"].images[0].get_array(), raw[3])
    np.testing.assert_array_equal(shown["plane xz"].images[0].get_array(), raw[:, 8])
    np.testing.assert_array_equal(shown["plane yz"].images[0].get_array(), raw[:, :, 8].T)
    for view, at in (("xy", (8, 8)), ("xz", (3, 8)), ("yz", (8, 3))):
        axes = shown[f"plane {view}"]
        assert (axes.get_yticks()[0], axes.get_xticks()[0]) == at
    assert {"z = 3 µm", "y = 8 µm", "x = 8 µm"} <= set(texts_of(figure))
    assert "Planes with most objects" in texts_of(figure)
    assert "Middle planes" in texts_of(draw(labels * 0, (1, 1, 1)))


def test_objects_are_numbered_in_the_views_along_z():
    labels = boxes_image((6, 40, 40), [(1, 5), (5, 19), (5, 19)], [(1, 5), (22, 36), (5, 19)])
    raw = np.zeros(labels.shape, np.uint8)
    numbers = {1: Number(7, True), 2: Number(8, False)}
    figure = plot_segmentation(raw, labels, labels, (1, 1, 1), title="s", numbers=numbers)
    for name, axes in panels(figure).items():
        written = [text.get_text() for text in axes.texts]
        assert written == (["7!", "8"] if name.endswith("xy") else [])
    assert "2 objects, 2 measured, 1 flagged (!)" in texts_of(figure)


def test_labels_with_gaps_are_drawn_in_place_and_in_their_colors():
    numbers = (2, 3, 7, 8, 20, 21, 40)
    boxes = [[(1, 5), (2 + i, 12 + i), (1 + 8 * i, 8 + 8 * i)] for i in range(7)]
    labels = boxes_image((6, 24, 60), *boxes, labels=numbers)
    colors = outlines.label_colors(find_boxes(labels))
    shown = panels(draw(labels, (1, 0.5, 0.4)))
    for name in ("projection xy", "plane xy"):
        assert [(edges_of(line, (0.5, 0.4)), c) for c, line in outlines_of(shown[name])] == [
            ((rows, columns), colors[label])
            for label, (_, rows, columns) in zip(numbers, boxes, strict=True)
        ]
    assert len(outlines_of(shown["projection xz"])) == len(outlines_of(shown["projection yz"])) == 7


def test_objects_that_are_not_measured_are_white_and_others_keep_their_colors():
    segmentation = boxes_image(
        (3, 30, 60),
        [(0, 3), (0, 10), (0, 10)],
        [(0, 3), (5, 20), (15, 30)],
        [(0, 3), (5, 20), (30, 50)],
    )
    renumbered = np.array([0, 0, 2, 1], np.uint16)[segmentation]
    raw, spacing = np.zeros(segmentation.shape, np.uint8), (1, 0.5, 0.5)
    figure = plot_segmentation(raw, segmentation, renumbered, spacing, title="s")
    in_planes = outlines_of(panels(plot_planes(raw, segmentation, spacing, title="s"))["plane 1"])
    by_left = {round(line[:, 0].min()): color for color, line in in_planes}
    assert len(set(by_left.values())) == 3
    for name in ("projection xy", "plane xy"):
        outlines = outlines_of(panels(figure)[name])
        found = {round(line[:, 0].min()): color for color, line in outlines}
        assert found == by_left | {0: "#ffffff"}
    assert "3 objects, 2 measured" in texts_of(figure)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["measured (2)", "found, not measured (1)"]
    (only,) = draw(segmentation, (1, 1, 1)).legends[0].get_texts()
    assert only.get_text() == "measured (3)"


def test_nuclei_are_shown_as_a_tint():
    labels = np.zeros((4, 20, 20), np.uint16)
    nuclei = boxes_image(labels.shape, [(1, 3), (5, 9), (5, 9)]).astype(np.uint8)
    raw = np.zeros(labels.shape, np.uint8)
    figure = plot_segmentation(raw, labels, labels, (1, 1, 1), title="s", nuclei=nuclei)
    _, tint = panels(figure)["projection xy"].images
    np.testing.assert_array_equal(tint.get_array()[..., 3] > 0, nuclei.max(0) > 0)
    assert any(text.endswith(", nuclei in blue") for text in texts_of(figure))


def test_a_single_plane_has_one_view():
    raw = np.random.default_rng(0).integers(0, 99, (1, 30, 40)).astype(np.uint8)
    figure = draw(boxes_image(raw.shape, [(0, 1), (3, 9), (3, 9)]), (1, 0.5, 0.5), raw)
    assert list(panels(figure)) == ["plane xy"]
    assert "1 object, 1 measured" in texts_of(figure)
    assert "Plane 0 of 1, counted from 0" in texts_of(figure)
