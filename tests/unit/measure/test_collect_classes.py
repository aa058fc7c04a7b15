from cellstack.config.columns import CLASS_COLUMNS
from cellstack.measure.collect_classes import count_classes, count_examples


def test_every_class_has_a_row_in_order():
    rows = count_classes(["b", "", "b", "other"], ["a", "b", "other"])
    assert [row["class"] for row in rows] == ["a", "b", "other"]
    assert [row["count_objects"] for row in rows] == [0, 2, 1]
    assert [row["class_fraction"] for row in rows] == [0, 2 / 3, 1 / 3]
    assert {(row["count_classified"], row["count_without_class"]) for row in rows} == {(3, 1)}
    assert rows[0].keys() < CLASS_COLUMNS.keys()


def test_a_stack_without_objects_has_no_fractions():
    (row,) = count_classes([], ["a"])
    assert (row["count_objects"], row["class_fraction"], row["count_classified"]) == (0, None, 0)
    (row,) = count_classes(["", ""], ["a"])
    assert (row["class_fraction"], row["count_without_class"]) == (None, 2)


def test_examples():
    assert count_examples({"thresholds": []}) == {}
    fitted = {"fit": {"examples": {"a": 3}}, "not_used": [{"name": "a"}, {"name": "b"}] * 2}
    assert count_examples(fitted) == {
        "a": {"count_examples": 3, "count_examples_not_used": 2},
        "b": {"count_examples": 0, "count_examples_not_used": 2},
    }
