import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from shapes import spacing_of
from skimage.filters import threshold_otsu
from skimage.measure import manders_coloc_coeff, manders_overlap_coeff, pearson_corr_coeff

from cellstack.core.labels import find_boxes
from cellstack.measure.measure_relations import (
    Channel,
    Levels,
    colocalize,
    correlate,
    find_levels,
    measure_relations,
    number_shells,
)

RATIOS = (1, 4, 8)
DTYPES = ("uint8", "uint16", "float32")


def noise(dtype, shape=(6, 24, 20), seed=0):
    """A stack with two classes of voxels, with many equal values."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.random(shape), 1.5)
    bright = field > np.quantile(field, 0.6)
    return np.round(rng.normal(40 + 90 * bright, 9)).clip(0, 250).astype(dtype)


def ball(radius_um, spacing, margin_um=2.0):
    """Return a ball as label 1, and the distance of each voxel to its centre."""
    half = [math.ceil((radius_um + margin_um) / step) for step in spacing]
    axes = np.indices([2 * each + 1 for each in half])
    squares = [((a - h) * s) ** 2 for a, h, s in zip(axes, half, spacing, strict=True)]
    distance = np.sqrt(sum(squares))
    return (distance <= radius_um).astype("uint16"), distance


def of_object(labels, channels, spacing, groups, **options):
    (row,) = measure_relations(
        labels, {1: find_boxes(labels)[1]}, channels, spacing, groups=groups, **options
    )
    return row


def channel(name, raw, **levels):
    return Channel(name, raw, None, find_levels(raw)._replace(**levels))


@pytest.mark.parametrize("dtype", DTYPES)
def test_correlations_are_those_of_scikit_image_and_scipy(dtype):
    first, second = noise(dtype), noise(dtype, seed=1) // 2 + noise(dtype) // 2
    mask = noise("uint8", seed=2) > 60
    pearson, spearman = correlate(first[mask], second[mask])
    expected, _ = pearson_corr_coeff(first.astype(float), second.astype(float), mask)
    assert pearson == pytest.approx(expected, abs=1e-9)
    assert 0.3 < pearson < 0.9
    assert spearman == pytest.approx(spearmanr(first[mask], second[mask]).statistic, abs=1e-9)


@given(arrays("uint8", (2, 12), elements=st.integers(0, 6)))
def test_correlations_of_few_values(pair):
    first, second = pair
    pearson, spearman = correlate(first, second)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        assert pearson is None and spearman is None
        return
    assert pearson == pytest.approx(np.corrcoef(first, second)[0, 1], abs=1e-9)
    assert spearman == pytest.approx(spearmanr(first, second).statistic, abs=1e-9)
    assert -1 <= pearson <= 1


def test_two_voxels_or_a_constant_channel_have_no_correlation():
    assert correlate(np.array([1, 2]), np.array([3, 9])) == (None, None)
    assert correlate(np.array([1, 2, 3]), np.array([7, 7, 7])) == (None, None)
    assert correlate(np.array([]), np.array([])) == (None, None)


@pytest.mark.parametrize("dtype", DTYPES)
def test_colocalization_is_that_of_scikit_image_after_subtraction_of_the_background(dtype):
    first, second = noise(dtype), noise(dtype, seed=1)
    mask = noise("uint8", seed=2) > 60
    levels = (Levels(31.5, 125.0), Levels(44.0, 47.5))
    m1, m2, overlap = colocalize(first[mask], second[mask], levels)
    above = [
        np.maximum(image.astype(float) - level.background, 0)
        for image, level in zip((first, second), levels, strict=True)
    ]
    assert m1 == pytest.approx(manders_coloc_coeff(above[0], second > 47.5, mask), rel=1e-6)
    assert m2 == pytest.approx(manders_coloc_coeff(above[1], first > 125, mask), rel=1e-6)
    assert overlap == pytest.approx(manders_overlap_coeff(*above, mask), rel=1e-6)
    assert 0.1 < m1 < 0.9 and m1 != m2  # neither is trivial


def test_a_channel_below_its_background_has_no_colocalization():
    bright = np.array([50, 60, 70])
    assert colocalize(bright, np.array([9, 9, 9]), (Levels(0, 55), Levels(10, 5))) == (None,) * 3
    assert colocalize(bright, bright, (Levels(math.nan, 55), Levels(10, 5))) == (None,) * 3


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_threshold_separates_voxels_as_that_of_scikit_image(dtype):
    raw = noise(dtype, (8, 64, 64))
    if dtype == "float32":
        raw = raw + np.random.default_rng(5).random(raw.shape, np.float32)
    ours = raw > find_levels(raw).threshold
    if dtype != "float32":
        np.testing.assert_array_equal(ours, raw > threshold_otsu(raw))
    # scikit-image has 256 bins for floats
    assert np.mean(ours != (raw > threshold_otsu(raw))) < 0.005
    assert 0.3 < ours.mean() < 0.5


@pytest.mark.parametrize("dtype", DTYPES)
def test_voxels_without_data_do_not_change_the_levels(dtype):
    raw = noise(dtype, (8, 64, 64))
    wide = np.concatenate([raw, np.full((8, 64, 32), 255, dtype)], axis=2)
    no_data = np.zeros(wide.shape, bool)
    no_data[:, :, 64:] = True
    assert find_levels(wide, no_data) == find_levels(raw) != find_levels(wide)
    assert all(np.isnan(find_levels(wide, np.ones_like(no_data))))
    assert find_levels(wide, no_data, 12.0).threshold == 12


def test_levels_of_a_constant_stack():
    assert find_levels(np.full((2, 8, 8), 7, "uint8")) == (7, 7)


def test_the_background_of_the_stack_is_that_of_its_dark_part():
    rng = np.random.default_rng(3)
    raw = rng.normal(100, 10, (10, 64, 64))
    raw[:, :40] += 300
    level = find_levels(raw.astype("uint16")).background
    assert level == pytest.approx(100, abs=6)  # the percentile 5 of the voxels is about 88


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_local_background_is_the_median_around_the_object(ratio):
    spacing = spacing_of(ratio)
    labels, _ = ball(4.0, spacing, margin_um=4)
    labels = labels.copy()
    labels[:, : labels.shape[1] // 4] = 2  # another object close by is not background
    raw = np.random.default_rng(0).integers(50, 90, labels.shape).astype("uint16")
    raw[labels == 2] = 5000
    raw[labels == 1] += 200
    row = of_object(labels, [channel("a", raw)], spacing, ["background"], background="local")
    inside = labels == 1
    diameter = np.cbrt(6 * inside.sum() * np.prod(spacing) / np.pi)
    away = ndimage.distance_transform_edt(~inside, sampling=spacing)
    around = (labels == 0) & (away > 0.05 * diameter) & (away <= 0.2 * diameter)
    level = np.median(raw[around])
    assert row["background_intensity_a"] == level
    assert row["mean_intensity_above_background_a"] == pytest.approx(raw[inside].mean() - level)
    total = raw[inside].sum(dtype=float) - level * inside.sum()
    assert row["sum_intensity_above_background_a"] == pytest.approx(total)
    assert row["mean_intensity_above_background_a"] == pytest.approx(200, abs=3)


def test_background_without_data_is_left_out():
    spacing = (1.0, 0.5, 0.5)
    labels, _ = ball(4.0, spacing)
    raw = np.full(labels.shape, 100, "uint16")
    raw[labels == 1] = 300
    no_data = np.zeros(labels.shape, bool)
    no_data[: len(labels) // 2 + 1] = True  # more than half
    raw[no_data & (labels == 0)] = 900
    options = {"groups": ["background"], "spacing": spacing, "background": "local"}
    for empty, expected in ((None, 900), (no_data, 100), (np.ones_like(no_data), math.nan)):
        given = Channel("a", raw, empty, Levels(10, 0))
        level = of_object(labels, [given], **options)["background_intensity_a"]
        assert level == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(("kind", "expected"), [("global", 90.0), ("none", 0.0)])
def test_other_kinds_of_background(kind, expected):
    labels, _ = ball(4.0, (1.0, 0.5, 0.5))
    raw = np.where(labels, 300, 100).astype("uint16")
    given = channel("a", raw, background=90.0)
    groups = ["background", "shells", "correlation"]
    row = of_object(labels, [given], (1.0, 0.5, 0.5), groups, background=kind)
    assert row["background_intensity_a"] == row["colocalization_background_a"] == expected
    assert row["mean_intensity_above_background_a"] == 300 - expected
    assert row["shell_1_relative_intensity_a"] == 1


def test_objects_without_surroundings_have_no_background():
    labels = np.ones((3, 4, 5), "uint16")
    raw = np.full(labels.shape, 9, "uint8")
    given = {"groups": ["background", "shells"], "background": "local"}
    row = of_object(labels, [channel("a", raw)], (1, 0.5, 0.5), **given)
    assert math.isnan(row["background_intensity_a"])
    assert math.isnan(row["mean_intensity_above_background_a"])
    assert row["shell_1_relative_intensity_a"] is None


def test_nucleus_and_cytoplasm():
    labels, _ = ball(4.0, (1.0, 0.5, 0.5))
    raw = np.where(labels, 300, 100).astype("uint16")
    given = [channel("a", raw)]
    names = ("nucleus_mean_intensity_a", "cytoplasm_mean_intensity_a")
    expected = {(400, 200): 3, (400, 100): None, (90, 200): None, ("", ""): None}
    for means, ratio in expected.items():
        pair = dict(zip(names, map(str, means), strict=True))
        row = of_object(labels, given, (1.0, 0.5, 0.5), ["background", "parts"], pairs={1: pair})
        assert row["nucleus_to_cytoplasm_ratio_a"] == ratio
    assert math.isnan(row["nucleus_mean_intensity_above_background_a"])
    row = of_object(labels, given, (1.0, 0.5, 0.5), ["background", "parts"])
    assert row["nucleus_to_cytoplasm_ratio_a"] is None
    row = of_object(labels, given, (1.0, 0.5, 0.5), ["background"])
    assert not any("cytoplasm" in name for name in row)


@pytest.mark.parametrize("ratio", RATIOS)
def test_shells_are_those_of_the_distance_to_each_voxel_outside(ratio):
    spacing = spacing_of(ratio)
    labels = np.zeros((7, 14, 13), "uint16")
    labels[1:6, 2:12, 1:11] = 1
    labels[3:, 6:, 7:] = 2  # another object counts as outside
    box = find_boxes(labels)[1]
    outside = np.argwhere(labels != 1) * spacing
    distance = cdist(np.argwhere(labels == 1) * spacing, outside).min(axis=1)
    parts = np.ceil(4 * distance / distance.max() - 1e-4)
    shells = number_shells(labels, 1, box, spacing, 4)
    np.testing.assert_array_equal(shells[labels[box] == 1], parts)
    assert (shells[labels[box] != 1] == 0).all()
    layers = np.minimum(np.ceil(distance / 0.4 - 1e-4), 3)
    shells = number_shells(labels, 1, box, spacing, 3, 0.4)
    np.testing.assert_array_equal(shells[labels[box] == 1], layers)
    assert len(np.unique(layers)) > 1


@pytest.mark.parametrize("ratio", (1, 4))
def test_volumes_of_the_shells_of_a_ball(ratio):
    spacing = (0.1 * ratio, 0.1, 0.1)
    labels, _ = ball(5.0, spacing)
    raw = np.ones(labels.shape, "uint8")
    row = of_object(labels, [channel("a", raw)], spacing, ["shells"], shells=4)
    for i in range(4):
        outer, inner = (5 * (4 - i) / 4), (5 * (3 - i) / 4)
        volume = 4 / 3 * np.pi * (outer**3 - inner**3)
        assert row[f"shell_{i + 1}_volume_um3"] == pytest.approx(volume, rel=0.12), i


def test_the_profile_of_a_ball_that_is_brighter_towards_its_centre():
    spacing = (0.4, 0.2, 0.2)
    labels, distance = ball(5.0, spacing)
    raw = np.where(labels, 500 + 100 * (5 - distance), 500).astype("float32")
    row = of_object(labels, [channel("a", raw)], spacing, ["shells"], shells=5)
    outer = np.arange(5, 0, -1.0)
    inner = outer - 1
    # mean of r over a shell, by integration
    radius = 3 / 4 * (outer**4 - inner**4) / (outer**3 - inner**3)
    means = [row[f"shell_{i}_mean_intensity_a"] for i in range(1, 6)]
    np.testing.assert_allclose(means, 500 + 100 * (5 - radius), atol=20)
    relative = [row[f"shell_{i}_relative_intensity_a"] for i in range(1, 6)]
    np.testing.assert_allclose(relative, (5 - radius) / (5 - 3 / 4 * 5), atol=0.15)


def test_shells_without_voxels_are_empty():
    labels = np.zeros((3, 5, 5), "uint16")
    labels[1, 2, 1:4] = 1
    raw = np.arange(75).reshape(3, 5, 5).astype("uint8")
    row = of_object(labels, [channel("a", raw)], (1, 1, 1), ["shells"], shells=3)
    volumes = [row[f"shell_{i}_volume_um3"] for i in (1, 2, 3)]
    assert volumes == [0, 0, 3]  # all voxels have the same distance
    assert row["shell_1_mean_intensity_a"] is row["shell_2_relative_intensity_a"] is None
    assert row["shell_3_mean_intensity_a"] == 37
    row = of_object(labels, [channel("a", raw)], (1, 1, 1), ["shells"], shells=3, shell_width_um=2)
    assert row["shell_1_mean_intensity_a"] == 37


@settings(max_examples=40, deadline=None)
@given(
    labels=arrays("uint16", (3, 5, 6), elements=st.integers(0, 2)),
    ratio=st.sampled_from(RATIOS),
    shells=st.integers(1, 10),
    width=st.one_of(st.none(), st.floats(0.05, 5)),
)
def test_the_shells_of_an_object_add_up_to_it(labels, ratio, shells, width):
    raw = np.random.default_rng(0).integers(0, 250, labels.shape).astype("uint8")
    spacing = spacing_of(ratio)
    rows = measure_relations(
        labels,
        find_boxes(labels),
        [channel("a", raw)],
        spacing,
        groups=["shells"],
        shells=shells,
        shell_width_um=width,
    )
    for label, row in zip(find_boxes(labels), rows, strict=True):
        inside = labels == label
        volumes = [row[f"shell_{i}_volume_um3"] for i in range(1, shells + 1)]
        means = [row[f"shell_{i}_mean_intensity_a"] or 0 for i in range(1, shells + 1)]
        if inside.all():
            assert sum(volumes) == 0
            continue
        assert sum(volumes) == pytest.approx(inside.sum() * np.prod(spacing))
        total = np.dot(volumes, means) / sum(volumes)
        assert total == pytest.approx(raw[inside].mean())


def test_only_the_groups_asked_for_are_measured_for_any_number_of_threads():
    labels = np.zeros((6, 24, 20), "uint16")
    labels[1:5, 2:9, 2:18] = 1
    labels[1:5, 12:22, 2:10] = 2
    channels = [channel(name, noise("uint16", seed=i)) for i, name in enumerate("abc")]
    groups = ("correlation", "background", "shells")
    found = {}
    for group in groups:
        rows = measure_relations(
            labels, find_boxes(labels), channels, (1, 0.4, 0.4), groups=[group]
        )
        found[group] = rows
    together = {}
    for threads in (1, 2):
        together[threads] = measure_relations(
            labels, find_boxes(labels), channels, (1, 0.4, 0.4), groups=groups, threads=threads
        )
    assert together[1] == together[2]
    for i, row in enumerate(together[1]):
        assert row == found["correlation"][i] | found["background"][i] | found["shells"][i]
        pairs = [f"{a}_{b}" for a, b in itertools.combinations("abc", 2)]
        assert [name for name in row if "pearson" in name] == [f"pearson_{pair}" for pair in pairs]
    names = [set(found[group][0]) for group in groups]
    assert all(not a & b for a, b in itertools.combinations(names, 2))
