"""Concatenation of the tables of all stacks, with additional columns of the sheet."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any, TypeAlias

from cellstack.core.counting import significant
from cellstack.errors import InputError

MIN_STACKS = 5  # of a group in which outliers are flagged
MAX_DEVIATION = 3.5  # robust standard deviations from the median
MIN_RATIO = 1.5  # to the median of the group
MAX_COPIES_NAMED = 3
COMPARED = {  # column of stacks.csv: its name in a flag
    "median_equivalent_diameter_um": "median diameter",
    "density_per_mm3": "density of objects",
}
SheetCells: TypeAlias = Mapping[str, Mapping[str, object]]
"""Cells of the sheet by column, by ``"stack/object"``."""
Channel: TypeAlias = tuple[str, str]
"""Names of a stack and of one of its channels."""


def join_columns(headers: Iterable[list[str]], user_columns: SheetCells, after: str) -> list[str]:
    """Return the columns of a table that combines several tables and the sheet.

    Parameters
    ----------
    headers : iterable of list of str
        The columns of each table.
    user_columns : dict of str to dict of str to object
        Cells of the sheet by column, by ``"stack/object"``.
    after : str
        The column after which those of the sheet are inserted.

    Returns
    -------
    list of str
        All columns, in the order in which they first occur.

    Raises
    ------
    InputError
        A column of the sheet has the name of a column of the tables.

    Examples
    --------
    >>> headers = [["stack", "volume"], ["stack", "area"]]
    >>> join_columns(headers, {"a/nuclei": {"mouse": "7"}}, after="stack")
    ['stack', 'mouse', 'volume', 'area']
    """
    columns = list(dict.fromkeys(name for header in headers for name in header))
    from_sheet = list(dict.fromkeys(name for cells in user_columns.values() for name in cells))
    for name in from_sheet:
        if name in columns:
            raise InputError(
                f"the sheet has a column {name!r}, which is also a column of the results: "
                "rename it in the sheet"
            )
    place = columns.index(after) + 1
    return columns[:place] + from_sheet + columns[place:]


def join_rows(
    tables: Iterable[Iterable[Mapping[str, str]]], user_columns: SheetCells
) -> Iterator[dict[str, object]]:
    """Concatenate the rows of several tables and add the cells of the sheet to each.

    Parameters
    ----------
    tables : iterable of iterable of dict of str to str
        The rows of each table, with the columns ``stack`` and ``object``.
    user_columns : dict of str to dict of str to object
        Cells of the sheet by column, by ``"stack/object"``.

    Yields
    ------
    dict of str to object
        The rows, in the order of the tables.
    """
    for rows in tables:
        for row in rows:
            yield {**row, **user_columns.get(f"{row['stack']}/{row['object']}", {})}


def join_checks(
    stacks: Iterable[Mapping[str, str]], checks: Iterable[Mapping[str, str]]
) -> list[dict[str, str]]:
    """Return the rows of stacks.csv with the columns of checks.csv.

    Parameters
    ----------
    stacks, checks : iterable of dict of str to str
        The rows of both tables, in the same order.

    Returns
    -------
    list of dict of str to str

    Examples
    --------
    >>> join_checks([{"stack": "a", "flags": ""}], [{"stack": "a", "haze_ratio": "0.1"}])
    [{'stack': 'a', 'flags': '', 'haze_ratio': '0.1'}]
    """
    return [{**row, **checked} for row, checked in zip(stacks, checks, strict=True)]


def flag_outliers(rows: Sequence[Mapping[str, str]], groups: Mapping[str, str]) -> list[str]:
    """Return a flag for each stack that differs from the other stacks of its group.

    Parameters
    ----------
    rows : sequence of dict of str to str
        The rows of stacks.csv.
    groups : dict of str to str
        Group by ``"stack/object"``; stacks without a group form one too.

    Returns
    -------
    list of str
        One for each row, separated by ";"; empty if it is not an outlier.

    Notes
    -----
    The logarithms of the median diameter and of the density are compared with their medians over
    the stacks of the same group and kind of object, if these are at least five. A stack is flagged
    if it differs by more than 3.5 robust standard deviations (1.4826 times the median absolute
    deviation) and by a factor of at least 1.5.

    Examples
    --------
    >>> rows = [
    ...     {"stack": name, "object": "nuclei", "median_equivalent_diameter_um": size}
    ...     for name, size in zip("abcde", ["10", "10.5", "9.8", "10.2", "4"])
    ... ]
    >>> flag_outliers(rows, {})[-1]
    'median diameter unlike that of the other stacks: 4, median of 5 stacks 10'
    """
    keys = [(row["object"], groups.get(f"{row['stack']}/{row['object']}", "")) for row in rows]
    flags: list[list[str]] = [[] for _ in rows]
    for column, name in COMPARED.items():
        logarithms: dict[tuple[str, str], dict[int, float]] = {}
        for i, (row, key) in enumerate(zip(rows, keys, strict=True)):
            if float(row.get(column) or 0) > 0:
                logarithms.setdefault(key, {})[i] = math.log(float(row[column]))
        for (_, group), values in logarithms.items():
            if len(values) < MIN_STACKS:
                continue
            middle = median(values.values())
            spread = 1.4826 * median(abs(value - middle) for value in values.values())
            limit = max(MAX_DEVIATION * spread, math.log(MIN_RATIO))
            others = f"the other stacks of {group}" if group else "the other stacks"
            for i, value in values.items():
                if abs(value - middle) > limit:
                    flags[i].append(
                        f"{name} unlike that of {others}: {significant(math.exp(value), 3)}, "
                        f"median of {len(values)} stacks {significant(math.exp(middle), 3)}"
                    )
    return [";".join(each) for each in flags]


def flag_copies(records: Mapping[Channel, Mapping[str, Any]]) -> dict[Channel, str]:
    """Return a flag for each image that another stack or channel has too.

    Images with the same mean and focus in each plane are taken for the same. Constant images are
    left out.

    Parameters
    ----------
    records : dict of tuple of str to dict
        The image quality (``quality.json``) of each channel, by stack and channel.

    Returns
    -------
    dict of tuple of str to str
        Flags by stack and channel, only for images that occur more than once.

    Examples
    --------
    >>> record = {"profile": {"mean": [1.5, 2.5], "focus": [0.1, 0.2]}}
    >>> flag_copies({("a", "nuclei"): record, ("b", "nuclei"): record})
    {('a', 'nuclei'): 'same image as nuclei of b', ('b', 'nuclei'): 'same image as nuclei of a'}
    """
    copies: dict[tuple[float | None, ...], list[Channel]] = {}
    for key, record in records.items():
        profile = record["profile"]
        if any(profile["focus"]):
            copies.setdefault((*profile["mean"], *profile["focus"]), []).append(key)
    flags = {}
    for keys in copies.values():
        for key in keys:
            others = [f"{channel} of {stack}" for stack, channel in keys if (stack, channel) != key]
            if others:
                named = ", ".join(others[:MAX_COPIES_NAMED])
                more = len(others) - MAX_COPIES_NAMED
                flags[key] = f"same image as {named}{f' and {more} more' if more > 0 else ''}"
    return flags
