"""Rows of groups.csv: designs, warnings, and corrections over the table."""

import numpy as np
import pytest
from scipy import stats

from cellstack.compare.compare_groups import compare_groups
from cellstack.compare.group_columns import GROUPS
from cellstack.compare.unit_means import UnitMean

FEW = "fewer than three units in"


def units_of(values, column="volume_um3", pairs=None, kind="nuclei"):
    """Return units by group; `pairs` are names of pairs by group."""
    return [
        UnitMean(kind, column, group, pairs[group][i] if pairs else "", f"{group}{i}", 2, 30, mean)
        for group, means in values.items()
        for i, mean in enumerate(means)
    ]


def compare(values, groups=None, pairs=None, **options):
    units = units_of(values, pairs=pairs)
    return compare_groups(units, {"nuclei": groups or list(values)}, **options)


def test_two_unbalanced_groups():
    values = {"drug, 5 µM": [8.0, 9.5, 12.0, 11.0], "control": [4.0, 6.0, 5.5]}
    (row,) = compare(values)
    assert row.keys() <= GROUPS.keys() - {"unit"}
    assert (row["group_1"], row["group_2"], row["design"]) == (
        "control",
        "drug, 5 µM",
        "independent units",
    )
    assert [row[f"count_{name}_1"] for name in ("units", "stacks", "objects")] == [3, 6, 90]
    assert [row[f"count_{name}_2"] for name in ("units", "stacks", "objects")] == [4, 8, 120]
    first, second = np.array(values["control"]), np.array(values["drug, 5 µM"])
    assert row["mean_1"] == pytest.approx(first.mean())
    assert row["sd_2"] == pytest.approx(second.std(ddof=1))
    assert row["difference"] == pytest.approx(second.mean() - first.mean())
    assert row["ratio"] == pytest.approx(second.mean() / first.mean())
    expected = stats.ttest_ind(second, first, equal_var=False)
    assert row["p_value"] == row["p_corrected"] == pytest.approx(expected.pvalue)
    assert row["statistic"] == pytest.approx(expected.statistic)
    assert row["difference_low"] < row["difference"] < row["difference_high"]
    assert row["p_permutation"] == pytest.approx(2 / 35)  # of all 35 partitions the most extreme
    assert (row["p_all_groups"], row["warnings"]) == (None, "")


@pytest.mark.parametrize("second", [[], [3.0], [3.0, 5.0]])
def test_fewer_than_three_units(second):
    (row,) = compare({"a": [1.0, 2.0, 3.0], "b": second})
    assert row["warnings"] == f"{FEW if second else 'no values in'} b: no test"
    assert row["p_value"] is row["p_corrected"] is row["test"] is None
    assert {"difference_low", "p_permutation"}.isdisjoint(row)
    assert row["count_tests"] == 0
    assert row["difference"] == (np.mean(second) - 2 if second else None)
    assert row["sd_2"] == (np.std(second, ddof=1) if len(second) > 1 else None)


def test_groups_of_equal_values():
    (row,) = compare({"a": [2.0] * 3, "b": [2.0] * 3})
    assert (row["difference"], row["sd_1"], row["p_value"]) == (0, 0, None)
    assert row["warnings"] == "the units of each group have the same value: no test"


def test_ratios_of_means_that_are_not_positive():
    for first, second, expected in ((0, 1, None), (-2, 1, None), (2, -1, None), (2, 0, 0)):
        (row,) = compare({"a": [first] * 3, "b": [second] * 3})
        assert row["ratio"] == expected


def test_pairs_without_a_partner_are_left_out():
    values = {"before": [10.0, 20.0, 30.0, 44.0], "after": [33.0, 12.0, 21.0, 70.0, 80.0]}
    pairs = {"before": ["m1", "m2", "m3", "m4"], "after": ["m3", "m1", "m2", "m9", "m9"]}
    (row,) = compare(values, pairs=pairs)
    assert row["design"] == "paired units"
    assert (row["count_units_1"], row["count_units_2"]) == (3, 3)
    assert row["mean_1"] == pytest.approx(20) and row["mean_2"] == pytest.approx(22)
    expected = stats.ttest_rel([12.0, 21.0, 33.0], [10.0, 20.0, 30.0])
    assert (row["test"], row["p_value"]) == ("paired t-test", pytest.approx(expected.pvalue))
    assert row["warnings"] == "2 units without a partner are left out"


def test_units_of_a_pair_are_averaged():
    values = {"a": [1.0, 3.0, 5.0, 8.0], "b": [4.0, 7.0, 9.5]}
    pairs = {"a": ["p", "p", "q", "r"], "b": ["p", "q", "r"]}
    (row,) = compare(values, pairs=pairs)
    assert row["count_units_1"] == 3
    assert row["count_stacks_1"] == 8
    assert row["mean_1"] == pytest.approx((2 + 5 + 8) / 3)
    expected = stats.ttest_rel([4.0, 7.0, 9.5], [2.0, 5.0, 8.0])
    assert row["p_value"] == pytest.approx(expected.pvalue)


def test_too_few_pairs_and_equal_changes():
    names = ["p", "q", "r"]
    (row,) = compare({"a": [1.0, 2.0, 3.0], "b": [2.0, 3.0]}, pairs={"a": names, "b": names})
    assert row["warnings"].endswith("fewer than three pairs of units: no test")
    (row,) = compare({"a": [1.0, 2.0, 4.0], "b": [2.0, 3.0, 5.0]}, pairs={"a": names, "b": names})
    assert row["warnings"] == "the units of each group change by the same: no test"


def test_names_of_units_in_both_groups():
    units = [
        UnitMean("nuclei", "volume_um3", group, "", name, 1, 9, 1.0 + i)
        for group in "ab"
        for i, name in enumerate(["m1", "m2", f"{group}3"])
    ]
    (row,) = compare_groups(units, {"nuclei": ["a", "b"]})
    assert row["warnings"].startswith("2 units have the same name in both groups")


def test_outliers_are_named_and_kept():
    (row,) = compare({"a": [5.0, 5.1, 4.9, 5.05, 9.0], "b": [5.0, 5.2, 4.8]})
    assert row["warnings"] == "outlier: of a, unit a4 is unlike the others"
    assert row["mean_1"] == pytest.approx(5.81)
    names = [f"m{i}" for i in range(6)]
    first = np.array([10.0, 200.0, 30.0, 70.0, 90.0, 50.0])
    second = first + np.array([1.0, 1.1, 0.9, 1.05, 6.0, 1.0])
    (row,) = compare({"a": first, "b": second}, pairs={"a": names, "b": names})
    assert row["warnings"] == "outlier: the change of m4 is unlike the others"


@pytest.mark.parametrize("count", range(3, 7))
def test_more_groups(count):
    rng = np.random.default_rng(count)
    values = {f"dose {i}": list(rng.normal(10 + i, 1, 3 + i)) for i in range(count)}
    rows = compare(values, reference="control")
    assert len(rows) == count * (count - 1) // 2
    omnibus = stats.f_oneway(*values.values(), equal_var=False).pvalue
    assert [row["p_all_groups"] for row in rows] == pytest.approx([omnibus] * len(rows))
    against = compare(values, reference="dose 1")
    assert [row["group_1"] for row in against] == ["dose 1"] * (count - 1)
    expected = stats.false_discovery_control([row["p_value"] for row in rows])
    assert [row["p_corrected"] for row in rows] == pytest.approx(list(expected))


def test_small_groups_do_not_enter_the_test_of_all():
    values = {"a": [1.0, 2.0, 3.0], "b": [2.0, 3.5, 4.0], "c": [5.0], "d": [4.0, 6.0, 9.0]}
    rows = compare(values)
    expected = stats.f_oneway(*(values[name] for name in "abd"), equal_var=False).pvalue
    assert rows[0]["p_all_groups"] == pytest.approx(expected)
    assert sum(row["p_value"] is None for row in rows) == 3
    assert {row["count_tests"] for row in rows} == {3}


def test_p_values_are_corrected_over_columns_and_kinds():
    rng = np.random.default_rng(0)
    units = []
    for kind in ("nuclei", "cells"):
        for column in ("volume_um3", "sphericity", "density_per_mm3"):
            values = {"control": rng.normal(0, 1, 4), "drug": rng.normal(1, 1, 4)}
            units += units_of(values, column, kind=kind)
    groups = {kind: ["control", "drug"] for kind in ("nuclei", "cells")}
    rows = compare_groups(units, groups, correction="holm")
    p_values = np.array([row["p_value"] for row in rows])
    smallest = int(p_values.argmin())
    assert rows[smallest]["p_corrected"] == pytest.approx(min(6 * p_values.min(), 1))
    assert {(row["count_tests"], row["correction"]) for row in rows} == {(6, "holm")}
    assert [row["object"] for row in rows] == ["nuclei"] * 3 + ["cells"] * 3


def test_results_do_not_depend_on_the_other_columns():
    values = {"a": [1.0, 4.0, 2.0], "b": [6.0, 5.0, 9.0]}
    (alone,) = compare(values)
    units = units_of({"a": [7.0, 3.0, 1.0], "b": [1.0, 2.0, 2.5]}, "sphericity") + units_of(values)
    _, among = compare_groups(units, {"nuclei": ["a", "b"]})
    for name in ("difference_low", "difference_high", "p_value", "p_permutation"):
        assert among[name] == alone[name]
