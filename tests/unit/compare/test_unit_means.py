"""Means of units against sums by hand."""

import pytest

from cellstack.compare.unit_means import (
    StackMean,
    UnitMean,
    average_units,
    mean_of_objects,
    mean_of_stacks,
)
from cellstack.errors import InputError


def rows_of(stack, *cells, kind="nuclei", **more):
    return [{"stack": stack, "object": kind, "volume_um3": cell} | more for cell in cells]


def test_missing_values_and_other_stacks_do_not_count():
    rows = [
        *rows_of("a", "1", "", "6"),
        *rows_of("b", ""),
        *rows_of("c", "100"),
        *rows_of("a", "50", kind="cells"),
    ]
    found = mean_of_objects(rows, ["volume_um3", "sphericity"], ["a/nuclei", "b/nuclei"])
    assert found == {("a", "nuclei", "volume_um3"): StackMean(3.5, 2)}


def test_fractions_of_classes():
    names = ["round", "long", "round", ""]
    rows = [row for name in names for row in rows_of("a", "1", **{"class": name})]
    rows += rows_of("b", "1", "2", **{"class": "long"}) + rows_of("c", "1", kind="cells")
    found = mean_of_objects(rows, [], ["a/nuclei", "b/nuclei", "c/cells"])
    assert found == {
        ("a", "nuclei", "class_fraction_round"): StackMean(2 / 3, 3),
        ("b", "nuclei", "class_fraction_round"): StackMean(0.0, 2),
        ("a", "nuclei", "class_fraction_long"): StackMean(1 / 3, 3),
        ("b", "nuclei", "class_fraction_long"): StackMean(1.0, 2),
    }


def test_text_is_refused():
    with pytest.raises(InputError, match="column 'flags' contains 'low contrast'"):
        mean_of_objects(rows_of("a", "1", flags="low contrast"), ["flags"], ["a/nuclei"])
    row = {"stack": "a", "object": "nuclei", "count_found": "1", "status": "ok"}
    with pytest.raises(InputError, match=r"stacks.csv: column 'status'.*compare_groups.columns"):
        mean_of_stacks([row], ["status"], ["a/nuclei"])


def test_stacks_without_a_value():
    failed = {"stack": "a", "object": "nuclei", "count_found": "", "density_per_mm3": ""}
    empty = {"stack": "b", "object": "nuclei", "count_found": "0", "density_per_mm3": "0"}
    found = mean_of_stacks([failed, empty], ["density_per_mm3"], ["a/nuclei", "b/nuclei"])
    assert found == {("b", "nuclei", "density_per_mm3"): StackMean(0, 0)}


def test_each_stack_of_a_unit_has_the_same_weight():
    values = {
        ("a", "nuclei", "volume_um3"): StackMean(10, 1000),
        ("b", "nuclei", "volume_um3"): StackMean(40, 2),
        ("c", "nuclei", "volume_um3"): StackMean(7, 5),
        ("a", "nuclei", "density_per_mm3"): StackMean(3, 9),
        ("c", "cells", "volume_um3"): StackMean(1, 1),
    }
    places = {
        "a": {"group": "x", "unit": "m1", "pair": "p"},
        "b": {"group": "x", "unit": "m1", "pair": "p"},
        "c": {"group": "y", "unit": "m1", "pair": "p"},
    }
    samples = {f"{stack}/nuclei": place for stack, place in places.items()}
    assert average_units(values, samples, ["density_per_mm3"]) == [
        UnitMean("nuclei", "density_per_mm3", "x", "p", "m1", 1, 9, 3),
        UnitMean("nuclei", "volume_um3", "x", "p", "m1", 2, 1002, 25),
        UnitMean("nuclei", "volume_um3", "y", "p", "m1", 1, 5, 7),
    ]
