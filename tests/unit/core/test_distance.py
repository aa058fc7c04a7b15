import cc3d
import numpy as np
import pytest
from scipy import ndimage
from shapes import landscape, read_only, spacing_of

from cellstack.core.distance import distance_map, distances_at, planes_near

each_ratio = pytest.mark.parametrize("ratio", [1, 4, 8])


@pytest.mark.parametrize("fill", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("shape", [(1, 7, 1), (1, 20, 21), (3, 1, 5), (9, 17, 31)], ids=str)
@each_ratio
def test_distance_against_scipy(ratio, shape, fill):
    # At the faces too: for neither function they are background.
    mask = (np.random.default_rng(0).random(shape) < fill).astype("uint8")
    mask.flat[0] = 0
    found = distance_map(read_only(mask), spacing_of(ratio))
    assert found.dtype == np.float32
    np.testing.assert_allclose(
        found, ndimage.distance_transform_edt(mask, spacing_of(ratio)), rtol=1e-6
    )


@each_ratio
def test_distance_in_a_slab_is_in_um(ratio):
    mask = np.zeros((9, 40, 3), "uint8")
    mask[2:7], mask[:, :4] = 1, 0
    mask[:, 36:] = 0
    found = distance_map(mask, spacing_of(ratio))
    z, y = (
        np.minimum(np.arange(9) - 1, 7 - np.arange(9)),
        np.minimum(np.arange(40) - 3, 36 - np.arange(40)),
    )
    expected = np.minimum(z[:, None] * 0.25 * ratio, y[None] * 0.25).clip(0)
    np.testing.assert_allclose(found, np.repeat(expected[:, :, None], 3, 2), rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "half"), [((4, 40, 40), 2.0), ((9, 5, 40), 0.625), ((1, 7, 1), 0.125)]
)
def test_without_background_distance_is_half_the_smallest_extent(shape, half):
    found = distance_map(np.ones(shape, "uint8"), spacing_of(4))
    assert found.dtype == np.float32
    assert np.all(found == np.float32(half))


@pytest.mark.parametrize("sigma_um", [0.0, 0.5])
def test_without_foreground_distance_is_zero(sigma_um):
    assert not distance_map(np.zeros((3, 4, 5), "uint8"), spacing_of(4), sigma_um).any()


@each_ratio
def test_smoothed_distance_against_scipy(ratio):
    mask, spacing = (landscape((12, 30, 31), 0) > 4).astype("uint8"), spacing_of(ratio)
    expected = (
        ndimage.gaussian_filter(
            ndimage.distance_transform_edt(mask, spacing), np.divide(0.5, spacing), mode="nearest"
        )
        * mask
    )
    np.testing.assert_allclose(distance_map(mask, spacing, 0.5), expected, atol=1e-5)


@pytest.mark.parametrize("sigma_um", [0.0, 0.5])
def test_result_does_not_depend_on_threads(sigma_um):
    mask = (landscape((20, 70, 61), 0) > 4).astype("uint8")
    first, *others = (
        distance_map(mask, spacing_of(4), sigma_um, threads) for threads in (1, 2, 3, 8)
    )
    assert all(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize("sigma_um", [0.0, 0.5])
@pytest.mark.parametrize("connectivity", [6, 26])
@pytest.mark.parametrize("level", [0, 2, 4, 5])  # at 0 there is no background
@each_ratio
def test_components_do_not_change_a_byte(ratio, level, connectivity, sigma_um):
    mask = read_only((landscape((20, 70, 61), 0) > level).astype("uint8"))
    components = read_only(cc3d.connected_components(mask.copy(), connectivity=connectivity))
    expected = distance_map(mask, spacing_of(ratio), sigma_um)
    for threads in (1, 2):
        found = distance_map(mask, spacing_of(ratio), sigma_um, threads, components)
        assert found.tobytes() == expected.tobytes()


def test_components_whose_boxes_overlap_do_not_change_a_byte():
    mask = np.zeros((5, 40, 41), "uint8")
    for start in range(0, 40, 4):
        mask[:, np.arange(40), (np.arange(40) + start) % 41] = 1
    components = cc3d.connected_components(mask, connectivity=26)
    expected = distance_map(mask, spacing_of(4))
    assert distance_map(mask, spacing_of(4), components=components).tobytes() == expected.tobytes()


def test_distances_with_three_different_voxel_sides():
    mask, spacing = (landscape((12, 30, 31), 0) > 4).astype("uint8"), (1.2, 0.5, 0.2)
    expected = ndimage.distance_transform_edt(mask, spacing)
    np.testing.assert_allclose(distance_map(mask, spacing), expected, rtol=1e-6)
    smoothed = ndimage.gaussian_filter(expected, np.divide(0.5, spacing), mode="nearest") * mask
    np.testing.assert_allclose(distance_map(mask, spacing, 0.5), smoothed, atol=1e-5)


@pytest.mark.parametrize("fill", [0.9, 0.999])
@each_ratio
def test_distances_by_planes_are_those_of_the_map(ratio, fill):
    mask = (np.random.default_rng(1).random((9, 17, 31)) < fill).astype("uint8")
    mask[1, 2, 3] = mask[5] = 1  # a plane without background
    spacing = spacing_of(ratio)
    expected = distance_map(mask, spacing)
    voxels = np.argwhere(np.ones(mask.shape))
    found = distances_at(read_only(mask), voxels, spacing, threads=2)
    np.testing.assert_allclose(found, expected.ravel(), rtol=1e-6)
    for radius_um in (0.3, 1.3):
        near = np.stack(list(planes_near(read_only(1 - mask), spacing, radius_um)))
        np.testing.assert_array_equal(near, expected <= radius_um)


def test_no_voxel_is_near_an_empty_mask():
    mask = np.zeros((2, 3, 4), "uint8")
    assert not any(plane.any() for plane in planes_near(mask, (2.0, 0.5, 0.4), 5.0))
    assert np.isinf(distances_at(1 - mask, np.array([[0, 1, 2]]), (2.0, 0.5, 0.4))).all()
