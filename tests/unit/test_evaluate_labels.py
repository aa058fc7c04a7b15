import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellstack.evaluate_labels import THRESHOLDS, evaluate_labels, intersection_over_union, match_objects, overlap_counts

LABELS = arrays("uint16", (2, 3, 5), elements=st.integers(0, 4)).map(lambda labels: without_gaps(labels))
IOU = st.tuples(st.integers(0, 5), st.integers(0, 5)).flatmap(lambda shape: arrays(float, shape, elements=st.floats(0, 1)))


def without_gaps(labels):
    _, numbers = np.unique(np.append(labels, 0), return_inverse=True)
    return numbers[:-1].reshape(labels.shape).astype("uint16")


def line(*runs):
    """A row of voxels: pairs of label and number of voxels."""
    labels = np.repeat([label for label, _ in runs], [count for _, count in runs]).astype("uint16")
    labels.flags.writeable = False
    return labels.reshape(1, 1, -1)


def at(scores, threshold):
    return next(row for row in scores if row["iou_threshold"] == threshold)


TWO = line((1, 10), (0, 5), (2, 10))
NONE = line((0, 25))


@pytest.mark.parametrize(
    ("truth", "labels", "hits", "extra", "missed", "iou"),
    [
        pytest.param(TWO, TWO, 2, 0, 0, 1.0, id="perfect"),
        pytest.param(TWO, line((2, 10), (0, 5), (1, 10)), 2, 0, 0, 1.0, id="other numbers"),
        pytest.param(TWO, line((1, 10), (0, 5), (2, 6), (3, 4)), 2, 1, 0, 0.8, id="one split"),
        pytest.param(TWO, line((1, 10), (0, 5), (2, 4), (3, 3), (4, 3)), 1, 3, 1, 1.0, id="one split in three"),
        pytest.param(TWO, line((1, 25)), 0, 1, 2, None, id="merged"),
        pytest.param(line((1, 20), (2, 5)), line((1, 25)), 1, 0, 1, 0.8, id="the smaller lost in the larger"),
        pytest.param(TWO, line((1, 10), (0, 15)), 1, 0, 1, 1.0, id="missed"),
        pytest.param(TWO, line((1, 10), (3, 5), (2, 10)), 2, 1, 0, 1.0, id="spurious"),
        pytest.param(TWO, line((1, 5), (0, 10), (2, 10)), 2, 0, 0, 0.75, id="IoU of the threshold itself"),
        pytest.param(TWO, line((1, 4), (0, 11), (2, 10)), 1, 1, 1, 1.0, id="IoU below the threshold"),
        pytest.param(NONE, NONE, 0, 0, 0, None, id="both empty"),
        pytest.param(NONE, TWO, 0, 2, 0, None, id="truth empty"),
        pytest.param(TWO, NONE, 0, 0, 2, None, id="labels empty"),
    ],
)
def test_scores_set_by_hand(truth, labels, hits, extra, missed, iou):
    row = at(evaluate_labels(truth, labels), 0.5)
    assert (row["true_positives"], row["false_positives"], row["false_negatives"]) == (hits, extra, missed)
    assert row["mean_matched_iou"] == pytest.approx(iou)
    empty = float(truth is NONE and labels is NONE)
    assert row["precision"] == pytest.approx(hits / (hits + extra) if hits + extra else empty)
    assert row["recall"] == pytest.approx(hits / (hits + missed) if hits + missed else empty)
    assert row["f1"] == pytest.approx(2 * hits / (2 * hits + extra + missed) if hits + extra + missed else empty)
    assert row["average_precision"] == pytest.approx(hits / (hits + extra + missed) if hits + extra + missed else empty)


def test_overlaps_and_iou_set_by_hand():
    truth, labels = line((0, 2), (1, 4), (2, 3)), line((1, 4), (0, 1), (2, 4))
    overlaps = overlap_counts(truth, labels)
    assert overlaps.tolist() == [[0, 2, 0], [1, 2, 1], [0, 0, 3]]
    np.testing.assert_allclose(intersection_over_union(overlaps), [[2 / 6, 1 / 7], [0, 3 / 4]])


def test_types_may_differ():
    assert evaluate_labels(TWO.astype("uint32"), TWO.astype("uint8")) == evaluate_labels(TWO, TWO)


def test_more_pairs_go_before_a_better_pair():
    iou = np.array([[0.5, 1.0], [0.49, 0.5]])
    for threshold, pairs in ((0.5, [(0, 0), (1, 1)]), (0.4, [(0, 1), (1, 0)]), (0.7, [(0, 1)])):
        assert list(zip(*match_objects(iou, threshold), strict=True)) == pairs


@given(IOU, st.sampled_from(THRESHOLDS))
def test_matching_is_one_to_one_and_none_is_left_over(iou, threshold):
    rows, columns = match_objects(iou, threshold)
    assert len(set(rows)) == len(set(columns)) == len(rows) == len(columns)
    assert np.all(iou[rows, columns] >= threshold)
    left = np.delete(np.delete(iou, rows, 0), columns, 1)
    assert left.max(initial=0) < threshold


@given(LABELS, LABELS, st.randoms(use_true_random=False))
def test_numbers_of_the_labels_do_not_matter(truth, labels, random):
    renumbered = []
    for each in (truth, labels):
        numbers = list(range(1, int(each.max()) + 1))
        random.shuffle(numbers)
        renumbered.append(np.array([0, *numbers], "uint16")[each])
    for row, other in zip(evaluate_labels(truth, labels), evaluate_labels(*renumbered), strict=True):
        assert row == pytest.approx(other, nan_ok=False)


@given(LABELS, LABELS)
def test_laws(truth, labels):
    scores, swapped = evaluate_labels(truth, labels), evaluate_labels(labels, truth)
    hits = [row["true_positives"] for row in scores]
    assert [row["iou_threshold"] for row in scores] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert hits == sorted(hits, reverse=True)
    for row, other in zip(scores, swapped, strict=True):
        assert row["true_positives"] + row["false_negatives"] == truth.max()
        assert row["true_positives"] + row["false_positives"] == labels.max()
        assert (row["precision"], row["recall"], row["f1"]) == (other["recall"], other["precision"], other["f1"])
        assert 0 <= row["average_precision"] <= row["f1"] <= 1
        assert row["mean_matched_iou"] is None or row["mean_matched_iou"] >= row["iou_threshold"]
    assert all(row["f1"] == 1 for row in evaluate_labels(truth, truth))
