"""Means of experimental units: of objects over each stack, and of stacks over each unit."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import NamedTuple, TypeAlias

from cellstack.errors import InputError

Row: TypeAlias = Mapping[str, str]
Key: TypeAlias = tuple[str, str, str]
"""Names of a stack, of a kind of object and of a column."""

CLASS, CLASS_FRACTION = "class", "class_fraction_"


class StackMean(NamedTuple):
    """Mean of a column over the objects of a stack, and the number of these objects."""

    mean: float
    count_objects: int


class UnitMean(NamedTuple):
    """A value of an experimental unit.

    Attributes
    ----------
    object : str
        Kind of object.
    column : str
    group, pair, name : str
        Of the unit; `pair` is empty without pairs.
    count_stacks, count_objects : int
        Numbers of stacks and objects with a value in the column.
    mean : float
        In the unit of the column.
    """

    object: str
    column: str
    group: str
    pair: str
    name: str
    count_stacks: int
    count_objects: int
    mean: float


def mean_of_objects(
    rows: Iterable[Row], columns: Sequence[str], stacks: Iterable[str]
) -> dict[Key, StackMean]:
    """Average columns of objects.csv over the objects of each stack.

    Parameters
    ----------
    rows : iterable of dict of str to str
        Rows of objects.csv. Empty cells are missing values. If they have a column ``class``, the
        fraction of each class among the objects with a class is added.
    columns : sequence of str
        Columns to average; those that a row lacks are ignored.
    stacks : iterable of str
        Stacks with their kind of object, as ``"stack/object"``; others are left out.

    Returns
    -------
    dict of (str, str, str) to StackMean
        By stack, kind of object and column, without columns that have no value.

    Raises
    ------
    InputError
        A cell is not a number.

    Examples
    --------
    >>> rows = [{"stack": "a", "object": "nuclei", "volume_um3": cell} for cell in ("2", "4", "")]
    >>> mean_of_objects(rows, ["volume_um3"], ["a/nuclei"])
    {('a', 'nuclei', 'volume_um3'): StackMean(mean=3.0, count_objects=2)}
    """
    sums: dict[Key, list[float]] = {}
    objects: dict[tuple[str, str], int] = {}  # with a class
    classes: dict[Key, int] = {}
    wanted = set(stacks)
    for row in rows:
        stack, kind = row["stack"], row["object"]
        if f"{stack}/{kind}" not in wanted:
            continue
        if name := row.get(CLASS):
            objects[stack, kind] = objects.get((stack, kind), 0) + 1
            key = (stack, kind, f"{CLASS_FRACTION}{name}")
            classes[key] = classes.get(key, 0) + 1
        for column in columns:
            if cell := row.get(column):
                total = sums.setdefault((stack, kind, column), [0.0, 0.0])
                total[0] += _number(cell, column, "objects.csv")
                total[1] += 1
    found = {key: StackMean(total / count, int(count)) for key, (total, count) in sums.items()}
    for column in dict.fromkeys(column for _, _, column in classes):
        kinds = {kind for _, kind, name in classes if name == column}
        for (stack, kind), count in objects.items():
            if kind in kinds:  # also where no object is of the class
                number = classes.get((stack, kind, column), 0)
                found[stack, kind, column] = StackMean(number / count, count)
    return found


def mean_of_stacks(
    rows: Iterable[Row], columns: Sequence[str], stacks: Iterable[str]
) -> dict[Key, StackMean]:
    """Return the values of columns of stacks.csv, see :func:`mean_of_objects`.

    The number of objects is that of all objects found.

    Examples
    --------
    >>> row = {"stack": "a", "object": "nuclei", "count_found": "7", "density_per_mm3": "3e5"}
    >>> mean_of_stacks([row], ["density_per_mm3"], ["a/nuclei"])
    {('a', 'nuclei', 'density_per_mm3'): StackMean(mean=300000.0, count_objects=7)}
    """
    wanted = set(stacks)
    return {
        (row["stack"], row["object"], column): StackMean(
            _number(cell, column, "stacks.csv"), int(row["count_found"])
        )
        for row in rows
        if f"{row['stack']}/{row['object']}" in wanted
        for column in columns
        if (cell := row.get(column))
    }


def _number(cell: str, column: str, table: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise InputError(
            f"{table}: column {column!r} contains {cell!r}, which is not a number; remove the "
            "column from compare_groups.columns"
        ) from None


def average_units(
    values: Mapping[Key, StackMean],
    samples: Mapping[str, Mapping[str, str]],
    columns: Sequence[str] = (),
) -> list[UnitMean]:
    """Average the values of stacks over each experimental unit.

    Parameters
    ----------
    values : dict of (str, str, str) to StackMean
        By stack, kind of object and column.
    samples : dict of str to dict of str to str
        By ``"stack/object"`` the ``group`` of the stack, the ``unit`` and the ``pair``; the last is
        empty without pairs.
    columns : sequence of str
        Columns that come first, in this order.

    Returns
    -------
    list of UnitMean
        Each stack of a unit has the same weight. Groups, and units within them, are in the order of
        `samples`.

    Examples
    --------
    >>> values = {(name, "nuclei", "volume_um3"): StackMean(i, 9) for i, name in enumerate("abc")}
    >>> animals = {"a": "m1", "b": "m1", "c": "m2"}
    >>> samples = {
    ...     f"{stack}/nuclei": {"group": "drug", "unit": animal, "pair": ""}
    ...     for stack, animal in animals.items()
    ... }
    >>> [(unit.name, unit.mean, unit.count_stacks) for unit in average_units(values, samples)]
    [('m1', 0.5, 2), ('m2', 2.0, 1)]
    """
    shared: dict[tuple[str, str, str, str, str], list[StackMean]] = {}
    kinds = dict.fromkeys(kind for _, kind, _ in values)
    named = dict.fromkeys([*columns, *(column for _, _, column in values)])
    for kind, column in product(kinds, named):
        for key, place in samples.items():
            stack, _, of = key.rpartition("/")
            if of == kind and (stack, kind, column) in values:
                unit = (kind, column, place["group"], place["pair"], place["unit"])
                shared.setdefault(unit, []).append(values[stack, kind, column])
    return [
        UnitMean(
            *unit,
            len(means),
            sum(each.count_objects for each in means),
            sum(each.mean for each in means) / len(means),
        )
        for unit, means in shared.items()
    ]
