import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter
from skimage import morphology as reference_library
from skimage.morphology import remove_small_holes
from skimage.morphology import remove_small_objects as remove_small

from cellstack.core.morphology import footprint
from cellstack.segment.clean_mask import (
    METHODS,
    clean_mask,
    clean_mask_with_record,
    fill_holes,
    remove_sheets,
    remove_small_objects,
    smooth,
)

RATIOS = [1, 4, 8]
REFERENCES = [(fill_holes, remove_small_holes), (remove_small_objects, remove_small)]
MASKS = arrays("uint8", st.tuples(*[st.integers(1, 7)] * 3), elements=st.integers(0, 1))
OPERATIONS = ["erosion", "dilation", "opening", "closing"]
SHAPES = ["ball", "disc", "cube", "square"]
each_method = pytest.mark.parametrize(("method", "reference"), REFERENCES)


def voxel(ratio):
    """Return a voxel size, and the volume of a voxel, which is not a binary fraction."""
    spacing = (0.1 * ratio, 0.1, 0.1)
    return spacing, 0.001 * ratio


@each_method
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("fill", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("shape", [(1, 7, 1), (3, 1, 5), (1, 30, 31), (9, 17, 31)], ids=str)
def test_against_scikit_image(method, reference, shape, fill, ratio):
    mask = (np.random.default_rng(0).random(shape) < fill).astype("uint8")
    mask.flags.writeable = False
    spacing, one = voxel(ratio)
    for size in (0, 1, 2, 5, 40, 10**6):
        cleaned = method(mask, spacing, max_volume_um3=size * one)
        assert cleaned.dtype == np.uint8
        assert np.array_equal(
            cleaned, reference(mask.astype(bool), connectivity=1, max_size=size)
        ), size


@each_method
@given(mask=MASKS, size=st.integers(0, 30), ratio=st.sampled_from(RATIOS))
def test_any_mask_against_scikit_image(method, reference, mask, size, ratio):
    spacing, one = voxel(ratio)
    expected = reference(mask.astype(bool), connectivity=1, max_size=size)
    assert np.array_equal(method(mask, spacing, max_volume_um3=size * one), expected)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize(("size", "removed"), [(26.99, False), (27, True), (27.01, True)])
def test_the_volume_limit_is_inclusive(ratio, size, removed):
    spacing, one = voxel(ratio)
    cube = np.zeros((5, 6, 7), "uint8")
    cube[1:4, 1:4, 1:4] = 1
    assert remove_small_objects(cube, spacing, max_volume_um3=size * one).any() == (not removed)
    assert fill_holes(1 - cube, spacing, max_volume_um3=size * one).all() == removed


def test_holes_at_a_face_are_filled_and_corners_do_not_connect():
    mask = np.ones((4, 4, 4), "uint8")
    mask[0, 0, 0] = mask[1, 1, 1] = 0
    assert fill_holes(mask, (1.0, 1.0, 1.0), max_volume_um3=1).all()
    assert not remove_small_objects(1 - mask, (1.0, 1.0, 1.0), max_volume_um3=1).any()


def test_steps_are_applied_in_order():
    ring = np.zeros((1, 5, 5), "uint8")
    ring[0, 1:4, 1:4] = 1
    ring[0, 2, 2] = 0
    fill, remove = (
        ("fill_holes", {"max_volume_um3": 1}),
        ("remove_small_objects", {"max_volume_um3": 8}),
    )
    assert clean_mask(ring, (1, 1, 1), [fill, remove]).sum() == 9
    assert clean_mask(ring, (1, 1, 1), [remove, fill]).sum() == 0
    assert np.array_equal(clean_mask(ring, (1, 1, 1), []), ring)


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("shape", [(1, 7, 1), (3, 4, 5)], ids=str)
def test_a_uniform_mask_is_unchanged(shape, value):
    mask = np.full(shape, value, "uint8")
    steps = [("fill_holes", {"max_volume_um3": 1}), ("remove_small_objects", {"max_volume_um3": 1})]
    steps += [
        (operation, {"shape": shape_name, "radius_um": 1.6})
        for operation in OPERATIONS
        for shape_name in SHAPES
    ]
    assert np.array_equal(clean_mask(mask, (1, 1, 1), steps), mask)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_morphology_against_scikit_image(operation, shape, ratio):
    spacing, _ = voxel(ratio)
    reference = getattr(reference_library, operation)
    for size, fill in [((1, 7, 1), 0.5), ((3, 1, 5), 0.5), ((9, 17, 31), 0.1), ((9, 17, 31), 0.9)]:
        mask = (np.random.default_rng(0).random(size) < fill).astype("uint8")
        mask.flags.writeable = False
        changed = METHODS[operation](mask, spacing, shape=shape, radius_um=0.2)
        assert changed.dtype == np.uint8
        assert np.array_equal(
            changed, reference(mask, footprint(shape, 0.2, spacing), mode="ignore")
        )


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", ["disc", "square"])
def test_disc_and_square_are_applied_plane_by_plane(operation, shape, caplog):
    caplog.set_level("INFO")
    mask = (np.random.default_rng(0).random((5, 12, 13)) < 0.6).astype("uint8")
    options = {"shape": shape, "radius_um": 1}
    result = METHODS[operation](mask, (0.5, 0.5, 0.5), **options)
    planes = [METHODS[operation](plane[None], (0.5, 0.5, 0.5), **options) for plane in mask]
    assert np.array_equal(result, np.concatenate(planes))
    assert "plane by plane" in caplog.text


def test_a_radius_below_half_a_voxel_has_no_effect_and_is_logged(caplog):
    caplog.set_level("INFO")
    mask = (np.random.default_rng(0).random((5, 6, 7)) < 0.6).astype("uint8")
    changed = METHODS["erosion"](mask, (1, 1, 1), shape="ball", radius_um=0.4)
    assert np.array_equal(changed, mask)
    assert changed is not mask
    assert all(
        f"below half a voxel on {axis} (1 um): this axis is skipped" in caplog.text
        for axis in "zyx"
    )


def test_the_order_of_closing_and_opening_matters():
    cube = np.zeros((15, 15, 15), "uint8")
    cube[6:12, 6:12, 6:12] = 1
    dirty = cube.copy()
    dirty[2, 2, 2] = 1
    dirty[8, 8, 8] = 0
    by_cube = {"shape": "cube", "radius_um": 1}
    cleaned = clean_mask(dirty, (1, 1, 1), [("closing", by_cube), ("opening", by_cube)])
    assert np.array_equal(cleaned, cube)
    assert not np.array_equal(
        clean_mask(dirty, (1, 1, 1), [("opening", by_cube), ("closing", by_cube)]), cube
    )


@pytest.mark.parametrize("ratio", RATIOS)
def test_smoothing_against_scipy_removes_spikes(ratio):
    spacing = (0.5 * ratio, 0.5, 0.5)
    z, y, x = np.ogrid[: 48 // ratio, :48, :48]
    ball = (
        ((z + 0.5) * spacing[0] - 12) ** 2 + (y * 0.5 - 12) ** 2 + (x * 0.5 - 12) ** 2 < 8**2
    ).astype("uint8")
    spiky = ball.copy()
    spiky[:, 24, :] = 1
    spiky[24 // ratio, 20, 20] = 0
    spiky.flags.writeable = False
    smoothed = smooth(spiky, spacing, sigma_um=1.0)
    blurred = gaussian_filter(spiky.astype(float), [1.0 / step for step in spacing], mode="nearest")
    certain = abs(blurred - 0.5) > 1e-5
    assert np.array_equal(smoothed[certain], (blurred > 0.5)[certain])
    assert smoothed[24 // ratio, 20, 20]
    assert not smoothed[0].any()
    # Smoothing reduces the volume of a ball by some 3 (sigma / radius)^2, here 5 %.
    assert int(smoothed.sum()) == pytest.approx(int(ball.sum()), rel=0.06)


@pytest.mark.parametrize("value", [0, 1])
def test_smoothing_does_not_change_a_uniform_mask(value):
    for shape in [(1, 7, 1), (5, 6, 7)]:
        mask = np.full(shape, value, "uint8")
        assert np.array_equal(smooth(mask, (1, 0.3, 0.3), sigma_um=0.6), mask)


def test_smoothing_is_in_um_along_each_axis():
    spacing = (0.8, 0.5, 0.2)
    mask = np.random.default_rng(0).integers(0, 2, (9, 20, 40)).astype("uint8")
    blurred = gaussian_filter(mask.astype(float), np.divide(0.7, spacing), mode="nearest")
    certain = np.abs(blurred - 0.5) > 1e-5
    smoothed = smooth(mask, spacing, sigma_um=0.7)
    np.testing.assert_array_equal(smoothed[certain], (blurred > 0.5)[certain])


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_radii_are_in_um_along_each_axis(operation, shape):
    spacing, radius_um = (0.9, 0.5, 0.2), 1.0
    mask = (gaussian_filter(np.random.default_rng(0).random((9, 25, 50)), (1, 2, 4)) > 0.5).astype(
        "uint8"
    )
    radii = np.array([0 if shape in ("disc", "square") else 1, 2, 5])  # in voxels
    away = np.indices(2 * radii + 1) - radii.reshape(3, 1, 1, 1)
    squares = np.sum((away / np.maximum(radii, 1).reshape(3, 1, 1, 1)) ** 2, axis=0)
    kernel = squares <= (1 + 1e-9 if shape in ("ball", "disc") else np.inf)
    found = METHODS[operation](mask, spacing, shape=shape, radius_um=radius_um)
    expected = getattr(reference_library, operation)(mask, kernel, mode="ignore")
    np.testing.assert_array_equal(found, expected)


def test_voxels_without_data_stay_background():
    mask = np.ones((1, 5, 9), np.uint8)
    mask[0, 2, 4] = mask[0, :, 8] = 0
    no_data = np.zeros(mask.shape, bool)
    no_data[0, :, 8] = True
    steps = [("fill_holes", {"max_volume_um3": 9})]
    assert clean_mask(mask, (1.0, 1.0, 1.0), steps).all()
    assert np.array_equal(clean_mask(mask, (1.0, 1.0, 1.0), steps, no_data) == 0, no_data)


D = 10.0  # um, of the nuclei beside the sheets
SHEET = {"max_thickness_um": 0.4 * D, "min_width_um": 1.8 * D}
SPACINGS = [(0.7, 0.5, 0.6), (2.0, 0.5, 0.4), (3.2, 0.4, 0.5)]
each_spacing = pytest.mark.parametrize("spacing", SPACINGS, ids=str)


def positions(spacing, extent=(32, 40, 44)):
    """Return z, y and x of the voxels in um, relative to the centre."""
    counts = [round(length / step) for length, step in zip(extent, spacing, strict=True)]
    return [
        (axis - (count - 1) / 2) * step
        for axis, count, step in zip(
            np.ogrid[tuple(map(slice, counts))], counts, spacing, strict=True
        )
    ]


def ellipsoid(axes, spacing, centre=(0, 0, 0)):
    """Return a mask of the ellipsoid with these axes in um."""
    places = zip(positions(spacing), centre, axes, strict=True)
    return sum(((place - middle) / (axis / 2)) ** 2 for place, middle, axis in places) <= 1


@each_spacing
def test_a_curved_sheet_is_removed_and_a_nucleus_that_touches_it_is_kept(spacing):
    z, y, x = positions(spacing)
    sheet = np.abs(x + 8 + 0.01 * y**2 + 0.1 * z) <= 1.2
    nucleus = ellipsoid((D, D, D), spacing, (0, 0, -2.5))
    assert (sheet & nucleus).any()
    mask = (sheet | nucleus).astype(np.uint8)
    cleaned = remove_sheets(mask, spacing, **SHEET)
    assert cleaned.dtype == np.uint8
    assert not np.any(cleaned > mask)
    assert cleaned[nucleus].mean() > 0.98
    assert cleaned[sheet & ~nucleus].mean() < 0.1


@each_spacing
@pytest.mark.parametrize(
    "axes",
    [(D, D, D), (0.5 * D, 1.4 * D, 1.4 * D), (2 * D, 0.6 * D, 0.6 * D), (0.3 * D, 4 * D, 0.3 * D)],
    ids=["ball", "flat", "long", "fibre"],
)
def test_nuclei_and_fibres_are_no_sheets(axes, spacing):
    mask = ellipsoid(axes, spacing).astype(np.uint8)
    np.testing.assert_array_equal(remove_sheets(mask, spacing, **SHEET), mask)


@pytest.mark.parametrize("spacing", [(0.7, 0.5, 0.6), (1.0, 0.4, 0.5)], ids=str)
@pytest.mark.parametrize("apart", [0.85, 0.95, 1.05])
def test_a_layer_of_flat_nuclei_is_no_sheet(spacing, apart):
    axes = np.array((0.5, 1.45, 1.45)) * D
    layer = [
        ellipsoid(axes, spacing, (0, apart * axes[1] * row, apart * axes[2] * column))
        for row in (-1, 0, 1)
        for column in (-1, 0, 1)
    ]
    mask = np.any(layer, axis=0).astype(np.uint8)
    np.testing.assert_array_equal(remove_sheets(mask, spacing, **SHEET), mask)


@each_spacing
@pytest.mark.parametrize(("factor", "removed"), [(0.93, False), (1.07, True)])
def test_the_width_is_the_diameter_of_a_disc(spacing, factor, removed):
    z, y, x = positions(spacing)
    disc = (y**2 + z**2 <= (factor * 20 / 2) ** 2) & (np.abs(x) <= 0.8)
    cleaned = remove_sheets(disc.astype(np.uint8), spacing, max_thickness_um=5, min_width_um=20)
    assert cleaned.any() == (not removed)


@pytest.mark.parametrize(("thickness", "removed"), [(3, True), (5, False)])
def test_the_thickness_of_a_sheet(thickness, removed):
    mask = np.zeros((40, 40, 20), np.uint8)
    mask[:, :, 5 : 5 + thickness] = 1
    options = {"max_thickness_um": 4.1, "min_width_um": 20}
    assert remove_sheets(mask, (1, 1, 1), **options).any() == (not removed)


def test_a_stack_without_background_is_no_sheet():
    mask = np.ones((1, 40, 40), np.uint8)
    np.testing.assert_array_equal(remove_sheets(mask, (1.0, 0.5, 0.6), **SHEET), mask)


def test_the_voxels_of_sheets_are_counted_in_the_core():
    mask = np.zeros((9, 40, 40), np.uint8)
    mask[4] = 1
    mask[2:7, 2:7, 2:7] = 1
    core = slice(None), slice(0, 20), slice(10, 40)
    steps = [("remove_sheets", {"max_thickness_um": 3, "min_width_um": 20})]
    cleaned, record = clean_mask_with_record(mask, (1, 1, 1), steps, core=core)
    assert record == {"foreground_voxels": 600, "sheet_voxels": 600}
    assert cleaned.sum() == 125
    _, record = clean_mask_with_record(mask, (1, 1, 1), [], core=core)
    assert record == {"foreground_voxels": 600, "sheet_voxels": 0}
