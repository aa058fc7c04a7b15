"""Selection of one stack of a file that contains several: its scene and its time point."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from cellstack.errors import InputError
from cellstack.files.readers.image_source import MAX_NAME_LENGTH, one_line

NUMBER = re.compile(r"#[0-9]+")
MAX_NAMED = 10  # scenes in a message
SEPARATE = "one is needed: save it as a separate file"


class NotChosenError(InputError):
    """A file has several scenes or time points, and the sheet names none.

    Attributes
    ----------
    column : str
        Column of the sheet that is needed, ``"scene"`` or ``"time"``.
    names : list of (str or None)
        Names of the scenes, or None for each time point.
    """

    def __init__(self, message: str, column: str, names: Sequence[str | None]) -> None:
        super().__init__(message)
        self.column = column
        self.names = list(names)


class Part(NamedTuple):
    """The stack to be read from a file, as the sheet gives it.

    Attributes
    ----------
    scene : str or None
        Number (from 0) or name of the scene, see :func:`find_matches`; None or empty if the sheet
        does not give it. Depending on the format, a scene is called scene, series, position or
        image.
    time : int or None
        Number of the time point, from 0; None if the sheet does not give it.
    axes : str or None
        Names of all axes, such as ``"zcyx"``, for a TIFF without names; None or empty if the sheet
        does not give them.
    """

    scene: str | None = None
    time: int | None = None
    axes: str | None = None


def pick_scene(name: str, names: Sequence[str | None], part: Part | None) -> int:
    """Select a scene of a file.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    names : sequence of (str or None)
        Names of the scenes in the file.
    part : Part or None
        None for a file that must contain a single stack.

    Returns
    -------
    int
        Number of the scene, from 0.

    Raises
    ------
    NotChosenError
        The file has several scenes and the sheet names none.
    InputError
        What the sheet names matches no scene or more than one.

    Examples
    --------
    >>> pick_scene("a.czi", ["left", "right"], Part(scene="right"))
    1
    """
    available = ", ".join(_numbered(number, each) for number, each in enumerate(names[:MAX_NAMED]))
    available += ", ..." if len(names) > MAX_NAMED else ""
    if part is None or not part.scene:
        if len(names) == 1:
            return 0
        fix = "fill in scene in the sheet, with a number or a name"
        raise NotChosenError(
            f"{name}: contains {len(names)} scenes, {available or 'none'}: "
            f"{SEPARATE if part is None else fix}",
            "scene",
            names,
        )
    matches = find_matches(names, part.scene)
    if len(matches) == 1:
        return matches[0]
    problem = f"matches {len(matches)} of its scenes" if matches else "matches no scene"
    fix = f"use #{matches[0]} for number {matches[0]}" if matches else "correct scene in the sheet"
    raise InputError(
        f"{name}: scene {part.scene} {problem}, the file has {available or 'none'}: {fix}"
    )


def refuse_axes(name: str, part: Part | None) -> None:
    """Raise an error if the sheet names axes of an image whose format names them.

    Raises
    ------
    InputError
        It does.
    """
    if part is not None and part.axes:
        raise InputError(
            f"{name}: axes {part.axes} are given, but its format names them; axes are for TIFF "
            "files without names: leave axes empty in the sheet"
        )


def find_matches(names: Sequence[str | None], wanted: str) -> list[int]:
    """Return the numbers of the scenes, or channels, that a cell of the sheet can mean.

    Parameters
    ----------
    names : sequence of (str or None)
        Names of all scenes or channels of the file.
    wanted : str
        A name or a number from 0, or a number after ``#``, which no name can be mistaken for. Case
        is ignored if no name matches exactly.

    Returns
    -------
    list of int

    Examples
    --------
    >>> names = ["2", "1", "0"]
    >>> find_matches(names, "0"), find_matches(names, "#0")
    ([0, 2], [0])
    """
    if NUMBER.fullmatch(wanted) and wanted not in names:
        number = int(wanted[1:])
        return [number] if number < len(names) else []
    matches = find_name(names, wanted)
    if wanted.isdecimal() and int(wanted) < len(names):
        matches = sorted({*matches, int(wanted)})
    return matches


def find_name(names: Sequence[str | None], wanted: str) -> list[int]:
    """Return the numbers of all that have a name, ignoring case if none matches exactly.

    Examples
    --------
    >>> find_name(["DAPI", "GFP", "dapi", None], "Dapi")
    [0, 2]
    """
    exact = [number for number, each in enumerate(names) if each == wanted]
    if exact:
        return exact
    folded = wanted.casefold()
    return [number for number, each in enumerate(names) if (each or "").casefold() == folded]


def label(number: int, names: Sequence[str | None]) -> str | None:
    """Return the number and the name of a scene; None if it is the only one.

    Parameters
    ----------
    number : int
    names : sequence of (str or None)
        Names of all scenes in the file.

    Examples
    --------
    >>> label(1, ["left", "right"])
    '1 (right)'
    """
    return _numbered(number, names[number]) if len(names) > 1 else None


def _numbered(number: int, name: str | None) -> str:
    return str(number) if name is None else f"{number} ({one_line(name, MAX_NAME_LENGTH)})"


def pick_time(name: str, count: int, part: Part | None, hint: str = "") -> int:
    """Select a time point of a file.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    count : int
        Number of time points in the file.
    part : Part or None
        None for a file that must contain a single stack.
    hint : str
        Added to the message that asks for a time point.

    Returns
    -------
    int
        Number of the time point, from 0.

    Raises
    ------
    NotChosenError
        The file has several time points and the sheet gives none.
    InputError
        The sheet gives a time point that is not in the file.

    Examples
    --------
    >>> pick_time("a.czi", 3, Part(time=2))
    2
    """
    held = f"time points, 0 to {count - 1}" if count > 1 else "time point, 0"
    if part is None or part.time is None:
        if count == 1:
            return 0
        fix = "fill in time in the sheet; each time point is a separate stack"
        raise NotChosenError(
            f"{name}: contains {count} {held}: {SEPARATE if part is None else fix}{hint}",
            "time",
            [None] * count,
        )
    if not 0 <= part.time < count:
        raise InputError(
            f"{name}: time {part.time} is not in the file, which has {count} {held}: "
            "correct time in the sheet"
        )
    return part.time
