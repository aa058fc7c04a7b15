"""Collect the scores of all runs of a sweep, and write the best run as a preset."""

import logging
from pathlib import Path

from cellstack import job, score_columns, table_io, whole_files
from cellstack.collect_sweep import rank_runs, write_preset

log = logging.getLogger(__name__)


def main(*, stack_scores: list[Path], scores: Path, runs: Path, best: Path, settings: list, presets: list, stacks: list):
    """Write a row per run, stack and object kind as `scores`, and one per run as `runs`; the files hold `stacks` run by run from run 0."""
    tried = [{}, *settings]
    keys = list(dict.fromkeys(key for each in settings for key in each))
    cells = [{"run": str(run)} | {key: str(each[key]) for key in each} for run, each in enumerate(tried)]
    files = [stack_scores[start : start + len(stacks)] for start in range(0, len(stack_scores), len(stacks))]
    by_run = [[whole_files.read_json(path)["objects"] for path in own] for own in files]
    rows = [
        cells[run] | {"stack": stack, "object": kind} | table_io.as_text(each["summary"])
        for run, scored in enumerate(by_run)
        for stack, kinds in zip(stacks, scored, strict=True)
        for kind, each in kinds.items()
    ]
    table_io.write_rows(scores, ["run", *keys, *score_columns.BY_STACK], rows)
    ranked = rank_runs([[each["summary"] for kinds in scored for each in kinds.values()] for scored in by_run])
    for run, own in enumerate(files):
        first = files.index(own)  # runs with the same settings for each of their stages read the same files
        cells[run]["same_as"] = "" if first == run else str(first)
        if first != run:
            log.warning("run %d is the same as run %d: what it sets has no effect", run, first)
    columns = ["run", *keys, "same_as", *ranked[0]]
    table_io.write_rows(runs, columns, (table_io.as_text(row) | each for row, each in zip(ranked, cells, strict=True)))
    with whole_files.whole_file(best) as partial:
        partial.write_text(write_preset(ranked, tried, presets, stacks), encoding="utf-8")


job.run(main)
