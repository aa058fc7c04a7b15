import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.filters import threshold_otsu

from cellstack.config.conditions import parse_condition
from cellstack.errors import InputError
from cellstack.measure.classify_objects import (
    classify_by_conditions,
    classify_by_model,
    find_thresholds,
    read_numbers,
)

NAN = float("nan")


def threshold(values, name):
    condition = parse_condition(f"a > {name}")
    (found,) = find_thresholds({"a": np.array(values, float)}, [condition])
    return found


def classify(table, **conditions):
    table = {name: np.array(values, float) for name, values in table.items()}
    parsed = {name: parse_condition(text) for name, text in conditions.items()}
    return classify_by_conditions(table, parsed, find_thresholds(table, parsed.values()))


@pytest.mark.parametrize("percent", ["0", "5", "50", "90", "97.5", "100"])
def test_percentiles_are_those_of_numpy(percent):
    values = np.random.default_rng(0).gamma(2, 50, 37)
    found = threshold([*values, NAN], f"p{percent}")
    assert found["value"] == np.percentile(values, float(percent))
    assert found["n"] == 37
    assert found["threshold"] == f"p{percent}"


def within_classes(values, limit):
    """Return the sum of squares within the two classes."""
    parts = values[values <= limit], values[values > limit]
    return sum(((part - part.mean()) ** 2).sum() for part in parts)


@given(arrays("int16", st.integers(2, 30), elements=st.integers(0, 40)))
def test_the_otsu_threshold_minimizes_the_variance_within_the_classes(values):
    present, counts = np.unique(values, return_counts=True)
    value = threshold(values, "otsu")["value"]
    if len(present) == 1:
        assert value is None
        return
    best = min(within_classes(values, limit) for limit in present[:-1])
    assert within_classes(values, value) == pytest.approx(best)
    # scikit-image gives the highest value of the lower class
    expected = values > threshold_otsu(hist=(counts, present.astype(float)))
    if len(set(np.round([within_classes(values, x) for x in present[:-1]], 6))) > len(present) - 2:
        np.testing.assert_array_equal(values > value, expected)


def test_thresholds_of_too_few_objects():
    for name in ("p90", "otsu"):
        assert threshold([], name)["value"] is threshold([NAN], name)["value"] is None
    assert threshold([3, 3], "p90")["value"] == 3
    assert threshold([3, 3], "otsu")["value"] is None


def test_each_threshold_is_that_of_its_column_and_named_once():
    conditions = [parse_condition(text) for text in ("a > p50 and b > p50", "not a < P50")]
    table = {"a": np.array([1.0, 2, 3]), "b": np.array([10.0, 20, 30])}
    found = find_thresholds(table, conditions)
    assert [(each["column"], each["value"]) for each in found] == [("a", 2), ("b", 20)]
    table["a"][:] = 0
    classes = classify_by_conditions(table, {"x": conditions[0]}, found)
    assert classes == ["other"] * 3
    assert classify_by_conditions({"a": table["b"], "b": table["b"]}, {"x": conditions[0]}, found)[
        1:
    ] == ["other", "x"]


def test_the_first_class_whose_condition_is_met():
    table = {"size": [1, 5, 9], "light": [1, 9, 9]}
    assert classify(table, large="size > 4", bright="light > 4") == ["other", "large", "large"]
    assert classify(table, bright="light > 8 and size < 7", large="size > 4") == [
        "other",
        "bright",
        "large",
    ]


def test_all_operators_and_another_column():
    table = {"a": [1, 2, 3], "b": [3, 2, 1]}
    expected = {"<": "100", "<=": "110", ">": "001", ">=": "011", "==": "010", "!=": "101"}
    for sign, met in expected.items():
        classes = ["x" if each == "1" else "other" for each in met]
        assert classify(table, x=f"a {sign} 2") == classify(table, x=f"a {sign} b") == classes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 1", ""),
        ("not a > 1", ""),
        ("a > 1 and b > 1", ""),
        ("a > 1 and b > 9", "other"),
        ("a > 1 or b > 1", "x"),
        ("a > 1 or b > 9", ""),
        ("a == a", ""),
        ("b > a", ""),
        ("a > p50", ""),
    ],
)
def test_a_missing_value_gives_no_class_unless_the_result_does_not_depend_on_it(text, expected):
    assert classify({"a": [NAN], "b": [5]}, x=text) == [expected]


def test_a_missing_value_in_an_earlier_class_gives_no_class():
    table = {"a": [NAN, 5], "b": [5, 5]}
    assert classify(table, x="a > 9", y="b > 1") == ["", "y"]
    assert classify(table, y="b > 1", x="a > 9") == ["y", "y"]


def test_a_threshold_that_is_not_known_gives_no_class():
    assert classify({"a": [3, 3]}, x="a > otsu") == ["", ""]


def test_no_objects():
    assert classify({"a": []}, x="a > p90 and not a < otsu") == []


def test_numbers_of_a_table():
    rows = [{"a": "1.5", "b": ""}, {"a": "0", "b": "-2e3"}]
    table = read_numbers(rows, ["b", "a", "c"])
    assert list(table) == ["b", "a", "c"]
    np.testing.assert_array_equal(table["a"], [1.5, 0])
    np.testing.assert_array_equal(table["b"], [NAN, -2000])
    assert np.isnan(table["c"]).all()
    with pytest.raises(InputError, match="the column 'a' has no numbers, such as 'cortex'"):
        read_numbers([{"a": "1"}, {"a": "cortex"}], ["a"])


def test_a_model_of_three_classes():
    model = {
        "columns": ["a"],
        "classes": ["low", "middle", "high"],
        "mean": [10.0],
        "sd": [2.0],
        "coefficients": [[-3.0], [0.0], [3.0]],
        "intercepts": [0.0, 1.0, 0.0],
    }
    values = np.array([4, 10, 16, NAN, 1e6])
    classes, probabilities = classify_by_model({"a": values}, model)
    assert classes == ["low", "middle", "high", "", "high"]
    scores = np.exp([9, 1, -9])
    assert probabilities[0] == pytest.approx(scores[0] / scores.sum())
    assert np.isnan(probabilities[3])
    assert probabilities[4] == 1  # no overflow
    assert classify_by_model({"a": np.array([])}, model)[0] == []
