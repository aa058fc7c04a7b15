"""What plot_segmentation and plot_planes have in common."""

import matplotlib
import numpy as np
import pytest
from drawn import boxes_image, outlines_of, panels, scale_bars, texts_of
from hypothesis import given, settings
from hypothesis import strategies as st

import plot_planes as planes_script
import plot_segmentation as segmentation_script
from cellstack.errors import InputError
from cellstack.figures import drawing, outlines, png
from cellstack.figures.colors import COLORS
from cellstack.figures.plot_planes import plot_planes
from cellstack.figures.plot_segmentation import plot_segmentation
from cellstack.files.records import read_json
from cellstack.files.stacks import write_labels, write_stack

RATIOS = [(0.5, 0.5, 0.5), (2.0, 0.5, 0.4), (4.0, 0.4, 0.5)]
AXES = {"xy": (1, 2), "xz": (0, 2), "yz": (1, 0)}  # down, across


def both(raw, labels, spacing, **texts):
    texts = {"title": "a stack"} | texts
    return [
        plot_segmentation(raw, labels, labels, spacing, **texts),
        plot_planes(raw, labels, spacing, **texts),
    ]


def axes_of(name):
    """Return the vertical and the horizontal axis of a panel."""
    return AXES.get(name.split()[1], AXES["xy"])


def pixels_per_um(axes):
    left, right = axes.get_xlim()
    return axes.bbox.width / (right - left)


SIZES = st.tuples(st.integers(1, 40), st.integers(1, 90), st.integers(1, 90))
STEPS = st.tuples(st.floats(0.05, 8), st.floats(0.05, 2), st.floats(0.05, 2))


@pytest.mark.slow
@settings(max_examples=6)
@given(SIZES, STEPS)
def test_panels_have_one_scale_and_are_inside_of_the_figure_and_apart(shape, spacing):
    raw = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    for figure in both(raw, np.zeros(shape, np.uint16), spacing):
        scale = max(pixels_per_um(axes) for axes in figure.axes)
        for name, axes in panels(figure).items():
            down, across = axes_of(name)
            assert axes.bbox.width == pytest.approx(shape[across] * spacing[across] * scale, abs=1)
            assert axes.bbox.height == pytest.approx(shape[down] * spacing[down] * scale, abs=1)
            assert figure.bbox.x0 <= axes.bbox.x0 < axes.bbox.x1 <= figure.bbox.x1
            assert figure.bbox.y0 <= axes.bbox.y0 < axes.bbox.y1 <= figure.bbox.y1
            assert axes.images[0].get_array().shape == (shape[down], shape[across])
        pairs = [(a, b) for a in figure.axes for b in figure.axes if a is not b]
        assert not any(a.bbox.overlaps(b.bbox) for a, b in pairs)
        for pixels, length in scale_bars(figure):
            assert pixels == pytest.approx(length * scale, abs=0.01)
            assert float(f"{length:.0e}"[0]) in (1, 2, 5)


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((60, 300, 300), (1, 0.5, 0.5)), ((5, 250, 300), (5, 2, 2)), ((40, 30, 30), (3, 0.3, 0.3))],
)
def test_figures_are_as_wide_as_a_screen(shape, spacing):
    for figure in both(np.zeros(shape, np.uint8), np.zeros(shape, np.uint16), spacing):
        assert 1000 <= drawing.figure_size(figure)[0] <= 1800


@pytest.mark.parametrize("spacing", RATIOS)
def test_lines_are_inside_of_the_outline_by_half_their_width(spacing):
    box = [(3, 7), (10, 25), (20, 32)]
    labels = boxes_image((10, 40, 50), box)
    for figure in both(np.zeros(labels.shape, np.uint8), labels, spacing):
        for name, axes in panels(figure).items():
            half = outlines.LINE_WIDTH / 2 / pixels_per_um(axes)
            for _, line in outlines_of(axes):
                for values, axis in zip(line.T, axes_of(name)[::-1], strict=True):
                    low, high = ((side - 0.5) * spacing[axis] for side in box[axis])
                    expected = (low + half, high - half)
                    assert (values.min(), values.max()) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("shape", [(20, 30, 40), (1, 30, 40)])
def test_stack_without_objects(shape):
    raw = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    for figure in both(raw, np.zeros(shape, np.uint16), (1, 0.5, 0.5)):
        assert "no objects found" in texts_of(figure)
        assert not figure.legends
        assert all(not outlines_of(axes) for axes in figure.axes)


def test_constant_stack(tmp_path):
    raw, labels = np.full((4, 30, 40), 7, np.uint8), np.zeros((4, 30, 40), np.uint16)
    for figure in both(raw, labels, (1, 0.5, 0.5)):
        assert "constant: all values are 7" in texts_of(figure)
        png.save(figure, tmp_path / "constant.png")


def test_title_and_note_are_printed_unchanged():
    raw, labels = np.zeros((3, 30, 40), np.uint8), np.zeros((3, 30, 40), np.uint16)
    texts = {"title": "a-stack", "note": "simulated $data$ of 5 $"}
    for figure in both(raw, labels, (1, 1, 1), **texts):
        assert set(texts.values()) <= set(texts_of(figure))
        figure.canvas.draw()


def test_images_of_different_shapes_are_refused():
    raw, labels = np.zeros((3, 8, 8), np.uint8), np.zeros((3, 8, 9), np.uint16)
    for draw in (
        lambda: plot_segmentation(raw, labels, labels, (1, 1, 1), title="a-stack"),
        lambda: plot_planes(raw, labels, (1, 1, 1), title="a-stack"),
    ):
        with pytest.raises(InputError, match=r"a-stack: images differ in shape \(raw \(3, 8, 8\)"):
            draw()


def test_file_of_a_noisy_image_is_small(tmp_path):
    raw = np.random.default_rng(0).integers(0, 4096, (4, 600, 600)).astype(np.uint16)
    for i, figure in enumerate(both(raw, np.zeros(raw.shape, np.uint16), (1, 0.5, 0.5))):
        png.save(figure, tmp_path / f"{i}.png", COLORS)
        assert (tmp_path / f"{i}.png").stat().st_size < 1_500_000


@pytest.mark.slow
def test_scripts_write_the_same_bytes_for_any_style_of_the_user(tmp_path):
    rng = np.random.default_rng(0)
    labels = boxes_image((6, 30, 40), [(0, 3), (0, 10), (0, 10)], [(2, 6), (12, 22), (14, 30)])
    raw = (labels > 0) * 100 + rng.integers(0, 50, labels.shape)
    selected = np.where(labels == 2, 1, 0).astype(np.uint16)
    spacing = (2, 0.5, 0.5)
    write_stack(tmp_path / "raw.tif", raw.astype(np.uint16), spacing)
    write_stack(tmp_path / "segmentation.tif", labels, spacing)
    write_labels(tmp_path / "labels.ome.tif", selected, spacing)
    table = "label,segmentation_label,flags,volume_um3\n1,2,low contrast,640\n"
    (tmp_path / "objects.csv").write_text(table)
    common = {
        "objects": tmp_path / "objects.csv",
        "raw": tmp_path / "raw.tif",
        "segmentation": tmp_path / "segmentation.tif",
        "title": "s",
        "note": "simulated data",
    }

    def write(folder):
        figures = [tmp_path / folder / name for name in ("segmentation.png", "planes.png")]
        labels_file = tmp_path / "labels.ome.tif"
        pictures = tmp_path / folder / "pictures.json"
        segmentation_script.main(**common, labels=labels_file, figure=figures[0], pictures=pictures)
        planes_script.main(**common, figure=figures[1])
        (flagged,) = read_json(pictures)["flagged"]
        assert (flagged["label"], flagged["reasons"]) == (1, "low contrast")
        return [file.read_bytes() for file in (*figures, pictures)]

    first = write("first")
    style = {
        "font.size": 30,
        "font.family": "serif",
        "axes.linewidth": 5,
        "lines.antialiased": False,
        "savefig.dpi": 40,
    }
    with matplotlib.rc_context(style):
        assert write("second") == first
        assert matplotlib.rcParams["font.size"] == 30  # the style is restored
    assert first[0] != first[1]


def test_inputs_may_be_read_only_and_are_not_changed():
    labels = boxes_image((4, 20, 20), [(0, 3), (2, 9), (2, 9)])
    raw = np.random.default_rng(0).integers(0, 50, labels.shape).astype(np.uint8)
    before = raw.copy(), labels.copy()
    for array in (raw, labels):
        array.setflags(write=False)
    both(raw, labels, (1, 1, 1))
    np.testing.assert_array_equal(raw, before[0])
    np.testing.assert_array_equal(labels, before[1])
