"""Write the page of the evaluation of all stacks with a ground truth."""

import base64
from pathlib import Path
from typing import Any

from cellstack.files.atomic import atomic_write
from cellstack.files.provenance import describe_images
from cellstack.files.tables import read_rows
from cellstack.pages.write_evaluation import write_evaluation
from cellstack.run import job


def main(
    *,
    scores: Path,
    stack_scores: Path,
    figures: list[Path],
    raw: list[Path],
    records: list[Path],
    evaluation: Path,
    images: list[dict[str, str]],
    software: dict[str, Any],
) -> None:
    """Read the tables of scores and the `figures`; write the page `evaluation`.

    There is a figure of the worst objects for each row of `stack_scores`, in the same order. The
    page lists the `software` and the `images`; `raw` and `records` are those imported, and the
    records of their import.
    """
    rows = list(read_rows(stack_scores))
    pictures = {
        (row["stack"], row["object"]): base64.b64encode(path.read_bytes()).decode()
        for row, path in zip(rows, figures, strict=True)
    }
    provenance = software | {"images": describe_images(raw, records, images)}
    page = write_evaluation(list(read_rows(scores)), rows, pictures, provenance)
    with atomic_write(evaluation) as partial:
        partial.write_text(page, encoding="utf-8")


job.run(main)
