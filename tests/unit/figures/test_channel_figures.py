"""The figures that show all channels: plot_composite and plot_channels."""

import matplotlib
import numpy as np
import pytest
from drawn import boxes_image, edges_of, outlines_of, panels, pixels_per_um, scale_bars, texts_of

import plot_channels as channels_script
import plot_composite as composite_script
from cellstack.core.labels import find_boxes
from cellstack.errors import InputError
from cellstack.figures import composite, outlines
from cellstack.figures.outlines import Number
from cellstack.figures.plot_channels import COMPOSITE, plot_channels
from cellstack.figures.plot_composite import plot_composite
from cellstack.files.stacks import write_stack

SPACING = (2.0, 0.5, 0.4)
BOXES = ([(1, 5), (4, 12), (6, 20)], [(3, 6), (20, 30), (25, 40)])
NUCLEI, MEMBRANE = "nuclei", "membrane"


def stacks(shape=(7, 36, 50), names=(NUCLEI, MEMBRANE)):
    rng = np.random.default_rng(0)
    found = {name: rng.integers(0, 1000, shape).astype(np.uint16) for name in names}
    for stack in found.values():
        stack.setflags(write=False)
    return found


def labels(shape=(7, 36, 50)):
    return boxes_image(shape, *BOXES)


def simulate_red_green_blindness(colors):
    """Return colours as seen without red cones (Machado et al. 2009, severity 1)."""
    linear = np.where(colors > 0.04045, ((colors + 0.055) / 1.055) ** 2.4, colors / 12.92)
    matrix = [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]
    return np.clip(linear @ np.array(matrix).T, 0, 1)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_colors_of_channels_differ_for_the_colour_blind(count):
    colors = composite.channel_colors([f"c{i}" for i in range(count)]).values()
    shown = np.array([matplotlib.colors.to_rgb(color) for color in colors])
    seen = simulate_red_green_blindness(shown)
    for i in range(count):
        assert shown[i].max() == 1
        assert all(np.linalg.norm(seen[i] - seen[j]) > 0.5 for j in range(i))


def test_many_channels_repeat_colors_and_none_is_lost():
    colors = composite.channel_colors([f"c{i}" for i in range(9)])
    assert len(colors) == 9 and len(set(colors.values())) == 7


def test_composite_adds_channels_up_in_their_ranges():
    channels = stacks()
    figure = plot_composite(channels, labels(), SPACING, title="s", note="simulated data")
    shown = panels(figure)
    assert set(shown) == {f"{b} {v}" for b in ("projection", "plane") for v in ("xy", "xz", "yz")}
    plane = 3  # both objects
    for block, pick in (("projection", lambda s: s.max(axis=0)), ("plane", lambda s: s[plane])):
        image = np.asarray(shown[f"{block} xy"].images[0].get_array()).astype(float)
        for name, channel in ((NUCLEI, 0), (MEMBRANE, 1)):  # magenta: red; green
            text = next(t for t in texts_of(figure) if t.startswith("nuclei from"))
            stack = channels[name]
            views = [stack.max(axis=a) for a in range(3)]
            if block == "plane":
                boxes = find_boxes(labels())
                middle = [3, 18, 22]
                assert len(boxes) == 2
                places = [axes.get_xticks() for axes in (shown["plane xy"], shown["plane xz"])]
                column = round(places[0][0] / SPACING[2])
                row = round(shown["plane xy"].get_yticks()[0] / SPACING[1])
                middle[1:] = row, column
                views = [stack.take(middle[a], axis=a) for a in range(3)]
            low, high = np.percentile(np.concatenate([v.ravel() for v in views]), (0.5, 99.5))
            expected = np.clip((pick(stack) - low) / (high - low), 0, 1) * 255
            np.testing.assert_allclose(image[..., channel], expected, atol=1)
            assert "membrane from" in text
        np.testing.assert_array_equal(image[..., 0], image[..., 2])
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == [NUCLEI, MEMBRANE]
    bars = [to_hex(line) for line in figure.legends[0].get_lines()]
    assert bars == ["#ff00ff", "#00ff00"]
    scale = pixels_per_um(shown["plane xy"])[0]
    for pixels, length in scale_bars(figure):
        assert pixels == pytest.approx(length * scale, abs=0.01)
    assert {"s", "2 channels", "simulated data"} <= set(texts_of(figure))


def to_hex(line):
    return matplotlib.colors.to_hex(line.get_color())


def test_outlines_lie_over_each_channel_in_the_plane_with_most_objects():
    channels = stacks()
    figure = plot_channels(
        channels, labels(), SPACING, title="s", numbers={1: Number(1, False), 2: Number(7, True)}
    )
    shown = panels(figure)
    assert list(shown) == [NUCLEI, MEMBRANE, COMPOSITE]
    colors = outlines.label_colors(find_boxes(labels()))
    for name, axes in shown.items():
        found = outlines_of(axes)
        assert [edges_of(line, SPACING[1:]) for _, line in found] == [
            ((4, 12), (6, 20)),
            ((20, 30), (25, 40)),
        ]
        white = ["#ffffff"] * 2
        assert [c for c, _ in found] == (white if name == COMPOSITE else list(colors.values()))
        assert [text.get_text() for text in axes.texts] == ["1", "7!"]
    for name, stack in channels.items():
        np.testing.assert_array_equal(shown[name].images[0].get_array(), stack[3])
        assert shown[name].images[0].get_clim() == tuple(np.percentile(stack[3], (0.5, 99.5)))
    blended = shown[COMPOSITE].images[0].get_array()
    assert blended.shape == (36, 50, 3)
    assert (blended[..., 1] != blended[..., 0]).any()
    assert "Plane with most objects: z = 6 µm (plane 3 of 7, counted from 0)" in texts_of(figure)
    assert "2 objects found, measured or not, 1 flagged (!)" in texts_of(figure)


def test_one_channel_has_one_panel_in_grey():
    channels = stacks(names=(NUCLEI,))
    assert list(panels(plot_channels(channels, labels(), SPACING, title="s"))) == [NUCLEI]
    image = panels(plot_composite(channels, labels(), SPACING, title="s"))["plane xy"].images[0]
    assert np.ptp(np.asarray(image.get_array()).astype(int), axis=2).max() == 0


@pytest.mark.parametrize("shape", [(6, 30, 40), (1, 30, 40)])
def test_stack_without_objects(shape):
    channels, nothing = stacks(shape), np.zeros(shape, np.uint16)
    figure = plot_channels(channels, nothing, SPACING, title="s")
    plane = shape[0] // 2
    of = "1" if shape[0] == 1 else "6"
    z = plane * 2
    text = f"Plane in the middle: z = {z} µm (plane {plane} of {of}, counted from 0)"
    assert {text, "no objects found"} <= set(texts_of(figure))
    assert not any(outlines_of(axes) for axes in figure.axes)
    figure = plot_composite(channels, nothing, SPACING, title="s")
    names = set(panels(figure))
    assert names == ({"plane xy"} if shape[0] == 1 else names) and "plane xy" in names


def test_constant_channel_is_black_and_named():
    channels = stacks() | {MEMBRANE: np.full((7, 36, 50), 7, np.uint8)}
    figure = plot_composite(channels, labels(), SPACING, title="s")
    assert any(text.endswith("membrane constant at 7") for text in texts_of(figure))
    assert not np.asarray(panels(figure)["plane xy"].images[0].get_array())[..., 1].any()


@pytest.mark.parametrize("draw", [plot_channels, plot_composite])
def test_channels_of_different_shapes_are_refused(draw):
    channels = {NUCLEI: np.zeros((3, 8, 8)), MEMBRANE: np.zeros((3, 8, 9))}
    with pytest.raises(InputError, match=r"membrane \(3, 8, 9\)"):
        draw(channels, np.zeros((3, 8, 8), np.uint16), SPACING, title="s")


@pytest.mark.slow
@pytest.mark.parametrize("script", [composite_script, channels_script])
def test_scripts_write_the_same_bytes_for_any_style_of_the_user(tmp_path, script):
    for name, stack in stacks((1, 36, 50)).items():
        write_stack(tmp_path / f"{name}.tif", stack, SPACING)
    write_stack(tmp_path / "segmentation.tif", labels()[3:4], SPACING)
    (tmp_path / "objects.csv").write_text("label,segmentation_label,flags\n1,2,low contrast\n")
    common = {
        "raw": [tmp_path / "nuclei.tif", tmp_path / "membrane.tif"],
        "segmentation": tmp_path / "segmentation.tif",
        "channels": [NUCLEI, MEMBRANE],
        "title": "s",
        "note": "simulated data",
    }
    if script is channels_script:
        common["objects"] = tmp_path / "objects.csv"

    def write():
        files = [tmp_path / name for name in ("a.png", "a.pdf")]
        script.main(**common, figure=files[0], vector=files[1])
        return [file.read_bytes() for file in files]

    first = write()
    with matplotlib.rc_context({"font.size": 30, "font.family": "serif", "pdf.fonttype": 3}):
        assert write() == first
