import numpy as np
import pytest
from drawn import panels, texts_of
from matplotlib.collections import EllipseCollection

from cellstack.figures.plot_spots import plot_spots

SPACING = (0.5, 0.2, 0.1)
NAMES = {"title": "colony", "channel": "FISH"}


def circles_of(axes):
    (circles,) = (each for each in axes.collections if isinstance(each, EllipseCollection))
    return np.asarray(circles.get_offsets())


def test_a_plane_has_the_spots_in_it():
    raw = np.random.default_rng(0).integers(0, 99, (5, 30, 40)).astype("uint16")
    positions = np.array([[0.1, 2.0, 1.0], [1.24, 3.0, 2.0], [2.0, 4.0, 3.5]])
    figure = plot_spots(raw, positions, SPACING, [0.4, 0.4, 0.4], **NAMES)
    shown = panels(figure)
    assert list(shown) == ["projection", *(f"plane {z}" for z in range(5))]
    np.testing.assert_array_equal(circles_of(shown["projection"]), positions[:, [2, 1]])
    assert [len(circles_of(shown[f"plane {z}"])) for z in range(5)] == [1, 0, 1, 0, 1]
    assert circles_of(shown["plane 2"]).tolist() == [[2.0, 3.0]]
    assert "3 spots found in channel FISH" in texts_of(figure)
    assert "maximum projection: 3 spots" in texts_of(figure)


@pytest.mark.parametrize("shape", [(1, 20, 30), (9, 20, 30)])
def test_without_spots(shape):
    figure = plot_spots(np.zeros(shape, "uint8"), np.empty((0, 3)), SPACING, [0.4] * 3, **NAMES)
    assert len(panels(figure)) == (1 if shape[0] == 1 else 6)
    assert "no spots found" in texts_of(figure)
