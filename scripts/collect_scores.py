"""Collect the scores of all stacks that have a truth into one table."""

from pathlib import Path

from cellstack import io, job, table_io


def main(*, stack_scores: list[Path], scores: Path):
    """Write one row per stack, object kind and IoU threshold of `stack_scores`."""
    rows = [
        {"stack": content["stack"], "object": kind} | row
        for content in map(io.read_json, stack_scores)
        for kind, table in content["objects"].items()
        for row in table
    ]
    table_io.write_rows(scores, list(rows[0]), map(table_io.as_text, rows))


job.run(main)
