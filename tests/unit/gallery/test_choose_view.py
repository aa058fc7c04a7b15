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
        ({"plane": 16}, "plane: 16 is outside the stack; give a value from 0 to 15"),
        ({"row": 96}, "row: 96 is outside the stack; give a value from 0 to 95"),
    ],
)
def test_plane_or_row_outside_of_the_stack_is_refused(options, message):
    with pytest.raises(InputError) as error:
        choose(40, **options)
    assert str(error.value) == f"choose_view.{message}"


OBLONG = (1.3, 0.5, 0.35)


def balls(*centres_um, shape=(20, 90, 110), spacing=OBLONG, radius_um=3.0):
    """Return a stack with bright balls, with their centres in um from the first voxel's centre."""
    stack = np.zeros(shape, np.float32)
    for centre in centres_um:
        grid = zip(np.ogrid[tuple(map(slice, shape))], spacing, centre, strict=True)
        stack[sum((index * step - at) ** 2 for index, step, at in grid) <= radius_um**2] = 1
    return stack


def zoom_in_um(stack, diameter_um=6.0, plane=10):
    """Return the middle and the size of the enlarged part along y and x in um."""
    zoom = choose_view(stack, OBLONG, diameter_um, 1000, plane)["zoom"]
    return [
        ((low + high - 1) / 2 * step, (high - low) * step)
        for (low, high), step in zip(zoom, OBLONG[1:], strict=True)
    ]


def test_zoom_is_between_the_closest_objects_in_um():
    # the pair along y is 15 voxels or 7.5 um apart, that along x 20 voxels or 7 um
    stack = balls((13, 10, 8), (13, 17.5, 8), (13, 30, 20), (13, 30, 27))
    (y, height), (x, width) = zoom_in_um(stack)
    assert (y, x) == pytest.approx((30, 23.5), abs=0.5)
    assert (height, width) == pytest.approx((2.4 * 6, 2.4 * 6), abs=0.3)


def test_objects_that_a_face_cuts_are_shown_only_if_there_are_no_others():
    cut = [(13, 0.5, 10), (13, 0.5, 16)]
    (y, _), (x, _) = zoom_in_um(balls(*cut, (13, 25, 10), (13, 25, 25)))
    assert (y, x) == pytest.approx((25, 17.5), abs=0.6)
    last = [(13, 44.5, 10), (13, 44.5, 16)]  # the last row is at 44.5 um
    (y, _), (x, _) = zoom_in_um(balls(*last, (13, 15, 10), (13, 15, 25)))
    assert (y, x) == pytest.approx((15, 17.5), abs=0.6)
    (y, height), (x, _) = zoom_in_um(balls(*cut))
    assert x == pytest.approx(13, abs=0.6)
    assert y == pytest.approx(height / 2, abs=0.6)  # at the first row


def test_one_object_is_in_the_middle_of_the_zoom_and_none_leaves_the_middle_of_the_stack():
    (y, _), (x, _) = zoom_in_um(balls((13, 30, 12)))
    assert (y, x) == pytest.approx((30, 12), abs=0.5)
    (y, _), (x, _) = zoom_in_um(balls())
    assert (y, x) == pytest.approx((22.5, 19.25), abs=0.5)


def test_objects_far_from_the_plane_are_not_shown():
    near, far = [(13, 10, 10), (13, 30, 25)], [(20, 40, 10), (20, 40, 16)]
    (y, _), (x, _) = zoom_in_um(balls(*near, *far))
    assert (y, x) == pytest.approx((20, 17.5), abs=0.6)


def test_region_is_in_um_along_each_axis():
    view = choose_view(balls((13, 20, 20)), OBLONG, 6, 13.0, 10)
    sides = [end - start for start, end in view["region"]]
    assert sides == [10, 26, 37]  # 13 um
    middle = [(start + end) / 2 for start, end in view["region"]]
    assert middle == pytest.approx([10, 45, 55], abs=1)
    assert view["spacing"] == list(OBLONG)
    assert view["shape"] == [20, 90, 110]
    small = choose_view(balls((13, 20, 20)), OBLONG, 6, 0.1, 10)
    assert [end - start for start, end in small["region"]] == [1, 1, 1]
    assert small["region"][0] == [10, 11]
    assert [end - start for start, end in small["zoom"]] == [1, 1]


@pytest.mark.parametrize("plane", [0, 19])
def test_plane_and_row_may_be_the_first_and_the_last_one(plane):
    view = choose_view(balls((13, 20, 20)), OBLONG, 6, 5.0, plane, row=89)
    (start, end), *_ = view["region"]
    assert start <= plane < end
    assert view["row"] == 89
