import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellstack.merge_objects import METHODS, _look_at_planes, merge_objects

OPTIONS = {"min_convexity": 0.98, "min_border": 0.8, "max_volume_um3": 1e9}
SPACINGS = [(0.4 * ratio, 0.4, 0.4) for ratio in (1.1, 4, 8)]
each_spacing = pytest.mark.parametrize("spacing", SPACINGS, ids=str)


def grid(spacing, field):
    shape = np.round(np.array(field) / spacing).astype(int)
    return [
        ((np.arange(length) + 0.5) * step).reshape(np.roll((-1, 1, 1), axis))
        for axis, (length, step) in enumerate(zip(shape, spacing, strict=True))
    ]


def cut_ball(spacing, dark=1.0):
    """A ball of diameter 16 um, cut in two; `dark` is the brightness of the cut."""
    z, y, x = grid(spacing, (20, 20, 20))
    ball = (z - 10) ** 2 + (y - 10) ** 2 + (x - 10) ** 2 < 8**2
    labels = np.where(ball, 1 + (y > 10), 0).astype("uint16")
    stack = np.where(ball, np.where(abs(y - 10) < 0.8, dark, 1.0), 0.0).astype("float32")
    return labels, stack


def two_balls(spacing):
    """Balls of diameter 10 um that touch."""
    z, y, x = grid(spacing, (12, 12, 22))
    first = (z - 6) ** 2 + (y - 6) ** 2 + (x - 6) ** 2 < 5**2
    second = (z - 6) ** 2 + (y - 6) ** 2 + (x - 15.6) ** 2 < 5**2
    labels = np.where(first | second, np.where(x < 10.8, 1, 2), 0).astype("uint16")
    return labels, (labels > 0).astype("float32")


def merge(labels, stack, spacing, **options):
    return merge_objects(labels, stack, spacing, "convexity", OPTIONS | options)


@each_spacing
def test_the_halves_of_a_ball_are_merged(spacing):
    labels, stack = cut_ball(spacing)
    labels.flags.writeable = stack.flags.writeable = False
    whole = merge(labels, stack, spacing)
    assert whole.dtype == np.uint16
    assert np.array_equal(whole, labels > 0)


@each_spacing
def test_touching_balls_stay_apart(spacing):
    labels, stack = two_balls(spacing)
    assert np.array_equal(merge(labels, stack, spacing, min_convexity=0.85), labels)  # however few planes they have
    assert merge(labels, stack, spacing, min_convexity=0.78).max() == 1


@each_spacing
def test_a_dark_border_keeps_halves_apart(spacing):
    labels, stack = cut_ball(spacing, dark=0.5)
    assert np.array_equal(merge(labels, stack, spacing), labels)
    assert merge(labels, stack, spacing, min_border=0.4).max() == 1
    assert np.array_equal(merge(labels, stack + np.float32(5), spacing), labels)  # whatever the background


def test_nothing_grows_too_large():
    labels, stack = cut_ball(SPACINGS[0])
    volume = (labels > 0).sum() * np.prod(SPACINGS[0])
    assert merge(labels, stack, SPACINGS[0], max_volume_um3=0.99 * volume).max() == 2
    assert merge(labels, stack, SPACINGS[0], max_volume_um3=1.01 * volume).max() == 1


def test_many_parts_become_one_and_labels_have_no_gaps():
    labels = np.zeros((8, 8, 40), "uint16")
    for number in range(6):
        labels[:, :, 4 * number : 4 * number + 4] = 6 - number
    labels[2:6, 2:6, 30:36] = 7
    whole = merge(labels, np.ones(labels.shape, "float32") * (labels > 0), (1, 1, 1))
    assert np.array_equal(whole, np.where(labels == 7, 2, labels > 0))


@given(seed=st.integers(0, 30), factor=st.sampled_from([0.5, 3.0]), limit=st.floats(0, 1.2))
def test_regions_are_only_joined_and_spacing_does_not_matter(seed, factor, limit):
    rng = np.random.default_rng(seed)
    labels = np.kron(rng.integers(0, 5, (3, 4, 4)), np.ones((2, 3, 3))).astype("uint16")
    labels = np.searchsorted(np.unique(labels), labels).astype("uint16")
    stack = rng.random(labels.shape).astype("float32")
    whole = merge(labels, stack, (1, 1, 1), min_convexity=limit, min_border=0.5)
    assert np.array_equal(whole > 0, labels > 0)
    for label in range(1, labels.max() + 1):
        assert len(np.unique(whole[labels == label])) == 1
    assert sorted(set(np.unique(whole)) | {0}) == list(range(whole.max() + 1))
    assert np.array_equal(whole, merge(labels, stack, (2 * factor, factor, factor), min_convexity=limit, min_border=0.5))
    in_processes = merge_objects(labels, stack, (1, 1, 1), "convexity", OPTIONS | {"min_convexity": limit, "min_border": 0.5}, threads=3)
    assert np.array_equal(whole, in_processes)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0, 1])
def test_stacks_of_one_kind(method, value):
    for shape in [(1, 7, 1), (4, 5, 6), (0, 3, 3)]:
        labels = np.full(shape, value, "uint16")
        options = OPTIONS if method == "convexity" else {}
        assert np.array_equal(merge_objects(labels, np.ones(shape, "float32"), (1, 1, 1), method, options), labels)


def test_two_regions_that_fill_the_stack():
    labels = np.ones((3, 4, 6), "uint16")
    labels[:, :, 3:] = 2
    assert merge(labels, np.ones(labels.shape, "float32"), (1, 1, 1)).max() == 1


@given(arrays("uint16", st.tuples(*[st.integers(1, 5)] * 3), elements=st.integers(0, 3)), st.integers(0, 99))
def test_borders_face_by_face(labels, seed):
    stack = np.random.default_rng(seed).integers(0, 9, labels.shape).astype("float32")
    expected = {}
    for place in np.ndindex(labels.shape):
        for axis in range(3):
            behind = tuple(index + (each == axis) for each, index in enumerate(place))
            if behind[axis] < labels.shape[axis] and len({0, labels[place], labels[behind]}) == 3:
                pair = tuple(sorted((int(labels[place]), int(labels[behind]))))
                faces, total = expected.get(pair, (0, 0.0))
                expected[pair] = faces + 1, total + float(stack[place] + stack[behind]) / 2
    for threads in (1, 2):
        borders, background = _look_at_planes(labels, stack, threads)
        assert borders == expected
        assert background == pytest.approx(stack[labels == 0].mean() if (labels == 0).any() else 0)
