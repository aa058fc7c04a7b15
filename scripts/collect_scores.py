"""Combine the scores of all stacks in two tables."""

from pathlib import Path

from cellstack.evaluate import score_columns
from cellstack.files.records import read_json
from cellstack.files.tables import as_text, write_rows
from cellstack.run import job


def main(*, stack_scores: list[Path], scores: Path, stacks: Path) -> None:
    """Write `scores` by IoU threshold, and the scores of `stacks`."""
    by_threshold, by_stack = [], []
    for path in stack_scores:
        content = read_json(path)
        for kind, evaluation in content["objects"].items():
            key = {
                "stack": content["stack"],
                "object": kind,
                "ground_truth": evaluation["ground_truth"],
            }
            by_threshold += [as_text(key | row) for row in evaluation["thresholds"]]
            by_stack.append(as_text(key | evaluation["summary"]))
    write_rows(scores, list(score_columns.BY_THRESHOLD), by_threshold)
    write_rows(stacks, list(score_columns.BY_STACK), by_stack)


job.run(main)
