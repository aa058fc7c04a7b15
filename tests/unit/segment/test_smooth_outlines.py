import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from cellstack.core import parallel
from cellstack.segment.smooth_outlines import METHODS, _smooth_object, smooth_outlines

SPACINGS = [(0.4 * ratio, 0.4, 0.4) for ratio in (1.1, 4, 8)]
each_spacing = pytest.mark.parametrize("spacing", SPACINGS, ids=str)
LABELS = arrays("uint16", st.tuples(*[st.integers(1, 6)] * 3), elements=st.integers(0, 3))


def smooth(labels, spacing, sigma_um=1.0, min_volume_um3=0.0, threads=1):
    return smooth_outlines(
        labels, spacing, "smooth", {"sigma_um": sigma_um, "min_volume_um3": min_volume_um3}, threads
    )


def ball(spacing, field=(20, 20, 20), centre=(10, 10, 10), radius=7):
    shape = np.round(np.array(field) / spacing).astype(int)
    off2 = sum(
        ((np.arange(length) + 0.5) * step - place).reshape(np.roll((-1, 1, 1), axis)) ** 2
        for axis, (length, step, place) in enumerate(zip(shape, spacing, centre, strict=True))
    )
    return off2 < radius**2


@each_spacing
def test_a_ball_keeps_its_position_and_volume(spacing):
    labels = ball(spacing).astype("uint16")
    labels.flags.writeable = False
    smoothed = smooth(labels, spacing)
    assert smoothed.dtype == np.uint16
    assert int(smoothed.sum()) == pytest.approx(int(labels.sum()), rel=0.03)
    assert (smoothed != labels).mean() < 0.02


@each_spacing
def test_spurs_fragments_and_holes_are_removed(spacing):
    ground_truth = ball(spacing)
    labels = ground_truth.astype("uint16")
    centre = tuple(length // 2 for length in labels.shape)
    labels[centre[0], centre[1], :] = 1  # a spur on both sides
    labels[0, :3, :3] = 1  # a fragment
    labels[centre] = 0
    smoothed = smooth(labels, spacing)
    assert not smoothed[centre[0], centre[1], [0, -1]].any()
    assert not smoothed[0, :3, :3].any()
    assert smoothed[centre]
    assert int(smoothed.sum()) == pytest.approx(int(ground_truth.sum()), rel=0.03)


@pytest.mark.parametrize("spacing", [(1.0, 0.5, 0.25), (0.4, 0.25, 0.8)], ids=str)
def test_an_object_becomes_the_highest_values_of_its_blurred_mask(spacing):
    labels = np.zeros(np.ceil(np.array([16, 16, 16]) / spacing).astype(int), "uint16")
    start, stop = np.round(np.divide(4, spacing)), np.round(np.divide(12, spacing))
    box = tuple(slice(int(low), int(high)) for low, high in zip(start, stop, strict=True))
    labels[box] = 1
    blurred = ndimage.gaussian_filter(
        labels.astype(float), np.divide(1.2, spacing), mode="nearest", radius=None, truncate=4
    )
    count = np.count_nonzero(blurred[box] > 0.4)
    expected = blurred >= np.sort(blurred, axis=None)[-count]
    found = smooth(labels, spacing, sigma_um=1.2) > 0
    assert (found != expected).sum() < 0.01 * count
    assert (found != (labels > 0)).sum() > 0.04 * count  # the edges are rounded


def test_objects_do_not_grow_into_each_other():
    labels = ball(SPACINGS[0]).astype("uint16")
    labels[:, labels.shape[1] // 2 :, :] *= 2
    smoothed = smooth(labels, SPACINGS[0])
    assert not ((smoothed > 0) & (labels > 0) & (smoothed != labels)).any()
    assert [np.sum(smoothed == label) for label in (1, 2)] == pytest.approx(
        [np.sum(labels == label) for label in (1, 2)], rel=0.05
    )


def test_small_objects_are_removed_and_labels_have_no_gaps():
    labels = np.zeros((20, 40, 40), "uint16")
    labels[2:5, 2:5, 2:5], labels[8:18, 8:18, 8:18], labels[8:18, 25:35, 8:18] = 1, 2, 3
    smoothed = smooth(labels, (1, 1, 1), 0.5, min_volume_um3=28)
    assert np.array_equal(np.unique(smoothed), [0, 1, 2])
    assert smoothed[12, 12, 12] == 1
    assert smoothed[12, 30, 12] == 2


@given(labels=LABELS, ratio=st.sampled_from([1, 4, 8]))
def test_properties_of_any_labels(labels, ratio):
    labels = np.searchsorted(np.unique(np.append(labels, 0)), labels).astype("uint16")
    smoothed = smooth(labels, (0.5 * ratio, 0.5, 0.5), 0.4)
    assert set(np.unique(smoothed)) <= set(range(smoothed.max() + 1))
    assert len(np.unique(smoothed[smoothed > 0])) == smoothed.max()
    both = (smoothed > 0) & (labels > 0)
    for label in range(1, smoothed.max() + 1):
        assert len(np.unique(labels[both & (smoothed == label)])) == 1
    scaled = smooth(labels, (1.5 * ratio, 1.5, 1.5), 1.2)
    assert np.array_equal(smoothed, scaled)


@pytest.mark.parametrize("inner", [1, 2])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_result_accounts_for_objects_smoothed_before(monkeypatch, inner, threads):
    labels = np.full((15, 15, 15), 3 - inner, "uint16")
    labels[3:12, 3:12, 3:12] = 0  # a cavity, which the outer object fills
    labels[4:11, 4:11, 4:11] = inner
    labels[7, 7, 4:8] = 0  # a hole, which both objects would fill
    smoothed, map_processes = smooth(labels, (1, 1, 1), threads=threads), parallel.map_processes

    def smooth_with(change):
        """Smooth with a change of the packed voxels that each object depends on."""
        monkeypatch.setattr(
            parallel,
            "map_processes",
            lambda *given: [(mask, change(used)) for mask, used in map_processes(*given)],
        )
        return smooth(labels, (1, 1, 1))

    np.testing.assert_array_equal(smoothed, smooth_in_turn(labels, (1, 1, 1), 1.0))
    all_again = smooth_with(lambda used: np.full_like(used, 255))
    none_again = smooth_with(np.zeros_like)
    assert np.array_equal(all_again, smoothed)
    assert not np.array_equal(none_again, smoothed)


def smooth_in_turn(labels, spacing, sigma_um):
    """Smooth one object after the other, without the voxels of those before."""
    smoothed = np.zeros_like(labels)
    for label in range(1, labels.max() + 1):
        free = ((labels == 0) & (smoothed == 0)) | (labels == label)
        smoothed[_smooth_object(labels == label, free, spacing, sigma_um)[0]] = label
    return smoothed


@pytest.mark.parametrize("seed", range(6))
def test_objects_are_smoothed_one_after_the_other(seed):
    spacing, sigma_um = (2.0, 0.5, 0.4), 0.8
    rng = np.random.default_rng(seed)
    labels = np.zeros((6, 24, 30), "uint16")
    for label in range(1, 5):  # ragged boxes with gaps between them
        start = rng.integers(0, (2, 10, 14))
        labels[tuple(slice(at, at + size) for at, size in zip(start, (4, 12, 14), strict=True))] = (
            label
        )
    labels[rng.random(labels.shape) < 0.25] = 0
    labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype("uint16")
    expected = smooth_in_turn(labels, spacing, sigma_um)
    found = smooth(labels, spacing, sigma_um)
    np.testing.assert_array_equal(found > 0, expected > 0)
    for label in np.unique(expected[expected > 0]):
        assert len(np.unique(found[expected == label])) == 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0, 1])
def test_uniform_labels_are_unchanged(method, value):
    for shape in [(1, 7, 1), (4, 5, 6), (0, 3, 3)]:
        labels = np.full(shape, value, "uint16")
        options = {"sigma_um": 1.0, "min_volume_um3": 0.0} if method == "smooth" else {}
        smoothed = smooth_outlines(labels, (1, 0.4, 0.4), method, options)
        assert np.array_equal(smoothed, labels)
        assert not np.shares_memory(smoothed, labels)


def test_objects_do_not_grow_into_voxels_without_data():
    z, y, x = np.ogrid[:12, :40, :40]
    spacing = (1.0, 0.4, 0.3)
    ball = ((z - 6) * 1.0) ** 2 + ((y - 20) * 0.4) ** 2 + ((x - 20) * 0.3) ** 2 < 16
    no_data = np.zeros(ball.shape, bool)
    no_data[:, :, 26:] = True
    labels = (ball & ~no_data).astype(np.uint16)
    options = {"sigma_um": 0.8, "min_volume_um3": 0}
    free = smooth_outlines(labels, spacing, "smooth", options)
    kept_out = smooth_outlines(labels, spacing, "smooth", options, no_data=no_data)
    assert free[no_data].any()
    assert not kept_out[no_data].any()
    assert kept_out.sum() == pytest.approx(labels.sum(), rel=0.02)
