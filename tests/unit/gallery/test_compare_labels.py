"""The labels of alternatives beside the ground truth, with their scores."""

from importlib import import_module

import numpy as np
import pytest
from drawn import boxes_image, extent_of, pixels_of

from cellstack.figures import drawing
from cellstack.files.failures import write_failure
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import write_stack
from cellstack.files.tables import read_rows
from cellstack.gallery import compare_labels as module
from cellstack.gallery.compare_labels import FIELDS, Result, compare_labels

SPACING = (1.0, 0.5, 0.4)
SHAPE = (4, 24, 60)
VIEW = {
    "plane": 1,
    "row": 3,
    "region": [[0, size] for size in SHAPE],
    "zoom": [[0, 9], [0, 9]],
    "shape": list(SHAPE),
    "spacing": list(SPACING),
}
TRUTH = boxes_image(SHAPE, [(0, 3), (2, 12), (2, 12)], [(0, 3), (2, 12), (30, 42)])
MERGED = boxes_image(SHAPE, [(0, 3), (2, 12), (2, 42)])
EMPTY = np.zeros(SHAPE, np.uint16)
FAILURE = "binarize: no two peaks"
ALTERNATIVES = [
    {"stage": "binarize", "title": "otsu", "snippet": {"binarize": {"method": "otsu"}}},
    {"stage": "binarize", "title": "minimum", "snippet": {"binarize": {"method": "minimum"}}},
    {"stage": "split_objects", "title": "edges", "snippet": {"split_objects": {}}},
]


def compare(results=(MERGED, FAILURE, EMPTY), truth=TRUTH, **options):
    read = (Result(None, each) if isinstance(each, str) else Result(each) for each in results)
    stages = ["binarize", "split_objects", "merge_objects"]
    raw = np.zeros(SHAPE, np.uint8)
    return compare_labels(raw, SPACING, VIEW, TRUTH, ALTERNATIVES, read, stages, truth, **options)


def test_the_table_has_counts_and_scores_of_the_whole_stack():
    own, merged, failed, empty = compare()["table"]
    assert all(tuple(row) == FIELDS for row in (own, merged, failed, empty))
    assert (own["settings"], own["count"], own["f1"]) == ("as configured", 2, 1)
    assert own["median_volume_um3"] == pytest.approx(np.median([300, 360]) * 0.2)
    assert (merged["stage"], merged["settings"]) == ("binarize", "otsu")
    assert (merged["count"], merged["f1"], merged["merged"]) == (1, 0, 1)
    assert merged["configuration"] == {"binarize": {"method": "otsu"}}
    assert (failed["failure"], failed["count"], failed["f1"]) == (FAILURE, None, None)
    assert (empty["count"], empty["f1"], empty["missed"]) == (0, 0, 2)
    assert empty["median_volume_um3"] is None


def test_half_of_the_objects_match():
    labels = np.where(TRUTH == 1, TRUTH, 0)
    _, row, *_ = compare((labels, FAILURE, EMPTY))["table"]
    assert row["f1"] == pytest.approx(2 / 3)


def test_without_a_ground_truth_there_are_counts_only():
    section = compare(truth=None)
    for row in section["table"]:
        assert [row[name] for name in ("f1", "split", "missed")] == [None] * 3
    assert section["table"][1]["count"] == 1
    assert "Vermillion" not in section["text"]


def test_points_are_scored_by_containment():
    points = boxes_image(SHAPE, [(1, 2), (5, 6), (5, 6)], [(1, 2), (5, 6), (35, 36)])
    section = compare(truth=points, by_points=True)
    own, merged, *_ = section["table"]
    assert (own["f1"], merged["merged"], merged["f1"]) == (1, 1, pytest.approx(2 / 3))
    assert "one point" in section["text"]


def test_a_picture_per_stage_with_what_each_shows(monkeypatch):
    written = []
    add_text = drawing.add_text

    def record(figure, left, top, text, **style):
        written.append(text)
        return add_text(figure, left, top, text, **style)

    monkeypatch.setattr(drawing, "add_text", record)
    first, second, third = compare()["panels"]
    assert [each["title"] for each in (first, second, third)] == [
        "binarize",
        "split_objects",
        "merge_objects",
    ]
    for text in ("ground truth", "as configured", "otsu", "minimum"):
        assert text in written
    assert {"2 objects, F1 1.00", "1 object, F1 0.00", "failed"} <= set(written)
    assert "no objects found, F1 0.00" in written
    assert third["caption"] == module.NO_EFFECT
    assert first["caption"] == second["caption"] == ""


def test_matched_objects_are_blue_and_others_vermillion():
    section = compare()
    picture = pixels_of(section["panels"][0])
    assert extent_of(module.MATCHED_COLOR, picture) is not None
    (_, rows), columns = extent_of(module.UNMATCHED_COLOR, picture)
    # the merged object is on the third tile
    assert columns[0] > 2 * module.TILE_WIDTH
    assert rows < picture.shape[0]
    picture = pixels_of(compare(truth=None)["panels"][0])
    assert extent_of(module.MATCHED_COLOR, picture) is not None


def test_nothing_is_compared_without_stages():
    section = compare_labels(np.zeros(SHAPE, np.uint8), SPACING, VIEW, TRUTH, [], iter(()), [])
    assert section["panels"] == []
    assert "compare_labels.stages" in section["text"]
    assert len(section["table"]) == 1


def test_the_script_reads_labels_and_reasons_of_failures(tmp_path):
    paths = {name: tmp_path / f"{name}.tif" for name in ("own", "merged", "failed", "empty")}
    for name, labels in (("own", TRUTH), ("merged", MERGED), ("empty", EMPTY)):
        write_stack(paths[name], labels, SPACING)
    write_failure(paths["failed"], FAILURE)
    write_json(tmp_path / "view.json", VIEW)
    import_module("compare_labels").main(
        raw=paths["own"],
        segmentations=list(paths.values()),
        view=tmp_path / "view.json",
        final_labels=tmp_path / "labels.json",
        table=tmp_path / "labels.csv",
        alternatives=ALTERNATIVES,
        stages=["binarize"],
        by_points=False,
        ground_truth=[paths["own"]],
        color_map="viridis",
    )
    rows = list(read_rows(tmp_path / "labels.csv"))
    assert [row["count"] for row in rows] == ["2", "1", "", "0"]
    assert [row["failure"] for row in rows] == ["", "", FAILURE, ""]
    assert rows[1]["configuration"] == "binarize: {method: otsu}"
    section = read_json(tmp_path / "labels.json")
    assert [panel["title"] for panel in section["panels"]] == ["binarize"]
