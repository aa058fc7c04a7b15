"""Counts of the classes of objects."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any


def count_classes(classes: Sequence[str], names: Sequence[str]) -> list[dict[str, object]]:
    """Count the objects of each class.

    Parameters
    ----------
    classes : (n,) sequence of str
        Class of each object; empty for one without a class.
    names : sequence of str
        All classes.

    Returns
    -------
    list of dict of str to object
        One for each of `names`; :data:`cellstack.config.columns.CLASS_COLUMNS` defines the keys.

    Examples
    --------
    >>> rows = count_classes(["mitotic", "other", "other", ""], ["mitotic", "other"])
    >>> [(row["class"], row["count_objects"], row["class_fraction"]) for row in rows]
    [('mitotic', 1, 0.3333333333333333), ('other', 2, 0.6666666666666666)]
    """
    counts = Counter(classes)
    without = counts.pop("", 0)
    total = len(classes) - without
    return [
        {
            "class": name,
            "count_objects": counts[name],
            "class_fraction": counts[name] / total if total else None,
            "count_classified": total,
            "count_without_class": without,
        }
        for name in names
    ]


def count_examples(fitted: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Count the examples of each class.

    Parameters
    ----------
    fitted : dict
        What fit_classes wrote; without ``fit`` there is no classifier.

    Returns
    -------
    dict of str to dict of str to int
        The numbers of examples that are used and that are not, by class.

    Examples
    --------
    >>> count_examples({"fit": {"examples": {"round": 5}}, "not_used": [{"name": "round"}]})
    {'round': {'count_examples': 5, 'count_examples_not_used': 1}}
    """
    if "fit" not in fitted:
        return {}
    not_used = Counter(each["name"] for each in fitted["not_used"])
    used = fitted["fit"]["examples"]
    return {
        name: {"count_examples": used.get(name, 0), "count_examples_not_used": not_used[name]}
        for name in [*used, *not_used]
    }
