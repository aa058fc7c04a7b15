"""Compare the nuclei that result from each method of each stage."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cellstack.figures.drawing import use_color_map
from cellstack.files.failures import read_failure
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import open_stack
from cellstack.files.tables import as_text, write_rows
from cellstack.gallery.compare_labels import FIELDS, Result, compare_labels
from cellstack.gallery.views import of_block
from cellstack.gallery.write_gallery import as_yaml
from cellstack.prepare.import_labels import renumber
from cellstack.run import job


def main(
    *,
    raw: Path,
    segmentations: list[Path],
    view: Path,
    final_labels: Path,
    table: Path,
    alternatives: list,
    stages: list,
    by_points: bool,
    ground_truth: list[Path] = (),
    color_map: str = "gray",
    block: dict[str, Any] | None = None,
) -> None:
    """Read the `segmentations`: that of the stack as configured, and one of each alternative.

    Write the section `final_labels`, and its `table`. If `raw` is a `block`, the others are those
    of the complete stack, of which this part is compared.
    """
    stack, spacing = open_stack(raw)
    with use_color_map(color_map):
        section = compare_labels(
            stack,
            spacing,
            read_json(view),
            _read_part(segmentations[0], block),
            alternatives,
            _read(segmentations[1:]),
            stages,
            _read_part(ground_truth[0], block) if ground_truth else None,
            by_points=by_points,
        )
    for row in section["table"]:
        snippet = row["configuration"]
        row["configuration"] = None if snippet is None else as_yaml(snippet).rstrip()
    write_json(final_labels, section)
    write_rows(table, FIELDS, map(as_text, section["table"]))


def _read_part(path: Path, block: dict[str, Any] | None) -> Any:
    """Open labels; those of a block are numbered 1..n."""
    stack, _ = open_stack(path)
    return stack if block is None else renumber(of_block(stack, block))


def _read(paths: list[Path]) -> Iterator[Result]:
    """Yield the labels of each file, or the reason why it has none."""
    for path in paths:
        failure = read_failure(path)
        yield Result(open_stack(path)[0] if failure is None else None, failure or "")


job.run(main)
