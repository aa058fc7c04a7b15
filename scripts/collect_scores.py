"""Collect the scores of all stacks that have a truth into two tables, and say what each column means."""

from pathlib import Path

from cellstack import job, score_columns, table_io, whole_files


def main(*, stack_scores: list[Path], scores: Path, stacks: Path, columns: Path):
    """Write one row per stack, object kind and IoU threshold as `scores`, one per stack and object kind as `stacks`, and their columns."""
    scored = [
        ({"stack": content["stack"], "object": kind}, each)
        for content in map(whole_files.read_json, stack_scores)
        for kind, each in content["objects"].items()
    ]
    by_threshold = (key | row for key, each in scored for row in each["thresholds"])
    table_io.write_rows(scores, list(score_columns.BY_THRESHOLD), map(table_io.as_text, by_threshold))
    by_stack = (key | each["summary"] for key, each in scored)
    table_io.write_rows(stacks, list(score_columns.BY_STACK), map(table_io.as_text, by_stack))
    keys = ["table", "column", "unit", "definition"]
    rows = [(table, name, *meaning) for table, named in score_columns.TABLES.items() for name, meaning in named.items()]
    table_io.write_rows(columns, keys, (dict(zip(keys, row, strict=True)) for row in rows))


job.run(main)
