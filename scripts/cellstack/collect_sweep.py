"""The runs of a sweep in order of their scores, and the best one as a preset."""

import yaml

from cellstack import settings, sweep

SCORE = "f1"  # at IoU 0.5, the mean over stacks and kinds of object; the panoptic quality decides between equals
TIE = "panoptic_quality"


def rank_runs(scores):
    """Average the scores of each run over stacks and kinds of object, and rank the runs.

    Parameters
    ----------
    scores : list of list of dict of str to number or None
        For each run, the summaries of its stacks, see :mod:`cellstack.evaluate_labels`. Each run has the same stacks and kinds.

    Returns
    -------
    list of dict
        For each run its ``rank`` from 1, then each score: counts summed, all else averaged over what is known, or None. Of equal runs the
        earlier one comes first.
    """
    runs = [{name: _combine(name, [summary[name] for summary in summaries]) for name in summaries[0]} for summaries in scores]
    order = sorted(range(len(runs)), key=lambda run: (-runs[run][SCORE], -runs[run][TIE], run))
    return [{"rank": order.index(run) + 1} | row for run, row in enumerate(runs)]


def _combine(name, values):
    known = [value for value in values if value is not None]
    if name.startswith("count_"):
        return sum(known)
    return sum(known) / len(known) if known else None


def write_preset(ranked, tried, presets, stacks):
    """Write the best run as a preset.

    Parameters
    ----------
    ranked : list of dict
        As of :func:`rank_runs`; the first one is the configuration as it stands.
    tried : list of dict of str to object
        What each run sets, by key, as of :func:`cellstack.sweep.read_sweep`.
    presets : list of dict
        For each run the preset that it builds on, as settings of stages.
    stacks : list of str
        The stacks on which the runs were scored.

    Returns
    -------
    str
        YAML: a configuration that adds the preset ``best``.
    """
    best = next(run for run, row in enumerate(ranked) if row["rank"] == 1)
    own = {key: value for key, value in tried[best].items() if key not in sweep.NO_STAGE}
    preset = settings.merge(presets[best], sweep.nest(own))
    lines = [
        f"# Run {best} of the sweep: F1 {ranked[best][SCORE]:.3f} at IoU 0.5, mean over {', '.join(stacks)}.",
        f"# The configuration as it stood (run 0): F1 {ranked[0][SCORE]:.3f}." if best else "# It is the configuration as it stands.",
        "# Give this file behind your own, --configfile config.yaml best.yaml, or copy the preset into your configuration.",
        "# Then write `best` into the column `preset` of the sheet.",
    ]
    outside = {key: value for key, value in tried[best].items() if key in sweep.NO_STAGE and key != "preset"}
    lines += [f"# A preset has no diameter: set {key} to {value:g} in the configuration." for key, value in outside.items()]
    text = yaml.safe_dump({"presets": {"best": preset}}, sort_keys=False, default_flow_style=False, allow_unicode=True, width=120)
    return "\n".join(lines) + "\n" + text
