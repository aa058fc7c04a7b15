import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from labels import LABELS, line
from scipy.optimize import linear_sum_assignment

from cellstack.core.overlaps import Pairs, count_overlaps, match_objects, pair_up

# few distinct values, for frequent ties
IOU = st.tuples(st.integers(0, 6), st.integers(0, 6)).flatmap(
    lambda shape: arrays(
        float, shape, elements=st.sampled_from([0, 0, 0, 0.1, 0.15, 0.3, 0.45, 0.5, 0.51, 0.9, 1])
    )
)


def as_pairs(iou):
    rows, columns = np.nonzero(iou)
    return Pairs(rows + 1, columns + 1, iou[rows, columns])


def test_overlaps_and_iou_of_a_small_example():
    ground_truth, labels = line((0, 2), (1, 4), (2, 3)), line((1, 4), (0, 1), (2, 4))
    overlaps = count_overlaps(ground_truth, labels)
    assert list(zip(*overlaps[:3], strict=True)) == [
        (0, 1, 2),
        (1, 0, 1),
        (1, 1, 2),
        (1, 2, 1),
        (2, 2, 3),
    ]
    assert overlaps.true_voxels.tolist() == [2, 4, 3]
    assert overlaps.label_voxels.tolist() == [1, 4, 4]
    pairs = pair_up(overlaps)
    np.testing.assert_allclose(pairs.iou, [2 / 6, 1 / 7, 3 / 4])


@given(LABELS, LABELS)
def test_sparse_table_agrees_with_the_full_one(ground_truth, labels):
    overlaps = count_overlaps(ground_truth, labels)
    full = np.zeros((int(ground_truth.max()) + 1, int(labels.max()) + 1), int)
    np.add.at(full, (ground_truth, labels), 1)
    sparse = np.zeros_like(full)
    sparse[overlaps.true_label, overlaps.label] = overlaps.voxels
    np.testing.assert_array_equal(sparse, full)
    np.testing.assert_array_equal(overlaps.true_voxels, full.sum(1))
    np.testing.assert_array_equal(overlaps.label_voxels, full.sum(0))


def test_many_labels_do_not_overflow():
    ground_truth = np.zeros((1, 2, 2), "uint32")
    labels = np.full((1, 2, 2), 3_000_000, "uint32")
    ground_truth[0, 0, 0] = 2_000_000
    overlaps = count_overlaps(ground_truth, labels)
    assert list(zip(*overlaps[:3], strict=True)) == [(0, 3_000_000, 3), (2_000_000, 3_000_000, 1)]


def test_number_of_pairs_has_priority_over_iou():
    pairs = as_pairs(np.array([[0.5, 1.0], [0.49, 0.5]]))
    for threshold, expected in ((0.5, [(1, 1), (2, 2)]), (0.4, [(1, 2), (2, 1)]), (0.7, [(1, 2)])):
        matched = match_objects(pairs, threshold)
        assert list(zip(matched.true_label, matched.label, strict=True)) == expected


@given(IOU, st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]))
def test_matching_is_as_good_as_an_assignment_on_the_full_table(iou, threshold):
    matched = match_objects(as_pairs(iou), threshold)
    assert len(set(matched.true_label)) == len(set(matched.label)) == len(matched.iou)
    assert np.all(matched.iou >= threshold)
    np.testing.assert_array_equal(iou[matched.true_label - 1, matched.label - 1], matched.iou)
    best = np.where(iou >= threshold, 100 + iou, 0)
    best = best[linear_sum_assignment(best, maximize=True)]
    assert len(matched.iou) == np.count_nonzero(best)
    assert matched.iou.sum() == pytest.approx((best[best > 0] - 100).sum())


def test_numbers_of_objects_include_those_without_an_overlap():
    ground_truth, labels = np.zeros((2, 1, 2, 9), "uint16")
    ground_truth[..., :3], ground_truth[..., 8] = 1, 2
    labels[..., 2:4], labels[..., 4], labels[..., 6] = 1, 2, 3
    overlaps = count_overlaps(ground_truth, labels)
    assert (overlaps.n_true, overlaps.n_pred) == (2, 3)
    assert np.count_nonzero(overlaps.is_object_pair) == 1
