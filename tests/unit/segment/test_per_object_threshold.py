import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from shapes import row_of_balls

from cellstack.core import parallel
from cellstack.core.blobs import Blobs, Grid, find_blobs
from cellstack.core.watershed import watershed
from cellstack.segment import per_object_threshold
from cellstack.segment.blob_selection import Chosen, _raise_at_faces, select_blobs
from cellstack.segment.per_object_threshold import (
    _find_shells,
    _flood,
    describe_candidates,
    mark_blobs,
)

DIAMETER = 8.0
SPACINGS = [*((0.5 * ratio, 0.5, 0.5) for ratio in (1.1, 4, 8)), (1.4, 0.8, 0.3)]
OPTIONS = {
    "level": 0.5,
    "sigma_um": 0.3 * DIAMETER,
    "min_distance_um": 0.5 * DIAMETER,
    "background_radius_um": 1.5 * DIAMETER,
    "max_radius_um": 1.2 * DIAMETER,
    "min_contrast": 0.25,
    "min_contrast_to_noise_ratio": 8,
    "min_dim_objects": 3,
    "face_weight": 0.5,
}
each_spacing = pytest.mark.parametrize("spacing", SPACINGS, ids=str)


def mark(stack, spacing, noise_sd=0.0, **changes):
    return mark_blobs(stack, spacing, noise_sd, **OPTIONS | changes).mask


@each_spacing
@pytest.mark.parametrize("slope", [0.0, 0.002])
def test_dim_and_bright_balls_have_their_true_size(spacing, slope):
    stack, ground_truth = row_of_balls(spacing, [1.0, 0.35, 0.6], slope=slope)
    mask = mark(stack, spacing)
    for number in (1, 2, 3):
        nearby = np.zeros_like(mask)
        nearby[:, :, (number - 1) * mask.shape[2] // 3 : number * mask.shape[2] // 3] = True
        assert (mask & nearby).sum() == pytest.approx((ground_truth == number).sum(), rel=0.1)
    assert (mask != (ground_truth > 0)).sum() < 0.12 * (ground_truth > 0).sum()


@each_spacing
def test_face_weight_reduces_the_volume_of_an_object_cut_by_a_face(spacing):
    stack, ground_truth = row_of_balls(spacing, [1.0, 1.0, 1.0], blur=2.5)
    cut = round(1.67 * DIAMETER / spacing[2])  # the first ball ends at 1.75 diameters
    first_ball = np.s_[:, :, : round(DIAMETER / spacing[2])]
    volumes = [
        mark(stack[:, :, cut:], spacing, face_weight=weight)[first_ball].sum()
        for weight in (0, 0.5, 1)
    ]
    true_volume = (ground_truth[:, :, cut:] == 1).sum()
    assert volumes[0] > 3 * true_volume  # only the blurred rim of the ball is visible
    assert 0 < volumes[2] < volumes[1] < 0.6 * volumes[0]


@pytest.mark.parametrize("weight", [0, 1])
def test_face_weight_does_not_change_a_brighter_or_a_single_object(weight):
    for heights in ([1.0, 0.7], [1.0]):
        stack, _ = row_of_balls(SPACINGS[0], heights)
        at_face = stack[:, :, round(1.25 * DIAMETER / SPACINGS[0][2]) :]
        expected = mark(at_face, SPACINGS[0])
        assert np.array_equal(mark(at_face, SPACINGS[0], face_weight=weight), expected)


def test_a_lower_level_gives_a_larger_object():
    stack, _ = row_of_balls(SPACINGS[0], [1.0])
    sizes = [mark(stack, SPACINGS[0], level=level).sum() for level in (0.3, 0.5, 0.7)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3


def test_blobs_with_little_contrast_are_excluded():
    stack, ground_truth = row_of_balls(SPACINGS[0], [1.0, 0.9, 0.2])
    assert set(ground_truth[mark(stack, SPACINGS[0])]) - {0} == {1, 2}
    assert 3 in ground_truth[mark(stack, SPACINGS[0], min_contrast=0.15)]
    assert not mark(stack, SPACINGS[0], noise_sd=10.0).any()


@each_spacing
def test_factor_multiplies_each_threshold(spacing):
    stack = row_of_balls(spacing, [1.0])[0] + np.float32(0.3)
    mask, found = mark(stack, spacing), mark(stack, spacing, factor=0.8)
    threshold = (stack[~mask].max(), stack[mask].min())
    assert stack[~found].max() <= 0.8 * threshold[1]
    assert stack[found].min() >= 0.8 * threshold[0]
    assert found.sum() > 1.05 * mask.sum()


@pytest.mark.parametrize("spacing", [(0.8, 0.4, 0.2), (1.6, 0.2, 0.4)], ids=str)
def test_contrast_is_compared_with_the_noise_at_the_centre(spacing):
    # The noise of a voxel is averaged over blocks of voxels and by a Gaussian.
    stack, _ = row_of_balls(spacing, [1.0])
    sizes = [OPTIONS[name] for name in ("sigma_um", "min_distance_um", "background_radius_um")]
    blobs = find_blobs(stack, spacing, *sizes)
    assert max(blobs.factors) > 1
    noise = np.random.default_rng(0).normal(0, 0.5, np.multiply(stack.shape, (4, 1, 1)))
    smooth = find_blobs(noise.astype("float32"), spacing, *sizes).smooth
    noise_of_centre = smooth[4:-4, 6:-6, 6:-6].std()
    ratio = blobs.contrasts.max() / noise_of_centre
    assert mark(stack, spacing, 0.5, min_contrast_to_noise_ratio=0.85 * ratio).any()
    assert not mark(stack, spacing, 0.5, min_contrast_to_noise_ratio=1.15 * ratio).any()


@each_spacing
def test_a_blob_ends_at_the_maximum_radius(spacing):
    # A rod along x that is 30 um long.
    shape = np.round(np.array([24, 24, 40]) / spacing).astype(int)
    z, y, x = (
        (np.arange(length) + 0.5) * step - length * step / 2
        for length, step in zip(shape, spacing, strict=True)
    )
    across = np.sqrt(z[:, None] ** 2 + y**2)
    profile = np.exp(-((x / 12) ** 2)) * (np.abs(x) < 15)  # highest in the middle
    stack = (1 / (1 + np.exp((across - 4) * 3)))[..., None] * profile
    mask = mark(stack.astype("float32"), spacing, max_radius_um=6.0, min_distance_um=35.0)
    assert 5 < np.abs(x[mask.any(axis=(0, 1))]).max() < 7
    unlimited = mark(stack.astype("float32"), spacing, max_radius_um=20.0, min_distance_um=35.0)
    assert np.abs(x[unlimited.any(axis=(0, 1))]).max() > 9


@pytest.mark.parametrize("axis", range(3))
def test_each_face_counts(axis):
    # The rim of a ball whose centre lies outside the stack.
    spacing = (0.55, 0.5, 0.5)
    stack, _ = row_of_balls(spacing, [1.0, 1.0, 1.0], blur=2.5)
    turned = np.moveaxis(stack, 2, axis)
    cut = [slice(None)] * 3
    cut[axis] = slice(round(1.67 * DIAMETER / 0.5), None)
    sides = [np.ascontiguousarray(turned[tuple(cut)])]
    sides.append(np.ascontiguousarray(np.flip(sides[0], axis)))
    steps = (0.5, 0.5, 0.5)
    sizes = [[mark(side, steps, face_weight=weight).sum() for weight in (0, 1)] for side in sides]
    assert sizes[0] == sizes[1]
    assert sizes[0][1] < 0.97 * sizes[0][0]


def test_the_nearest_neighbours_of_a_blob_at_a_face_are_the_first_of_equally_near_ones():
    # Of 24 blobs at the same distance and 24 that are farther away, in turns, the first nine count.
    places = np.array([(y, x) for y in range(-25, 26) for x in range(-25, 26)])
    squares = (places**2).sum(axis=1)
    rings = np.stack([places[squares == 425], places[squares == 325]], axis=1).reshape(-1, 2)
    centres = np.array([(0, 30, 30), *((15, 30 + y, 30 + x) for y, x in rings)])
    contrasts = np.full(len(centres), 2, "float32")
    contrasts[0], contrasts[2:20:2] = 1, np.arange(10, 19)
    blobs = Blobs(
        (1, 1, 1),
        (2.0, 0.5, 0.5),
        np.zeros((31, 61, 61), "float32"),
        np.zeros((31, 61, 61), "float32"),
        np.ones((31, 61, 61), bool),
        centres,
        np.zeros(len(centres), "float32"),
        contrasts,
        contrasts,
    )
    candidates = describe_candidates(blobs, 0.0, 2 * 1.0)
    raised = _raise_at_faces(candidates, np.ones(len(centres), bool), 0.5)
    assert raised[0] == 1 + 0.5 * (14 - 1)
    np.testing.assert_array_equal(raised[1:], contrasts[1:])


def test_the_border_of_voxels_without_data_counts_as_a_face_beside_the_faces():
    shape, spacing = (11, 41, 61), (2.0, 0.5, 0.4)
    has_data = np.ones(shape, bool)
    has_data[:, :, 40:] = False
    centres = np.array([(5, 20, 37), (5, 20, 36), (5, 1, 20), (5, 20, 20)])  # 1.2, 1.6, 0.5 um
    contrasts = np.array([1, 1, 1, 3], "float32")
    zeros = np.zeros(shape, "float32"), np.zeros(4, "float32")
    volumes = zeros[0], zeros[0], has_data
    blobs = Blobs((1, 1, 1), spacing, *volumes, centres, zeros[1], contrasts.copy(), contrasts)
    candidates = describe_candidates(blobs, 0.0, 2 * 1.4)
    raised = _raise_at_faces(candidates, np.ones(4, bool), 0.5)
    # Those that are not at a face have a median of 2.
    np.testing.assert_allclose(raised, [1.5, 1, 1.5, 3])


@pytest.mark.slow
@each_spacing
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_alone_gives_an_empty_mask(spacing, seed):
    shape = np.round(40 / np.array(spacing)).astype(int)
    stack = np.random.default_rng(seed).normal(0.5, 0.1, shape).astype("float32")
    assert not mark(stack, spacing, 0.1).any()
    assert mark(stack, spacing, 0.1, min_contrast_to_noise_ratio=0).any()


@given(
    factor=st.sampled_from([0.25, 0.5, 2.0, 8.0]),
    height=st.sampled_from([0.5, 4.0]),
    offset=st.sampled_from([0.0, 1.0]),
)
def test_result_does_not_depend_on_units_of_length_and_intensity(factor, height, offset):
    stack, _ = row_of_balls(SPACINGS[1], [1.0, 0.5])
    first = mark(stack, SPACINGS[1], 0.01)
    lengths = {name: value * factor for name, value in OPTIONS.items() if name.endswith("_um")}
    spacing = tuple(step * factor for step in SPACINGS[1])
    scaled = stack * np.float32(height) + np.float32(offset)
    second = mark(scaled, spacing, 0.01 * height, **lengths)
    # Voxels within rounding of their threshold may differ.
    assert (first != second).sum() <= 0.001 * first.sum()
    assert first.any()


@pytest.mark.parametrize("shape", [(1, 40, 40), (1, 1, 1), (3, 1, 50)], ids=str)
def test_stacks_that_are_one_voxel_wide(shape):
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    stack = (np.exp(-((y - 20) ** 2 + (x - 20) ** 2) / 60) + 0 * z).astype("float32")
    mask = mark(stack, (1.0, 0.5, 0.5))
    assert mask.shape == shape
    assert mask.dtype == bool
    if shape == (1, 40, 40):
        assert mask[0, 20, 20] and not mask[0, 0, 0]


def test_result_does_not_depend_on_threads(monkeypatch):
    rng = np.random.default_rng(3)
    stack, _ = row_of_balls(SPACINGS[0], [1.0, 0.6])
    stack = stack + rng.normal(0, 0.1, stack.shape).astype("float32")
    masks = []
    for threads in (1, 2, 2, 5):
        monkeypatch.setattr(parallel, "threads_for", lambda stack, threads=threads: threads)
        masks.append(mark(stack, SPACINGS[0], 0.1))
    assert all(np.array_equal(masks[0], mask) for mask in masks)


@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    levels=st.sampled_from([2, 5, 1000]),
)
@settings(deadline=None, max_examples=200)
def test_limited_watershed_is_the_same_as_the_full_one(seed, shape, levels):
    rng = np.random.default_rng(seed)
    smooth = rng.integers(1, levels + 1, shape).astype("float32")
    markers = np.zeros(shape, np.int32)
    places = rng.choice(smooth.size, min(smooth.size, 1 + seed % 4), replace=False)
    markers.ravel()[places] = np.arange(1, len(places) + 1)
    # The order of markers of the same height is undefined, so all heights differ.
    smooth.ravel()[places] += np.linspace(0, 0.5, len(places))
    within_reach = (rng.random(shape) < 0.9) | (markers > 0)
    bright = (smooth + rng.integers(0, 2, shape)) > levels / 2
    in_centre = ndimage.binary_dilation(markers > 0) & within_reach
    kept, basins = _flood(smooth, markers, within_reach, bright, in_centre)
    components, _ = ndimage.label(within_reach & bright)
    wanted = np.isin(components, np.unique(components[in_centre & (components > 0)]))
    expected = watershed(-smooth, markers, mask=within_reach)
    np.testing.assert_array_equal(kept, wanted)
    np.testing.assert_array_equal(basins[wanted], expected[wanted])


@each_spacing
def test_mask_is_the_same_with_the_full_watershed(spacing, monkeypatch):
    def flood(smooth, markers, within_reach, **others):
        wanted, _ = _flood(smooth, markers, within_reach, **others)
        return wanted, watershed(-smooth, markers, mask=within_reach)

    stack, _ = row_of_balls(spacing, [1.0, 0.6, 0.8])
    stack = stack + np.random.default_rng(3).normal(0, 0.1, stack.shape).astype("float32")
    mask = mark(stack, spacing, 0.1)
    monkeypatch.setattr(per_object_threshold, "_flood", flood)
    np.testing.assert_array_equal(mask, mark(stack, spacing, 0.1))
    assert mask.any()


@each_spacing
def test_all_voxels_of_a_block_have_the_same_threshold(spacing):
    stack, _ = row_of_balls(spacing, [0.9, 0.5])
    sizes = [OPTIONS[name] for name in ("sigma_um", "min_distance_um", "background_radius_um")]
    for crop in (stack[:-1, :-1, :-2], stack[1:, 2:, 1:]):  # incomplete blocks at the far faces
        mask = mark(np.ascontiguousarray(crop), spacing, 0.001, level=0.5)
        factors = find_blobs(crop, spacing, *sizes).factors
        blocks = np.ix_(
            *(np.arange(length) // step for length, step in zip(crop.shape, factors, strict=True))
        )
        index = tuple(np.broadcast_arrays(*blocks))
        lowest, highest = np.full(crop.shape, np.inf), np.full(crop.shape, -np.inf)
        np.minimum.at(lowest, index, np.where(mask, crop, np.inf))
        np.maximum.at(highest, index, np.where(mask, -np.inf, crop))
        assert mask.any()
        has_both = np.isfinite(lowest) & np.isfinite(highest)
        assert (highest < lowest)[has_both].all()


def colony(spacing, bright, factor, seed=2, count=20):
    """Return noisy balls with a diameter of 8 um, some of them bright, their labels and noise."""
    shape = np.round(np.array([20, 55, 66]) / spacing).astype(int)
    grid = np.indices(shape) * np.reshape(spacing, (3, 1, 1, 1))
    labels = np.zeros(shape, np.uint16)
    for number in range(count):
        centre = np.array([10, 7 + 13 * (number // 5), 7 + 13 * (number % 5)])
        labels[((grid - centre.reshape(3, 1, 1, 1)) ** 2).sum(axis=0) <= 16] = number + 1
    rng = np.random.default_rng(seed)
    heights = np.append(0, np.ones(count))
    heights[1 + rng.permutation(count)[:bright]] *= factor
    stack = ndimage.gaussian_filter(heights[labels], 0.4 / np.array(spacing))
    stack = stack + rng.normal(0, 0.1, shape)
    return ndimage.gaussian_filter(stack.astype("float32"), 0.5 / np.array(spacing)), labels


@pytest.mark.slow
@each_spacing
@pytest.mark.parametrize("bright", [0, 1, 4, 10])
@pytest.mark.parametrize("factor", [2, 5, 12])
def test_dim_objects_are_found_beside_bright_ones(spacing, bright, factor):
    stack, labels = colony(spacing, bright, factor)
    marked = mark_blobs(stack, spacing, 0.1, **OPTIONS)
    _, count = ndimage.label(marked.mask)
    assert count == labels.max()
    overlaps = np.bincount(labels[marked.mask], minlength=count + 1)[1:]
    true_voxels = np.bincount(labels.ravel())[1:]
    assert (overlaps > 0.8 * true_voxels).all()
    assert marked.mask.sum() < 1.3 * true_voxels.sum()
    assert marked.dropped_dim == 0
    assert marked.brightness_ratio == pytest.approx(factor if factor > 4 and bright else 1, rel=0.1)


@each_spacing
def test_too_few_dim_objects_are_dropped_and_counted(spacing):
    stack, _ = colony(spacing, 18, 6)
    marked = mark_blobs(stack, spacing, 0.1, **OPTIONS)
    assert ndimage.label(marked.mask)[1] == 18
    assert marked.dropped_dim == 2
    for change in ({"min_dim_objects": 2}, {"min_contrast": 0.1}):
        marked = mark_blobs(stack, spacing, 0.1, **OPTIONS | change)
        assert ndimage.label(marked.mask)[1] == 20
        assert marked.dropped_dim == 0


def select(groups, **changes):
    """Return how many blobs of each group are kept, how many are dropped, and the brightness ratio.

    A group is a number of blobs, their contrast in units of the minimum, and their sharpness.
    """
    numbers, contrasts, sharpness = zip(*groups, strict=True)
    group = np.repeat(np.arange(len(groups)), numbers)
    contrasts = np.array(contrasts, "float32")[group] * np.linspace(0.95, 1.05, len(group))
    blobs = Blobs(
        (1, 1, 1),
        (1.0, 1.0, 1.0),
        np.zeros((1, 1, 1), "float32"),
        np.zeros((1, 1, 1), "float32"),
        np.ones((1, 1, 1), bool),
        np.zeros((len(group), 3), int),
        np.zeros(len(group), "float32"),
        contrasts.astype("float32"),
        (contrasts * np.array(sharpness)[group]).astype("float32"),
    )
    options = {"min_contrast": 0.25, "min_dim_objects": 3} | changes
    kept, dropped, ratio = select_blobs(blobs, np.ones(len(group)), **options)
    return np.bincount(group[kept], minlength=len(groups)).tolist(), dropped, ratio


NOISE = (200, 0.5, 2.0)


@pytest.mark.parametrize(
    ("groups", "kept", "dropped"),
    [
        ([(9, 100, 0.8)], [9], 0),
        ([(2, 100, 0.8), (9, 12, 0.8)], [2, 9], 0),
        ([(9, 100, 0.8), (2, 12, 0.8)], [9, 0], 2),
        ([(2, 900, 0.8), (2, 100, 0.8), (9, 12, 0.8)], [2, 0, 9], 2),
        ([(2, 900, 0.8), (4, 100, 0.8), (9, 12, 0.8)], [2, 4, 9], 0),
        ([(9, 900, 0.8), (2, 100, 0.8), (2, 12, 0.8)], [9, 0, 0], 4),
        ([(9, 100, 0.8), (9, 12, 0.53)], [9, 9], 0),
        # not clear enough, or not sharp: haze
        ([(9, 100, 0.8), (9, 1.8, 0.8)], [9, 0], 0),
        ([(9, 100, 0.8), (9, 12, 0.4)], [9, 0], 0),
        # sharp by chance, in haze of the same or a higher contrast
        ([(9, 100, 0.8), (9, 12, 0.7), (20, 12, 0.3)], [9, 0, 0], 0),
        ([(9, 100, 0.8), (9, 8, 0.7), (20, 20, 0.3)], [9, 0, 0], 0),
        ([(9, 100, 0.8), (9, 12, 0.7), (5, 12, 0.3)], [9, 9, 0], 0),
        # a low response compared with large debris, but as sharp as it
        ([(3, 100, 2.0), (9, 30, 1.5)], [3, 9], 0),
        ([(3, 100, 2.0), (9, 30, 1.3)], [3, 0], 0),
        # a low response compared with others in the group
        ([(9, 100, 0.8), (9, 12, 0.8), (5, 4, 0.53)], [9, 9, 0], 0),
        # a group with different contrasts, of which the median counts
        ([(9, 100, 0.8), (4, 20, 0.8), (9, 8, 0.8)], [9, 4, 9], 0),
    ],
)
def test_groups_of_dim_blobs(groups, kept, dropped):
    found, found_dropped, ratio = select([*groups, NOISE])
    assert found == [*kept, 0]
    assert found_dropped == dropped
    dimmest = [contrast for (_, contrast, _), n in zip(groups, kept, strict=True) if n][-1]
    expected = groups[0][1] / dimmest if len(kept) > 1 and dimmest < groups[0][1] else 1
    assert ratio == pytest.approx(expected, rel=0.15)


def test_without_blobs_nothing_is_kept():
    assert select([(0, 1, 1)]) == ([0], 0, 1.0)
    assert select([NOISE]) == ([0], 0, 1.0)


@each_spacing
def test_bright_debris_does_not_hide_objects(spacing):
    stack, labels = colony(spacing, 0, 1)
    z, y, x = (axis * step for axis, step in zip(np.indices(stack.shape), spacing, strict=True))
    debris = np.zeros(stack.shape, bool)
    for centre, radius in (((4, 13, 40), 2.0), ((16, 26, 13), 1.5)):
        debris |= sum((a - c) ** 2 for a, c in zip((z, y, x), centre, strict=True)) < radius**2
    blurred = ndimage.gaussian_filter(60.0 * debris, 0.4 / np.array(spacing))
    mask = mark_blobs(stack + blurred.astype("float32"), spacing, 0.1, **OPTIONS).mask
    overlaps = np.bincount(labels[mask], minlength=21)[1:] / np.bincount(labels.ravel())[1:]
    assert (overlaps > 0.8).sum() >= 17


@each_spacing
def test_voxels_without_data_are_not_marked_and_do_not_change_other_objects(spacing):
    stack, ground_truth = row_of_balls(spacing, [1.0, 0.8, 0.9])
    stack = stack + np.float32(0.5)
    stack.setflags(write=True)
    # The second ball is cut; the first one is 0.6 diameters away.
    edge = round(3.6 * DIAMETER / spacing[2])
    no_data = np.zeros(stack.shape, bool)
    no_data[:, :, edge:] = True
    expected = mark(stack, spacing)
    filled = np.where(no_data, np.float32(0.9), stack)
    mask = mark_blobs(filled, spacing, 0.0, no_data, **OPTIONS).mask
    assert not mask[no_data].any()
    assert set(ground_truth[mask]) - {0} == {1, 2}
    first = np.s_[:, :, : round(2.2 * DIAMETER / spacing[2])]
    assert mask[first].sum() == pytest.approx(expected[first].sum(), rel=0.03)


@each_spacing
def test_what_fills_voxels_without_data_is_neither_an_object_nor_haze(spacing):
    stack, ground_truth = row_of_balls(spacing, [1.0, 0.8, 0.9])
    no_data = np.zeros(stack.shape, bool)
    no_data[:, :, round(3.9 * DIAMETER / spacing[2]) :] = True  # all of the third ball
    expected = mark_blobs(np.where(no_data, np.float32(0), stack), spacing, 0.0, no_data, **OPTIONS)
    assert set(ground_truth[expected.mask]) - {0} == {1, 2}
    bright = np.where(no_data, np.float32(20) * (ground_truth == 3), stack)
    found = mark_blobs(bright, spacing, 0.0, no_data, **OPTIONS)
    assert (found.mask != expected.mask).sum() <= 0.02 * expected.mask.sum()
    assert found.haze_ratio == pytest.approx(expected.haze_ratio, abs=0.02)


@each_spacing
def test_haze_beside_objects_is_measured(spacing):
    stack, _ = colony(spacing, 0, 1)
    clean = mark_blobs(stack, spacing, 0.1, **OPTIONS).haze_ratio
    assert clean < 0.11
    haze = ndimage.gaussian_filter(stack - np.median(stack), 5 / np.array(spacing))
    ratios = []
    for strength in (0.5, 1.5):
        hazy = stack + np.float32(strength) * haze / haze.max()
        ratios.append(mark_blobs(hazy, spacing, 0.1, **OPTIONS).haze_ratio)
    assert clean + 0.02 < ratios[0] < ratios[1] - 0.02
    # It is relative to the contrast, and a uniform background does not count.
    marked = mark_blobs(7 * stack + np.float32(3), spacing, 0.7, **OPTIONS)
    assert marked.haze_ratio == pytest.approx(clean, abs=0.01)
    assert mark_blobs(np.zeros_like(stack), spacing, 0.1, **OPTIONS).haze_ratio == 0


def with_halos(spacing, heights, halos):
    """Return balls in a row with the given heights, and haze around them."""
    wide = ndimage.gaussian_filter(row_of_balls(spacing, halos)[0], 3 / np.array(spacing))
    return row_of_balls(spacing, heights)[0] + np.float32(0.9) * wide


def haze(stack, spacing, no_data=None):
    return mark_blobs(stack, spacing, 0.0, no_data, **OPTIONS).haze_ratio


@pytest.mark.parametrize("spacing", SPACINGS[1:], ids=str)
def test_haze_is_the_median_of_the_haze_of_each_object_relative_to_its_contrast(spacing):
    expected = haze(with_halos(spacing, [1, 1, 1], [1, 1, 1]), spacing)
    assert expected > haze(with_halos(spacing, [1, 1, 1], [0, 0, 0]), spacing) + 0.04
    for heights, halos in (([1, 1, 1], [0, 1, 1]), ([1, 0.3], [1, 0.3])):
        found = haze(with_halos(spacing, heights, halos), spacing)
        assert found == pytest.approx(expected, abs=0.01)


@each_spacing
def test_a_dark_rim_is_no_haze(spacing):
    stack, _ = row_of_balls(spacing, [1.0])
    z, y, x = (
        (np.arange(length) + 0.5) * step - length * step / 2
        for length, step in zip(stack.shape, spacing, strict=True)
    )
    radius = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
    rim = (radius > 5) & (radius < 7)
    assert haze(stack - np.float32(0.5) * rim, spacing) == 0


@each_spacing
def test_what_fills_voxels_without_data_beside_an_object_is_no_haze(spacing):
    stack, _ = row_of_balls(spacing, [1.0])
    no_data = np.ones(stack.shape, bool)
    near = tuple(slice(int((10 + 1) / step)) for step in spacing[1:])  # the centre is at 10 um
    no_data[:, near[0], near[1]] = False
    expected = haze(np.where(no_data, np.float32(0), stack), spacing, no_data)
    found = haze(np.where(no_data, np.float32(0.3), stack), spacing, no_data)
    assert found == pytest.approx(expected, abs=0.08)


def test_a_thin_shell_far_from_the_centre_is_found():
    spacing, sigma_um, shape = (0.6, 0.3, 0.2), 2.4, (21, 41, 61)
    grid = (np.indices(shape) - np.reshape((10, 20, 30), (3, 1, 1, 1))).T * spacing
    radius = np.sqrt((grid**2).sum(axis=-1)).T
    smooth = np.where((radius > 1.25 * sigma_um) & (radius <= 1.5 * sigma_um), 5, 3)
    smooth = smooth.astype("float32")
    values = (np.full(1, value, "float32") for value in (2, 1, 1))
    on_grid = Grid((1, 1, 1), spacing, smooth, smooth, np.ones(shape, bool))
    chosen = Chosen(np.array([[10, 20, 30]]), *values, np.ones(1, bool))
    contrasts, radii = _find_shells(on_grid, chosen, smooth, sigma_um)
    assert contrasts.tolist() == [5 - 2]
    np.testing.assert_allclose(radii, [1.35 * sigma_um])


def hollow_balls(spacing, inner_um, stretch=(1.0, 1.0, 1.0), solid_um=4.0):
    """Return two noisy balls with a radius of 4 um, the second one hollow, and their labels.

    The radius of the first one can be changed with `solid_um`.
    """
    shape = np.round(np.array([22, 22, 44]) / spacing).astype(int)
    grid = np.indices(shape) * np.reshape(spacing, (3, 1, 1, 1))
    labels, signal = np.zeros(shape, np.uint16), np.zeros(shape)
    for number, x in enumerate((11, 33), 1):
        offset = grid - np.reshape((11, 11, x), (3, 1, 1, 1))
        radius = np.sqrt(((offset / np.reshape(stretch, (3, 1, 1, 1))) ** 2).sum(axis=0))
        outer_um = solid_um if number == 1 else 4.0
        labels[radius <= outer_um] = number
        signal[(radius <= outer_um) & ((number == 1) | (radius > inner_um))] = 1
    stack = ndimage.gaussian_filter(signal, 0.35 / np.array(spacing))
    stack += np.random.default_rng(1).normal(0, 0.05, shape)
    return ndimage.gaussian_filter(stack.astype("float32"), 0.4 / np.array(spacing)), labels


@pytest.mark.parametrize("spacing", [(0.55, 0.5, 0.5), (2.0, 0.5, 0.5), (1.2, 0.5, 0.35)], ids=str)
@pytest.mark.parametrize("stretch", [(1.0, 1.0, 1.0), (0.85, 1.1, 1.0)])
def test_hollow_objects_are_filled_and_outlined_outside(spacing, stretch):
    stack, labels = hollow_balls(spacing, 2.6, stretch)
    marked = mark_blobs(stack, spacing, 0.05, **OPTIONS | {"level": 0.5})
    assert marked.hollow == 1
    filled = ndimage.binary_fill_holes(marked.mask)
    components, count = ndimage.label(filled)
    assert count == 2
    volumes = np.bincount(components.ravel())[1:] / np.bincount(labels.ravel())[1:]
    np.testing.assert_allclose(volumes, 1, atol=0.2)
    middle = tuple(np.round(np.divide((11, 11, 33), spacing)).astype(int))
    assert marked.mask[middle]


@pytest.mark.parametrize("spacing", [(0.55, 0.5, 0.5), (1.2, 0.5, 0.35)], ids=str)
def test_a_background_does_not_change_which_objects_are_hollow_or_their_size(spacing):
    stack, _ = hollow_balls(spacing, 2.6)
    expected, found = (
        mark_blobs(each, spacing, 0.05, **OPTIONS) for each in (stack, stack + np.float32(3))
    )
    assert found.hollow == expected.hollow == 1
    assert (found.mask != expected.mask).sum() <= 0.002 * expected.mask.sum()


@pytest.mark.parametrize("spacing", [(0.55, 0.5, 0.5), (1.2, 0.5, 0.35)], ids=str)
def test_a_hollow_object_does_not_change_a_small_solid_one(spacing):
    stack, _ = hollow_balls(spacing, 2.6, solid_um=2.0)
    half = np.s_[:, :, : stack.shape[2] // 2]
    marked = mark_blobs(stack, spacing, 0.05, **OPTIONS)
    assert marked.hollow == 1
    alone = mark_blobs(np.ascontiguousarray(stack[half]), spacing, 0.05, **OPTIONS).mask
    assert marked.mask[half].sum() == pytest.approx(alone.sum(), rel=0.03)


@each_spacing
def test_solid_objects_are_not_hollow(spacing):
    stack, _ = hollow_balls(spacing, 0.0)
    assert mark_blobs(stack, spacing, 0.05, **OPTIONS).hollow == 0
    for bright in (0, 4):
        stack, _ = colony(spacing, bright, 12)
        assert mark_blobs(stack, spacing, 0.1, **OPTIONS).hollow == 0
