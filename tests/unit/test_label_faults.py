import numpy as np
import pytest
from hypothesis import given
from labels import LABELS, line

from cellstack.label_faults import find_faults
from cellstack.overlaps import count_overlaps, pair_up

TWO = line((1, 10), (0, 5), (2, 10))


def faults(truth, labels):
    overlaps = count_overlaps(truth, labels)
    return find_faults(overlaps, pair_up(overlaps))


@pytest.mark.parametrize(
    ("truth", "labels", "expected"),
    [
        pytest.param(TWO, TWO, {}, id="perfect"),
        pytest.param(TWO, line((1, 10), (0, 5), (3, 4), (2, 6)), {"split": [{"truth": 2, "labels": [2, 3]}]}, id="split"),
        pytest.param(
            line((1, 100)), line((1, 96), (2, 4)), {"spurious": [{"label": 2, "truth": 1}]}, id="a crumb is no part of a split object"
        ),
        pytest.param(TWO, line((1, 25)), {"merged": [{"label": 1, "truths": [1, 2]}]}, id="merged"),
        pytest.param(
            line((1, 96), (2, 4)), line((1, 100)), {"missed": [{"truth": 2, "label": 1}]}, id="a small one lost in a large one is missed"
        ),
        pytest.param(TWO, line((1, 10), (0, 15)), {"missed": [{"truth": 2, "label": None}]}, id="missed"),
        pytest.param(TWO, line((1, 10), (3, 5), (2, 10)), {"spurious": [{"label": 3, "truth": None}]}, id="spurious"),
        pytest.param(TWO, line((1, 4), (0, 11), (2, 10)), {"low_iou": [{"truth": 1, "label": 1, "iou": 0.4}]}, id="low IoU"),
        pytest.param(line((0, 9)), line((0, 9)), {}, id="both empty"),
    ],
)
def test_set_by_hand(truth, labels, expected):
    found = faults(truth, labels)
    assert all(each.pop("wrong_voxels") > 0 for named in found.values() for each in named)
    assert {kind: named for kind, named in found.items() if named} == expected
    assert list(found) == ["split", "merged", "missed", "spurious", "low_iou"]


def test_wrong_voxels_set_by_hand():
    truth = line((1, 10), (2, 10), (3, 4), (0, 6), (4, 10))
    labels = line((1, 6), (2, 4), (3, 14), (0, 3), (4, 3), (0, 6), (5, 4))
    wrong = {kind: [each["wrong_voxels"] for each in named] for kind, named in faults(truth, labels).items()}
    # of label 3 with objects 2 and 3 the smaller one is wrong, label 4 is spurious, label 5 misses 6 of 10
    assert wrong == {"split": [4], "merged": [4], "missed": [], "spurious": [3], "low_iou": [6]}


@given(LABELS, LABELS)
def test_exchanged_sides_exchange_the_faults(truth, labels):
    ours, theirs = faults(truth, labels), faults(labels, truth)
    assert [each["truth"] for each in ours["split"]] == [each["label"] for each in theirs["merged"]]
    assert [each["labels"] for each in ours["split"]] == [each["truths"] for each in theirs["merged"]]
    assert len(ours["missed"]) == len(theirs["spurious"])


@given(LABELS, LABELS)
def test_every_object_has_at_most_one_of_the_exclusive_faults(truth, labels):
    found = faults(truth, labels)
    lost = [each["truth"] for each in found["missed"]]
    assert len(set(lost)) == len(lost)
    assert not set(lost) & {truth for each in found["merged"] for truth in each["truths"]}
    low = {each["truth"] for each in found["low_iou"]}
    assert not low & {*lost, *(each["truth"] for each in found["split"])}
    for each in found["split"]:
        inside = truth == each["truth"]
        for label in each["labels"]:
            assert np.count_nonzero(inside & (labels == label)) > np.count_nonzero(labels == label) / 2
