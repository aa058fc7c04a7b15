"""Words of the methods section: texts of the user, settings with their units, lists."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from cellstack.core.counting import significant

MAX_NAMED = 20  # stacks in a list
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$@!&])")


def escape(value: object) -> str:
    r"""Return a text from a file or the configuration as plain text in Markdown.

    Characters with a meaning in Markdown, HTML or Pandoc's citations are escaped; control
    characters and marks that change the direction of the text are removed.

    Examples
    --------
    >>> print(escape("<b>63x_oil</b>"), escape(1.4), escape(63.0))
    \<b\>63x\_oil\</b\> 1.4 63
    """
    text = f"{value:g}" if isinstance(value, float) else str(value)
    shown = "".join(
        " " if each.isspace() else each
        for each in text
        if each.isspace() or not unicodedata.category(each).startswith("C")
    )
    return SPECIAL.sub(r"\\\1", shown)


def stack_names(stacks: Sequence[str], every: Sequence[str]) -> str:
    """Return the names of some stacks; of many stacks, only the first ones."""
    if len(stacks) == len(every) > 1:
        return "all stacks"
    word = "stack" if len(stacks) == 1 else "stacks"
    if len(stacks) > MAX_NAMED:
        others = len(stacks) - MAX_NAMED
        return f"{word} {', '.join(stacks[:MAX_NAMED])} and {others} others"
    return f"{word} {join_words(stacks)}"


def join_words(words: Sequence[str], last: str = "and") -> str:
    """Return words as a list in a sentence.

    Examples
    --------
    >>> join_words(["a", "b", "c"])
    'a, b and c'
    """
    *others, end = words
    return f"{', '.join(others)} {last} {end}" if others else end


def plural(word: str, of: Sequence[object]) -> str:
    """Return a word in the plural, unless it is said of one thing."""
    return word if len(of) == 1 else f"{word}s"


def sentence_case(text: str) -> str:
    """Return a text that begins with a capital letter."""
    return text[0].upper() + text[1:]


def setting_in_words(key: str, values: Sequence[Any]) -> str:
    """Return the values of a setting with their unit, numbers as a range.

    Examples
    --------
    >>> setting_in_words("sigma_um", [0.5, 0.25])
    '0.25 to 0.5 µm'
    """
    unit = " µm³" if key.endswith("_um3") else " µm" if key.endswith("_um") else ""
    first = values[0]
    if first is None:  # sigma_intensity, the only setting in a sentence that can be empty
        return "that of each plane"
    if isinstance(first, list):
        return " x ".join(map(str, first))
    if key == "command":
        return f"`{_without_folders(first)}`"
    if isinstance(first, str):
        return _without_folders(first)
    low, high = (significant(each, 4) for each in (min(values), max(values)))
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"


def _without_folders(command: str) -> str:
    """Return a command or a path in which of each absolute path only the name is left.

    The folders of a computer are private.
    """
    words = (word.rpartition("/")[2] if word.startswith("/") else word for word in command.split())
    return " ".join(words)
