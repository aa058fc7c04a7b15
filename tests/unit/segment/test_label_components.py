import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label

from cellstack.segment.label_components import label_components

RANKS = {6: 1, 18: 2, 26: 3}  # connectivity of scikit-image: axes along which neighbours differ
each_connectivity = pytest.mark.parametrize("connectivity", RANKS)
each_dtype = pytest.mark.parametrize("dtype", ["uint8", "bool", "uint16"])
SHAPES = [(1, 1, 1), (1, 7, 1), (1, 20, 21), (3, 1, 5), (9, 17, 31)]


@pytest.mark.parametrize("fill", [0.1, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@each_dtype
@each_connectivity
def test_against_scikit_image(connectivity, dtype, shape, fill):
    mask = (np.random.default_rng(0).random(shape) < fill).astype(dtype)[:]
    mask.flags.writeable = False  # cc3d accepts a read-only array, but no read-only view
    labels = label_components(mask, connectivity)
    assert labels.dtype == np.uint16
    assert np.array_equal(labels, label(mask, connectivity=RANKS[connectivity]))


@given(
    arrays("uint8", st.tuples(*[st.integers(1, 6)] * 3), elements=st.integers(0, 1)),
    st.sampled_from(list(RANKS)),
)
def test_any_mask_against_scikit_image(mask, connectivity):
    labels = label_components(mask, connectivity)
    expected = label(mask, connectivity=RANKS[connectivity])
    # scikit-image numbers the components in another order where X is 1.
    pairs = np.unique(np.stack([labels, expected]).reshape(2, -1), axis=1)
    assert pairs.shape[1] == len(np.unique(pairs[0])) == len(np.unique(pairs[1]))
    assert np.array_equal(labels > 0, mask > 0)
    first = [np.argmax(labels == number) for number in range(1, labels.max() + 1)]
    assert first == sorted(first)


@pytest.mark.parametrize(
    ("connectivity", "expected"),
    [
        (
            6,
            [
                [[1, 1, 0], [0, 0, 2], [0, 0, 0]],
                [[0, 0, 0], [0, 0, 0], [0, 3, 0]],
                [[4, 0, 0], [0, 0, 0], [0, 0, 0]],
            ],
        ),
        (
            18,
            [
                [[1, 1, 0], [0, 0, 1], [0, 0, 0]],
                [[0, 0, 0], [0, 0, 0], [0, 2, 0]],
                [[3, 0, 0], [0, 0, 0], [0, 0, 0]],
            ],
        ),
        (
            26,
            [
                [[1, 1, 0], [0, 0, 1], [0, 0, 0]],
                [[0, 0, 0], [0, 0, 0], [0, 1, 0]],
                [[2, 0, 0], [0, 0, 0], [0, 0, 0]],
            ],
        ),
    ],
)
@each_dtype
def test_against_labels_written_by_hand(dtype, connectivity, expected):
    mask = (np.array(expected) > 0).astype(dtype)
    assert label_components(mask, connectivity).tolist() == expected


@each_dtype
@each_connectivity
def test_single_line(connectivity, dtype):
    line = np.array([1, 0, 1], dtype)
    for shape in ((1, 1, 3), (1, 3, 1), (3, 1, 1)):
        assert label_components(line.reshape(shape), connectivity).ravel().tolist() == [1, 0, 2]


@each_dtype
@each_connectivity
def test_no_all_and_one_foreground_voxel(connectivity, dtype):
    mask = np.zeros((3, 4, 5), dtype)
    assert not label_components(mask, connectivity).any()
    assert np.all(label_components(~mask.astype(bool), connectivity) == 1)
    mask[1, 2, 3] = 1
    assert np.array_equal(label_components(mask, connectivity), mask)


@pytest.mark.parametrize(("count", "dtype"), [(65535, "uint16"), (65536, "uint32")])
def test_type_of_many_labels(count, dtype):
    mask = np.zeros((1, 2, 2 * count), "uint8")
    mask[:, 0, ::2] = 1
    labels = label_components(mask, 26)
    assert labels.dtype == dtype
    assert np.array_equal(labels[mask > 0], np.arange(1, count + 1))
