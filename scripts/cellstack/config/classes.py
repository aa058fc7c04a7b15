"""The block classify_objects of the configuration: classes of objects and their conditions.

Imported when Snakemake parses the workflow, so it imports nothing heavy.
"""

from collections.abc import Collection, Mapping, Sequence

from cellstack.config import settings
from cellstack.config.conditions import OTHER, columns_of, parse_condition
from cellstack.config.examples import Examples
from cellstack.config.object_columns import CHANNEL_OF, describe
from cellstack.config.values import quote
from cellstack.errors import InputError

STUDY = "study"  # percentiles and Otsu thresholds are those of all stacks
TEXTS = ("stack", "object", "flags", "corrections")  # columns that cannot be compared
RESULTS = ("class", "class_probability")


def find_errors(
    block: settings.Settings,
    examples: Examples,
    columns: Mapping[str, Sequence[str]],
) -> list[str]:
    """List the errors in the block classify_objects that its schema does not find.

    Parameters
    ----------
    block : dict
        The block with its defaults.
    examples : dict
        See :func:`cellstack.config.examples.read_examples`.
    columns : dict of str to sequence of str
        The columns of objects.csv that are measured, for each kind of object that is found.

    Returns
    -------
    list of str
        One line per error, with a fix.

    Examples
    --------
    >>> block = {"nuclei": {"round": "sphericty > 0.9"}, "cells": {}, "columns": None}
    >>> find_errors(block, {}, {"nuclei": ["volume_um3", "sphericity"]})
    ["config.classify_objects.nuclei.round: unknown column 'sphericty'; did you mean 'sphericity'?"]
    """
    errors = []
    for kind in CHANNEL_OF:
        place = f"config.classify_objects.{kind}"
        if not block[kind]:
            continue
        if kind not in columns:
            errors.append(
                f"{place}: no stack has {kind}; add rows of the channel {CHANNEL_OF[kind]!r}, "
                "or remove it"
            )
        elif kind in examples:
            errors.append(
                f"{place}: {kind} have examples too; remove these conditions, or the examples of "
                f"{kind}"
            )
        else:
            errors += _condition_errors(place, block[kind], columns[kind])
    if block["columns"] is not None:
        place = "config.classify_objects.columns"
        if not examples:
            errors.append(f"{place}: only a classifier uses it; remove it, or give examples")
        for kind in examples.keys() & columns.keys():
            errors += _unknown(place, block["columns"], columns[kind])
    return errors


def _condition_errors(
    place: str, conditions: Mapping[str, str], columns: Collection[str]
) -> list[str]:
    errors = []
    for name, text in conditions.items():
        if name == OTHER:
            errors.append(
                f"{place}.{name}: {OTHER!r} is the class of objects that meet no condition; choose "
                "another name"
            )
        try:
            names = columns_of(parse_condition(text))
        except InputError as error:
            errors.append(f"{place}.{name}: {error}")
            continue
        errors += _unknown(f"{place}.{name}", names, columns)
    return errors


def _unknown(place: str, names: Collection[str], columns: Collection[str]) -> list[str]:
    """Return the errors of names that are not those of a column of numbers."""
    usable = [name for name in columns if name not in (*TEXTS, *RESULTS)]
    errors = []
    for name in names:
        if name in usable:
            continue
        if name in (*TEXTS, *RESULTS):
            errors.append(f"{place}: the column {name!r} has no numbers; use another one")
        elif name.lower() in ("nan", "inf", "true", "false"):
            errors.append(f"{place}: {quote(name)} is not a number; give one")
        elif describe(name) and settings.suggest(name, usable).startswith("known"):
            errors.append(
                f"{place}: the column {name!r} is not measured; add its group to "
                "config.measure_objects.columns, or its channel to the sheet"
            )
        else:
            errors.append(f"{place}: unknown column {quote(name)}; {_hint(name, usable)}")
    return errors


def _hint(name: str, usable: Sequence[str]) -> str:
    hint = settings.suggest(name, usable)
    return hint if hint.startswith("did") else "results/columns.csv lists all columns"
