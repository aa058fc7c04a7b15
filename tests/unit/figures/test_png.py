import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from PIL import Image

from cellstack.figures import drawing, png
from cellstack.figures.colors import COLORS


@pytest.mark.parametrize("colors", [(), COLORS])
def test_saved_colors(tmp_path, colors):
    figure = drawing.new_figure(300, 200)
    tones = [*COLORS, "black", "white"]
    for i, color in enumerate(tones):
        x = (i + 0.5) / len(tones)
        figure.add_artist(Line2D([x, x], [0, 1], color=color, linewidth=20 * drawing.PIXEL))
    png.save(figure, tmp_path / "a.png", colors)
    image = Image.open(tmp_path / "a.png")
    assert image.size == (300, 200)
    assert "Software" not in image.info
    counts = image.convert("RGB").getcolors(10_000)
    seen = {"#{:02x}{:02x}{:02x}".format(*color) for _, color in counts}
    assert {*COLORS, "#000000", "#ffffff"} <= seen


def test_a_palette_has_enough_greys_with_black_and_white():
    figure = drawing.new_figure(256, 20)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(np.arange(256)[None], cmap="gray", vmin=0, vmax=255, aspect="auto")
    axes.set_axis_off()
    image = Image.open(io.BytesIO(png.to_png(figure, COLORS)))
    assert image.mode == "P"
    assert len(image.getcolors(1000)) <= 256
    row = np.asarray(image.convert("RGB")).astype(int)[10]
    assert np.abs(row - np.arange(256)[:, None]).max() <= 4
    assert row[0].tolist() == [0] * 3 and row[255].tolist() == [255] * 3
    without = Image.open(io.BytesIO(png.to_png(figure)))
    assert without.mode == "RGB"
    difference = np.asarray(without)[10].astype(int) - np.arange(256)[:, None]
    assert np.abs(difference).max() <= 1


def test_half_transparent_lines_keep_their_hue():
    figure = drawing.new_figure(len(COLORS) * 20, 20)
    for i, color in enumerate(COLORS):
        x = (i + 0.5) / len(COLORS)
        figure.add_artist(
            Line2D([x, x], [0, 1], color=color, alpha=0.5, linewidth=15 * drawing.PIXEL)
        )
    shown = np.asarray(Image.open(io.BytesIO(png.to_png(figure, COLORS))).convert("RGB")).astype(
        int
    )
    for i, color in enumerate(COLORS):
        expected = (np.array(to_rgb(color)) * 255 + 255) / 2
        assert np.abs(shown[10, 20 * i + 10] - expected).max() <= 6


def test_size_in_inches_is_that_of_the_screen():
    image = Image.open(io.BytesIO(png.to_png(drawing.new_figure(300, 200))))
    assert image.info["dpi"] == pytest.approx((drawing.DPI, drawing.DPI), rel=0.01)


def test_images_in_another_color_map_keep_their_colours():
    figure = drawing.new_figure(60, 60)
    axes = drawing.add_panel(figure, 5, 5, (0, 5, 5, 0), 10)
    with drawing.use_color_map("viridis"):
        drawing.show_image(axes, np.full((4, 4), 0.5), (0, 1))
        file = png.to_png(figure, COLORS)
    pixel = Image.open(io.BytesIO(file)).convert("RGB").getpixel((30, 30))
    assert np.abs(np.subtract(pixel, (33, 145, 140))).max() <= 2  # the middle of viridis
