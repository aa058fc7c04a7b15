import pytest
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
