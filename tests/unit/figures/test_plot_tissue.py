"""The figure of tissue and regions: outlines where they are, in the colours of the legend."""

import numpy as np
import pytest
from drawn import boxes_image, edges_of, outlines_of, panels, texts_of

from cellstack.errors import InputError
from cellstack.figures import views
from cellstack.figures.colors import COLORS
from cellstack.figures.plot_tissue import MAX_NAMES, plot_tissue

SHAPE, SPACING = (20, 60, 80), (2.0, 0.5, 0.4)
WHITE = "#ffffff"


@pytest.fixture
def raw():
    return np.random.default_rng(0).poisson(50, SHAPE).astype(np.uint16)


def legend_of(figure):
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def test_outlines_of_tissue_and_regions_in_each_view(raw):
    tissue = boxes_image(SHAPE, [(2, 18), (5, 55), (10, 75)]).astype(np.uint8)
    regions = boxes_image(
        SHAPE, [(4, 18), (8, 50), (12, 40)], [(4, 18), (8, 50), (40, 70)], labels=[3, 9]
    )
    figure = plot_tissue(
        raw, tissue, regions, SPACING, title="a", note="simulated data", names={"3": "cortex"}
    )
    assert list(panels(figure)) == ["plane xy", "plane xz", "plane yz"]
    expected = {
        WHITE: [(2, 18), (5, 55), (10, 75)],
        COLORS[0]: [(4, 18), (8, 50), (12, 40)],
        COLORS[1]: [(4, 18), (8, 50), (40, 70)],
    }
    middle = [size // 2 for size in SHAPE]
    for view, axes in zip(("xy", "xz", "yz"), figure.axes, strict=True):
        through, down, across = views.VIEWS[view]
        drawn = outlines_of(axes)
        cut = {
            color: (box[down], box[across])
            for color, box in expected.items()
            if box[through][0] <= middle[through] < box[through][1]
        }
        assert [color for color, _ in drawn] == list(cut)
        for color, line in drawn:
            # lines lie half of their width inside the outline
            assert edges_of(line, (SPACING[down], SPACING[across])) == cut[color]
    assert legend_of(figure) == ["tissue", "cortex", "region 9"]
    volume = 16 * 50 * 65 * 0.4 / 1e9
    texts = texts_of(figure)
    assert f"2 regions; tissue of {volume:.3g} mm³, 54% of the stack" in texts
    assert "Middle planes" in texts
    assert "simulated data" in texts


def test_tissue_alone_and_regions_alone(raw):
    tissue = boxes_image(SHAPE, [(0, 20), (0, 20), (0, 80)], [(0, 20), (30, 60), (0, 80)])
    figure = plot_tissue(raw, (tissue > 0).astype(np.uint8), None, SPACING, title="a")
    assert any(text.startswith("2 pieces of tissue: ") for text in texts_of(figure))
    assert legend_of(figure) == ["tissue"]
    regions = np.zeros(SHAPE, np.uint32)
    for label in range(1, 11):
        regions[:, :, 8 * (label - 1) : 8 * label] = label * 10**8
    figure = plot_tissue(raw, None, regions, SPACING, title="a")
    assert "10 regions" in texts_of(figure)
    assert len(outlines_of(figure.axes[0])) == 10
    assert len(legend_of(figure)) == MAX_NAMES + 1
    assert legend_of(figure)[-1] == "and 3 regions more"


def test_nothing_found_one_plane_and_other_shapes(raw):
    figure = plot_tissue(raw[:1], np.zeros((1, 60, 80), np.uint8), None, SPACING, title="a")
    assert "no pieces found" in texts_of(figure)
    assert list(panels(figure)) == ["plane xy"]
    assert outlines_of(figure.axes[0]) == []
    with pytest.raises(InputError, match="images differ in shape"):
        plot_tissue(raw, raw[1:], None, SPACING, title="a")
