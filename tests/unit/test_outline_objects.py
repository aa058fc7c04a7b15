import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellstack import workers
from cellstack.outline_objects import METHODS, outline_objects

SPACINGS = [(0.4 * ratio, 0.4, 0.4) for ratio in (1.1, 4, 8)]
each_spacing = pytest.mark.parametrize("spacing", SPACINGS, ids=str)
LABELS = arrays("uint16", st.tuples(*[st.integers(1, 6)] * 3), elements=st.integers(0, 3))


def smooth(labels, spacing, sigma_um=1.0, min_volume_um3=0.0, threads=1):
    return outline_objects(labels, spacing, "smooth", {"sigma_um": sigma_um, "min_volume_um3": min_volume_um3}, threads)


def ball(spacing, field=(20, 20, 20), centre=(10, 10, 10), radius=7):
    shape = np.round(np.array(field) / spacing).astype(int)
    off2 = sum(
        ((np.arange(length) + 0.5) * step - middle).reshape(np.roll((-1, 1, 1), axis)) ** 2
        for axis, (length, step, middle) in enumerate(zip(shape, spacing, centre, strict=True))
    )
    return off2 < radius**2


@each_spacing
def test_a_ball_keeps_its_place_and_volume(spacing):
    labels = ball(spacing).astype("uint16")
    labels.flags.writeable = False
    drawn = smooth(labels, spacing)
    assert drawn.dtype == np.uint16
    assert drawn.sum() == pytest.approx(labels.sum(), rel=0.03)
    assert (drawn != labels).mean() < 0.02


@each_spacing
def test_spurs_bits_and_holes_go(spacing):
    truth = ball(spacing)
    labels = truth.astype("uint16")
    middle = tuple(length // 2 for length in labels.shape)
    labels[middle[0], middle[1], :] = 1  # a spur on both sides
    labels[0, :3, :3] = 1  # a bit apart
    labels[middle] = 0
    drawn = smooth(labels, spacing)
    assert not drawn[middle[0], middle[1], [0, -1]].any()
    assert not drawn[0, :3, :3].any()
    assert drawn[middle]
    assert drawn.sum() == pytest.approx(truth.sum(), rel=0.03)


def test_objects_do_not_grow_into_each_other():
    labels = ball(SPACINGS[0]).astype("uint16")
    labels[:, labels.shape[1] // 2 :, :] *= 2
    drawn = smooth(labels, SPACINGS[0])
    assert not ((drawn > 0) & (labels > 0) & (drawn != labels)).any()
    assert [np.sum(drawn == label) for label in (1, 2)] == pytest.approx([np.sum(labels == label) for label in (1, 2)], rel=0.05)


def test_small_objects_go_and_labels_have_no_gaps():
    labels = np.zeros((20, 40, 40), "uint16")
    labels[2:5, 2:5, 2:5], labels[8:18, 8:18, 8:18], labels[8:18, 25:35, 8:18] = 1, 2, 3
    drawn = smooth(labels, (1, 1, 1), 0.5, min_volume_um3=28)
    assert np.array_equal(np.unique(drawn), [0, 1, 2])
    assert drawn[12, 12, 12] == 1
    assert drawn[12, 30, 12] == 2


@given(labels=LABELS, ratio=st.sampled_from([1, 4, 8]))
def test_any_labels(labels, ratio):
    labels = np.searchsorted(np.unique(np.append(labels, 0)), labels).astype("uint16")
    drawn = smooth(labels, (0.5 * ratio, 0.5, 0.5), 0.4)
    assert set(np.unique(drawn)) <= set(range(drawn.max() + 1))
    assert len(np.unique(drawn[drawn > 0])) == drawn.max()
    both = (drawn > 0) & (labels > 0)
    for label in range(1, drawn.max() + 1):
        assert len(np.unique(labels[both & (drawn == label)])) == 1
    scaled = smooth(labels, (1.5 * ratio, 1.5, 1.5), 1.2)
    assert np.array_equal(drawn, scaled)


@pytest.mark.parametrize("inner", [1, 2])
@pytest.mark.parametrize("threads", [1, 2])
def test_each_is_drawn_beside_those_before_it(monkeypatch, inner, threads):
    labels = np.full((15, 15, 15), 3 - inner, "uint16")
    labels[3:12, 3:12, 3:12] = 0  # a cavity, which the outer one fills
    labels[4:11, 4:11, 4:11] = inner
    labels[7, 7, 4:8] = 0  # a hole, which both want
    drawn, alone = smooth(labels, (1, 1, 1), threads=threads), workers.in_processes

    def with_held(change):
        monkeypatch.setattr(workers, "in_processes", lambda *given: [(mask, change(held)) for mask, held in alone(*given)])
        return smooth(labels, (1, 1, 1))

    assert np.array_equal(with_held(lambda held: np.full_like(held, 255)), drawn)  # as if each were in the way of the next
    assert not np.array_equal(with_held(np.zeros_like), drawn)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0, 1])
def test_stacks_of_one_kind(method, value):
    for shape in [(1, 7, 1), (4, 5, 6), (0, 3, 3)]:
        labels = np.full(shape, value, "uint16")
        options = {"sigma_um": 1.0, "min_volume_um3": 0.0} if method == "smooth" else {}
        drawn = outline_objects(labels, (1, 0.4, 0.4), method, options)
        assert np.array_equal(drawn, labels)
        assert not np.shares_memory(drawn, labels)
