"""Fit of a classifier of objects to examples."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from cellstack.config.examples import KEY
from cellstack.core.types import Labels, Spacing
from cellstack.errors import InputError
from cellstack.files.readers import optional
from cellstack.measure.classify_objects import Model, read_numbers

FOLDS = 5  # of the cross-validation
DIGITS = 6  # of the parameters of a model, so that its file is the same on any CPU
# Columns by which objects are classified unless the configuration names others. They do not depend
# on the position and the direction of an object.
COLUMNS = (
    "volume_um3",
    "sphericity",
    "solidity",
    "extent",
    "axis_major_length_um",
    "axis_middle_length_um",
    "axis_minor_length_um",
)
COLUMNS_OF_CHANNEL = re.compile(r"(mean|sd)_intensity_[^_]+")


class Fit(TypedDict):
    """A model and its accuracy."""

    model: Model
    examples: dict[str, int]
    """Number of examples of each class."""
    balanced_accuracy: float | None
    """Mean over the classes of the fraction of examples that are classified correctly, by a model
    fitted without them; None if a class has one example."""


def choose_columns(names: Iterable[str]) -> list[str]:
    """Return the columns of a table by which objects are classified by default.

    Examples
    --------
    >>> choose_columns(["label", "volume_um3", "centroid_z_um", "mean_intensity_GFP"])
    ['volume_um3', 'mean_intensity_GFP']
    """
    return [name for name in names if name in COLUMNS or COLUMNS_OF_CHANNEL.fullmatch(name)]


def labels_at(
    labels: Labels, spacing: Spacing, points: Sequence[Sequence[float]]
) -> NDArray[np.int64]:
    """Return the label of the voxel that contains each point.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of unsigned int
        0 is background.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    points : (n, 3) sequence of float
        Positions along z, y, x in um; the centre of the first voxel is at 0.

    Returns
    -------
    (n,) ndarray of int
        0 in the background and outside the stack.

    Examples
    --------
    >>> labels_at(np.uint16([[[0, 7, 0]]]), (2.0, 0.5, 0.5), [[0.9, 0, 0.6], [0, 0, 9]])
    array([7, 0])
    """
    places = np.floor(np.asarray(points, float).reshape(-1, 3) / spacing + 0.5).astype(int)
    inside = ((places >= 0) & (places < labels.shape)).all(axis=1)
    found = np.zeros(len(places), np.int64)
    found[inside] = labels[tuple(places[inside].T)]
    return found


def fit_examples(
    examples: Sequence[Mapping[str, Any]],
    objects: Mapping[tuple[str, int], Mapping[str, str]],
    columns: Sequence[str],
) -> tuple[Fit, list[dict[str, Any]]]:
    """Fit a model to the examples that can be used.

    Parameters
    ----------
    examples : sequence of dict
        Each with ``stack``, ``label`` in segmentation.tif (0 for none), and ``name`` of its class.
    objects : dict of (str, int) to dict of str to str
        Measured objects by stack and label in segmentation.tif.
    columns : sequence of str
        The measurements by which objects are classified.

    Returns
    -------
    fit : Fit
        See :func:`fit_model`.
    not_used : list of dict
        The examples that were not used, each with the ``reason``. Several examples of one class in
        the same object count as one; those of different classes contradict each other.

    Raises
    ------
    InputError
        Fewer than two classes have an example that can be used.
    """
    classes: dict[tuple[str, int], set[str]] = {}
    for each in examples:
        classes.setdefault((each["stack"], each["label"]), set()).add(each["name"])
    table = read_numbers(list(objects.values()), columns)
    features = np.array([table[name] for name in columns]).reshape(len(columns), -1).T
    places = {key: place for place, key in enumerate(objects)}
    used: dict[int, str] = {}
    not_used = []
    for each in examples:
        key = each["stack"], each["label"]
        place = places.get(key)
        missing = [] if place is None else np.flatnonzero(np.isnan(features[place])).tolist()
        if each["label"] == 0:
            reason = "there is no object"
        elif place is None:
            reason = "the object is not measured"
        elif len(classes[key]) > 1:
            reason = f"the object has examples of {' and '.join(sorted(classes[key]))}"
        elif missing:
            reason = f"the object has no value of {columns[missing[0]]}"
        else:
            used[place] = each["name"]
            continue
        not_used.append({**each, "reason": reason})
    if len(set(used.values())) < 2:
        reasons = Counter(each["reason"] for each in not_used)
        why = "".join(f"; {count} times {reason}" for reason, count in reasons.most_common(3))
        raise InputError(
            f"{KEY}: the examples that can be used have {len(set(used.values()))} classes{why}; "
            "correct their positions, or add examples, so that there are two classes"
        )
    fit = fit_model(features[list(used)], list(used.values()), columns)
    return fit, not_used


def fit_model(values: NDArray[np.float64], classes: Sequence[str], columns: Sequence[str]) -> Fit:
    """Fit a multinomial logistic regression to examples.

    Parameters
    ----------
    values : (n, m) ndarray of float
        Measurements of each example.
    classes : (n,) sequence of str
        Class of each example; there are at least two.
    columns : (m,) sequence of str
        Names of the measurements.

    Returns
    -------
    Fit
        The same in every run. Its classes are in alphabetical order.

    Raises
    ------
    InputError
        The examples do not differ in any column, or scikit-learn is not installed.

    Notes
    -----
    Measurements are standardized, and those that are the same in all examples left out. Classes
    have the same weight, however many examples they have. Coefficients are shrunk by an L2 penalty
    (``C=1`` of scikit-learn), so that there may be fewer examples than measurements. The accuracy
    is that of a stratified five-fold cross-validation, or of fewer folds if a class has fewer
    examples. It is too high if examples resemble each other more than other objects do, for
    instance if they are from one stack.

    References
    ----------
    .. [1] F. Pedregosa et al., "Scikit-learn: Machine Learning in Python", JMLR 12, 2011.

    Examples
    --------
    >>> values = np.array([[1.0], [1.2], [5.0], [5.5]])
    >>> fit = fit_model(values, ["small", "small", "large", "large"], ["volume_um3"])
    >>> fit["model"]["classes"], fit["examples"]["small"], fit["balanced_accuracy"]
    (['large', 'small'], 2, 1.0)
    """
    counts = dict(sorted(Counter(classes).items()))
    options = {"verb": "fitted", "requirements": "classify"}
    linear, selection, pipeline, preprocessing = (
        optional.load(f"sklearn.{module}", "scikit-learn", KEY, "classifiers", **options)
        for module in ("linear_model", "model_selection", "pipeline", "preprocessing")
    )
    differs = np.ptp(values, axis=0) > 0
    values = values[:, differs]
    if not differs.any():
        raise InputError(
            "the examples do not differ in any column of the classifier; name other columns in "
            "config.classify_objects.columns"
        )
    # converged well beyond the digits that are written
    regression = linear.LogisticRegression(class_weight="balanced", tol=1e-10, max_iter=10_000)
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), regression)
    accuracy = None
    folds = min(FOLDS, *counts.values())
    if folds > 1:
        splits = selection.StratifiedKFold(folds, shuffle=True, random_state=0)
        scores = selection.cross_val_predict(model, values, classes, cv=splits)
        hits = np.array(scores) == np.array(classes)
        accuracy = float(np.mean([hits[np.array(classes) == each].mean() for each in counts]))
    model.fit(values, classes)
    scaler = model[0]
    coefficients, intercepts = regression.coef_, regression.intercept_
    if len(counts) == 2:  # scikit-learn gives those of the second class relative to the first
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        intercepts = np.concatenate([[0.0], intercepts])
    return {
        "model": {
            "columns": [each for each, kept in zip(columns, differs, strict=True) if kept],
            "classes": list(counts),
            "mean": _rounded(scaler.mean_),
            "sd": _rounded(scaler.scale_),
            "coefficients": [_rounded(row) for row in coefficients],
            "intercepts": _rounded(intercepts),
        },
        "examples": counts,
        "balanced_accuracy": accuracy,
    }


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]
