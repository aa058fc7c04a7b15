import numpy as np
import pytest
from hypothesis import given
from labels import LABELS, line

from cellstack.core.overlaps import count_overlaps, pair_up
from cellstack.evaluate.label_errors import find_errors

TWO = line((1, 10), (0, 5), (2, 10))


def errors(ground_truth, labels):
    overlaps = count_overlaps(ground_truth, labels)
    return find_errors(overlaps, pair_up(overlaps))


@pytest.mark.parametrize(
    ("ground_truth", "labels", "expected"),
    [
        pytest.param(TWO, TWO, {}, id="perfect"),
        pytest.param(
            TWO,
            line((1, 10), (0, 5), (3, 4), (2, 6)),
            {"split": [{"true_label": 2, "labels": [2, 3]}]},
            id="split",
        ),
        pytest.param(
            line((1, 100)),
            line((1, 96), (2, 4)),
            {"spurious": [{"label": 2, "true_label": 1}]},
            id="small part is spurious",
        ),
        pytest.param(
            TWO, line((1, 25)), {"merged": [{"label": 1, "true_labels": [1, 2]}]}, id="merged"
        ),
        pytest.param(
            line((1, 96), (2, 4)),
            line((1, 100)),
            {"missed": [{"true_label": 2, "label": 1}]},
            id="small object in a large one is missed",
        ),
        pytest.param(
            TWO, line((1, 10), (0, 15)), {"missed": [{"true_label": 2, "label": None}]}, id="missed"
        ),
        pytest.param(
            TWO,
            line((1, 10), (3, 5), (2, 10)),
            {"spurious": [{"label": 3, "true_label": None}]},
            id="spurious",
        ),
        pytest.param(
            TWO,
            line((1, 4), (0, 11), (2, 10)),
            {"low_iou": [{"true_label": 1, "label": 1, "iou": 0.4}]},
            id="low IoU",
        ),
        pytest.param(TWO, line((1, 6), (0, 9), (2, 10)), {}, id="IoU above a half"),
        pytest.param(
            TWO,
            line((1, 10), (0, 5), (3, 5), (2, 5)),
            {"split": [{"true_label": 2, "labels": [2, 3]}]},
            id="split in two halves",
        ),
        pytest.param(line((0, 9)), line((0, 9)), {}, id="both empty"),
    ],
)
def test_small_examples(ground_truth, labels, expected):
    found = errors(ground_truth, labels)
    assert all(each.pop("wrong_voxels") > 0 for named in found.values() for each in named)
    assert {kind: named for kind, named in found.items() if named} == expected
    assert list(found) == ["split", "merged", "missed", "spurious", "low_iou"]


def test_wrong_voxels_of_a_small_example():
    ground_truth = line((1, 10), (2, 10), (3, 4), (0, 6), (4, 10))
    labels = line((1, 6), (2, 4), (3, 14), (0, 3), (4, 3), (0, 6), (5, 4))
    wrong = {
        kind: [each["wrong_voxels"] for each in named]
        for kind, named in errors(ground_truth, labels).items()
    }
    # label 3 merges 2 and 3, of which 3 is smaller; 4 is spurious; 5 covers 4 of 10 voxels
    assert wrong == {"split": [4], "merged": [4], "missed": [], "spurious": [3], "low_iou": [6]}


@given(LABELS, LABELS)
def test_exchanging_the_images_exchanges_the_errors(ground_truth, labels):
    ours, theirs = errors(ground_truth, labels), errors(labels, ground_truth)
    assert [each["true_label"] for each in ours["split"]] == [
        each["label"] for each in theirs["merged"]
    ]
    assert [each["labels"] for each in ours["split"]] == [
        each["true_labels"] for each in theirs["merged"]
    ]
    assert len(ours["missed"]) == len(theirs["spurious"])


@given(LABELS, LABELS)
def test_exclusive_errors(ground_truth, labels):
    found = errors(ground_truth, labels)
    missed = [each["true_label"] for each in found["missed"]]
    assert len(set(missed)) == len(missed)
    assert not set(missed) & {label for each in found["merged"] for label in each["true_labels"]}
    low = {each["true_label"] for each in found["low_iou"]}
    assert not low & {*missed, *(each["true_label"] for each in found["split"])}
    for each in found["split"]:
        inside = ground_truth == each["true_label"]
        for label in each["labels"]:
            assert (
                np.count_nonzero(inside & (labels == label)) > np.count_nonzero(labels == label) / 2
            )
