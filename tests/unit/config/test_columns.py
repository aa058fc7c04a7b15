import pytest

import describe_columns
from cellstack.compare import group_columns
from cellstack.config import columns, object_columns
from cellstack.evaluate.score_columns import TABLES
from cellstack.files.tables import read_rows


def test_columns_of_a_channel_are_repeated_in_the_order_of_the_channels():
    fixed = list(object_columns.COLUMNS)
    assert not [name for name in fixed if "<" in name]
    names = object_columns.column_names({"intensity": ["b", "a"]})
    by_channel = object_columns.GROUPS["intensity"]
    of_both = [name.replace("<channel>", channel) for channel in "ba" for name in by_channel]
    assert names == fixed + of_both
    assert object_columns.column_names({}) == fixed
    pairs = object_columns.pair_column_names(["b"])
    assert sorted(pairs) == sorted(
        name.replace("<channel>", "b") for name in object_columns.PAIR_COLUMNS
    )


def test_groups_of_columns_follow_in_the_order_of_the_table():
    names = object_columns.column_names({"hull": [], "surface": []})
    added = [name for name in names if name not in object_columns.COLUMNS]
    assert added == [*object_columns.GROUPS["surface"], *object_columns.GROUPS["hull"]]
    with pytest.raises(KeyError, match="no group of columns \\['hulls'\\]"):
        object_columns.column_names({"hulls": []})


def test_each_column_belongs_to_one_group():
    tables = (object_columns.COLUMNS, *object_columns.GROUPS.values(), object_columns.PAIR_COLUMNS)
    names = [name for table in tables for name in table]
    assert len(names) == len(set(names))


def test_each_column_has_a_unit_and_a_definition_with_its_channel():
    every = {group: ["GFP-2"] for group in object_columns.GROUPS}
    for name in object_columns.column_names(every) + object_columns.pair_column_names(["GFP-2"]):
        unit, definition = object_columns.describe(name)
        assert definition
        assert "<channel>" not in definition
        assert ("GFP-2" in definition) == ("GFP-2" in name)
        ending = name.rpartition("_")[2]
        assert unit == ending or not ending.startswith("um")


@pytest.mark.parametrize(
    "name",
    [
        "mouse",
        "volume",
        "my_volume_um3",
        "volume_um3_2",
        "mean_intensity_",
        "mean_intensity_a_b",
        "mean intensity a",
        "centroid_weighted_a_t_um",
    ],
)
def test_other_columns_are_not_described(name):
    assert object_columns.describe(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "volume_um3",
        "flags",
        "sum_intensity_a",
        "nuclei_count",
        "status",
        "diameter_source",
        "count_found",
        "count_measured",
        "count_flagged",
        "count_dropped_lateral_face",
        "density_per_mm3",
        "voxel_size_z_um",
    ],
)
def test_names_of_results_are_known(name):
    assert columns.is_result(name)


@pytest.mark.parametrize(
    "name",
    ["mouse", "mean_age", "p_volume_um3", "p5_age", "count", "count_dropped_", "xstatus", "n"],
)
def test_other_names_are_free(name):
    assert not columns.is_result(name)


def test_the_dictionary_has_the_columns_of_every_table(tmp_path):
    path = tmp_path / "columns.csv"
    describe_columns.main(
        columns=path,
        groups={"surface": [], "intensity": ["nuclei", "membrane"]},
        channels=["nuclei", "membrane"],
        objects=["nuclei", "cells"],
        from_sheet=["=mouse"],
        has_scores=True,
        has_groups=True,
        shells=5,
    )
    rows = list(read_rows(path))
    assert all(row["definition"] for row in rows)
    listed = {}
    for row in rows:
        listed.setdefault(row["table"], []).append(row["column"])
    others = [
        "stacks.csv",
        "objects.csv",
        "checks.csv",
        "statistics.csv",
        "quality.csv",
        "selection.csv",
    ]
    assert list(listed) == [*others, "contacts.csv", "pairs.csv", *group_columns.TABLES, *TABLES]
    assert listed["stacks.csv"][:6] == [
        *("stack", "object", "status", "flags"),
        *("=mouse", "count_found"),
    ]
    assert listed["objects.csv"][3:6] == ["segmentation_label", "=mouse", "flags"]
    assert "nuclei_count" in listed["objects.csv"]
    assert "sphericity" in listed["objects.csv"]
    assert "solidity" not in listed["objects.csv"]
    assert listed["statistics.csv"] == list(columns.STATISTICS_COLUMNS)
    assert listed["quality.csv"] == list(columns.QUALITY_COLUMNS)


def test_the_dictionary_has_only_tables_that_are_written():
    tables = columns.describe_tables({"intensity": ["dna"]}, ["dna"], ["nuclei"], [])
    assert tables.keys().isdisjoint({"contacts.csv", "pairs.csv"})
    assert "nuclei_count" not in tables["objects.csv"]
    assert "mean_intensity_dna" in tables["objects.csv"]
