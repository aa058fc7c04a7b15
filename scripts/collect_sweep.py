"""Collect the scores of all runs of a sweep, and write the best run as a preset."""

import logging
from pathlib import Path

from cellstack.evaluate.score_columns import BY_STACK
from cellstack.files.atomic import atomic_write
from cellstack.files.records import read_json
from cellstack.files.tables import write_rows
from cellstack.run import job
from cellstack.sweep.collect_sweep import (
    rank_runs,
    run_rows,
    score_rows,
    swept_keys,
    volume_biases,
    write_preset,
)

log = logging.getLogger(__name__)


def main(
    *,
    stack_scores: list[Path],
    scores: Path,
    runs: Path,
    best: Path,
    settings: list,
    presets: list,
    stacks: list,
) -> None:
    """Write the tables `scores` and `runs` and the presets of `best`.

    `stack_scores` are the scores of all `stacks`, run by run from run 0 (the configuration
    itself). `settings` are those of the runs from run 1, `presets` those of all runs.
    """
    starts = range(0, len(stack_scores), len(stacks))
    files = [stack_scores[start : start + len(stacks)] for start in starts]
    # runs with the same settings for each stage read the same files
    same_as = [files.index(files_of_run) for files_of_run in files]
    for run, first in enumerate(same_as):
        if first != run:
            log.warning("run %d is the same as run %d: its settings have no effect", run, first)
    contents = [[read_json(path) for path in files_of_run] for files_of_run in files]
    # settings are compared without the corrections of the stacks as configured
    scored = [[each["objects"] | each.get("uncorrected", {}) for each in run] for run in contents]
    ranked = rank_runs(
        [[each["summary"] for kinds in run for each in kinds.values()] for run in scored]
    )
    tried = [{}, *settings]
    columns = ["run", *swept_keys(tried)]
    write_rows(scores, [*columns, *BY_STACK], score_rows(scored, tried, stacks))
    write_rows(runs, [*columns, "same_as", *ranked[0]], run_rows(ranked, tried, same_as))
    of_kinds = {each["ground_truth"] for kinds in scored[0] for each in kinds.values()}
    preset = write_preset(ranked, tried, presets, stacks, of_kinds, volume_biases(scored))
    with atomic_write(best) as partial:
        partial.write_text(preset, encoding="utf-8")


job.run(main)
