"""Write the methods section of a run, and the BibTeX entries of what it cites."""

from pathlib import Path
from typing import Any

from cellstack.files.atomic import atomic_write
from cellstack.files.records import read_json
from cellstack.files.tables import read_rows
from cellstack.measure.collect import join_checks
from cellstack.publish.write_methods import Group, write_methods
from cellstack.run import job


def main(
    *,
    stacks: Path,
    checks: Path,
    provenance: Path,
    records: list[Path],
    methods: Path,
    bibliography: Path,
    groups: list[dict[str, Any]],
    images: list[dict[str, str]],
    packages: dict[str, list[str]],
    simulated: list[str] = (),
    scored: dict[str, bool] | None = None,
    comparisons: list[Path] = (),
    comparison: dict[str, Any] | None = None,
    measured: dict[str, Any] | None = None,
) -> None:
    """Describe what was done to the stacks of `groups`, which share their settings.

    `stacks` and `checks` are the tables of summaries, `records` are the records of the import of
    `images`, and `packages` are the Python packages of each rule. `scored` are the stacks with a
    ground truth, and whether it consists of points. `comparisons` is the table of the comparison of
    groups, if there is one, and `comparison` are its settings. `measured` is what is measured
    beside the objects themselves.
    """
    imported = {
        f"{image['stack']}/{image['channel']}": read_json(record)
        for image, record in zip(images, records, strict=True)
    }
    found = write_methods(
        [Group(**group) for group in groups],
        join_checks(read_rows(stacks), read_rows(checks)),
        imported,
        read_json(provenance),
        packages,
        simulated=simulated,
        scored=scored,
        compared=[row for path in comparisons for row in read_rows(path)],
        comparison=comparison,
        measured=measured,
    )
    for path, text in ((methods, found.text), (bibliography, found.bibliography)):
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


job.run(main)
