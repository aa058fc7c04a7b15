import numpy as np
import pytest
from gallery_cases import colony, view
from study import DIAMETER_UM, SPACING

from cellstack.errors import InputError
from cellstack.gallery.choose_view import choose_view


def choose(region_um=1000, **options):
    return choose_view(colony().nuclei_image, SPACING, DIAMETER_UM, region_um, **options)


def test_default_is_the_brightest_plane_and_row():
    image = colony().nuclei_image
    assert view()["plane"] == image.mean(axis=(1, 2)).argmax()
    assert view()["row"] == image[view()["plane"]].mean(axis=1).argmax()
    assert view()["region"] == [[0, size] for size in image.shape]


def test_plane_and_row_can_be_set():
    chosen = choose(plane=3, row=50)
    assert (chosen["plane"], chosen["row"]) == (3, 50)
    assert chosen["region"] == view()["region"]


def test_region_has_its_size_and_is_inside_of_the_stack():
    for plane in (0, 8, 15):
        found = choose(8.0, plane=plane)
        (z, z_end), (y, y_end), (x, x_end) = found["region"]
        assert (z_end - z, y_end - y, x_end - x) == (8, 20, 20)
        assert z <= plane < z_end
        assert y == x == 38
        assert y <= found["row"] < y_end
        for (low, high), (first, end) in zip(found["zoom"], found["region"][1:], strict=True):
            assert first <= low < high <= end


def test_large_region_is_reduced(monkeypatch):
    monkeypatch.setattr("cellstack.gallery.choose_view.MAX_VOXELS", 20_000)
    image = colony().nuclei_image
    sides = [end - first for first, end in choose()["region"]]
    assert 0.9 * 20_000 < np.prod(sides) <= 20_000
    factor = (20_000 / image.size) ** (1 / 3)
    assert np.divide(sides, image.shape) == pytest.approx(np.full(3, factor), rel=0.1)


def test_zoom_shows_the_two_closest_objects():
    z, y, x = np.ogrid[:20, :120, :120]
    stack = np.zeros((20, 120, 120), np.float32)
    for centre in ((10, 30, 30), (10, 80, 78), (10, 80, 90)):
        stack[sum((axis - at) ** 2 for axis, at in zip((z, y, x), centre, strict=True)) <= 25] = 1
    assert choose_view(stack, (1, 1, 1), 10, 1000, 10)["zoom"] == [[68, 92], [72, 96]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"plane": 16}, "plane: 16 is outside of the stack; give a value from 0 to 15"),
        ({"row": 96}, "row: 96 is outside of the stack; give a value from 0 to 95"),
    ],
)
def test_plane_or_row_outside_of_the_stack_is_refused(options, message):
    with pytest.raises(InputError) as error:
        choose(40, **options)
    assert str(error.value) == f"choose_view.{message}"
