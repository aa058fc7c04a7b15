"""Write the page that shows how well all stacks agree with their truth."""

import base64
from pathlib import Path

from cellstack import job, table_io, whole_files
from cellstack.write_evaluation import write_evaluation


def main(*, scores: Path, stack_scores: Path, faults: list[Path], evaluation: Path):
    """Read the two tables of scores, and for each row of `stack_scores`, in their order, the figure of its worst objects."""
    rows = list(table_io.read_rows(stack_scores))
    keys = [(row["stack"], row["object"]) for row in rows]
    pictures = {key: base64.b64encode(path.read_bytes()).decode() for key, path in zip(keys, faults, strict=True)}
    page = write_evaluation(list(table_io.read_rows(scores)), rows, pictures)
    with whole_files.whole_file(evaluation) as partial:
        partial.write_text(page, encoding="utf-8")


job.run(main)
