"""Classes of objects, by conditions on their measurements or by a model fitted to examples."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.config.conditions import OTHER, OTSU, Comparison, Condition, comparisons
from cellstack.core.thresholds import otsu
from cellstack.errors import InputError

Table: TypeAlias = Mapping[str, NDArray[np.float64]]
"""Numbers by column; NaN for an empty cell."""


class Threshold(TypedDict):
    """A threshold that depends on the objects."""

    column: str
    threshold: str
    """``"otsu"``, or a percentile such as ``"p90"``."""
    value: float | None
    """None if there are too few values."""
    n: int
    """Number of objects with a value."""


class Model(TypedDict):
    """A multinomial logistic regression on standardized columns."""

    columns: list[str]
    classes: list[str]
    mean: list[float]
    """Mean of each column over the examples."""
    sd: list[float]
    """Standard deviation of each column over the examples."""
    coefficients: list[list[float]]
    """A row for each class, and in it a number for each column."""
    intercepts: list[float]
    """A number for each class."""


def read_numbers(rows: Sequence[Mapping[str, str]], names: Iterable[str]) -> Table:
    """Convert columns of a table to numbers.

    Parameters
    ----------
    rows : sequence of dict of str to str
        Cells by column.
    names : iterable of str
        Columns. One that the table lacks is empty in all rows.

    Returns
    -------
    dict of str to (n,) ndarray of float
        NaN for an empty cell.

    Raises
    ------
    InputError
        A column has text.

    Examples
    --------
    >>> read_numbers([{"volume_um3": "5"}, {"volume_um3": ""}], ["volume_um3"])
    {'volume_um3': array([ 5., nan])}
    """
    table = {}
    for name in names:
        cells = [row.get(name) or "nan" for row in rows]
        try:
            table[name] = np.array(cells, float)
        except ValueError:
            raise InputError(
                f"config.classify_objects: the column {name!r} has no numbers, such as "
                f"{next(filter(_is_text, cells))!r}; use another one"
            ) from None
    return table


def _is_text(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return True
    return False


def find_thresholds(table: Table, conditions: Iterable[Condition]) -> list[Threshold]:
    """Compute the percentiles and the Otsu thresholds in conditions.

    Parameters
    ----------
    table : dict of str to (n,) ndarray of float
        The objects of a stack, or of all stacks; NaN for a missing value.
    conditions : iterable of Condition
        See :func:`cellstack.config.conditions.parse_condition`.

    Returns
    -------
    list of Threshold
        Each once, in the order of the conditions. A percentile needs one value and Otsu's threshold
        two different ones, otherwise the value is None.

    Notes
    -----
    Percentiles as `numpy.percentile`. Otsu's threshold lies halfway between the two values that
    are separated; there are no bins.

    Examples
    --------
    >>> from cellstack.config.conditions import parse_condition
    >>> table = {"mean_intensity_GFP": np.array([10, 11, 12, 50, 51, np.nan])}
    >>> find_thresholds(table, [parse_condition("mean_intensity_GFP > otsu")])
    [{'column': 'mean_intensity_GFP', 'threshold': 'otsu', 'value': 31.0, 'n': 5}]
    """
    found: dict[tuple[str, str], Threshold] = {}
    for condition in conditions:
        for column, threshold in _thresholds_of(condition):
            values = table[column][~np.isnan(table[column])]
            found[column, threshold] = {
                "column": column,
                "threshold": threshold,
                "value": _threshold(values, threshold),
                "n": len(values),
            }
    return list(found.values())


def _thresholds_of(condition: Condition) -> list[tuple[str, str]]:
    named = ((each.column, each.threshold) for each in comparisons(condition))
    return [(column, threshold) for column, threshold in named if threshold is not None]


def _threshold(values: NDArray[np.float64], name: str) -> float | None:
    if name != OTSU:
        return float(np.percentile(values, float(name[1:]))) if len(values) else None
    present, counts = np.unique(values, return_counts=True)
    return otsu(counts, present) if len(present) > 1 else None


def classify_by_conditions(
    table: Table, conditions: Mapping[str, Condition], thresholds: Iterable[Threshold]
) -> list[str]:
    """Return the class of each object: the first one whose condition it meets.

    Parameters
    ----------
    table : dict of str to (n,) ndarray of float
        The objects of a stack; NaN for a missing value.
    conditions : dict of str to Condition
        The condition of each class, in order of precedence.
    thresholds : iterable of Threshold
        See :func:`find_thresholds`.

    Returns
    -------
    list of str
        ``"other"`` if no condition is met. Empty if it depends on a missing value.

    Examples
    --------
    >>> from cellstack.config.conditions import parse_condition
    >>> conditions = {"large": parse_condition("volume_um3 > 100")}
    >>> classify_by_conditions({"volume_um3": np.array([150, 50, np.nan])}, conditions, [])
    ['large', 'other', '']
    """
    values = {(each["column"], each["threshold"]): each["value"] for each in thresholds}
    count = len(next(iter(table.values())))
    classes = np.full(count, OTHER, object)
    is_open = np.ones(count, bool)
    for name, condition in conditions.items():
        met, not_met = _evaluate(condition, table, values)
        classes[is_open & met] = name
        classes[is_open & ~met & ~not_met] = ""
        is_open &= not_met
    return cast("list[str]", classes.tolist())


def _evaluate(
    condition: Condition, table: Table, thresholds: Mapping[tuple[str, str], float | None]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where a condition is met, and where it is not; neither where this is not known."""
    if isinstance(condition, Comparison):
        return _compare(condition, table, thresholds)
    parts = [_evaluate(part, table, thresholds) for part in condition.parts]
    met, not_met = (np.array(each) for each in zip(*parts, strict=True))
    if condition.word == "not":
        return not_met[0], met[0]
    every, some = np.logical_and.reduce, np.logical_or.reduce
    if condition.word == "and":
        return every(met), some(not_met)
    return some(met), every(not_met)


def _compare(
    comparison: Comparison, table: Table, thresholds: Mapping[tuple[str, str], float | None]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    left = table[comparison.column]
    right: NDArray[np.float64] | float
    if comparison.threshold is not None:
        value = thresholds[comparison.column, comparison.threshold]
        right = np.nan if value is None else value
    elif comparison.number is not None:
        right = comparison.number
    else:
        right = table[comparison.term]
    compare = {
        "<": np.less,
        "<=": np.less_equal,
        ">": np.greater,
        ">=": np.greater_equal,
        "==": np.equal,
        "!=": np.not_equal,
    }[comparison.operator]
    known = ~(np.isnan(left) | np.isnan(right))
    met = compare(left, right)
    return met & known, ~met & known


def classify_by_model(table: Table, model: Model) -> tuple[list[str], NDArray[np.float64]]:
    """Return the most probable class of each object, according to a fitted model.

    Parameters
    ----------
    table : dict of str to (n,) ndarray of float
        The objects of a stack; NaN for a missing value.
    model : Model
        See :func:`cellstack.measure.fit_classes.fit_model`.

    Returns
    -------
    classes : list of str
        Empty for an object without a value in a column of the model.
    probabilities : (n,) ndarray of float
        That of the class; NaN for an object without a class.

    Examples
    --------
    >>> model = {"columns": ["volume_um3"], "classes": ["small", "large"], "mean": [100.0],
    ...          "sd": [50.0], "coefficients": [[-1.0], [1.0]], "intercepts": [0.0, 0.0]}
    >>> classify_by_model({"volume_um3": np.array([40.0, 180, np.nan])}, model)[0]
    ['small', 'large', '']
    """
    features = np.stack([table[name] for name in model["columns"]], axis=1)
    scores = (features - model["mean"]) / model["sd"] @ np.array(model["coefficients"]).T
    scores += model["intercepts"]
    known = ~np.isnan(scores).any(axis=1)
    scores -= scores.max(axis=1, keepdims=True)  # so that no exponential overflows
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    best = probabilities.argmax(axis=1)
    classes = [
        model["classes"][place] if is_known else ""
        for place, is_known in zip(best, known, strict=True)
    ]
    return classes, np.where(known, probabilities.max(axis=1), np.nan)
