"""Grouping of files of planes into stacks, by their names.

A name consists of numbers and of the text between them. Files whose names have the same text can
be planes of one stack. Of the numbers that vary among them, one counts the planes; the others count
channels, time points or positions, and there is one stack for each of their values.
"""

import fnmatch
import glob
import itertools
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePosixPath
from typing import NamedTuple

PLANE_LABELS = ("z", "zpos", "zstep", "slice", "plane", "section", "layer", "depth", "p")
CHANNEL_LABELS = ("c", "ch", "chan", "channel", "w", "wavelength")
TIME_LABELS = ("t", "tp", "time", "timepoint")
POSITION_LABELS = ("series", "scene", "field", "fov", "site", "well", "tile")
OTHER_LABELS = CHANNEL_LABELS + TIME_LABELS + POSITION_LABELS
MAX_CHANNELS = 8  # more files that differ only in a number after "ch" are planes
MIN_ROUNDED_STEP = 5  # smaller steps of integers are not rounded positions
MAX_SHOWN = 5  # names or numbers in a message
SEPARATORS = " _-.#=("
BEFORE_SIGN = "_=,("  # after one of these, a hyphen is a minus even if all names have it
# MetaXpress gives each file another identifier
UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
UUID_MARK = "\N{REPLACEMENT CHARACTER}"
NUMBER = {
    True: re.compile(r"(?:(?<=\D)|^)([+-]?)(\d+(?:\.\d+)?)"),
    False: re.compile(r"(?:(?<=\D)|^)([+-]?)(\d+)"),
}


class _Name(NamedTuple):
    """A name, split into numbers and the text before, between and after them."""

    name: str
    texts: tuple[str, ...]  # without the signs of numbers
    signs: tuple[str, ...]
    digits: tuple[str, ...]

    def value(self, column: int, signed: bool) -> Decimal:
        return Decimal((self.signs[column] if signed else "") + self.digits[column])


@dataclass(frozen=True)
class PlaneGroup:
    """Files whose names say that they are the planes of one stack.

    Attributes
    ----------
    names : list of str
        In the order of the planes.
    fixed : dict of str to str
        Numbers that are the same in all names of the group but not in those of other groups, by
        the text before them, such as ``{"ch": "00"}``.
    label : str
        The text before the number that counts planes, such as ``"z"``; empty if there is none, or
        if there is only one file.
    numbers : list of str
        The numbers that count planes.
    problem : str
        Why these are not all planes of a stack; empty if they can be.
    notice : str
        What the user should know; empty if nothing.
    """

    names: list[str]
    fixed: dict[str, str] = field(default_factory=dict)
    label: str = ""
    numbers: list[str] = field(default_factory=list)
    problem: str = ""
    notice: str = ""


def group_planes(names: Iterable[str]) -> list[PlaneGroup]:
    """Group the names of files into stacks of planes.

    Parameters
    ----------
    names : iterable of str
        Paths with forward slashes, relative to a folder.

    Returns
    -------
    list of PlaneGroup
        The largest group first. Files that belong to no other are groups of one.

    Examples
    --------
    >>> names = ["a_z10_ch0.tif", "a_z9_ch0.tif", "a_z9_ch1.tif", "a_z10_ch1.tif", "MAX_a.tif"]
    >>> for group in group_planes(names):
    ...     print(group.names, group.fixed)
    ['a_z9_ch0.tif', 'a_z10_ch0.tif'] {'ch': '0'}
    ['a_z9_ch1.tif', 'a_z10_ch1.tif'] {'ch': '1'}
    ['MAX_a.tif'] {}

    Signs and decimals belong to a number:

    >>> group_planes(["p_+2.5.tif", "p_-2.5.tif", "p_+0.0.tif"])[0].names
    ['p_-2.5.tif', 'p_+0.0.tif', 'p_+2.5.tif']
    """
    ordered = sorted(names)
    found = _group(ordered, decimals=True)
    if len(found) > 1 or found[0].problem:  # a dot may separate two numbers
        other = _group(ordered, decimals=False)
        repeated = len(found) == 1 and len(set(map(Decimal, found[0].numbers))) < len(ordered)
        if len(other) == 1 and (repeated or not other[0].problem):
            return other
    return found


def pattern_of(group: PlaneGroup, listed: Collection[str]) -> str | None:
    """Return a glob pattern that matches the files of a group and no other.

    Parameters
    ----------
    group : PlaneGroup
    listed : collection of str
        Names of all files in their folders.

    Returns
    -------
    str or None
        None if there is no such pattern.

    Examples
    --------
    >>> names = ["a_z1.tif", "a_z2.tif", "a_z1 copy.tif"]
    >>> pattern_of(group_planes(names)[0], names)
    'a_z[0-9].tif'
    """
    parsed = [_split(name, decimals=True) for name in group.names]
    if len({each.texts for each in parsed}) > 1:
        parsed = [_split(name, decimals=False) for name in group.names]
    wanted = set(group.names)
    for wildcard in ("*", "[0-9]", "[0-9]*", "*[0-9]", "[0-9]*[0-9]"):
        pattern = _with_wildcards(parsed, wildcard)
        if {name for name in {*listed, *wanted} if _matches(pattern, name)} == wanted:
            return pattern
    return None


def _group(names: Sequence[str], decimals: bool) -> list[PlaneGroup]:
    forms: dict[tuple[str, ...], list[_Name]] = {}
    for name in names:
        parsed = _split(name, decimals)
        suffix = PurePosixPath(name).suffix.lower()
        forms.setdefault((*parsed.texts[:-1], _stem(parsed.texts[-1]), suffix), []).append(parsed)
    groups = [group for form in forms.values() for group in _group_form(form)]
    return sorted(groups, key=lambda group: (-len(group.names), group.names))


def _stem(text: str) -> str:
    return text[: text.rfind(".")] if "." in text else text


def _split(full_name: str, decimals: bool) -> _Name:
    name = UUID.sub(UUID_MARK, full_name)
    stem = name[: len(name) - len(PurePosixPath(name).suffix)]
    texts, signs, digits, end = [], [], [], 0
    for match in NUMBER[decimals].finditer(stem):
        texts.append(name[end : match.start()])
        signs.append(match[1])
        digits.append(match[2])
        end = match.end()
    return _Name(full_name, (*texts, name[end:]), tuple(signs), tuple(digits))


def _group_form(form: list[_Name]) -> list[PlaneGroup]:
    """Group names that differ only in numbers."""
    signed = [_has_sign(form, column) for column in range(len(form[0].digits))]
    labels = [_label(text) for text in form[0].texts[:-1]]
    if "w" in labels:  # MetaMorph and MetaXpress count sites after s, and wavelengths after w
        labels = ["site" if label == "s" else label for label in labels]

    def values(column: int, among: Iterable[_Name] = form) -> list[Decimal]:
        return [name.value(column, signed[column]) for name in among]

    varying = [column for column in range(len(signed)) if len(set(values(column))) > 1]
    varying = _without_counters(varying, labels, {each: values(each) for each in varying})
    counts = {column: len(set(values(column))) for column in varying}
    plane = _plane_column(varying, labels, counts)
    fixed = [column for column in varying if column != plane]
    groups: dict[tuple[Decimal, ...], list[_Name]] = {}
    for name in form:
        groups.setdefault(tuple(name.value(each, signed[each]) for each in fixed), []).append(name)
    found = []
    for members in groups.values():
        key = {labels[each] or f"number {each + 1}": members[0].digits[each] for each in fixed}
        if plane is None or len(members) == 1:
            found += [PlaneGroup([member.name], key) for member in members]
            continue
        members.sort(key=lambda name: name.value(plane, signed[plane]))
        numbers = [
            (member.signs[plane] if signed[plane] else "") + member.digits[plane]
            for member in members
        ]
        problem, notice = _check_numbers(
            [member.name for member in members], numbers, values(plane, members)
        )
        found.append(
            PlaneGroup(
                [member.name for member in members], key, labels[plane], numbers, problem, notice
            )
        )
    return found


def _has_sign(form: Sequence[_Name], column: int) -> bool:
    """Return whether the hyphen or plus before a number is its sign, and not a separator."""
    signs = {name.signs[column] for name in form}
    return signs != {"-"} or form[0].texts[column].endswith(tuple(BEFORE_SIGN))


def _label(text: str) -> str:
    """Return the letters before a number, in lower case."""
    letters = re.search(r"([^\W\d_]*)$", text.rstrip(SEPARATORS))
    return letters[1].lower() if letters else ""


def _without_counters(
    columns: list[int], labels: Sequence[str], values: dict[int, list[Decimal]]
) -> list[int]:
    """Leave out numbers that are different in each name although others distinguish the names.

    They are running numbers, times or positions of the stage.
    """
    kept = list(columns)

    def importance(column: int) -> tuple[bool, bool, int]:
        return labels[column] in PLANE_LABELS, _is_regular(values[column]), -column

    for column in sorted(columns, key=importance):
        rest = [each for each in kept if each != column]
        number = len(values[column])
        if (
            rest
            and labels[column] not in CHANNEL_LABELS
            and len(set(values[column])) == number
            and len(set(zip(*(values[each] for each in rest), strict=True))) == number
            and (
                any(labels[each] in PLANE_LABELS for each in rest)
                or (len(rest) == 1 and _same_order(values[rest[0]], values[column]))
            )
        ):
            kept = rest
    return kept


def _is_regular(values: Sequence[Decimal]) -> bool:
    ordered = sorted(values)
    return len({after - before for before, after in itertools.pairwise(ordered)}) == 1


def _same_order(first: Sequence[Decimal], second: Sequence[Decimal]) -> bool:
    pairs = sorted(zip(first, second, strict=True))
    return all(one[1] < next_one[1] for one, next_one in itertools.pairwise(pairs))


def _plane_column(
    columns: Sequence[int], labels: Sequence[str], counts: dict[int, int]
) -> int | None:
    """Return the number that counts planes; None if none does."""
    for label in PLANE_LABELS:
        for column in columns:
            if labels[column] == label:
                return column
    possible = [
        column
        for column in columns
        if labels[column] not in OTHER_LABELS
        or (
            len(columns) == 1 and labels[column] in CHANNEL_LABELS and counts[column] > MAX_CHANNELS
        )
    ]
    return max(possible, key=lambda column: (counts[column], column), default=None)


def _check_numbers(
    names: Sequence[str], numbers: Sequence[str], values: Sequence[Decimal]
) -> tuple[str, str]:
    """Return why numbers do not count planes without gaps, and a notice; empty if neither."""
    for (name, value), (other, next_value) in itertools.pairwise(zip(names, values, strict=True)):
        if value == next_value:
            return f"{name} and {other} have the same number: remove one of the two", ""
    steps = sorted(after - before for before, after in itertools.pairwise(values))
    step = steps[(len(steps) - 1) // 2]
    decimals = max(len(number.partition(".")[2]) for number in numbers)
    if steps[0] == steps[-1]:
        counted = decimals == 0 and not any(number[0] in "+-" for number in numbers)
        if counted and step > 1:
            return "", f"the numbers of the planes increase by {step}"
        return "", ""
    unit = Decimal(1).scaleb(-decimals)
    if step > 2 * unit and (decimals or step >= MIN_ROUNDED_STEP):  # may be rounded positions
        mean = (values[-1] - values[0]) / (len(values) - 1)
        if all(abs(value - values[0] - n * mean) <= unit for n, value in enumerate(values)):
            return "", ""
    return _describe_gap(names, numbers, values, step), ""


def _describe_gap(
    names: Sequence[str], numbers: Sequence[str], values: Sequence[Decimal], step: Decimal
) -> str:
    missing = []
    for before, after in itertools.pairwise(range(len(values))):
        count = round((values[after] - values[before]) / step) - 1
        if count > 0:
            missing.append(f"{count} between {numbers[before]} and {numbers[after]}")
    gaps = ", ".join(missing[:MAX_SHOWN]) + (", ..." if len(missing) > MAX_SHOWN else "")
    gaps = gaps or f"the steps from {numbers[0]} to {numbers[-1]} differ"
    return (
        f"planes are missing among {names[0]} to {names[-1]} ({gaps}): copy the missing files, or "
        "number the files without gaps if there are no more planes"
    )


def _with_wildcards(parsed: Sequence[_Name], wildcard: str) -> str:
    """Return a pattern with a wildcard for each number that varies."""
    first = parsed[0]
    pattern = ""
    for column, text in enumerate(first.texts[:-1]):
        pattern += glob.escape(text)
        written = {name.signs[column] + name.digits[column] for name in parsed}
        if len(written) == 1:
            pattern += written.pop()
            continue
        digits = {name.digits[column] for name in parsed}
        signs = {name.signs[column] for name in parsed}
        if len(signs) == 1:
            pattern += signs.pop()
        widths = {len(each) for each in digits}
        if wildcard == "[0-9]":
            fixed = len(widths) == 1 and all(each.isdecimal() for each in digits)
            pattern += wildcard * widths.pop() if fixed else "*"
        else:
            pattern += wildcard
    endings = {name.texts[-1] for name in parsed}
    pattern += glob.escape(endings.pop()) if len(endings) == 1 else "*"
    return pattern.replace(UUID_MARK, "*")


def _matches(pattern: str, name: str) -> bool:
    parts, patterns = name.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(
        fnmatch.fnmatchcase(part, each) for part, each in zip(parts, patterns, strict=True)
    )
