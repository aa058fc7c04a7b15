"""Units of work: what the wildcard ``{stack}`` of the rules names."""

import re
from typing import NamedTuple

NAME = "[A-Za-z0-9][A-Za-z0-9_-]*"
RUN = "sweep/[1-9][0-9]*"
PATTERN = f"(?:{RUN}/)?{NAME}"


class Unit(NamedTuple):
    """A stack of the sheet, as configured or under one row of a sweep.

    The same rules make the files of all units: those of a stack as configured are in
    ``results/NAME``, those of run 3 of a sweep in ``results/sweep/3/NAME``.

    Attributes
    ----------
    stack : str
        Name in the sheet.
    run : int
        Row of the sweep, from 1; 0 for the stack as configured.

    Examples
    --------
    >>> Unit.parse("sweep/3/colony")
    Unit(stack='colony', run=3)
    >>> Unit("colony").path
    'colony'
    """

    stack: str
    run: int = 0

    @property
    def path(self) -> str:
        """Folder of the unit below the results, which is also its value of ``{stack}``."""
        return f"sweep/{self.run}/{self.stack}" if self.run else self.stack

    @classmethod
    def parse(cls, path: str) -> "Unit":
        """Return the unit of a value of ``{stack}``."""
        run, _, stack = path.rpartition("/")
        return cls(stack, int(run.removeprefix("sweep/")) if run else 0)


def pattern_of_units(paths: list[str]) -> str:
    """Return the regular expression that matches the paths of some units, and no other.

    Examples
    --------
    >>> [bool(re.fullmatch(pattern_of_units(["a", "sweep/2/b"]), path)) for path in ("a", "b")]
    [True, False]
    """
    names = "|".join(sorted(map(re.escape, paths)))
    return f"(?:{names})" if paths else "(?!)"


def pattern_of(stacks: list[str], *, with_runs: bool = True) -> str:
    """Return the regular expression that matches all units of some stacks, and no other.

    Parameters
    ----------
    stacks : list of str
        Names in the sheet.
    with_runs : bool
        Whether it matches these stacks under a row of a sweep too.

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
    names = "|".join(sorted(map(re.escape, stacks)))
    run = f"(?:{RUN}/)?" if with_runs else ""
    return f"{run}(?:{names})" if stacks else "(?!)"
