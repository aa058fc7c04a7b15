"""Scores of labels against points, one in each object."""

import json

import numpy as np
import pytest
from labels import line

import collect_scores
import evaluate_labels as script
from cellstack.evaluate.evaluate_points import evaluate_points
from cellstack.evaluate.score_columns import BY_STACK, BY_THRESHOLD, KEY
from cellstack.files.stacks import write_stack
from cellstack.files.tables import read_rows

SPACING = (1.0, 0.5, 0.25)
NONE = line((0, 30))
# label 1 has one point, 2 has three, 3 and 4 have none; point 5 is in the background
FOUND = line((1, 5), (2, 8), (0, 2), (3, 4), (0, 1), (4, 6), (0, 4))
POINTS = np.zeros_like(FOUND)
POINTS[0, 0, [2, 5, 12, 9, 14]] = 1, 2, 3, 4, 5


def test_objects_with_one_several_and_no_points():
    evaluation = evaluate_points(POINTS, FOUND)
    assert evaluation["errors"] == {
        "merged": [{"label": 2, "true_labels": [2, 3, 4]}],
        "missed": [{"true_label": 5, "label": None}],
        "spurious": [{"label": 4, "true_label": None}, {"label": 3, "true_label": None}],
    }
    assert evaluation["matches"] == [{"true_label": 1, "label": 1}]
    summary = evaluation["summary"]
    assert (summary["count_ground_truth"], summary["count_found"]) == (5, 4)
    assert [summary[f"count_{kind}"] for kind in ("merged", "missed", "spurious")] == [1, 1, 2]
    # of 4 objects two have a point; of 5 points three share an object, and one has none
    assert summary["precision"] == 2 / 4
    assert summary["recall"] == 2 / 5
    assert summary["f1"] == pytest.approx(2 * 2 / (4 + 5))
    (row,) = evaluation["thresholds"]
    names = ("true_positives", "false_positives", "false_negatives", "iou_threshold")
    assert [row[name] for name in names] == [2, 2, 3, None]


def test_scores_that_need_outlines_are_empty():
    evaluation = evaluate_points(POINTS, FOUND)
    assert evaluation["ground_truth"] == "points"
    summary = evaluation["summary"]
    assert summary.keys() == BY_STACK.keys() - KEY.keys()
    assert evaluation["thresholds"][0].keys() == BY_THRESHOLD.keys() - KEY.keys()
    known = {"count_ground_truth", "count_found", "precision", "recall", "f1", "average_precision"}
    known |= {"count_merged", "count_missed", "count_spurious"}
    assert {name for name, value in summary.items() if value is not None} == known


@pytest.mark.parametrize(
    ("points", "labels", "f1"), [(NONE, NONE, 1), (NONE, FOUND, 0), (POINTS, NONE, 0)]
)
def test_without_points_or_objects(points, labels, f1):
    summary = evaluate_points(points, labels)["summary"]
    assert summary["precision"] == summary["recall"] == summary["f1"] == f1


def test_scripts_write_tables(tmp_path):
    write_stack(tmp_path / "points.tif", POINTS, SPACING)
    write_stack(tmp_path / "found.tif", FOUND, SPACING)
    script.main(
        ground_truths=[tmp_path / "points.tif", tmp_path / "found.tif"],
        segmentations=[tmp_path / "found.tif"] * 2,
        scores=tmp_path / "scores.json",
        stack="a",
        objects=["nuclei", "cells"],
        by_points=[True, False],
    )
    kinds = json.loads((tmp_path / "scores.json").read_text())["objects"]
    assert [kinds[kind]["ground_truth"] for kind in kinds] == ["points", "outlines"]
    tables = {name: tmp_path / f"{name}.csv" for name in ("scores", "stacks")}
    collect_scores.main(stack_scores=[tmp_path / "scores.json"], **tables)
    nuclei, *cells = read_rows(tables["scores"])
    assert (nuclei["ground_truth"], nuclei["iou_threshold"], nuclei["f1"]) == (
        "points",
        "",
        "0.444444444",
    )
    assert {row["ground_truth"] for row in cells} == {"outlines"}
    by_stack = list(read_rows(tables["stacks"]))
    assert [(row["ground_truth"], row["mean_surface_distance_um"]) for row in by_stack] == [
        ("points", ""),
        ("outlines", "0"),
    ]
