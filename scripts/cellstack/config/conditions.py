"""Conditions on columns of objects.csv, such as ``solidity < 0.85 and volume_um3 > p90``.

A condition is parsed here and never run as code. Imported when Snakemake parses the workflow, so
it imports nothing heavy.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from cellstack.config.values import quote
from cellstack.errors import InputError

OTHER = "other"  # class of an object that meets no condition
OTSU = "otsu"
OPERATORS = ("<=", ">=", "==", "!=", "<", ">")
WORDS = ("and", "or", "not")
INSTEAD = {"=": "==", "&&": "and", "&": "and", "||": "or", "|": "or", "!": "not"}
MAX_LENGTH = 2000  # characters
MAX_DEPTH = 40  # parentheses and `not` within each other
PERCENTILE = re.compile(r"p(\d+(?:\.\d+)?)", re.ASCII | re.IGNORECASE)
TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))"
    r"|(?P<name>[pP]\d+\.\d+(?![\w.])|[A-Za-z_][A-Za-z0-9_-]*)"
    r"|(?P<operator><=|>=|==|!=|<|>)"
    r"|(?P<bracket>[()])"
    r"|(?P<other>&&|\|\||\S)"
    r")",
    re.ASCII,
)


class Comparison(NamedTuple):
    """A column compared with a number, a threshold or another column."""

    column: str
    operator: str
    """One of :data:`OPERATORS`."""
    term: str
    """A number, ``"otsu"``, a percentile such as ``"p90"``, or the name of a column."""

    @property
    def threshold(self) -> str | None:
        """The term in lower case if it is a threshold, else None."""
        return self.term.lower() if is_threshold(self.term) else None

    @property
    def number(self) -> float | None:
        """The term if it is a number, else None."""
        is_name = self.term[0].isalpha() or self.term[0] == "_"
        return None if is_name else float(self.term)


@dataclass(frozen=True)
class Combination:
    """Conditions joined by ``and`` or ``or``, or one negated by ``not``."""

    word: str
    """One of :data:`WORDS`."""
    parts: tuple["Condition", ...]


Condition: TypeAlias = Comparison | Combination


class _Token(NamedTuple):
    kind: str
    text: str
    place: int  # of its first character, counted from 1


def parse_condition(text: str) -> Condition:
    """Parse a condition on the columns of a table.

    Parameters
    ----------
    text : str
        Comparisons joined by ``and``, ``or``, ``not`` and parentheses. Each has a column on the
        left, one of ``<``, ``<=``, ``>``, ``>=``, ``==`` and ``!=``, and on the right a number,
        another column, a percentile such as ``p90`` or ``otsu``; the last two are thresholds of the
        column on the left. ``and`` binds more tightly than ``or``.

    Returns
    -------
    Comparison or Combination

    Raises
    ------
    InputError
        The text is not a condition. The message has the place and a fix.

    Examples
    --------
    >>> parse_condition("volume_um3 > p90")
    Comparison(column='volume_um3', operator='>', term='p90')
    >>> parse_condition("not solidity < 0.9").word
    'not'
    """
    if len(text) > MAX_LENGTH:
        raise InputError(
            f"the condition has {len(text)} characters; use at most {MAX_LENGTH}, or several "
            "classes"
        )
    tokens = []
    for found in TOKEN.finditer(text.rstrip()):
        kind = found.lastgroup or "other"
        tokens.append(_Token(kind, found[kind], found.start(kind) + 1))
    parser = _Parser(tokens)
    condition = parser.alternatives(0)
    if parser.next is not None:
        raise parser.unexpected("`and` or `or`")
    return condition


class _Parser:
    """A recursive descent parser; each method reads one rule of the grammar."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._place = 0

    @property
    def next(self) -> _Token | None:
        """The token that is read next; None at the end."""
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def unexpected(self, wanted: str) -> InputError:
        """Return the error of a token that does not fit."""
        token = self.next
        if token is None:
            return InputError(f"the condition ends too early; add {wanted}")
        found = f"{quote(token.text)} at character {token.place}"
        if token.text in INSTEAD:
            return InputError(f"{found} is not an operator; use `{INSTEAD[token.text]}`")
        return InputError(f"{found} is not expected; give {wanted} there")

    def _takes(self, *words: str) -> bool:
        """Read the next token if it is one of some words or brackets."""
        if self.next is None or self.next.text.lower() not in words:
            return False
        self._place += 1
        return True

    def alternatives(self, depth: int) -> Condition:
        parts = [self._all(depth)]
        while self._takes("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Combination("or", tuple(parts))

    def _all(self, depth: int) -> Condition:
        parts = [self._single(depth)]
        while self._takes("and"):
            parts.append(self._single(depth))
        return parts[0] if len(parts) == 1 else Combination("and", tuple(parts))

    def _single(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise InputError(
                f"more than {MAX_DEPTH} parentheses or `not` within each other; simplify it"
            )
        if self._takes("not"):
            return Combination("not", (self._single(depth + 1),))
        if self._takes("("):
            inner = self.alternatives(depth + 1)
            if not self._takes(")"):
                raise self.unexpected("`)`")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        column = self.next
        if column is None or column.kind != "name" or column.text.lower() in WORDS:
            raise self.unexpected("the name of a column")
        if is_threshold(column.text):
            raise InputError(
                f"{quote(column.text)} at character {column.place} is a threshold; give the "
                f"column on the left, as in `volume_um3 > {column.text}`"
            )
        self._place += 1
        operator = self.next
        if operator is None or operator.kind != "operator":
            raise self.unexpected(f"one of {' '.join(OPERATORS)}")
        self._place += 1
        term = self.next
        if term is None or term.kind not in ("number", "name") or term.text.lower() in WORDS:
            raise self.unexpected("a number, a percentile such as p90, otsu or a column")
        percentile = PERCENTILE.fullmatch(term.text)
        if percentile and float(percentile[1]) > 100:
            raise InputError(
                f"{quote(term.text)} at character {term.place} is not a percentile; use p0 to p100"
            )
        self._place += 1
        if self.next is not None and self.next.kind == "operator":
            raise InputError(
                f"{quote(self.next.text)} at character {self.next.place} is a second comparison; "
                f"join two, as in `{column.text} > 1 and {column.text} < 2`"
            )
        return Comparison(column.text, operator.text, term.text)


def is_threshold(word: str) -> bool:
    """Return whether a word is ``otsu`` or a percentile, and not the name of a column.

    Examples
    --------
    >>> is_threshold("p97.5"), is_threshold("Otsu"), is_threshold("p95_intensity_nuclei")
    (True, True, False)
    """
    return word.lower() == OTSU or PERCENTILE.fullmatch(word) is not None


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """Yield the comparisons of a condition, from left to right.

    Examples
    --------
    >>> condition = parse_condition("a > 1 or not (b < p5 and a == 3)")
    >>> [comparison.column for comparison in comparisons(condition)]
    ['a', 'b', 'a']
    """
    if isinstance(condition, Comparison):
        yield condition
    else:
        for part in condition.parts:
            yield from comparisons(part)


def columns_of(condition: Condition) -> list[str]:
    """Return the columns that a condition refers to, each once.

    Examples
    --------
    >>> columns_of(parse_condition("nucleus_volume_um3 < volume_um3 and volume_um3 > p5"))
    ['nucleus_volume_um3', 'volume_um3']
    """
    names = []
    for each in comparisons(condition):
        is_column = each.number is None and each.threshold is None
        names += [each.column, each.term] if is_column else [each.column]
    return list(dict.fromkeys(names))
