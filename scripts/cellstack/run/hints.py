"""Lines for the terminal at the end of a run: what to check, and how to look at it."""

import shlex
from pathlib import Path

from cellstack.core.counting import counted
from cellstack.files import tables
from cellstack.run.failed import FAILED, NOT_RUN

MAX_STACKS_TO_CHECK = 10
MAX_FLAG_CHARACTERS = 110


def flagged_stacks(path: str | Path) -> list[str]:
    """Return lines for the terminal: which stacks to check, and why.

    Parameters
    ----------
    path : path-like
        ``stacks.csv`` of a run.

    Returns
    -------
    list of str
        Empty if no stack has flags, or if there is no such file.
    """
    if not Path(path).is_file():
        return []
    rows = list(tables.read_rows(path))
    flagged = [row for row in rows if row["flags"] and row["status"] not in (FAILED, NOT_RUN)]
    if not flagged:
        return []
    count = len({row["stack"] for row in flagged})
    total = len({row["stack"] for row in rows})
    stacks = f"{count} of {counted(total, 'stacks')}"
    lines = [f"look at {stacks} (all reasons: column flags of {path}):"]
    for row in flagged[:MAX_STACKS_TO_CHECK]:
        first, *others = row["flags"].split(";")
        if len(first) > MAX_FLAG_CHARACTERS:
            first = f"{first[:MAX_FLAG_CHARACTERS].rstrip()}..."
        more = f"; and {counted(len(others), 'more flags')}" if others else ""
        lines.append(f"  {row['stack']} {row['object']}: {first}{more}")
    if len(flagged) > MAX_STACKS_TO_CHECK:
        lines.append(f"  and {len(flagged) - MAX_STACKS_TO_CHECK} more")
    return lines


def flagged_groups(path: str | Path) -> list[str]:
    """Return lines for the terminal: which comparisons of groups to doubt, and why.

    Parameters
    ----------
    path : path-like
        ``groups.csv`` of a run.

    Returns
    -------
    list of str
        Empty if no comparison has warnings, or if there is no such file.
    """
    if not Path(path).is_file():
        return []
    rows = list(tables.read_rows(path))
    shared: dict[str, list[str]] = {}  # many columns have the same warning
    for row in rows:
        for warning in filter(None, row["warnings"].split(";")):
            pair = f"{row['object']}, {row['group_1']} and {row['group_2']}: {warning}"
            shared.setdefault(pair, []).append(row["column"])
    if not shared:
        return []
    count = sum(bool(row["warnings"]) for row in rows)
    lines = [f"doubt {count} of {counted(len(rows), 'comparisons')} (column warnings of {path}):"]
    for pair, columns in list(shared.items())[:MAX_STACKS_TO_CHECK]:
        lines.append(f"  {pair} ({counted(len(columns), 'columns')})")
    if len(shared) > MAX_STACKS_TO_CHECK:
        lines.append(f"  and {len(shared) - MAX_STACKS_TO_CHECK} more")
    return lines


def how_to_look(path: str | Path, script: Path) -> list[str]:
    """Return the line for the terminal that says how to look at a stack in the viewer.

    Parameters
    ----------
    path : path-like
        ``stacks.csv`` of a run.
    script : pathlib.Path
        The script that opens the viewer. It does not exist if the workflow is remote.

    Returns
    -------
    list of str
        The command for the first stack that has flags or, if none has, the first one; empty if
        there is no stack, or no script.
    """
    if not (script.exists() and Path(path).is_file()):
        return []
    rows = [row for row in tables.read_rows(path) if row["status"] not in (FAILED, NOT_RUN)]
    if not rows:
        return []
    stack = next((row["stack"] for row in rows if row["flags"]), rows[0]["stack"])
    here = script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script
    words = ["python", str(here), str(Path(path).with_name(stack))]
    return [f"to look at {stack} in napari, and to correct it: {shlex.join(words)}"]
