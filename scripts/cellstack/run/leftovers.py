"""Results that earlier runs made and that are not part of a run, and therefore not up to date."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from cellstack.config.object_columns import CHANNEL_OF

MAX_NAMED = 4
FIGURES = re.compile(r"(nuclei|cells)_(groups|volumes|scores)(_\d+)?\.(png|pdf)")
FILES = (  # of all stacks, which not every run has
    "neighbors.csv",
    "regions.csv",
    "spots.csv",
    "classes.csv",
    "class_distances.csv",
    "groups.csv",
    "group_units.csv",
    "scores.csv",
    "stack_scores.csv",
    "spot_scores.csv",
    "evaluation.html",
    "nuclei_classes.json",
    "cells_classes.json",
)


def find_leftovers(
    results: str | Path, made: Iterable[str | Path], stacks: Collection[str]
) -> list[str]:
    """Return results of earlier runs that a run of the default target does not update.

    After a change of the sheet or the configuration these are the folders of stacks that were
    renamed or removed, those of nuclei or cells that are no longer segmented, and the tables and
    figures that a run no longer has, such as ``groups.csv`` when only one group is left. Other
    files are not looked at.

    Parameters
    ----------
    results : path-like
        Folder of the results.
    made : iterable of path-like
        All files of the run, up to date or to be made.
    stacks : collection of str
        Names of all stacks in the sheet.

    Returns
    -------
    list of str
        Paths, folders first.
    """
    folder = Path(results)
    current = {Path(path) for path in made}
    folders = [
        path.parent
        for path in sorted(folder.glob("*/channels"))
        if path.parent.name not in stacks and path.is_dir()
    ]
    folders += [
        path.parent
        for path in sorted(folder.glob("*/*/objects.csv"))
        if path.parent.name in CHANNEL_OF
        and path.parent.parent.name in stacks
        and path not in current
    ]
    files = [folder / name for name in FILES]
    files += [path for path in sorted(folder.glob("figures/*")) if FIGURES.fullmatch(path.name)]
    return [
        *map(str, folders),
        *(str(path) for path in files if path not in current and path.is_file()),
    ]


def describe_leftovers(paths: Collection[str], listing: str | Path) -> list[str]:
    """Return the line for the terminal about results that are not up to date; empty without any.

    Parameters
    ----------
    paths : collection of str
    listing : path-like
        A file that has all of them; it is named if they do not fit in the line.

    Returns
    -------
    list of str

    Examples
    --------
    >>> describe_leftovers(["results/old", "results/groups.csv"], "logs/leftovers.txt")
    ['from earlier runs, and not up to date (delete them): results/old, results/groups.csv']
    """
    if not paths:
        return []
    named = ", ".join(list(paths)[:MAX_NAMED])
    more = len(paths) - MAX_NAMED
    others = f" and {more} more, see {listing}" if more > 0 else ""
    return [f"from earlier runs, and not up to date (delete them): {named}{others}"]
