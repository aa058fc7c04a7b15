import numpy as np
import pytest
from drawn import panels, texts_of
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
