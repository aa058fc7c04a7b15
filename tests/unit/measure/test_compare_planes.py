"""Planes out of order or shifted, in stacks that are made here and in real ones."""

import numpy as np
import pytest
import tifffile
from scipy import ndimage
from study import simulated

from cellstack.measure.compare_planes import compare_planes
from cellstack.measure.measure_quality import flag_quality, measure_quality

SPACING = (1.5, 0.5, 0.25)
PLANES = 24
REAL = (
    "celegans/t180/nuclei.tif",
    "celegans/t120/nuclei.tif",
    "embryos/emb01-t401/nuclei.tif",
    "glands/2018-04-10-2a/membrane.tif",
    "membrane/membrane.tif",
    "ovule/nuclei.tif",
    "tutorial/nuclei.tif",
)


@pytest.fixture(scope="module")
def grain():
    """Return smooth structures that are continued over a few planes, with noise."""
    rng = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(rng.standard_normal((PLANES, 128, 160)), (4, 6, 6))
    noise = rng.normal(0, 5, smooth.shape)
    return (2000 + 200 * smooth / smooth.std() + noise).astype(np.uint16)


def shifted_planes(image, no_data=None):
    return measure_quality(image, SPACING, no_data)[0]["shifted_planes"]


def moved(image, shift, planes):
    """Return an image in which some planes are moved, without the margin that enters from outside.

    >>> moved(np.arange(40).reshape(1, 1, 40), (0, 1), slice(None))[0, 0, 0]
    np.int64(15)
    """
    changed = image.copy()
    changed[planes] = np.roll(changed[planes], shift, (1, 2))
    margins = [slice(16, -16) if step else slice(None) for step in shift]
    return np.ascontiguousarray(changed[:, *margins])


@pytest.mark.parametrize("shift", [(4, 0), (-6, 0), (0, 8), (0, -12), (5, -5)])
def test_a_shift_of_all_later_planes_is_found(grain, shift):
    assert shifted_planes(grain) == []
    assert shifted_planes(moved(grain, shift, slice(9, None))) == [9]
    assert shifted_planes(moved(grain, shift, slice(None, 9))) == [9]


def test_a_single_plane_that_moved_is_found_twice(grain):
    assert shifted_planes(moved(grain, (0, 6), slice(9, 10))) == [9, 10]


def test_two_shifts_are_found(grain):
    twice = moved(moved(grain, (0, 6), slice(7, None)), (-5, 0), slice(16, None))
    assert shifted_planes(twice) == [7, 16]
    quality, _ = measure_quality(twice, SPACING)
    assert flag_quality(quality) == [
        "2 planes are shifted relative to the plane before: 7, 16 (objects in both planes are "
        "distorted, align the planes)"
    ]
    assert flag_quality(quality, has_spots=True) == []


@pytest.mark.parametrize("step", [(0, 4), (3, -3)])
def test_oblique_structures_are_not_shifted(grain, step):
    oblique = np.stack(
        [np.roll(grain[12], (z * step[0], z * step[1]), (0, 1)) for z in range(PLANES)]
    )
    assert shifted_planes(oblique) == []


def test_planes_that_are_not_alike_are_not_compared():
    rng = np.random.default_rng(1)
    unrelated = ndimage.gaussian_filter(rng.standard_normal((PLANES, 128, 160)), (0, 6, 6))
    image = (2000 + 200 * unrelated / unrelated.std()).astype(np.uint16)
    assert shifted_planes(image) == []
    assert shifted_planes(moved(image, (0, 6), slice(9, None))) == []


def test_a_change_to_another_place_is_found(grain):
    image = np.concatenate([grain[6:16], grain[6:16, ::-1, ::-1]])
    found = measure_quality(image, SPACING)[0]
    assert found["unlike_planes"] == [10]
    assert found["shifted_planes"] == found["displaced_planes"] == []
    assert measure_quality(grain, SPACING)[0]["unlike_planes"] == []


@pytest.mark.parametrize("order", ["every second", "random"])
def test_planes_in_another_order_are_found(grain, order):
    places = np.r_[0:PLANES:2, 1:PLANES:2]
    if order == "random":
        places = np.random.default_rng(2).permutation(PLANES)
    quality, _ = measure_quality(np.ascontiguousarray(grain[places]), SPACING)
    assert len(quality["misplaced_planes"]) > PLANES / 2
    assert quality["displaced_planes"] == quality["shifted_planes"] == []
    (flag,) = flag_quality(quality)
    assert "are more like planes that are not beside them: " in flag
    for right in (grain, grain[::-1], grain[::2]):
        assert measure_quality(np.ascontiguousarray(right), SPACING)[0]["misplaced_planes"] == []


@pytest.mark.parametrize("factor", [0.5, 2])
def test_a_step_of_the_brightness_is_found(grain, factor):
    image = grain.astype(np.float32)
    image[9:] *= factor
    assert measure_quality(image, SPACING)[0]["brighter_planes"] == [9]
    image = grain.astype(np.float32)
    image[9] *= factor
    assert measure_quality(image, SPACING)[0]["brighter_planes"] == [9, 10]
    assert measure_quality(grain, SPACING)[0]["brighter_planes"] == []


def test_an_object_that_begins_is_no_step_of_the_brightness(grain):
    image = grain.astype(np.float32)
    image[9:, 30:60, 30:60] += 2000
    assert measure_quality(image, SPACING)[0]["brighter_planes"] == []


def test_voxels_without_data_are_left_out(grain):
    no_data = np.zeros(grain.shape, bool)
    no_data[:, :40] = True
    no_data[9:, :60] = True  # a border that moves
    image = np.where(no_data, 0, grain).astype(np.uint16)
    assert shifted_planes(image, no_data) == []
    changed = moved(image, (0, 6), slice(9, None))
    assert shifted_planes(changed, no_data[:, :, 16:-16]) == [9]


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_few_planes(grain, count):
    assert shifted_planes(np.ascontiguousarray(grain[:count])) == [] if count else True
    blocks = np.zeros((count, 4, 4), np.float32)
    assert compare_planes(blocks, np.ones(count, bool)) == ([], [], [], [], [])


@pytest.mark.parametrize("spacing", [(1.0, 0.4, 0.4), (3.2, 0.4, 0.4)])
@pytest.mark.parametrize("seed", range(10))
def test_sparse_colonies_are_not_shifted(spacing, seed):
    colony = simulated(shape=(20, 96, 96), spacing=spacing, seed=seed)
    assert shifted_planes(colony.nuclei_image) == shifted_planes(colony.membrane_image) == []


@pytest.mark.parametrize("name", REAL)
def test_real_stacks(data, name):
    image = tifffile.imread(data / name)
    middle = len(image) // 2
    for planes in (image, np.ascontiguousarray(image[::2])):
        found = measure_quality(planes, SPACING)[0]
        for defect in ("misplaced", "displaced", "shifted", "unlike", "brighter", "repeated"):
            assert found[f"{defect}_planes"] == []
        assert not any("inverted" in flag for flag in flag_quality(found, shows_objects=True))
    every_second = np.concatenate([image[::2], image[1::2]])
    assert measure_quality(every_second, SPACING)[0]["misplaced_planes"]
    inverted = measure_quality(image.max() - image, SPACING)[0]
    assert any("inverted" in flag for flag in flag_quality(inverted, shows_objects=True))
    assert shifted_planes(moved(image, (0, 4), slice(middle, None))) == [middle]
