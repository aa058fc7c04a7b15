import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shapes import row_of_balls
from skimage import filters

import binarize as script
from cellstack.core.noise import estimate_noise
from cellstack.core.thresholds import BINS, CONSTANT_TOLERANCE
from cellstack.errors import InputError
from cellstack.files.records import read_json
from cellstack.files.stacks import read_stack, write_stack
from cellstack.segment.binarize import METHODS, binarize, binarize_with_record, find_threshold
from cellstack.segment.per_object_threshold import mark_blobs

pytestmark = pytest.mark.filterwarnings("error")
OPTIONS = {
    "fixed": {"value": 0.3},
    "hysteresis": {"low": 0.9, "high": 1.3, "scale": "otsu"},
    "local": {"window_um": 3.0, "offset": 0.02},
    "per_object": {
        "level": 0.52,
        "sigma_um": 3.0,
        "min_distance_um": 5.0,
        "background_radius_um": 15.0,
        "max_radius_um": 12.0,
        "min_contrast": 0.25,
        "min_contrast_to_noise_ratio": 8,
        "min_dim_objects": 3,
        "face_weight": 0.5,
    },
}
SINGLE = [method for method in METHODS if method not in ("hysteresis", "local", "per_object")]
# The methods whose threshold always lies between the lowest and the highest value.
BETWEEN = [method for method in SINGLE if method not in ("fixed", "minimum")]
SPACINGS = [(0.3 * ratio, 0.3, 0.3) for ratio in (1, 4, 8)]
SHAPES = [(1, 7, 1), (3, 1, 5), (1, 30, 31), (9, 17, 31)]
each_method = pytest.mark.parametrize("method", list(METHODS))
each_single = pytest.mark.parametrize("method", SINGLE)
each_between = pytest.mark.parametrize("method", BETWEEN)


def noise(kind):
    """Return a read-only stack of noise with one kind of histogram."""
    rng = np.random.default_rng(0)
    draw = {
        "two classes": lambda: np.concatenate(
            [rng.normal(0.2, 0.05, 30000), rng.normal(0.7, 0.1, 6000)]
        ),
        "flat": lambda: rng.random(20000),
        "skewed": lambda: rng.gamma(1.5, 0.1, 20000),
        "zeros and signal": lambda: np.concatenate([np.zeros(60000), rng.gamma(2, 0.1, 20000)]),
        "one bright voxel": lambda: np.concatenate([rng.random(20000), [50]]),
        "far from zero": lambda: 100 + rng.gamma(2, 1, 20000),
    }
    stack = draw[kind]().astype("float32").reshape(1, 1, -1)
    stack.flags.writeable = False
    return stack


KINDS = pytest.mark.parametrize(
    "kind",
    ["two classes", "flat", "skewed", "zeros and signal", "one bright voxel", "far from zero"],
)


@KINDS
def test_otsu_against_scikit_image(kind):
    # The variance is nearly flat at its maximum, so thresholds may differ by one coarse bin.
    stack = noise(kind)
    difference = find_threshold(stack, "otsu", {}) - filters.threshold_otsu(stack)
    assert abs(difference) <= np.ptp(stack) / 256


@KINDS
def test_li_against_scikit_image(kind):
    # One bin for rounding to the centres of bins, one for the tolerance of the iteration.
    stack = noise(kind)
    difference = find_threshold(stack, "li", {}) - filters.threshold_li(stack)
    assert abs(difference) <= 2 * np.ptp(stack) / BINS


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_li_of_any_histogram_against_scikit_image(inner):
    counts = np.array([1, *inner, 1])  # the bins span the range of the values
    values = 0.5 + 0.25 * np.arange(len(counts))
    expected = filters.threshold_li(np.repeat(values, counts), tolerance=0.25 / 2)
    # The last step of the iteration, which is at most half a bin, is left out.
    assert abs(METHODS["li"](counts, values) - expected) <= 0.25 / 2 + 1e-9


def test_yen_of_one_bright_voxel_in_very_many():
    counts = np.zeros(BINS, int)
    counts[0], counts[-1] = 10**9, 1
    assert 0 <= METHODS["yen"](counts, np.linspace(0, 1, BINS)) < 1


@KINDS
@pytest.mark.parametrize("method", ["isodata", "triangle", "yen"])
def test_methods_on_coarse_bins_against_scikit_image(method, kind):
    # Voxels within rounding of the edge of a bin may move the optimum by one bin.
    stack = noise(kind)
    reference = getattr(filters, f"threshold_{method}")(stack)
    assert abs(find_threshold(stack, method, {}) - reference) <= 1.001 * np.ptp(stack) / 256


@KINDS
def test_mean_against_scikit_image(kind):
    stack = noise(kind)
    difference = find_threshold(stack, "mean", {}) - filters.threshold_mean(stack.astype(float))
    assert abs(difference) <= np.ptp(stack) / BINS / 2


def test_minimum_against_scikit_image():
    stack = noise("two classes")
    expected = filters.threshold_minimum(stack)
    assert find_threshold(stack, "minimum", {}) == pytest.approx(expected, abs=1e-6)


def test_real_stack_against_scikit_image(data):
    stack = tifffile.imread(data / "tutorial" / "nuclei.tif").astype("float32") / 255
    for method in ("isodata", "minimum", "triangle", "yen"):  # each uint8 value has its own bin
        reference = getattr(filters, f"threshold_{method}")(stack)
        assert find_threshold(stack, method, {}) == pytest.approx(reference, abs=1e-6), method


@pytest.mark.parametrize("kind", ["two values", "one bright voxel"])
def test_minimum_without_two_peaks_is_an_error(kind):
    stack = np.eye(9, dtype="float32")[None] if kind == "two values" else noise(kind)
    message = r"minimum: the histogram .* no two peaks; set binarize\.method to"
    with pytest.raises(InputError, match=message) as error:
        find_threshold(stack, "minimum", {})
    assert "\n" not in str(error.value)


def test_fixed_is_the_value_times_the_factor():
    stack = noise("two classes")
    assert find_threshold(stack, "fixed", {"value": 0.3}, 0.5) == 0.15


def variance_between_classes(stack, mask):
    fraction = mask.mean()
    if fraction in (0, 1):
        return 0.0
    return fraction * (1 - fraction) * (stack[mask].mean() - stack[~mask].mean()) ** 2


@given(arrays("uint8", st.tuples(st.just(2), st.integers(1, 4), st.integers(1, 5))))
def test_otsu_is_the_best_of_all_thresholds(values):
    stack = (values / 255).astype("float32")
    exact = stack.astype(float)
    best = max(variance_between_classes(exact, stack > value) for value in np.unique(stack))
    found = binarize(stack, find_threshold(stack, "otsu", {})).astype(bool)
    # A bin is 2e-5 of the range.
    assert variance_between_classes(exact, found) == pytest.approx(best, rel=1e-4)


@given(arrays("float32", (2, 3, 4), elements=st.floats(0, 1, width=32)), st.sampled_from(BETWEEN))
def test_threshold_leaves_voxels_on_both_sides(stack, method):
    found = binarize(stack, find_threshold(stack, method, {}))
    assert found.min() == 0
    assert found.max() == (np.ptp(stack) > CONSTANT_TOLERANCE * stack.max())


@each_between
def test_threshold_between_two_values(method):
    stack = np.full((3, 4, 5), 0.25, "float32")
    stack[1, :2] = 0.75
    assert np.array_equal(binarize(stack, find_threshold(stack, method, {})), stack > 0.5)


@each_method
def test_a_stack_constant_within_rounding_has_no_foreground(method):
    stack = np.full((3, 4, 5), 0.3, "float32")
    stack[1] = np.nextafter(np.float32(0.3), np.float32(1))
    assert not binarize(stack, find_threshold(stack, method, OPTIONS.get(method, {}))).any()


@each_between
def test_range_with_fewer_floats_than_bins(method):
    stack = np.full((3, 4, 5), 0.3, "float32")
    stack[1] = 0.30001
    mask = binarize(stack, find_threshold(stack, method, {}))
    assert np.array_equal(mask, stack > np.float32(0.3))


@each_method
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_a_constant_stack_has_no_foreground(method, value, factor):
    stack = np.full((1, 7, 1), value, "float32")
    assert not binarize(stack, find_threshold(stack, method, OPTIONS.get(method, {}), factor)).any()


@each_single
@pytest.mark.parametrize("factor", [0.5, 1.3])
def test_threshold_is_multiplied_by_the_factor(method, factor):
    stack, options = noise("two classes"), OPTIONS.get(method, {})
    threshold = find_threshold(stack, method, options)
    assert find_threshold(stack, method, options, factor) == factor * threshold


def test_voxels_at_the_threshold_are_background():
    stack = np.array([[[0.1, 0.3, 0.30000004, 0.9]]], "float32")
    mask = binarize(stack, float(stack[0, 0, 1]))
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[[0, 0, 1, 1]]]
    # Also if the threshold is not a float32 and that is rounded up.
    assert float(np.float32(0.1)) > 0.1
    assert binarize(stack, 0.1).tolist() == [[[0, 1, 1, 1]]]


def smooth(shape, seed=0):
    """Return smooth noise, read-only."""
    rng = np.random.default_rng(seed)
    stack = filters.gaussian(rng.random(shape), 1).astype("float32")
    stack.flags.writeable = False
    return stack


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("low", "high"), [(0.9, 1.05), (0.98, 1.02), (1, 1), (0, 1.1), (1, 9)])
def test_hysteresis_against_scikit_image(shape, low, high):
    stack = smooth(shape)
    otsu = find_threshold(stack, "otsu", {})
    for scale, unit in {"otsu": otsu, "intensity": 1.0}.items():
        for factor in (1.0, 0.6):
            found = find_threshold(
                stack, "hysteresis", {"low": low, "high": high, "scale": scale}, factor
            )
            expected = filters.apply_hysteresis_threshold(
                stack, np.float32(low * unit * factor), np.float32(high * unit * factor)
            )
            mask = binarize(stack, found)
            assert mask.dtype == np.uint8
            assert np.array_equal(mask, expected), (scale, factor)


@given(
    arrays("uint8", st.tuples(*[st.integers(1, 5)] * 3), elements=st.integers(0, 4)),
    st.integers(0, 4),
    st.integers(0, 4),
)
def test_any_hysteresis_against_scikit_image(levels, low, extra):
    stack = levels.astype("float32")
    high = low + extra
    found = find_threshold(stack, "hysteresis", {"low": low, "high": high, "scale": "intensity"})
    expected = filters.apply_hysteresis_threshold(stack, low, high)
    if np.ptp(stack) == 0:  # a constant stack has no foreground
        expected = np.zeros_like(expected)
    assert np.array_equal(binarize(stack, found), expected)


def test_hysteresis_with_low_above_high_is_an_error():
    with pytest.raises(InputError, match=r"hysteresis: low 1 is above high 0\.5; set low to"):
        find_threshold(noise("flat"), "hysteresis", {"low": 1, "high": 0.5, "scale": "otsu"})


@pytest.mark.parametrize("spacing", [*SPACINGS, (0.8, 0.5, 0.2)], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_local_against_scikit_image(shape, spacing):
    stack = smooth(shape)
    for window_um, offset, factor in [(3.0, 0.0, 1.0), (6.0, -0.01, 1.0), (3.0, 0.02, 1.05)]:
        found = find_threshold(stack, "local", {"window_um": window_um, "offset": offset}, factor)
        mask = binarize(stack, found, spacing)
        sigma = [window_um / 6 / step for step in spacing]
        margin = stack - factor * filters.threshold_local(
            stack, param=sigma, mode="nearest", offset=offset
        )
        assert mask.dtype == np.uint8
        certain = abs(margin) > 1e-6  # both means are in float32
        assert np.array_equal(mask[certain], (margin > 0)[certain])


@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
def test_local_is_correct_where_a_global_threshold_fails(spacing):
    z, y, x = np.meshgrid(
        *(np.arange(0, length, step) for length, step in zip((9, 9, 27), spacing, strict=True)),
        indexing="ij",
    )
    # Three spheres in a row, on a background with a slope.
    ground_truth = (z - 4.5) ** 2 + (y - 4.5) ** 2 + (x % 9 - 4.5) ** 2 < 2**2
    stack = (0.02 * x + 0.15 * ground_truth).astype("float32")
    rule = find_threshold(stack, "local", {"window_um": 6.0, "offset": -0.03})
    mask = binarize(stack, rule, spacing)
    assert np.array_equal(mask.astype(bool), ground_truth)
    assert (binarize(stack, find_threshold(stack, "otsu", {})) != ground_truth).mean() > 0.2


@each_method
def test_the_record_has_the_threshold_if_it_is_a_single_value(method, tmp_path):
    stack = noise("two classes").reshape(4, 90, 100)
    write_stack(tmp_path / "denoised.tif", stack, (1, 0.5, 0.5))
    mask, threshold = tmp_path / "mask.tif", tmp_path / "threshold.json"
    script.main(
        denoised=tmp_path / "denoised.tif",
        mask=mask,
        threshold=threshold,
        method=method,
        options=OPTIONS.get(method, {}),
        factor=0.9,
        contrast=[tmp_path / "denoised.tif"],
    )
    record = read_json(threshold)
    quality = ["dropped_dim", "brightness_ratio", "haze_ratio", "hollow"] * (method == "per_object")
    common = ["method", "factor", "threshold", "foreground_fraction"]
    assert list(record) == [*common, *quality, "clipped_fraction"]
    assert (record["method"], record["factor"]) == (method, 0.9)
    assert record["foreground_fraction"] == pytest.approx(read_stack(mask)[0].mean())
    if method in SINGLE:
        assert record["foreground_fraction"] == (stack > np.float32(record["threshold"])).mean()
    else:
        assert record["threshold"] is None


def test_the_voxels_of_the_mask_with_the_highest_contrast_are_counted():
    stack = np.float32([[[0.1, 0.6, 0.9, 0.9, 0.2]]])
    contrast = np.float32([[[1.0, 0.7, 1.0, 0.9, 0.2]]])
    spacing = (1.0, 1.0, 1.0)
    _, record = binarize_with_record(stack, 0.5, spacing, contrast)
    assert record == {"clipped_fraction": pytest.approx(1 / 3)}
    _, record = binarize_with_record(stack, 1.0, spacing, contrast)
    assert record == {"clipped_fraction": 0}
    assert binarize_with_record(stack, 0.5, spacing)[1] == {}


def test_per_object_needs_the_stack_before_denoising():
    stack = smooth((9, 17, 31))
    rule = find_threshold(stack, "per_object", OPTIONS["per_object"])
    message = "per_object: the noise of the stack is unknown; give the file that adjust_contrast"
    with pytest.raises(InputError, match=message):
        binarize(stack, rule, SPACINGS[0])


def test_per_object_is_the_mask_of_blobs_in_um():
    spacing = (1.4, 0.8, 0.3)
    stack, _ = row_of_balls(spacing, [1.0, 0.5])
    contrast = stack + np.random.default_rng(0).normal(0, 0.02, stack.shape).astype("float32")
    options = OPTIONS["per_object"]
    for factor in (1.0, 0.8):
        rule = find_threshold(stack, "per_object", options, factor)
        expected = mark_blobs(
            stack, spacing, estimate_noise(contrast), **options, factor=factor
        ).mask
        np.testing.assert_array_equal(binarize(stack, rule, spacing, contrast), expected)
        assert expected.any()


@pytest.mark.parametrize("method", ["otsu", "li", "mean", "triangle"])
def test_voxels_without_data_do_not_change_a_threshold_and_are_background(method):
    rng = np.random.default_rng(2)
    stack = np.where(rng.random((4, 20, 30)) < 0.3, 0.7, 0.2).astype("float32")
    stack += rng.normal(0, 0.05, stack.shape).astype("float32")
    no_data = np.zeros(stack.shape, bool)
    no_data[1:, 12:] = no_data[3] = True
    expected = find_threshold(stack[~no_data].reshape(1, 1, -1), method, {})
    for value in (0.0, 1.0):
        padded = np.where(no_data, np.float32(value), stack)
        threshold = find_threshold(padded, method, {}, no_data=no_data)
        assert threshold == pytest.approx(expected, abs=1e-9)
        mask = binarize(padded, threshold, no_data=no_data)
        assert not mask[no_data].any()
        assert np.array_equal(mask[~no_data], stack[~no_data] > threshold)


@each_method
def test_a_stack_without_any_data_has_no_foreground(method):
    stack, no_data = smooth((3, 8, 9)), np.ones((3, 8, 9), bool)
    threshold = find_threshold(stack, method, OPTIONS.get(method, {}), no_data=no_data)
    assert threshold == 0
    assert not binarize(stack, threshold, no_data=no_data).any()


def test_per_object_uses_the_noise_before_denoising_of_voxels_with_data():
    spacing = (1.4, 0.8, 0.3)
    stack, labels = row_of_balls(spacing, [1.0, 0.8, 1.0])
    rule = find_threshold(stack, "per_object", OPTIONS["per_object"])
    noise = np.random.default_rng(0).normal(0, 1, stack.shape).astype("float32")
    little, much = stack + np.float32(0.01) * noise, stack + np.float32(9) * noise
    assert set(labels[binarize(stack, rule, spacing, little) > 0]) == {0, 1, 2, 3}
    assert not binarize(stack, rule, spacing, much).any()
    # Most voxels are without data, noisy before denoising and bright after it.
    no_data = np.zeros(stack.shape, bool)
    no_data[:, :, stack.shape[2] * 2 // 5 :] = True
    filled = np.where(no_data, 50 * stack, stack)
    mask = binarize(filled, rule, spacing, np.where(no_data, much, little), no_data)
    assert set(labels[mask > 0]) - {0} == {1}
