import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labels import LABELS, line

import collect_scores
import evaluate_labels as script
from cellstack.evaluate.evaluate_labels import evaluate_labels
from cellstack.evaluate.score_columns import BY_STACK, BY_THRESHOLD, KEY, TABLES
from cellstack.evaluate.surface_distance import mean_surface_distance
from cellstack.files.stacks import write_stack
from cellstack.files.tables import read_rows

SPACING = (1.0, 0.5, 0.25)
SYMMETRIC = ("f1", "average_precision", "panoptic_quality", "mean_surface_distance_um")
EXCHANGED = {
    "precision": "recall",
    "count_split": "count_merged",
    "count_missed": "count_spurious",
    "count_ground_truth": "count_found",
}


def at(scores, threshold):
    return next(row for row in scores["thresholds"] if row["iou_threshold"] == threshold)


TWO = line((1, 10), (0, 5), (2, 10))
NONE = line((0, 25))


@pytest.mark.parametrize(
    ("ground_truth", "labels", "tp", "fp", "fn", "iou"),
    [
        pytest.param(TWO, TWO, 2, 0, 0, 1.0, id="perfect"),
        pytest.param(
            TWO, line((2, 10), (0, 5), (1, 10)), 2, 0, 0, 1.0, id="labels in another order"
        ),
        pytest.param(TWO, line((1, 10), (0, 5), (2, 6), (3, 4)), 2, 1, 0, 0.8, id="one split"),
        pytest.param(
            TWO,
            line((1, 10), (0, 5), (2, 4), (3, 3), (4, 3)),
            1,
            3,
            1,
            1.0,
            id="one split into three",
        ),
        pytest.param(TWO, line((1, 25)), 0, 1, 2, None, id="merged"),
        pytest.param(
            line((1, 20), (2, 5)),
            line((1, 25)),
            1,
            0,
            1,
            0.8,
            id="small object merged into a large one",
        ),
        pytest.param(TWO, line((1, 10), (0, 15)), 1, 0, 1, 1.0, id="missed"),
        pytest.param(TWO, line((1, 10), (3, 5), (2, 10)), 2, 1, 0, 1.0, id="spurious"),
        pytest.param(
            TWO, line((1, 5), (0, 10), (2, 10)), 2, 0, 0, 0.75, id="IoU equal to the threshold"
        ),
        pytest.param(
            TWO, line((1, 4), (0, 11), (2, 10)), 1, 1, 1, 1.0, id="IoU below the threshold"
        ),
        pytest.param(NONE, NONE, 0, 0, 0, None, id="both empty"),
        pytest.param(NONE, TWO, 0, 2, 0, None, id="no true objects"),
        pytest.param(TWO, NONE, 0, 0, 2, None, id="no objects found"),
    ],
)
def test_scores_of_small_examples(ground_truth, labels, tp, fp, fn, iou):
    scores = evaluate_labels(ground_truth, labels, SPACING)
    row = at(scores, 0.5)
    assert (row["true_positives"], row["false_positives"]) == (tp, fp)
    assert row["false_negatives"] == fn
    assert row["mean_matched_iou"] == pytest.approx(iou)
    empty = float(ground_truth is NONE and labels is NONE)
    assert row["precision"] == pytest.approx(tp / (tp + fp) if tp + fp else empty)
    assert row["recall"] == pytest.approx(tp / (tp + fn) if tp + fn else empty)
    assert row["f1"] == pytest.approx(2 * tp / (2 * tp + fp + fn) if tp + fp + fn else empty)
    assert row["average_precision"] == pytest.approx(tp / (tp + fp + fn) if tp + fp + fn else empty)
    assert row["panoptic_quality"] == pytest.approx(row["f1"] * iou if tp else empty)
    assert all(
        scores["summary"][name] == row[name]
        for name in ("precision", "recall", "f1", "average_precision", "panoptic_quality")
    )


def test_data_types_may_differ():
    assert evaluate_labels(TWO.astype("uint32"), TWO.astype("uint8"), SPACING) == evaluate_labels(
        TWO, TWO, SPACING
    )


def test_volumes_of_matched_objects():
    ground_truth, labels = (
        line((1, 10), (0, 5), (2, 10), (0, 5)),
        line((1, 8), (0, 7), (2, 15)),
    )  # 20 % too small, 50 % too large
    summary = evaluate_labels(ground_truth, labels, (2, 3, 4))["summary"]
    assert summary["volume_bias_um3"] == pytest.approx((-2 + 5) / 2 * 24)
    assert summary["volume_bias_percent"] == pytest.approx(15)
    assert summary["volume_sd_percent"] == pytest.approx(np.std([-20, 50], ddof=1))
    single = evaluate_labels(line((1, 10)), line((1, 9), (0, 1)), SPACING)["summary"]
    assert (single["volume_bias_percent"], single["volume_sd_percent"]) == (
        pytest.approx(-10),
        None,
    )


def renumber(labels, random):
    numbers = list(range(1, int(labels.max()) + 1))
    random.shuffle(numbers)
    return np.array([0, *numbers], "uint16")[labels]


@given(LABELS, LABELS, st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_the_order_of_labels(ground_truth, labels, random):
    ours, theirs = (
        evaluate_labels(*each, SPACING)
        for each in (
            (ground_truth, labels),
            (renumber(ground_truth, random), renumber(labels, random)),
        )
    )
    for row, other in zip(ours["thresholds"], theirs["thresholds"], strict=True):
        assert row == pytest.approx(other)
    # equally good matchings may differ in the shapes of the matched objects
    of_matched = {name for name in ours["summary"] if name.startswith("volume_")} | {
        "mean_surface_distance_um",
        "count_low_iou",
    }
    fixed = ours["summary"].keys() - of_matched
    assert {name: ours["summary"][name] for name in fixed} == pytest.approx(
        {name: theirs["summary"][name] for name in fixed}
    )


@given(LABELS, LABELS)
def test_invariants(ground_truth, labels):
    scores, swapped = (
        evaluate_labels(ground_truth, labels, SPACING),
        evaluate_labels(labels, ground_truth, SPACING),
    )
    tp = [row["true_positives"] for row in scores["thresholds"]]
    assert [row["iou_threshold"] for row in scores["thresholds"]] == [
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
        0.6,
        0.7,
        0.8,
        0.9,
    ]
    assert tp == sorted(tp, reverse=True)
    for row, other in zip(scores["thresholds"], swapped["thresholds"], strict=True):
        assert row["true_positives"] + row["false_negatives"] == ground_truth.max()
        assert row["true_positives"] + row["false_positives"] == labels.max()
        assert (row["precision"], row["recall"], row["f1"]) == (
            other["recall"],
            other["precision"],
            other["f1"],
        )
        assert row["panoptic_quality"] == pytest.approx(other["panoptic_quality"])
        assert 0 <= row["average_precision"] <= row["f1"] <= 1
        assert row["mean_matched_iou"] is None or row["mean_matched_iou"] >= row["iou_threshold"]
    ours, theirs = scores["summary"], swapped["summary"]
    for name, partner in EXCHANGED.items():
        assert (ours[name], ours[partner]) == (theirs[partner], theirs[name])
    for name in SYMMETRIC[:3]:
        assert ours[name] == pytest.approx(theirs[name])
    for name in ("seg", "det", "aggregated_jaccard_index"):
        assert 0 <= ours[name] <= 1
    assert ours.keys() == BY_STACK.keys() - KEY.keys()
    assert scores["thresholds"][0].keys() == BY_THRESHOLD.keys() - KEY.keys()


@given(LABELS)
def test_scores_of_the_ground_truth_itself(ground_truth):
    scores = evaluate_labels(ground_truth, ground_truth, SPACING)
    summary = scores["summary"]
    assert all(row["f1"] == row["panoptic_quality"] == 1 for row in scores["thresholds"])
    assert summary["seg"] == summary["det"] == summary["aggregated_jaccard_index"] == 1
    assert not any(scores["errors"].values())
    for name in (
        "adapted_rand_error",
        "variation_of_information_split_bit",
        "variation_of_information_merge_bit",
    ):
        assert summary[name] in (0, None)
    for name in ("volume_bias_um3", "volume_bias_percent", "mean_surface_distance_um"):
        assert summary[name] in (0, None)


def test_scripts_write_tables(tmp_path):
    stacks = {"good": TWO, "empty": NONE}
    for name, labels in stacks.items():
        write_stack(tmp_path / f"{name}-ground_truth.tif", TWO, SPACING)
        write_stack(tmp_path / f"{name}.tif", labels, SPACING)
        files = {
            "ground_truths": [tmp_path / f"{name}-ground_truth.tif"] * 2,
            "segmentations": [tmp_path / f"{name}.tif"] * 2,
        }
        script.main(
            **files,
            scores=tmp_path / f"{name}.json",
            stack=name,
            objects=["nuclei", "cells"],
            by_points=[False, False],
        )
    content = json.loads((tmp_path / "empty.json").read_text())
    assert content["objects"]["cells"]["errors"]["missed"] == [
        {"true_label": label, "label": None, "wrong_voxels": 10} for label in (1, 2)
    ]
    tables = {name: tmp_path / f"{name}.csv" for name in ("scores", "stacks")}
    collect_scores.main(stack_scores=[tmp_path / "good.json", tmp_path / "empty.json"], **tables)
    rows = {name: list(read_rows(path)) for name, path in tables.items()}
    assert [row["iou_threshold"] for row in rows["scores"][:2]] == ["0.1", "0.2"]
    assert [
        (row["stack"], row["object"], row["f1"], row["mean_surface_distance_um"])
        for row in rows["stacks"]
    ] == [
        ("good", "nuclei", "1", "0"),
        ("good", "cells", "1", "0"),
        ("empty", "nuclei", "0", ""),
        ("empty", "cells", "0", ""),
    ]
    for table, name in (("scores", "scores.csv"), ("stacks", "stack_scores.csv")):
        assert list(TABLES[name]) == list(rows[table][0])
    assert len(rows["scores"]) == 4 * 9


def test_surface_distance_and_bias_are_in_um():
    spacing = (2.0, 0.5, 0.25)
    ground_truth, labels = np.zeros((2, 9, 30, 40), np.uint16)
    ground_truth[2:7, 5:21, 5:25], labels[2:7, 5:25, 5:25] = 1, 1  # 4 rows of 0.5 um more
    summary = evaluate_labels(ground_truth, labels, spacing)["summary"]
    assert summary["volume_bias_um3"] == pytest.approx(5 * 4 * 20 * 0.25)
    expected = mean_surface_distance(ground_truth > 0, labels > 0, spacing)
    assert summary["mean_surface_distance_um"] == pytest.approx(expected)
    swapped = mean_surface_distance(ground_truth > 0, labels > 0, (2.0, 0.25, 0.5))
    assert abs(swapped - expected) > 0.01


def test_the_median_bias_of_volumes_ignores_a_single_object():
    ground_truth = line((1, 10), (0, 5), (2, 10), (0, 5), (3, 10), (0, 10))
    labels = line((1, 9), (0, 6), (2, 8), (0, 7), (3, 18), (0, 2))
    summary = evaluate_labels(ground_truth, labels, SPACING)["summary"]
    assert summary["volume_bias_median_percent"] == pytest.approx(-10)
    assert summary["volume_bias_percent"] == pytest.approx((-10 - 20 + 80) / 3)
