"""Distances between classes against a comparison of all pairs of voxels."""

import numpy as np
import pytest
from random_objects import gap_of, random_objects

import measure_class_distances as script
from cellstack.config.columns import CLASS_DISTANCE_COLUMNS
from cellstack.files.stacks import write_labels
from cellstack.files.tables import read_rows, write_rows
from cellstack.tissue.measure_class_distances import measure_class_distances

SPACING = (2.0, 0.7, 0.5)
NAMES = ["round", "flat", "other"]


def expected_rows(labels, classes):
    """Return label, class, nearest distances by surface and centroid, for each object and class."""
    voxels = {label: np.argwhere(labels == label) for label in classes}
    centroids = {label: each.mean(axis=0) * SPACING for label, each in voxels.items()}
    rows = {}
    for label in sorted(classes):
        for name in NAMES:
            others = [each for each in classes if classes[each] == name and each != label]
            gaps = {each: gap_of(voxels[label], voxels[each], SPACING) for each in others}
            apart = [np.linalg.norm(centroids[label] - centroids[each]) for each in others]
            rows[label, name] = (gaps, min(apart, default=None))
    return rows


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threads", [1, 2])
def test_distances_equal_those_between_all_voxels(seed, threads):
    labels = random_objects(seed)
    present = np.unique(labels[labels > 0]).tolist()
    classes = {label: NAMES[i % 2] for i, label in enumerate(present[:-1])}  # one has no class
    rows = measure_class_distances(labels, SPACING, classes, NAMES, threads)
    expected = expected_rows(labels, classes)
    assert [(row["segmentation_label"], row["nearest_class"]) for row in rows] == list(expected)
    for row, (gaps, apart) in zip(rows, expected.values(), strict=True):
        assert row["class"] == classes[row["segmentation_label"]]
        if not gaps:
            assert row["nearest_segmentation_label"] is row["surface_distance_um"] is None
            assert row["nearest_centroid_distance_um"] is None
            continue
        assert row["surface_distance_um"] == pytest.approx(min(gaps.values()), abs=1e-9)
        assert gaps[row["nearest_segmentation_label"]] == pytest.approx(min(gaps.values()))
        assert row["nearest_centroid_distance_um"] == pytest.approx(apart)


def test_without_objects_there_are_no_rows():
    assert measure_class_distances(np.zeros((2, 3, 4), np.uint16), SPACING, {}, NAMES) == []


def test_script_reads_classes_from_the_table_of_objects(tmp_path):
    labels = np.zeros((3, 9, 12), np.uint16)
    labels[1, 2:4, 1:3], labels[1, 2:4, 6:8], labels[1, 6:8, 6:8] = 4, 7, 9
    write_labels(tmp_path / "segmentation.tif", labels, SPACING)
    rows = [
        {"segmentation_label": 4, "label": 1, "class": "round"},
        {"segmentation_label": 7, "label": 2, "class": "flat"},
        {"segmentation_label": 9, "label": 3, "class": ""},
    ]
    write_rows(tmp_path / "objects.csv", list(rows[0]), rows)
    script.main(
        segmentation=tmp_path / "segmentation.tif",
        objects=tmp_path / "objects.csv",
        distances=tmp_path / "class_distances.csv",
        stack="s",
        object="nuclei",
        class_names=["round", "flat"],
    )
    found = list(read_rows(tmp_path / "class_distances.csv"))
    assert list(found[0]) == list(CLASS_DISTANCE_COLUMNS)
    names = ("label", "class", "nearest_class", "nearest_segmentation_label", "surface_distance_um")
    assert [tuple(row[name] for name in names) for row in found] == [
        ("1", "round", "round", "", ""),
        ("1", "round", "flat", "7", "1.5"),
        ("2", "flat", "round", "4", "1.5"),
        ("2", "flat", "flat", "", ""),
    ]
    assert found[1]["nearest_centroid_distance_um"] == "2.5"
