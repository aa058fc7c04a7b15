import math

import cc3d
import matplotlib
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from PIL import Image

import plot_planes as planes_script
import plot_segmentation as segmentation_script
from cellstack import figures, io
from cellstack.errors import InputError
from cellstack.plot_planes import choose_planes, plot_planes
from cellstack.plot_segmentation import plot_segmentation

RATIOS = [(0.5, 0.5, 0.5), (2.0, 0.5, 0.5), (4.0, 0.5, 0.5)]
AXES = {"xy": (1, 2), "xz": (0, 2), "yz": (1, 0)}  # down, across


def boxes_image(shape, *boxes):
    labels = np.zeros(shape, np.uint16)
    for number, box in enumerate(boxes, 1):
        labels[tuple(slice(*side) for side in box)] = number
    return labels


def both(raw, split, spacing, labels=None, **texts):
    texts = {"title": "a stack"} | texts
    return [plot_segmentation(raw, split, split if labels is None else labels, spacing, **texts), plot_planes(raw, split, spacing, **texts)]


def panels(figure):
    return {axes.get_label(): axes for axes in figure.axes}


def texts_of(figure):
    return [text.get_text() for text in figure.texts]


def drawn(axes):
    """The outlines on a panel without their rims: (colour, line) each."""
    collections = [each for each in axes.collections if isinstance(each, LineCollection)][1::2]
    return [
        (to_hex(color), path.vertices)
        for each in collections
        for path, color in zip(each.get_paths(), np.broadcast_to(each.get_colors(), (len(each.get_paths()), 4)), strict=True)
    ]


def area(line):
    x, y = line.T
    return abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2


def pixels_per_um(axes):
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    return axes.bbox.width / (right - left), axes.bbox.height / (bottom - top)


def bars(figure):
    """Length in pixels and as written of every scale bar."""
    wide = figure.get_size_inches()[0] * figures.DPI
    lengths = [np.ptp(line.get_xdata()) * wide for line in figure.findobj(Line2D) if line.get_linewidth() == 4 * figures.PT]
    written = [float(text.split()[0]) for text in texts_of(figure) if text.endswith(" µm") and "=" not in text and "×" not in text]
    return list(zip(lengths, written, strict=True))


SIZES = st.tuples(st.integers(1, 40), st.integers(1, 90), st.integers(1, 90))
STEPS = st.tuples(st.floats(0.05, 8), st.floats(0.05, 2), st.floats(0.05, 2))


@settings(max_examples=15, deadline=None)
@given(SIZES, STEPS)
def test_all_panels_have_one_scale_lie_inside_the_figure_and_apart(shape, spacing):
    raw = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    for figure in both(raw, np.zeros(shape, np.uint16), spacing):
        scale = max(pixels_per_um(axes)[0] for axes in figure.axes)
        for name, axes in panels(figure).items():
            down, across = AXES[name.split()[1]] if name.split()[1] in AXES else AXES["xy"]
            assert axes.bbox.width == pytest.approx(shape[across] * spacing[across] * scale, abs=1)
            assert axes.bbox.height == pytest.approx(shape[down] * spacing[down] * scale, abs=1)
            assert figure.bbox.x0 <= axes.bbox.x0 < axes.bbox.x1 <= figure.bbox.x1
            assert figure.bbox.y0 <= axes.bbox.y0 < axes.bbox.y1 <= figure.bbox.y1
            assert axes.images[0].get_array().shape == (shape[down], shape[across])
        apart = [(a, b) for a in figure.axes for b in figure.axes if a is not b]
        assert not any(a.bbox.overlaps(b.bbox) for a, b in apart)
        for pixels, length in bars(figure):
            assert pixels == pytest.approx(length * scale, abs=0.01)
            assert float(f"{length:.0e}"[0]) in (1, 2, 5)


@pytest.mark.parametrize("shape, spacing", [((60, 300, 300), (1, 0.5, 0.5)), ((5, 250, 300), (5, 2, 2)), ((40, 30, 30), (3, 0.3, 0.3))])
def test_figures_are_as_wide_as_a_screen(shape, spacing):
    for figure in both(np.zeros(shape, np.uint8), np.zeros(shape, np.uint16), spacing):
        assert 1000 <= figure.get_size_inches()[0] * figures.DPI <= 1800


def test_views_are_laid_out_like_an_orthoviewer():
    shown = panels(plot_segmentation(np.zeros((4, 20, 30), np.uint8), *np.zeros((2, 4, 20, 30), np.uint16), (1, 0.5, 0.5), title="s"))
    assert set(shown) == {f"{block} {view}" for block in ("projection", "plane") for view in AXES}
    for block in ("projection", "plane"):
        xy, xz, yz = (shown[f"{block} {view}"].bbox for view in ("xy", "xz", "yz"))
        assert (xz.x0, xz.x1, yz.y0, yz.y1) == pytest.approx((xy.x0, xy.x1, xy.y0, xy.y1))
        assert xz.y1 < xy.y0
        assert yz.x0 > xy.x1


def test_views_show_maxima_and_the_planes_that_the_ticks_mark():
    raw = np.random.default_rng(0).integers(0, 999, (5, 7, 9)).astype(np.uint16)
    spacing = (2, 0.7, 0.5)
    shown = panels(plot_segmentation(raw, *np.zeros((2, 5, 7, 9), np.uint16), spacing, title="s"))
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


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(0, 50), st.integers(0, 50)),
    st.tuples(st.floats(0.05, 8), st.floats(0.05, 8)),
)
def test_outline_of_a_box_runs_along_its_edges(size, start, spacing):
    (line,) = figures.outlines(np.ones(size, bool), start, spacing)
    (left, top), (right, bottom) = line.min(0), line.max(0)
    assert (top, left) == pytest.approx([(first - 0.5) * step for first, step in zip(start, spacing, strict=True)])
    ends = [(first + count - 0.5) * step for first, count, step in zip(start, size, spacing, strict=True)]
    assert (bottom, right) == pytest.approx(ends)
    assert area(line) == pytest.approx((math.prod(size) - 0.5) * math.prod(spacing))  # each corner loses an eighth of a pixel
    np.testing.assert_array_equal(line[0], line[-1])


def test_outlines_follow_holes_and_parts():
    mask = np.ones((7, 12), bool)
    mask[2:5, 2:5] = False
    mask[:, 9] = False
    assert sorted(area(line) for line in figures.outlines(mask, (0, 0), (1, 1))) == pytest.approx([8.5, 13.5, 62.5])
    assert figures.outlines(np.zeros((3, 3), bool), (0, 0), (1, 1)) == []


@pytest.mark.parametrize("spacing", RATIOS)
def test_drawn_line_lies_inside_the_edge_by_half_its_width(spacing):
    split = boxes_image((10, 40, 50), [(3, 7), (10, 25), (20, 32)])
    for figure in both(np.zeros(split.shape, np.uint8), split, spacing):
        for name, axes in panels(figure).items():
            view = name.split()[1] if name.split()[1] in AXES else "xy"
            half = figures.LINE_WIDTH / 2 / pixels_per_um(axes)[0]
            box = [(3, 7), (10, 25), (20, 32)]
            for _, line in drawn(axes):
                for values, axis in zip(line.T, AXES[view][::-1], strict=True):
                    low, high = ((side - 0.5) * spacing[axis] for side in box[axis])
                    assert (values.min(), values.max()) == pytest.approx((low + half, high - half), abs=1e-6)


@pytest.mark.parametrize("spacing", RATIOS)
def test_rendered_outline_lies_where_it_should(spacing, tmp_path):
    box = [(3, 7), (10, 25), (20, 32)]
    split = boxes_image((10, 40, 50), box)
    figure = plot_segmentation(np.zeros(split.shape, np.uint8), split, split, spacing, title="s")
    figures.save(figure, tmp_path / "s.png", figures.COLORS)
    image = np.asarray(Image.open(tmp_path / "s.png").convert("RGB")).astype(int)
    coloured = np.ptp(image, axis=2) > 60
    for name, axes in panels(figure).items():
        left, top = axes.bbox.x0, len(image) - axes.bbox.y1
        inside = coloured[round(top) : round(top + axes.bbox.height), round(left) : round(left + axes.bbox.width)]
        scale = pixels_per_um(axes)[0]
        for where, axis in zip(np.nonzero(inside), AXES[name.split()[1]], strict=True):
            expected = [side * spacing[axis] * scale for side in box[axis]]
            assert (where.min(), where.max() + 1) == pytest.approx(expected, abs=2)


def test_projection_shows_each_objects_whole_silhouette():
    lower, upper = [(1, 3), (5, 25), (5, 25)], [(6, 8), (15, 35), (15, 35)]
    split = boxes_image((10, 40, 40), lower, upper)
    shown = panels(plot_segmentation(np.zeros(split.shape, np.uint8), split, split, (1, 1, 1), title="s"))
    lines = drawn(shown["projection xy"])
    half = figures.LINE_WIDTH / 2 / pixels_per_um(shown["projection xy"])[0]
    assert [area(line) for _, line in lines] == pytest.approx([(20 - 2 * half) ** 2] * 2, rel=0.01)
    assert lines[0][0] != lines[1][0]
    assert drawn(shown["plane xy"]) == []  # plane 5 lies between the two
    assert len(drawn(shown["plane xz"])) == 2


def test_dropped_objects_are_neutral_and_keep_others_colours():
    split = boxes_image((3, 30, 60), [(0, 3), (0, 10), (0, 10)], [(0, 3), (5, 20), (15, 30)], [(0, 3), (5, 20), (30, 50)])
    labels = np.where(split == 2, 2, np.where(split == 3, 1, 0)).astype(np.uint16)  # other numbers than in split
    figure, montage = both(np.zeros(split.shape, np.uint8), split, (1, 0.5, 0.5), labels)
    by_left = {round(line[:, 0].min()): color for color, line in drawn(panels(montage)["plane 2"])}
    assert len(set(by_left.values())) == 3
    for name in ("projection xy", "plane xy"):
        found = {round(line[:, 0].min()): color for color, line in drawn(panels(figure)[name])}
        assert found == by_left | {0: "#ffffff"}
    assert "3 objects, 2 measured" in texts_of(figure)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["measured (2)", "found, not measured (1)"]
    (only,) = plot_segmentation(np.zeros(split.shape, np.uint8), split, split, (1, 1, 1), title="s").legends[0].get_texts()
    assert only.get_text() == "measured (3)"


def test_an_object_has_one_colour_on_all_planes():
    split = boxes_image((12, 30, 60), [(0, 12), (2, 12), (2, 12)], [(0, 12), (2, 12), (12, 40)])
    shown = panels(plot_planes(np.zeros(split.shape, np.uint8), split, (1, 1, 1), title="s"))
    assert len({tuple(color for color, _ in drawn(axes)) for axes in shown.values()}) == 1


@pytest.mark.parametrize("grid", [(1, 6, 6), (1, 1, 30), (4, 4, 4)])
def test_touching_boxes_differ_in_colour(grid):
    split = np.kron(np.arange(1, math.prod(grid) + 1, dtype=np.uint16).reshape(grid), np.ones((2, 5, 5), np.uint16))
    check_touching(split)


@pytest.mark.parametrize("name", ["tutorial/nuclei_reference_labels.tif", "ovule/nuclei_truth.tif"])
def test_touching_nuclei_differ_in_colour(data, name):
    check_touching(np.unique(tifffile.imread(data / name), return_inverse=True)[1].astype(np.uint16))


def check_touching(split):
    colors = figures.label_colors(figures.find_boxes(split))
    touching = [(a, b) for a, b in cc3d.region_graph(split, connectivity=6) if a and b]
    assert touching
    assert not [(a, b) for a, b in touching if colors[a - 1] == colors[b - 1]]


@pytest.mark.parametrize("shape", [(20, 30, 40), (1, 30, 40)])
def test_no_objects_are_said(shape):
    raw = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    for figure in both(raw, np.zeros(shape, np.uint16), (1, 0.5, 0.5)):
        assert "no objects found" in texts_of(figure)
        assert not figure.legends
        assert all(not drawn(axes) for axes in figure.axes)


def test_a_constant_stack_is_said(tmp_path):
    for figure in both(np.full((4, 30, 40), 7, np.uint8), np.zeros((4, 30, 40), np.uint16), (1, 0.5, 0.5)):
        assert any(text == "nothing to see: all values are 7" for text in texts_of(figure))
        figures.save(figure, tmp_path / "constant.png")


def test_one_plane_has_one_view():
    raw = np.random.default_rng(0).integers(0, 99, (1, 30, 40)).astype(np.uint8)
    figure, montage = both(raw, boxes_image(raw.shape, [(0, 1), (3, 9), (3, 9)]), (1, 0.5, 0.5))
    assert list(panels(figure)) == ["plane xy"]
    assert list(panels(montage)) == ["plane 1"]
    assert "1 object, 1 measured" in texts_of(figure)
    assert "Plane 1 of 1" in texts_of(figure)


def test_title_and_note_are_printed_as_they_are():
    texts = {"title": "a-stack", "note": "simulated $data$ of 5 $"}
    for figure in both(np.zeros((3, 30, 40), np.uint8), np.zeros((3, 30, 40), np.uint16), (1, 1, 1), **texts):
        assert set(texts.values()) <= set(texts_of(figure))
        figure.canvas.draw()
    noted, plain = figures.header_height("x"), figures.header_height("")
    assert noted > plain


def test_planes_are_captioned_with_depth_and_number():
    figure = plot_planes(np.zeros((30, 8, 8), np.uint8), np.zeros((30, 8, 8), np.uint16), (0.58, 1, 1), title="s")
    assert list(panels(figure)) == [f"plane {z + 1}" for z in choose_planes(30)]
    assert {"z = 0.58 µm (plane 2)", "z = 9.28 µm (plane 17)", "z = 16.24 µm (plane 29)"} <= set(texts_of(figure))
    assert "12 of 30 planes" in texts_of(figure)


@given(st.integers(1, 2000))
def test_planes_are_spaced_evenly(count):
    planes = choose_planes(count)
    assert len(planes) == min(count, 12)
    assert planes[0] >= 0 and planes[-1] < count
    steps = np.diff(planes)
    assert len(planes) == 1 or (steps.min() >= 1 and np.ptp(steps) <= 1)
    assert count > 12 or planes == list(range(count))


@given(st.floats(1e-4, 1e6))
def test_scale_bar_is_the_largest_round_length(limit):
    length = figures.round_length(limit)
    assert limit / 2.5 * (1 - 1e-9) < length <= limit
    assert f"{length:.6e}"[:8] in {"1.000000", "2.000000", "5.000000"}


def test_scale_bar_just_below_a_power_of_ten():
    assert figures.round_length(np.nextafter(1000, 0)) == 500


def test_display_range():
    stack = np.random.default_rng(0).normal(size=(5, 20, 20)).astype(np.float32)
    assert figures.display_range(stack[:2], stack[2:]) == pytest.approx(np.percentile(stack, (0.5, 99.5)))
    sparse = np.zeros(10_000)
    sparse[3] = 8
    assert figures.display_range(sparse) == (0, 8)
    assert figures.display_range(np.full((2, 2), 3, np.uint8)) == (3, 3)


def test_images_of_different_shape_are_refused():
    raw, split = np.zeros((3, 8, 8), np.uint8), np.zeros((3, 8, 9), np.uint16)
    with pytest.raises(InputError, match=r"a-stack.*differ in shape"):
        plot_segmentation(raw, split, split, (1, 1, 1), title="a-stack")
    with pytest.raises(InputError, match=r"a-stack.*differ in shape"):
        plot_planes(raw, split, (1, 1, 1), title="a-stack")


@pytest.mark.parametrize("colors", [(), figures.COLORS])
def test_saved_colours(tmp_path, colors):
    figure = figures.new_figure(300, 200)
    tones = [*figures.COLORS, "black", "white"]
    for i, color in enumerate(tones):
        figure.add_artist(Line2D([(i + 0.5) / len(tones)] * 2, [0, 1], color=color, linewidth=20 * figures.PT))
    figures.save(figure, tmp_path / "a.png", colors)
    image = Image.open(tmp_path / "a.png")
    assert image.size == (300, 200)
    seen = {"#{:02x}{:02x}{:02x}".format(*color) for _, color in image.convert("RGB").getcolors(10_000)}
    assert {*figures.COLORS, "#000000", "#ffffff"} <= seen
    assert "Software" not in image.info


def test_a_figure_of_noise_stays_small(tmp_path):
    raw = np.random.default_rng(0).integers(0, 4096, (10, 600, 600)).astype(np.uint16)
    for i, figure in enumerate(both(raw, np.zeros(raw.shape, np.uint16), (1, 0.5, 0.5))):
        figures.save(figure, tmp_path / f"{i}.png", figures.COLORS)
        assert (tmp_path / f"{i}.png").stat().st_size < 1_500_000


def test_scripts_write_the_same_bytes_whatever_the_users_style(tmp_path):
    rng = np.random.default_rng(0)
    split = boxes_image((6, 30, 40), [(0, 3), (0, 10), (0, 10)], [(2, 6), (12, 22), (14, 30)])
    raw = (split > 0) * 100 + rng.integers(0, 50, split.shape)
    labels = np.where(split == 2, 1, 0).astype(np.uint16)
    spacing = (2, 0.5, 0.5)
    io.write_stack(tmp_path / "raw.tif", raw.astype(np.uint16), spacing)
    io.write_stack(tmp_path / "split.tif", split, spacing)
    io.write_labels(tmp_path / "labels.ome.tif", labels, spacing)
    common = {"raw": tmp_path / "raw.tif", "split": tmp_path / "split.tif", "title": "s", "note": "simulated data"}

    def write(folder):
        segmentation_script.main(**common, labels=tmp_path / "labels.ome.tif", segmentation=tmp_path / folder / "segmentation.png")
        planes_script.main(**common, planes=tmp_path / folder / "planes.png")
        return [(tmp_path / folder / name).read_bytes() for name in ("segmentation.png", "planes.png")]

    first = write("first")
    style = {"font.size": 30, "font.family": "serif", "axes.linewidth": 5, "lines.antialiased": False, "savefig.dpi": 40}
    with matplotlib.rc_context(style):
        assert write("second") == first
        assert matplotlib.rcParams["font.size"] == 30  # and the style is given back
    assert first[0] != first[1]


def test_inputs_may_be_read_only_and_stay_as_they_are():
    split = boxes_image((4, 20, 20), [(0, 3), (2, 9), (2, 9)])
    raw = np.random.default_rng(0).integers(0, 50, split.shape).astype(np.uint8)
    before = raw.copy(), split.copy()
    for each in (raw, split):
        each.setflags(write=False)
    both(raw, split, (1, 1, 1))
    np.testing.assert_array_equal(raw, before[0])
    np.testing.assert_array_equal(split, before[1])
