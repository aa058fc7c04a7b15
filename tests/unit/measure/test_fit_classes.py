import json

import numpy as np
import pytest

from cellstack.errors import InputError
from cellstack.files.readers import optional
from cellstack.measure.classify_objects import classify_by_model
from cellstack.measure.fit_classes import choose_columns, fit_examples, fit_model, labels_at

sklearn = pytest.importorskip("sklearn", reason="make classify installs it")


def two_classes(count, seed, distance=3.0):
    """Return measurements of objects of two classes, of which two columns of four differ."""
    rng = np.random.default_rng(seed)
    classes = np.array(["mitotic", "normal"])[rng.integers(0, 2, count)]
    values = rng.normal(0, 1, (count, 4))
    values[classes == "mitotic", 0] += distance
    values[classes == "mitotic", 1] -= distance
    return values * [50, 0.1, 4, 1] + [400, 0.8, 20, 0], classes


NAMES = ["volume_um3", "solidity", "extent", "sphericity"]


def predicted(fit, values):
    table = dict(zip(NAMES, values.T, strict=True))
    return classify_by_model(table, fit["model"])


def test_two_classes_are_told_apart_in_other_objects():
    values, classes = two_classes(40, seed=1)
    fit = fit_model(values, classes.tolist(), NAMES)
    others, expected = two_classes(2000, seed=2)
    found, probabilities = predicted(fit, others)
    accuracy = np.mean(np.array(found) == expected)
    assert accuracy > 0.97  # the best possible is 0.983
    assert fit["balanced_accuracy"] == pytest.approx(accuracy, abs=0.06)
    is_right = np.array(found) == expected
    doubtful = probabilities < np.quantile(probabilities, 0.1)
    assert is_right[doubtful].mean() < 0.9 < 0.99 < is_right[~doubtful].mean()


def test_the_accuracy_is_that_of_objects_the_model_has_not_seen():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (30, 4))
    classes = ["a", "b"] * 15  # nothing can be learned
    fit = fit_model(values, classes, NAMES)
    assert 0.2 < fit["balanced_accuracy"] < 0.75


@pytest.mark.parametrize("count", [2, 3])
def test_probabilities_are_those_of_scikit_learn(count):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(3)
    classes = [f"class{each}" for each in rng.integers(0, count, 60)]
    values = rng.normal(0, 1, (60, 4)) + [[int(name[-1]) * 1.5, 0, 0, 5] for name in classes]
    fit = fit_model(values, classes, NAMES)
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
    expected = model.fit(values, classes).predict_proba(values).max(axis=1)
    found, probabilities = predicted(fit, values)
    assert found == model.predict(values).tolist()
    np.testing.assert_allclose(probabilities, expected, atol=1e-3)


def test_the_model_is_the_same_in_every_run_and_survives_json():
    values, classes = two_classes(30, seed=4, distance=1)
    fits = [fit_model(values, classes.tolist(), NAMES) for _ in range(2)]
    assert fits[0] == fits[1] == json.loads(json.dumps(fits[0]))
    assert fits[0]["model"]["classes"] == ["mitotic", "normal"]


def test_columns_that_do_not_differ_are_left_out():
    values, classes = two_classes(20, seed=5)
    values[:, 2] = 7
    fit = fit_model(values, classes.tolist(), NAMES)
    assert fit["model"]["columns"] == ["volume_um3", "solidity", "sphericity"]
    with pytest.raises(InputError, match="the examples do not differ in any column"):
        fit_model(np.ones((4, 2)), ["a", "b", "a", "b"], NAMES[:2])


def test_one_example_of_a_class_is_enough_but_its_accuracy_is_not_known():
    fit = fit_model(np.array([[1.0], [2.0], [9.0]]), ["a", "a", "b"], ["volume_um3"])
    assert fit["balanced_accuracy"] is None
    assert fit["examples"] == {"a": 2, "b": 1}


def measured(**values):
    return {name: str(value) for name, value in values.items()}


def test_examples_that_are_not_used_have_a_reason():
    objects = {
        ("s", 1): measured(volume_um3=10),
        ("s", 2): measured(volume_um3=90),
        ("t", 1): measured(volume_um3=95),
        ("t", 2): measured(volume_um3=""),
        ("t", 3): measured(volume_um3=50),
    }
    given = [
        ("s", 1, "small"),
        ("s", 1, "small"),  # the same object again
        ("s", 2, "large"),
        ("t", 1, "large"),
        ("s", 0, "small"),
        ("s", 9, "small"),
        ("t", 2, "large"),
        ("t", 3, "large"),
        ("t", 3, "small"),
    ]
    keys = ("stack", "label", "name")
    examples = [dict(zip(keys, each, strict=True)) for each in given]
    fit, not_used = fit_examples(examples, objects, ["volume_um3"])
    assert fit["examples"] == {"large": 2, "small": 1}
    assert [each["reason"] for each in not_used] == [
        "there is no object",
        "the object is not measured",
        "the object has no value of volume_um3",
        "the object has examples of large and small",
        "the object has examples of large and small",
    ]
    message = "have 1 classes; 1 times there is no object; correct their positions"
    with pytest.raises(InputError, match=message):
        fit_examples([examples[2], examples[4]], objects, ["volume_um3"])
    with pytest.raises(InputError, match="have 0 classes"):
        fit_examples([examples[4]], {}, ["volume_um3"])


def test_labels_at_points_with_anisotropic_voxels():
    labels = np.zeros((3, 4, 5), np.uint16)
    labels[1, 2, 3] = 7
    spacing = (2.0, 0.5, 0.25)
    inside = [[2, 1, 0.75], [2.9, 1.24, 0.87], [1.1, 0.76, 0.63]]
    outside = [[3.1, 1, 0.75], [2, 1.26, 0.75], [2, 1, 0.6], [-2, 1, 0.75], [2, 1, 9], [-0.1, 0, 0]]
    assert labels_at(labels, spacing, inside).tolist() == [7, 7, 7]
    assert labels_at(labels, spacing, outside).tolist() == [0] * 6
    assert labels_at(labels, spacing, []).tolist() == []


def test_default_columns_do_not_depend_on_the_position():
    names = ["label", "centroid_z_um", "bbox_min_x", "direction_major_z", "touches_first_row"]
    used = ["volume_um3", "mean_intensity_a", "sd_intensity_a"]
    others = ["max_intensity_a", "mean_intensity_above_background_a"]
    assert choose_columns([*names, *used, *others]) == used


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(optional.importlib, "import_module", missing)
    with pytest.raises(InputError, match=r"examples: .* package scikit-learn.* make classify"):
        fit_model(np.array([[1.0], [2.0]]), ["a", "b"], ["volume_um3"])
