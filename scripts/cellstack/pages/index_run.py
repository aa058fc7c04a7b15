"""Data of the page of a run, and the state and order of its stacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from cellstack.config.reasons import OTHER_DIAMETER, SUGGESTED

if TYPE_CHECKING:
    from cellstack.pages.pictures import Pictures  # it imports NumPy


Row: TypeAlias = Mapping[str, str]
Key: TypeAlias = tuple[str, str]
"""Names of a stack and of a kind of object."""
OK, FLAGGED, FAILED = "ok", "flagged", "failed"
STATES = {
    OK: "need no check",
    FLAGGED: "need a check",
    FAILED: "failed or were not run",
}
FAILED_STATUSES = ("failed", "not run")
NO_OBJECTS = "no objects"
REASONS_OF_DIAMETER = 10  # a diameter that is probably wrong counts as this many reasons
FURTHER_TABLES = {  # that a run has if the sheet or the configuration declares what they describe
    "neighbors.csv": "pairs of neighbouring objects",
    "regions.csv": "volume of tissue and regions, and density of objects",
    "spots.csv": "spots, and the objects they lie in",
    "classes.csv": "number of objects of each class",
    "class_distances.csv": "distances of objects to those of each class",
    "groups.csv": "comparison of groups",
    "group_units.csv": "means of the experimental units that are compared",
    "scores.csv": "agreement with the ground truth, by IoU",
    "stack_scores.csv": "scores of each stack",
    "spot_scores.csv": "scores of spots",
    "evaluation.html": "scores and the worst objects on one page",
}
PAGES = {  # in the folder of a stack, made if they are requested
    "explore.html": "Explore planes, stages and methods",
    "gallery/index.html": "Compare methods",
}


@dataclass(frozen=True)
class Run:
    """Data that the page of a run shows.

    Attributes
    ----------
    stacks, statistics, columns : list of dict of str to str
        Rows of the tables stacks.csv (with the columns of checks.csv), statistics.csv and
        columns.csv.
    user_columns : list of str
        The user's columns of the sheet.
    group_by : str
        The one of them by which stacks are grouped.
    facts : dict of str to str
        What was run, as plain text by name.
    channels : dict of str to list of str
        Channels by stack.
    settings : list of dict
        Settings that differ from the default, see
        :func:`cellstack.config.used_settings.changed_settings`.
    quality : dict of str to dict
        By stack the content of quality.json: by channel its row of quality.csv and its profile.
    pictures : dict of (str, str) to Pictures
        By stack and kind of object.
    groups : list of dict of str to str
        Rows of the table groups.csv; empty if groups are not compared.
    further : list of str
        The files of :data:`FURTHER_TABLES` that the run has.
    pages : dict of str to list of str
        By stack those of its pages in :data:`PAGES` that exist.
    figures : dict of str to str
        By the path in the folder of results, the figure as a PNG file in base64; empty to refer to
        the file.
    provenance : dict
        See :func:`cellstack.pages.html.build_page`.
    """

    stacks: Sequence[Row]
    statistics: Sequence[Row]
    columns: Sequence[Row]
    user_columns: Sequence[str]
    group_by: str
    facts: Mapping[str, str]
    channels: Mapping[str, Sequence[str]]
    settings: Sequence[Mapping[str, Any]]
    quality: Mapping[str, Mapping[str, Any]]
    pictures: Mapping[Key, "Pictures"]
    further: Sequence[str]
    figures: Mapping[str, str]
    provenance: Mapping[str, Any]
    pages: Mapping[str, Sequence[str]]
    groups: Sequence[Row] = ()


def state_of(row: Row) -> str:
    """Return whether a stack is ok, flagged or failed.

    Examples
    --------
    >>> state_of({"status": "ok", "flags": "haze"}), state_of({"status": "not run", "flags": ""})
    ('flagged', 'failed')
    """
    if row["status"] in FAILED_STATUSES:
        return FAILED
    return FLAGGED if row["flags"] or row["status"] == NO_OBJECTS else OK


def reasons_of(row: Row) -> list[str]:
    """Return the reasons to check a stack; that of a failed stack is one line.

    Examples
    --------
    >>> reasons_of({"status": "ok", "flags": "haze: a;saturated: b"})
    ['haze: a', 'saturated: b']
    """
    if row["status"] in FAILED_STATUSES:
        return [row["flags"]]
    return [flag for flag in row["flags"].split(";") if flag]


def score_of(row: Row) -> float:
    """Return the number of reasons plus the fraction of measured objects that are flagged.

    A diameter that is probably wrong makes all results wrong, and counts as ten reasons.

    Examples
    --------
    >>> score_of({"status": "ok", "flags": "haze", "count_flagged": "3", "count_measured": "4"})
    1.75
    """
    measured = int(row["count_measured"] or 0)
    share = int(row["count_flagged"] or 0) / measured if measured else 0.0
    reasons = reasons_of(row)
    of_diameter = sum(reason.startswith((OTHER_DIAMETER, SUGGESTED)) for reason in reasons)
    return len(reasons) + (REASONS_OF_DIAMETER - 1) * of_diameter + share


def sort_worst_first(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of stacks.csv in the order of the page.

    Parameters
    ----------
    rows : list of dict of str to str

    Returns
    -------
    list of dict of str to str
        Stacks that failed, stacks that were not run, stacks without objects, then the others by
        :func:`score_of`. Equal ones keep their order.
    """
    ranks = {status: rank for rank, status in enumerate((*FAILED_STATUSES, NO_OBJECTS))}
    return sorted(rows, key=lambda row: (ranks.get(row["status"], len(ranks)), -score_of(row)))


def kinds_of(rows: Sequence[Row]) -> list[str]:
    """Return the kinds of object in rows of stacks.csv, each once.

    Examples
    --------
    >>> kinds_of([{"object": "nuclei"}, {"object": "cells"}, {"object": "nuclei"}])
    ['nuclei', 'cells']
    """
    return list(dict.fromkeys(row["object"] for row in rows))
