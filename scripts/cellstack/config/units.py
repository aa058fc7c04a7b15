"""Units of work: what the wildcard ``{stack}`` of the rules names."""

import re
from itertools import groupby, takewhile
from typing import NamedTuple

NAME = "[A-Za-z0-9][A-Za-z0-9_-]*"
RUN = "sweep/[1-9][0-9]*"
BLOCK = "[0-9]+-[0-9]+-[0-9]+"
OF_STACKS = f"(?:{RUN}/)?{NAME}"
OF_BLOCKS = f"{OF_STACKS}/blocks/{BLOCK}"
OF_ALTERNATIVES = f"alternatives/[a-z_]+/[A-Za-z0-9._-]+/{NAME}"
PATTERN = f"{OF_STACKS}(?:/blocks/{BLOCK})?"


class Unit(NamedTuple):
    """A stack of the sheet, as configured or under one row of a sweep, or a block of it.

    The same rules make the files of all units: those of a stack as configured are in
    ``results/NAME``, those of run 3 of a sweep in ``results/sweep/3/NAME``, and those of its
    blocks in ``results/NAME/blocks/0-1-2``. The gallery compares the labels of a stack with those
    of other methods, whose files are in ``results/alternatives/STAGE/METHOD/NAME``.

    Attributes
    ----------
    stack : str
        Name in the sheet.
    run : int
        Row of the sweep, from 1; 0 for the stack as configured.
    block : str
        Position of the block along z, y and x, such as ``"0-1-2"``; empty for the complete stack.
    alternative : str
        Stage and name of the settings that replace its configured ones, such as
        ``"binarize/otsu"``; empty for none. See
        :meth:`cellstack.config.study.Study.alternatives`.

    Examples
    --------
    >>> Unit.parse("sweep/3/colony")
    Unit(stack='colony', run=3, block='', alternative='')
    >>> Unit("colony", block="0-1-2").path
    'colony/blocks/0-1-2'
    >>> Unit.parse("alternatives/binarize/otsu/colony").alternative
    'binarize/otsu'
    """

    stack: str
    run: int = 0
    block: str = ""
    alternative: str = ""

    @property
    def path(self) -> str:
        """Folder of the unit below the results, which is also its value of ``{stack}``."""
        if self.alternative:
            return f"alternatives/{self.alternative}/{self.stack}"
        stack = f"sweep/{self.run}/{self.stack}" if self.run else self.stack
        return f"{stack}/blocks/{self.block}" if self.block else stack

    @property
    def complete(self) -> "Unit":
        """The stack of which this unit is a block; the unit itself if it is not a block."""
        return self._replace(block="")

    @classmethod
    def parse(cls, path: str) -> "Unit":
        """Return the unit of a value of ``{stack}``."""
        if path.startswith("alternatives/") and path.count("/") == 3:
            _, stage, name, stack = path.split("/")
            return cls(stack, alternative=f"{stage}/{name}")
        folder, _, block = path.rpartition("/blocks/")
        if not folder:
            folder, block = path, ""
        run, _, stack = folder.rpartition("/")
        return cls(stack, int(run.removeprefix("sweep/")) if run else 0, block)


def _any_of(names: list[str]) -> str:
    """Return the regular expression of some names, sorted and without duplicates.

    Names with the same beginning share it, so that a match takes as long for thousands of names as
    for a few.

    Examples
    --------
    >>> _any_of(["stack1", "stack10", "stack11", "stack2"])
    'stack(?:1(?:|0|1)|2)'
    """
    pairs = zip(names[0], names[-1], strict=False)
    prefix = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    if len(names) == 1:
        return re.escape(prefix)
    rest = [name.removeprefix(prefix) for name in names]
    parts = [_any_of(list(group)) for _, group in groupby(rest, key=lambda name: name[:1])]
    return f"{re.escape(prefix)}(?:{'|'.join(parts)})"


def pattern_of_units(paths: list[str]) -> str:
    """Return the regular expression that matches the paths of some units, and no other.

    Examples
    --------
    >>> [bool(re.fullmatch(pattern_of_units(["a", "sweep/2/b"]), path)) for path in ("a", "b")]
    [True, False]
    """
    return _any_of(sorted(set(paths))) if paths else "(?!)"


def pattern_of(stacks: list[str], *, with_runs: bool = True, with_blocks: bool = False) -> str:
    """Return the regular expression that matches all units of some stacks, and no other.

    Parameters
    ----------
    stacks : list of str
        Names in the sheet.
    with_runs : bool
        Whether it matches these stacks under a row of a sweep too.
    with_blocks : bool
        Whether it matches their blocks too.

    Returns
    -------
    str

    Examples
    --------
    >>> bool(re.fullmatch(pattern_of(["a", "b"]), "sweep/2/b"))
    True
    >>> bool(re.fullmatch(pattern_of([]), "a"))
    False
    """
    if not stacks:
        return "(?!)"
    run = f"(?:{RUN}/)?" if with_runs else ""
    block = f"(?:/blocks/{BLOCK})?" if with_blocks else ""
    return f"{run}{_any_of(sorted(set(stacks)))}{block}"
