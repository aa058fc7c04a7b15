"""Comparison of groups of stacks: differences between means over experimental units."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from cellstack.compare import inference
from cellstack.compare.inference import MIN_UNITS, Sample
from cellstack.compare.unit_means import UnitMean
from cellstack.core.counting import agree, counted

INDEPENDENT, PAIRED = "independent units", "paired units"
ByUnit = dict[str, list[UnitMean]]
"""Values of one group by unit or, if they are paired, by pair."""


def pairs_of_groups(groups: Sequence[str], reference: str | None) -> list[tuple[str, str]]:
    """Return the pairs of groups that are compared.

    Parameters
    ----------
    groups : sequence of str
    reference : str or None
        If it is one of the groups, the others are compared with it, otherwise each with each.

    Examples
    --------
    >>> pairs_of_groups(["drug", "control", "rescue"], "control")
    [('control', 'drug'), ('control', 'rescue')]
    >>> pairs_of_groups(["day 1", "day 2"], "control")
    [('day 1', 'day 2')]
    """
    if reference is not None and reference in groups:
        return [(reference, group) for group in groups if group != reference]
    return list(combinations(groups, 2))


def compare_groups(
    units: Sequence[UnitMean],
    groups: Mapping[str, Sequence[str]],
    *,
    reference: str | None = "control",
    correction: str = inference.BENJAMINI_HOCHBERG,
    confidence: float = 0.95,
) -> list[dict[str, Any]]:
    """Compare the means of groups, for each kind of object and each column.

    Parameters
    ----------
    units : sequence of UnitMean
        Values of the experimental units. If they have a name of a pair, means over the units of a
        pair are compared, and pairs without a partner are left out.
    groups : dict of str to sequence of str
        Groups by kind of object, in the order in which they are compared.
    reference : str, optional
        Group that the others are compared with, see :func:`pairs_of_groups`.
    correction : str
        Correction of the p values of the whole table, see
        :func:`cellstack.compare.inference.correct_p_values`.
    confidence : float
        Of the intervals, between 0 and 1.

    Returns
    -------
    list of dict of str to object
        Rows of ``groups.csv``, see :data:`cellstack.compare.group_columns.GROUPS`, without the
        unit of the column. There is no interval and no test if a group has fewer than three units.

    Examples
    --------
    >>> units = [
    ...     UnitMean("nuclei", "volume_um3", group, "", f"{group}{i}", 1, 50, volume)
    ...     for group, volumes in {"control": (500, 510, 530), "drug": (600, 640, 630)}.items()
    ...     for i, volume in enumerate(volumes)
    ... ]
    >>> (row,) = compare_groups(units, {"nuclei": ["control", "drug"]})
    >>> row["test"], row["count_units_2"], row["count_objects_2"], round(row["difference"], 1)
    ("Welch's t-test", 3, 150, 110.0)
    >>> round(row["p_value"], 4), round(row["p_permutation"], 4), row["warnings"]
    (0.0025, 0.1, '')
    """
    rows: list[dict[str, Any]] = []
    for kind, column in dict.fromkeys((unit.object, unit.column) for unit in units):
        own = [unit for unit in units if (unit.object, unit.column) == (kind, column)]
        found = _compare(own, groups[kind], reference)
        rows += [{"object": kind, "column": column} | row for row in found]
    omnibus = {(row["object"], row["column"]): row["p_all_groups"] for row in rows}
    of_all = inference.correct_p_values(list(omnibus.values()), correction)
    corrected_omnibus = dict(zip(omnibus, of_all, strict=True))
    p_values = [row["p_value"] for row in rows]
    corrected = inference.correct_p_values(p_values, correction)
    for row, p_value in zip(rows, corrected, strict=True):
        row["p_corrected"] = p_value
        row["correction"] = correction
        row["count_tests"] = sum(each is not None for each in p_values)
        row["p_all_groups_corrected"] = corrected_omnibus[row["object"], row["column"]]
        if row["test"] is not None:
            interval = inference.bootstrap_interval(
                *row["samples"], is_paired=row["design"] == PAIRED, confidence=confidence
            )
            low, high = interval or (None, None)
            row |= {"difference_low": low, "difference_high": high, "confidence": confidence}
        del row["samples"]
    return rows


def _compare(
    units: Sequence[UnitMean], names: Sequence[str], reference: str | None
) -> list[dict[str, Any]]:
    """Return the rows of one kind of object and column."""
    is_paired = any(unit.pair for unit in units)
    groups: dict[str, ByUnit] = {name: {} for name in names}
    for unit in units:
        by_unit = groups[unit.group]
        by_unit.setdefault(unit.pair if is_paired else unit.name, []).append(unit)
    p_all = None
    tested = [_sample(each) for each in groups.values() if len(each) >= MIN_UNITS]
    if not is_paired and len(tested) > 2:
        p_all = inference.compare_all(tested)
    rows = []
    for pair in pairs_of_groups(names, reference):
        members = [groups[name] for name in pair]
        warnings = _warn_of_names(members, is_paired)
        if is_paired:
            shared = [name for name in members[0] if name in members[1]]
            members = [{name: each[name] for name in shared} for each in members]
        row = _compare_two(dict(zip(pair, members, strict=True)), is_paired, warnings)
        rows.append(row | {"p_all_groups": p_all})
    return rows


def _warn_of_names(members: Sequence[ByUnit], is_paired: bool) -> list[str]:
    """Return a warning of pairs without a partner, or of units that may be pairs."""
    shared = members[0].keys() & members[1].keys()
    if is_paired:
        alone = len(members[0].keys() ^ members[1].keys())
        what = f"{counted(alone, 'units')} without a partner {agree(alone, 'is', 'are')} left out"
        return [what] if alone else []
    if not shared:
        return []
    what = f"{counted(len(shared), 'units')} {agree(len(shared), 'has', 'have')} the same name in"
    return [f"{what} both groups: if they are the same, set compare_groups.pair_by"]


def _sample(by_unit: ByUnit) -> Sample:
    """Return the value of each unit or, if they are paired, the mean over the units of each."""
    return np.array([sum(each.mean for each in of) / len(of) for of in by_unit.values()])


def _compare_two(
    groups: Mapping[str, ByUnit], is_paired: bool, warnings: list[str]
) -> dict[str, Any]:
    row: dict[str, Any] = {"design": PAIRED if is_paired else INDEPENDENT}
    samples = [_sample(by_unit) for by_unit in groups.values()]
    for number, (name, by_unit) in enumerate(groups.items(), 1):
        units = [unit for of in by_unit.values() for unit in of]
        sample = samples[number - 1]
        row |= {
            f"group_{number}": name,
            f"count_units_{number}": len(sample),
            f"count_stacks_{number}": sum(unit.count_stacks for unit in units),
            f"count_objects_{number}": sum(unit.count_objects for unit in units),
            f"mean_{number}": float(sample.mean()) if len(sample) else None,
            f"sd_{number}": float(sample.std(ddof=1)) if len(sample) > 1 else None,
        }
    first, second = row["mean_1"], row["mean_2"]
    has_both = first is not None and second is not None
    row["difference"] = second - first if has_both else None
    row["ratio"] = second / first if has_both and first > 0 and second >= 0 else None
    test = None
    sizes = dict(zip(groups, map(len, samples), strict=True))
    few = [name for name, size in sizes.items() if size < MIN_UNITS]
    empty = [] if is_paired else [name for name, size in sizes.items() if size == 0]
    if empty:
        warnings.append(f"no values in {' and '.join(empty)}: no test")
    elif few:
        where = "" if is_paired else f" in {' and '.join(few)}"
        what = "pairs of units" if is_paired else "units"
        warnings.append(f"fewer than three {what}{where}: no test")
    else:
        compare = inference.compare_pairs if is_paired else inference.compare_means
        test = compare(*samples)
        if test is None:
            what = "change by the same" if is_paired else "have the same value"
            warnings.append(f"the units of each group {what}: no test")
        else:
            row["p_permutation"] = inference.permutation_p_value(*samples, is_paired=is_paired)
    row |= {
        "test": test and test.name,
        "statistic": test and test.statistic,
        "degrees_of_freedom": test and test.degrees_of_freedom,
        "p_value": test and test.p_value,
    }
    if is_paired:
        checked = {"the change of": (list(groups[row["group_1"]]), samples[1] - samples[0])}
    else:
        checked = {
            f"of {name}, unit": (list(by_unit), sample)
            for (name, by_unit), sample in zip(groups.items(), samples, strict=True)
        }
    for what, (names, values) in checked.items():
        if (place := inference.find_outlier(values)) is not None:
            warnings.append(f"outlier: {what} {names[place]} is unlike the others")
    return row | {"samples": samples, "warnings": ";".join(warnings)}
