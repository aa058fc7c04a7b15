import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.filters import threshold_otsu

from cellstack import flood, half_height
from cellstack.half_height import _flood, find_blobs, mark_blobs, typical_bright

DIAMETER = 8.0
SPACINGS = [(0.5 * ratio, 0.5, 0.5) for ratio in (1.1, 4, 8)]
OPTIONS = {
    "level": 0.5,
    "sigma_um": 0.3 * DIAMETER,
    "min_distance_um": 0.5 * DIAMETER,
    "surround_um": 1.5 * DIAMETER,
    "reach_um": 1.2 * DIAMETER,
    "min_contrast": 0.25,
    "min_contrast_to_noise": 8,
    "face_weight": 0.5,
}
each_spacing = pytest.mark.parametrize("spacing", SPACINGS, ids=str)


def balls(spacing, heights, diameter=DIAMETER, slope=0.0, blur=0.8):
    """Blurred balls in a row, 2.5 diameters apart, on a ground that rises by `slope` per um; and the balls themselves, numbered."""
    field = np.array([2.5, 2.5, 2.5 * len(heights)]) * diameter
    shape = np.round(field / spacing).astype(int)
    z, y, x = (
        ((np.arange(length) + 0.5) * step).reshape(np.roll((-1, 1, 1), axis))
        for axis, (length, step) in enumerate(zip(shape, spacing, strict=True))
    )
    stack, truth = (np.zeros(shape, "float32") + slope * x).astype("float32"), np.zeros(shape, int)
    for number, height in enumerate(heights):
        off = np.sqrt((z - field[0] / 2) ** 2 + (y - field[1] / 2) ** 2 + (x - 2.5 * diameter * (number + 0.5)) ** 2)
        stack += (height / (1 + np.exp((off - diameter / 2) * 4 / blur))).astype("float32")  # half height at the surface
        truth[off < diameter / 2] = number + 1
    stack.flags.writeable = False
    return stack, truth


@each_spacing
@pytest.mark.parametrize("slope", [0.0, 0.002])
def test_dim_and_bright_balls_have_their_true_size(spacing, slope):
    stack, truth = balls(spacing, [1.0, 0.35, 0.6], slope=slope)
    mask = mark_blobs(stack, spacing, 0.0, **OPTIONS)
    for number in (1, 2, 3):
        near = np.zeros_like(mask)
        near[:, :, (number - 1) * mask.shape[2] // 3 : number * mask.shape[2] // 3] = True
        assert (mask & near).sum() == pytest.approx((truth == number).sum(), rel=0.1)
    assert (mask != (truth > 0)).sum() < 0.12 * (truth > 0).sum()


@each_spacing
def test_a_sliver_at_a_face_is_drawn_as_small_as_it_is(spacing):
    stack, truth = balls(spacing, [1.0, 1.0, 1.0], blur=2.5)
    cut = round(1.67 * DIAMETER / spacing[2])  # the first ball ends at 1.75 diameters
    volumes = [
        mark_blobs(stack[:, :, cut:], spacing, 0.0, **OPTIONS | {"face_weight": weight})[:, :, : round(DIAMETER / spacing[2])].sum()
        for weight in (0, 0.5, 1)
    ]
    true = (truth[:, :, cut:] == 1).sum()
    assert volumes[0] > 3 * true  # of the ball its blurred rim is seen
    assert 0 < volumes[2] < volumes[1] < 0.6 * volumes[0]


@pytest.mark.parametrize("weight", [0, 1])
def test_at_a_face_a_bright_one_and_one_alone_keep_their_level(weight):
    for heights in ([1.0, 0.7], [1.0]):
        stack, _ = balls(SPACINGS[0], heights)
        at_face = stack[:, :, round(1.25 * DIAMETER / SPACINGS[0][2]) :]
        expected = mark_blobs(at_face, SPACINGS[0], 0.0, **OPTIONS)
        assert np.array_equal(mark_blobs(at_face, SPACINGS[0], 0.0, **OPTIONS | {"face_weight": weight}), expected)


def test_a_smaller_level_draws_larger():
    stack, _ = balls(SPACINGS[0], [1.0])
    sizes = [mark_blobs(stack, SPACINGS[0], 0.0, **OPTIONS | {"level": level}).sum() for level in (0.3, 0.5, 0.7)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3


def test_contrast_is_asked_for():
    stack, truth = balls(SPACINGS[0], [1.0, 0.9, 0.2])
    assert set(truth[mark_blobs(stack, SPACINGS[0], 0.0, **OPTIONS)]) == {0, 1, 2} or set(
        truth[mark_blobs(stack, SPACINGS[0], 0.0, **OPTIONS)]
    ) == {1, 2}
    assert 3 in truth[mark_blobs(stack, SPACINGS[0], 0.0, **OPTIONS | {"min_contrast": 0.15})]
    assert not mark_blobs(stack, SPACINGS[0], 10.0, **OPTIONS).any()


@each_spacing
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_alone_holds_nothing(spacing, seed):
    stack = np.random.default_rng(seed).normal(0.5, 0.1, np.round(40 / np.array(spacing)).astype(int)).astype("float32")
    assert not mark_blobs(stack, spacing, 0.1, **OPTIONS).any()
    assert mark_blobs(stack, spacing, 0.1, **OPTIONS | {"min_contrast_to_noise": 0}).any()


@given(factor=st.sampled_from([0.25, 0.5, 2.0, 8.0]), height=st.sampled_from([0.5, 4.0]), ground=st.sampled_from([0.0, 1.0]))
def test_the_scale_of_space_and_intensity_does_not_matter(factor, height, ground):
    stack, _ = balls(SPACINGS[1], [1.0, 0.5])
    first = mark_blobs(stack, SPACINGS[1], 0.01, **OPTIONS)
    lengths = {name: value * factor for name, value in OPTIONS.items() if name.endswith("_um")}
    spacing = tuple(step * factor for step in SPACINGS[1])
    second = mark_blobs(stack * np.float32(height) + np.float32(ground), spacing, 0.01 * height, **OPTIONS | lengths)
    assert (first != second).sum() <= 0.001 * first.sum()  # voxels within rounding of their threshold
    assert first.any()


@pytest.mark.parametrize("shape", [(1, 40, 40), (1, 1, 1), (3, 1, 50)], ids=str)
def test_flat_stacks(shape):
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    stack = (np.exp(-((y - 20) ** 2 + (x - 20) ** 2) / 60) + 0 * z).astype("float32")
    mask = mark_blobs(stack, (1.0, 0.5, 0.5), 0.0, **OPTIONS)
    assert mask.shape == shape
    assert mask.dtype == bool
    if shape == (1, 40, 40):
        assert mask[0, 20, 20] and not mask[0, 0, 0]


def test_threads_and_repeats_change_nothing(monkeypatch):
    rng = np.random.default_rng(3)
    stack, _ = balls(SPACINGS[0], [1.0, 0.6])
    stack = stack + rng.normal(0, 0.1, stack.shape).astype("float32")
    masks = []
    for threads in (1, 2, 2, 5):
        monkeypatch.setattr(half_height.workers, "useful_threads", lambda stack, threads=threads: threads)
        masks.append(mark_blobs(stack, SPACINGS[0], 0.1, **OPTIONS))
    assert all(np.array_equal(masks[0], mask) for mask in masks)


def test_blobs_lie_in_the_balls():
    stack, truth = balls(SPACINGS[1], [1.0, 0.5], slope=0.001)
    blobs = find_blobs(stack, SPACINGS[1], OPTIONS["sigma_um"], OPTIONS["min_distance_um"], OPTIONS["surround_um"])
    bright = blobs.contrasts > 0.1
    voxels = blobs.middles[bright] * blobs.factors
    assert sorted(truth[tuple(voxels.T)]) == [1, 2]
    assert np.sort(blobs.contrasts[bright]) == pytest.approx([0.5, 1.0], rel=0.1)


@given(seed=st.integers(0, 10**6), shape=st.tuples(*[st.integers(1, 7)] * 3), levels=st.sampled_from([2, 5, 1000]))
@settings(deadline=None, max_examples=200)
def test_what_matters_is_flooded_as_all_would_be(seed, shape, levels):
    rng = np.random.default_rng(seed)
    smooth = rng.integers(1, levels + 1, shape).astype("float32")
    markers = np.zeros(shape, np.int32)
    places = rng.choice(smooth.size, min(smooth.size, 1 + seed % 4), replace=False)
    markers.ravel()[places] = np.arange(1, len(places) + 1)
    smooth.ravel()[places] += np.linspace(0, 0.5, len(places))  # which comes first of two of the same height is not said
    near = (rng.random(shape) < 0.9) | (markers > 0)
    bright = (smooth + rng.integers(0, 2, shape)) > levels / 2
    middle = ndimage.binary_dilation(markers > 0) & near
    basins = _flood(smooth, markers, near, bright, middle)
    parts, _ = ndimage.label(near & bright)
    wanted = np.isin(parts, np.unique(parts[middle & (parts > 0)]))
    np.testing.assert_array_equal(basins[wanted], flood.watershed(-smooth, markers, mask=near)[wanted])


@each_spacing
def test_the_mask_is_that_of_a_flood_of_all(spacing, monkeypatch):
    stack, _ = balls(spacing, [1.0, 0.6, 0.8])
    stack = stack + np.random.default_rng(3).normal(0, 0.1, stack.shape).astype("float32")
    mask = mark_blobs(stack, spacing, 0.1, **OPTIONS)
    monkeypatch.setattr(half_height, "_flood", lambda smooth, markers, near, *_: flood.watershed(-smooth, markers, mask=near))
    np.testing.assert_array_equal(mask, mark_blobs(stack, spacing, 0.1, **OPTIONS))
    assert mask.any()


@pytest.mark.parametrize("seed", range(5))
def test_typical_bright_is_above_the_threshold_of_otsu(seed):
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(0.1, 0.02, 300), rng.normal(1, 0.1, 20)]).astype("float32")
    assert typical_bright(values) == pytest.approx(np.median(values[values > threshold_otsu(values)]), rel=1e-5)


@pytest.mark.parametrize(("values", "expected"), [([], 0.0), ([2.0], 2.0), ([3.0, 3.0, 3.0], 3.0), ([0.0, 0.0, 5.0], 5.0)])
def test_typical_bright_of_few(values, expected):
    assert typical_bright(np.array(values, "float32")) == expected


@each_spacing
def test_surrounds_are_percentiles_of_a_ball(spacing):
    stack, _ = balls(spacing, [0.9, 0.5, 0.7], slope=0.01)
    blobs = find_blobs(stack, spacing, 2.4, 4.0, 12.0)
    grid = np.indices(blobs.smooth.shape).reshape(3, -1).T
    assert len(blobs.middles) >= 3
    for middle, surround in zip(blobs.middles, blobs.surrounds, strict=True):
        near = np.sum(np.square((grid - middle) * blobs.spacing), axis=1) <= 12.0**2
        assert surround == np.percentile(blobs.smooth.ravel()[near], 20).astype(np.float32)


@each_spacing
def test_each_voxel_has_the_threshold_of_its_block(spacing):
    stack, _ = balls(spacing, [0.9, 0.5])
    for cut in (stack[:-1, :-1, :-2], stack[1:, 2:, 1:]):  # blocks that are cut at the far faces
        mask = mark_blobs(np.ascontiguousarray(cut), spacing, 0.001, **OPTIONS | {"level": 0.5})
        factors = find_blobs(cut, spacing, OPTIONS["sigma_um"], OPTIONS["min_distance_um"], OPTIONS["surround_um"]).factors
        blocks = [np.arange(length) // factor for length, factor in zip(cut.shape, factors, strict=True)]
        lowest, highest = np.full(cut.shape, np.inf), np.full(cut.shape, -np.inf)
        index = np.ix_(*blocks)
        np.minimum.at(lowest, tuple(np.broadcast_arrays(*index)), np.where(mask, cut, np.inf))
        np.maximum.at(highest, tuple(np.broadcast_arrays(*index)), np.where(mask, -np.inf, cut))
        assert mask.any()
        assert (highest < lowest)[np.isfinite(lowest) & np.isfinite(highest)].all()  # within a block one threshold tells them apart
