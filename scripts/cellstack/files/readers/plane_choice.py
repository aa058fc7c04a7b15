"""Choice of the files that are the planes of one stack, or why there is none."""

import glob
from collections.abc import Collection, Sequence

from cellstack.errors import InputError
from cellstack.files.readers.plane_names import (
    CHANNEL_LABELS,
    MAX_SHOWN,
    POSITION_LABELS,
    TIME_LABELS,
    PlaneGroup,
    group_planes,
    pattern_of,
)

MAX_PATTERNS = 6
MAX_PATTERN_TEXT = 300  # characters of all patterns in a message


def choose_planes(names: Sequence[str], listed: Collection[str], folder: str) -> PlaneGroup:
    """Return the planes of a stack in order; raise an error if files are not one stack.

    Parameters
    ----------
    names : sequence of str
        Names of the files that the sheet gives, as for
        :func:`cellstack.files.readers.plane_names.group_planes`.
    listed : collection of str
        Names of all files in their folders. A suggested pattern matches none of the others.
    folder : str
        Path of the folder as written in the sheet; empty for the working directory.

    Returns
    -------
    PlaneGroup

    Raises
    ------
    InputError
        The names belong to several stacks, a number is missing, or no number counts planes. The
        message has patterns that can be used in the sheet.
    """
    groups = group_planes(names)
    if len(groups) == 1 and not groups[0].problem:
        return groups[0]
    where = folder or "the working directory"
    if len(groups) == 1:
        raise InputError(f"{where}: {groups[0].problem}")
    stacks = [group for group in groups if len(group.names) > 1]
    others = [name for group in groups if len(group.names) == 1 for name in group.names]
    shown = stacks[:MAX_PATTERNS]
    patterns = [_shown_pattern(group, names, listed, folder) for group in shown]
    if not stacks:
        raise InputError(f"{where}: {_describe_singles(groups, folder)}")
    if len(stacks) == 1:
        raise InputError(
            f"{where}: {_shown(others)} {'is' if len(others) == 1 else 'are'} not named like the "
            f"{len(stacks[0].names)} planes {_range(stacks[0])}: move "
            f"{'it' if len(others) == 1 else 'them'} to another folder"
            + (f", or use the pattern {patterns[0]} as image in the sheet" if patterns[0] else "")
        )
    differ = _differences(stacks)
    beside = f", and {_shown(others)} beside them" if others else ""
    usable = _fitting([pattern for pattern in patterns if pattern], len(stacks))
    raise InputError(
        f"{where}: contains {len(stacks)} stacks of planes, which differ in {differ}{beside}: "
        + (f"use one pattern as image in the sheet: {usable}" if usable else "")
        + ("; or " if usable and None in patterns else "")
        + ("use a folder for each" if None in patterns else "")
    )


def _shown_pattern(
    group: PlaneGroup, names: Sequence[str], listed: Collection[str], folder: str
) -> str | None:
    pattern = pattern_of(group, {*names, *listed})
    if pattern is None:
        return None
    return f"{glob.escape(folder)}/{pattern}" if folder else pattern


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_SHOWN]) + (
        f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
    )


def _range(group: PlaneGroup) -> str:
    return f"{group.names[0]} to {group.names[-1]}"


def _differences(stacks: Sequence[PlaneGroup]) -> str:
    """Describe in what the names of several stacks differ."""
    labels = dict.fromkeys(label for group in stacks for label in group.fixed)
    if not labels or any(group.fixed.keys() != labels.keys() for group in stacks):
        return f"their names ({_shown([group.names[0] for group in stacks])})"
    return " and ".join(
        f"{label} ({_shown(list(dict.fromkeys(group.fixed[label] for group in stacks)))})"
        for label in labels
    )


def _fitting(patterns: Sequence[str], total: int) -> str:
    """Return patterns as text, as many of a total number as fit into a message."""
    shown = [*patterns[:1]]
    for pattern in patterns[1:]:
        if sum(map(len, shown)) + len(pattern) > MAX_PATTERN_TEXT:
            break
        shown.append(pattern)
    return ", ".join(shown) + (", ..." if shown and len(shown) < total else "")


def _describe_singles(groups: Sequence[PlaneGroup], folder: str) -> str:
    names = [group.names[0] for group in groups]
    first = f"{folder}/{names[0]}" if folder else names[0]
    labels = {label for group in groups for label in group.fixed}
    kinds = {"channels": CHANNEL_LABELS, "time points": TIME_LABELS, "positions": POSITION_LABELS}
    counted = [kind for kind, known in kinds.items() if labels.intersection(known)]
    if counted:
        return (
            f"the numbers in the names of its {len(names)} files ({_shown(names)}) count "
            f"{' and '.join(counted)}, not planes: use one file as image in the sheet, such as "
            f"{first}; if the files are planes of one stack, put a z before the number"
        )
    return (
        f"no number in the names of its {len(names)} files ({_shown(names)}) counts planes: "
        f"use one file as image in the sheet, such as {first}; if the files are planes of one "
        "stack, name them like p_z1.tif, p_z2.tif"
    )
