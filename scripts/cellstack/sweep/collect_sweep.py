"""The tables of a sweep: the scores of all runs, the runs by rank, and the best one as a preset.

A run is identified by its number. Run 0 is the configuration itself, run 1 the first row of the
table of the sweep. The settings of a run are a dict by key, such as
``{"binarize.factor": 0.9}``; those of run 0 are empty.
"""

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

import yaml

from cellstack.config import settings, sweep_table
from cellstack.evaluate.score_columns import OUTLINES, named_threshold
from cellstack.files.tables import as_text

Settings: TypeAlias = Mapping[str, Any]
Summary: TypeAlias = Mapping[str, float | None]
StackScores: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Scores of a stack by kind of object, see :mod:`cellstack.evaluate.evaluate_labels`."""

SCORE, SECOND_SCORE = "f1", "panoptic_quality"  # the second one decides ties
LEVEL = "binarize.per_object.level"
BIAS = "volume_bias_median_percent"
BEST, UNBIASED = "best", "unbiased"  # names of the presets


def swept_keys(runs: Sequence[Settings]) -> list[str]:
    """Return all keys that the runs set, in order.

    Parameters
    ----------
    runs : list of dict
        Settings of each run.

    Returns
    -------
    list of str
    """
    return list(dict.fromkeys(key for run in runs for key in run))


def score_rows(
    scores: Sequence[Sequence[StackScores]], runs: Sequence[Settings], stacks: Sequence[str]
) -> list[dict[str, str]]:
    """Return the table of scores: a row per run, stack and kind of object.

    Parameters
    ----------
    scores : list of list of dict
        Scores of each run and stack by kind of object.
    runs : list of dict
        Settings of each run.
    stacks : list of str
        Names of the stacks.

    Returns
    -------
    list of dict of str to str
        Cells by column.
    """
    rows = []
    for run, (set_values, scores_of_run) in enumerate(zip(runs, scores, strict=True)):
        cells = _setting_cells(run, set_values)
        for stack, kinds in zip(stacks, scores_of_run, strict=True):
            for kind, scored in kinds.items():
                key = {"stack": stack, "object": kind, "ground_truth": scored["ground_truth"]}
                rows.append(cells | key | as_text(scored["summary"]))
    return rows


def run_rows(
    ranked: Sequence[Summary], runs: Sequence[Settings], same_as: Sequence[int]
) -> list[dict[str, str]]:
    """Return the table of runs: a row per run with its settings, its rank and its mean scores.

    Parameters
    ----------
    ranked : list of dict
        See :func:`rank_runs`.
    runs : list of dict
        Settings of each run.
    same_as : list of int
        For each run the first one with the same results.

    Returns
    -------
    list of dict of str to str
        Cells by column. The column ``same_as`` is empty if no earlier run is the same.
    """
    rows = []
    for run, (row, set_values, first) in enumerate(zip(ranked, runs, same_as, strict=True)):
        same = {"same_as": "" if first == run else str(first)}
        rows.append(as_text(row) | _setting_cells(run, set_values) | same)
    return rows


def _setting_cells(run: int, set_values: Settings) -> dict[str, str]:
    return {"run": str(run)} | {key: str(value) for key, value in set_values.items()}


def rank_runs(scores: Sequence[Sequence[Summary]]) -> list[dict[str, float | None]]:
    """Average the scores of each run over stacks and kinds of object, and rank the runs by F1.

    Parameters
    ----------
    scores : list of list of dict of str to number or None
        For each run the summaries of its stacks and kinds of object, the same ones for each run;
        see :mod:`cellstack.evaluate.evaluate_labels`.

    Returns
    -------
    list of dict of str to number or None
        For each run its ``rank`` from 1 and its scores. Counts are summed; other scores
        are the mean of the known values, or None. Ties are resolved by panoptic quality, then by
        the order of the runs.

    Examples
    --------
    >>> rank_runs([[{"f1": 0.5, "panoptic_quality": 0.4}], [{"f1": 0.7, "panoptic_quality": 0.4}]])
    ... # doctest: +NORMALIZE_WHITESPACE
    [{'rank': 2, 'f1': 0.5, 'panoptic_quality': 0.4},
     {'rank': 1, 'f1': 0.7, 'panoptic_quality': 0.4}]
    """
    means = []
    for summaries in scores:
        names = summaries[0]
        means.append({name: _combine(name, [each[name] for each in summaries]) for name in names})

    def order(run: int) -> tuple[float, float, int]:
        return -(means[run][SCORE] or 0), -(means[run][SECOND_SCORE] or 0), run

    ranks = {run: rank for rank, run in enumerate(sorted(range(len(means)), key=order), 1)}
    ranked: list[dict[str, float | None]] = []
    for run, row in enumerate(means):
        ranked.append({"rank": ranks[run], **row})
    return ranked


def _combine(name: str, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if name.startswith("count_"):
        return sum(known)
    return sum(known) / len(known) if known else None


def volume_biases(scores: Sequence[Sequence[StackScores]]) -> list[float | None]:
    """Return the median bias of the volumes of nuclei in each run, averaged over the stacks.

    Parameters
    ----------
    scores : list of list of dict
        Scores of each run and stack by kind of object.

    Returns
    -------
    list of float or None
        In percent. None if no stack has nuclei that match a ground truth with outlines.
    """
    biases = []
    for run in scores:
        known = [kinds["nuclei"]["summary"][BIAS] for kinds in run if "nuclei" in kinds]
        biases.append(_combine(BIAS, known))
    return biases


def find_unbiased_level(biases: Mapping[float, float]) -> tuple[float, float, float] | None:
    """Return the level at which volumes have no bias.

    Parameters
    ----------
    biases : dict of float to float
        Bias of the volumes in percent, by level.

    Returns
    -------
    level, below, above : float
        The level, by linear interpolation between the two levels with biases of different sign
        that are nearest to it, and these two. None if there are no such levels.

    Examples
    --------
    >>> find_unbiased_level({0.5: -20.0, 0.3: 5.0, 0.4: -5.0})
    (0.35, 0.3, 0.4)
    """
    levels = sorted(biases)
    for below, above in itertools.pairwise(levels):
        first, second = biases[below], biases[above]
        if first >= 0 >= second and first > second:
            return round(below + (above - below) * first / (first - second), 4), below, above
    return None


def write_preset(
    ranked: Sequence[Summary],
    runs: Sequence[Settings],
    presets: Sequence[settings.Settings],
    stacks: Sequence[str],
    kinds: Collection[str] = (OUTLINES,),
    biases: Sequence[float | None] = (),
) -> str:
    """Return the best run as a preset, and a preset whose volumes have no bias.

    Parameters
    ----------
    ranked : list of dict
        See :func:`rank_runs`.
    runs : list of dict
        Settings of each run.
    presets : list of dict
        For each run the preset that its settings are added to, as settings of stages.
    stacks : list of str
        Names of the stacks on which the runs were scored.
    kinds : collection of str
        Kinds of ground truth of the stacks.
    biases : list of float or None
        For each run, see :func:`volume_biases`.

    Returns
    -------
    str
        YAML: a configuration that adds the preset ``best``; and the preset ``unbiased`` if the
        sweep varies :data:`LEVEL`, with the other settings of the best run, on both sides of the
        level at which the bias is zero.
    """
    best = next(run for run, row in enumerate(ranked) if row["rank"] == 1)
    of_stages = {
        key: value for key, value in runs[best].items() if key not in sweep_table.KEYS_WITHOUT_STAGE
    }
    lines = [
        f"# Run {best} of the sweep: F1 {ranked[best][SCORE]:.3f} {named_threshold(kinds)}, "
        f"mean over {', '.join(stacks)}."
    ]
    if best:
        lines.append(f"# The configuration itself (run 0): F1 {ranked[0][SCORE]:.3f}.")
    else:
        lines.append("# This is the configuration itself.")
    lines += [
        "# To use it, add this file to the command with --configfile, after any other file, or "
        "copy the preset into your configuration.",
        "# Then write the name of the preset into the column `preset` of the sheet.",
    ]
    for key, value in runs[best].items():
        if key in sweep_table.KEYS_WITHOUT_STAGE and key != "preset":
            lines.append(
                f"# A preset has no diameter: set {key} to {value:g} in the configuration, or "
                "diameter_um in the sheet if it has this column, which takes precedence."
            )
    added = {BEST: settings.merge(presets[best], sweep_table.nest(of_stages))}
    by_level = _biases_by_level(runs, best, biases)
    if found := find_unbiased_level(by_level):
        level, below, above = found
        added[UNBIASED] = settings.merge(added[BEST], sweep_table.nest({LEVEL: level}))
        lines.append(
            f"# The preset `{UNBIASED}` is `{BEST}` with the level at which the median bias of the "
            f"volumes of nuclei is zero, {level:g}: it is {by_level[below]:+.1f} % at {below:g} "
            f"and {by_level[above]:+.1f} % at {above:g}, mean over the stacks."
        )
    elif by_level:
        tried = ", ".join(f"{bias:+.1f} % at {level:g}" for level, bias in by_level.items())
        advice = "it does not decrease with the level"
        if max(by_level.values()) < 0:
            advice = "add lower levels"
        elif min(by_level.values()) > 0:
            advice = "add higher levels"
        lines.append(
            f"# There is no preset `{UNBIASED}`: the median bias of the volumes of nuclei is "
            f"{tried}; {advice}."
        )
    text = yaml.safe_dump(
        {"presets": added},
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=120,
    )
    return "\n".join(lines) + "\n" + text


def _biases_by_level(
    runs: Sequence[Settings], best: int, biases: Sequence[float | None]
) -> dict[float, float]:
    """Return the bias by level, of the runs that differ from the best one in their level only."""

    def others(run: Settings) -> Settings:
        return {key: value for key, value in run.items() if key != LEVEL}

    found = {
        float(run[LEVEL]): bias
        for run, bias in zip(runs, biases, strict=False)
        if LEVEL in run and bias is not None and others(run) == others(runs[best])
    }
    return dict(sorted(found.items()))
