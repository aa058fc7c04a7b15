"""Check values that YAML allows but no setting can have, and quote values in messages.

JSON schemas accept some of these values, such as NaN, and fail on others, such as keys that are
numbers.
Imported when Snakemake parses the workflow, so it imports nothing heavy.
"""

import math
import re
import reprlib
from collections.abc import Sequence
from typing import Any

from cellstack.config.lengths import SIZE
from cellstack.core.counting import counted
from cellstack.errors import InputError

MAX_VALUES = 10_000  # in total
MAX_DEPTH = 20  # levels of nested keys and lists
MAX_NUMBER = 1e15
MAX_TEXT = 1000  # characters of a value
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
MAX_ERRORS = 100  # in a message
MAX_LINE = 300  # characters of an error
MAX_QUOTE = 80  # characters of a quoted value
ELLIPSIS = " ... "

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = MAX_QUOTE


def quote(value: object) -> str:
    """Return the Python representation of a value, cut to 80 characters, for a message.

    Examples
    --------
    >>> quote([1, "a"])
    "[1, 'a']"
    >>> len(quote("a" * 1000))
    80
    """
    text = _repr.repr(value)
    return text if len(text) <= MAX_QUOTE else f"{text[: MAX_QUOTE - 3]}..."


def shorten(errors: Sequence[str]) -> list[str]:
    """Return the first 100 errors, each on one line of at most 300 characters.

    The middle of a longer line is left out, since its end says how to fix the error.

    Examples
    --------
    >>> shorten(["a: is wrong; correct it"])
    ['a: is wrong; correct it']
    """
    lines = [" ".join(error.splitlines()) for error in errors[:MAX_ERRORS]]
    half = (MAX_LINE - len(ELLIPSIS)) // 2
    lines = [
        line if len(line) <= MAX_LINE else f"{line[:half]}{ELLIPSIS}{line[-half:]}"
        for line in lines
    ]
    left = len(errors) - len(lines)
    return [*lines, f"and {left} more; fix these first"] if left else lines


def raise_errors(errors: Sequence[str]) -> None:
    """Raise the errors of the configuration and the sheet as one, if there are any.

    Raises
    ------
    InputError
        With a heading and the lines of :func:`shorten`.
    """
    if errors:
        heading = f"{counted(len(errors), 'errors')} in the configuration or the sheet:"
        raise InputError("\n".join([heading, *shorten(errors)]))


def sort_out(given: Any, where: str) -> tuple[Any, list[str]]:
    """Remove values that no setting can have, and return an error for each.

    Parameters
    ----------
    given : object
        What the user gave, as read from YAML.
    where : str
        Name of the place in messages, such as ``"config"``.

    Returns
    -------
    sound : object
        `given` without the keys that have an error, in their name or their value.
    errors : list of str
        One line for each key that is not text; each number that is not finite or is too large;
        each text that is too long or has control characters; and each value of a type that only
        YAML has, such as a date.

    Raises
    ------
    InputError
        There are too many values. With aliases, a short YAML file can repeat them without end.

    Examples
    --------
    >>> sort_out({"a": 1, 2: 3}, "config")
    ({'a': 1}, ['config: the key 2 is not text; correct it, or write it in quotes'])
    """
    sorting = _Sorting()
    sound, is_sound = sorting.sort(given, where, 0)
    if sorting.left < 0:
        raise InputError(
            f"{where}: contains more than {MAX_VALUES} values, or values that contain themselves; "
            "write them without YAML anchors, and remove those that are not needed"
        )
    return (sound if is_sound else {}), sorting.errors


class _Sorting:
    """The errors found so far, and how many more values may be checked."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.left = MAX_VALUES

    def sort(self, value: Any, place: str, depth: int) -> tuple[Any, bool]:
        """Return the sound part of a value, and whether there is one."""
        self.left -= 1
        if depth > MAX_DEPTH:
            self.left = -1
        if self.left < 0:
            return None, False
        if isinstance(value, dict):
            sound = {}
            for key, part in value.items():
                if not isinstance(key, str):
                    self.errors.append(
                        f"{place}: the key {quote(key)} is not text; "
                        "correct it, or write it in quotes"
                    )
                    continue
                kept, is_sound = self.sort(part, f"{place}.{quote(key)[1:-1]}", depth + 1)
                if is_sound:
                    sound[key] = kept
            return sound, True
        if isinstance(value, list):
            parts = [
                self.sort(part, f"{place}.{number}", depth + 1) for number, part in enumerate(value)
            ]
            return [kept for kept, _ in parts], all(is_sound for _, is_sound in parts)
        wrong = _why_unsound(value)
        if wrong:
            self.errors.append(f"{place}: {quote(value)} {wrong}")
        return value, not wrong


def _why_unsound(value: object) -> str:
    if isinstance(value, str):
        size = SIZE.fullmatch(value)
        if size is not None and float(size[1]) > MAX_NUMBER:
            return f"is above {MAX_NUMBER:g}; give a smaller number"
        if len(value) > MAX_TEXT or CONTROL.search(value):
            return f"has control characters, or more than {MAX_TEXT} characters; correct it"
        return ""
    if value is None or isinstance(value, bool):
        return ""
    if not isinstance(value, (int, float)):
        return f"is a {type(value).__name__}; give text in quotes, a number, or a list"
    if isinstance(value, float) and not math.isfinite(value):
        return "is not a finite number; give a finite one"
    if abs(value) > MAX_NUMBER:
        return f"is beyond {MAX_NUMBER:g}; give a number closer to 0"
    return ""
