"""Describe what was found in a folder of images, as text for the terminal."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cellstack.core.counting import agree, counted
from cellstack.init import channels
from cellstack.init.find_images import LABELS
from cellstack.init.init_study import CONFIG, SHEET, Outcome
from cellstack.init.stacks import Options, StudyStack

MAX_ROWS = 30
MAX_NAMED = 3  # stacks or files in a list
HEADER = ("stack", "channels", "z, y, x", "voxel size z, y, x in um", "from")


def describe(outcome: Outcome, study: Path, options: Options, *, dry_run: bool) -> list[str]:
    """Describe what was found, and what to do next.

    Parameters
    ----------
    outcome : Outcome
    study : pathlib.Path
        Folder of the study.
    options : Options
    dry_run : bool
        Whether nothing was written.

    Returns
    -------
    list of str
        Lines of text.
    """
    stacks = outcome.stacks
    added = [stack for stack in stacks if stack.rows]
    files = outcome.found.files
    count, noun = counted(len(stacks), "stacks"), agree(files, "file", "files")
    lines = [f"{count}, {len(added)} of them new, in {files:,} {noun}", ""]
    rows = [_row(series) for series in _time_series(stacks)]
    lines += _table([HEADER, *rows[:MAX_ROWS]])
    if len(rows) > MAX_ROWS:
        more = f"... and {len(rows) - MAX_ROWS} more"
        lines.append(more if dry_run else f"{more}, see {study / SHEET}")
    guesses = _collect(
        (stack.name, f"{channel} is {_called(stack, channel)}")
        for stack in stacks
        for channel in ("nuclei", "membrane")
        if channel in stack.shown
    )
    lines += _section(f"Guessed from names, check the column channel of {SHEET}:", guesses)
    lines += _section(
        f"Left out of the run until {SHEET} is completed and false is deleted in include:",
        _collect((stack.name, stack.missing) for stack in added if stack.missing),
    )
    lines += _section(
        "Check:", _collect((stack.name, notice) for stack in stacks for notice in stack.notices)
    )
    lines += _section("Cannot be read:", _with_paths(outcome.unread))
    lines += _section("Files that are not used:", outcome.found.left_out)
    if LABELS in outcome.found.left_out:
        lines += [
            f"  to use them, add a column to {SHEET}, and enter their paths in it: ground_truth",
            "  to score the results, labels to measure them instead of segmenting the image",
        ]
    lines.append("")
    if dry_run:
        return [*lines, "Nothing was written, because of --dry-run."]
    if outcome.kept:
        lines.append(f"Kept as they were: {', '.join(outcome.kept)}")
    if outcome.other_diameter:
        lines += [
            f"--diameter was not used, because {CONFIG} has another value or none: correct it",
            f"there, or fill in diameter_um in the rows of {SHEET} to which it applies",
        ]
    lines += [f"Written to {study}: {', '.join(outcome.written) or 'nothing'}", "", "Next:"]
    if options.diameter is None and CONFIG in outcome.written:
        lines.append(f"  fill in the diameter of a nucleus in {study / CONFIG}")
    if len(added) == len(stacks) and all(stack.missing for stack in stacks):
        lines.append(f"  complete {study / SHEET}: no stack can run yet")
    return [*lines, f"  cd {shlex.quote(str(study))} && snakemake --cores all"]


def _with_paths(unread: Mapping[str, str]) -> dict[str, list[str]]:
    return {
        reason if path.startswith(reason.partition(": ")[0]) else f"{path}: {reason}": []
        for path, reason in unread.items()
    }


def _called(stack: StudyStack, channel: str) -> str:
    name = stack.shown[channel]
    if channels.guess_role(name) == channel:
        return name
    if len(stack.shown) == 1:
        return "the only channel, whose name does not say what it shows"
    return name or "a channel without a name"


def _time_series(stacks: Sequence[StudyStack]) -> list[list[StudyStack]]:
    """Group the stacks that are time points of the same scene."""
    series: dict[tuple[str, str], list[StudyStack]] = {}
    for stack in stacks:
        series.setdefault((stack.image, stack.scene), []).append(stack)
    return list(series.values())


def _row(series: Sequence[StudyStack]) -> Sequence[str]:
    first, later = series[0], len(series) - 1
    steps = ["?" if step is None else f"{step:.4g}" for step in first.spacing.values()]
    more = f", {len(first.shown) - MAX_NAMED} more" if len(first.shown) > MAX_NAMED else ""
    return (
        first.name + (f" and {counted(later, 'more time points')}" if later else ""),
        ", ".join(list(first.shown)[:MAX_NAMED]) + more,
        " x ".join(map(str, first.shape)),
        " x ".join(steps),
        ", ".join(first.sources),
    )


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _collect(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Group names that have the same text."""
    collected: dict[str, list[str]] = {}
    for name, text in pairs:
        collected.setdefault(text, []).append(name)
    return collected


def _section(title: str, entries: Mapping[str, Sequence[str]]) -> list[str]:
    if not entries:
        return []
    lines = ["", title]
    for text, names in entries.items():
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        listed = ", ".join(names[:MAX_NAMED])
        lines.append(f"  {text}" + (f": {listed}{more}" if listed else ""))
    return lines
