"""Write the page of the run: plots and a table of all stacks, and the details of each."""

import base64
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cellstack.files.atomic import atomic_write
from cellstack.files.records import read_json
from cellstack.files.tables import read_rows
from cellstack.measure.collect import join_checks
from cellstack.pages.index_run import Run
from cellstack.pages.write_index import fit_on_page, write_index
from cellstack.run import job


def main(
    *,
    stacks: Path,
    checks: Path,
    statistics: Path,
    columns: Path,
    provenance: Path,
    quality: list[Path],
    pictures: list[Path],
    figures: list[Path],
    index: Path,
    sheet: str,
    images: list[str],
    channels: dict[str, list[str]],
    user_columns: list[str],
    settings: list[dict[str, Any]],
    note: str,
    further: list[str],
    pages: dict[str, list[str]],
    group_by: str = "",
    groups: list[Path] = (),
) -> None:
    """Write the page `index` of the tables `stacks`, `checks`, `statistics` and `columns`.

    `quality` is the image quality of each stack, `pictures` are the small pictures of each kind of
    object, and `figures` all figures. If they are too large for the page, it refers to their files,
    as it does to `further` tables. `groups` is the comparison of groups, if there is one.
    `pages` are the other pages of each stack that exist. The date is that of the newest of the
    `images`, which no rule makes.
    """
    results = stacks.parent
    drawn = {(path.parts[-3], path.parts[-2]): read_json(path) for path in pictures}
    is_embedded = fit_on_page(drawn, sum(path.stat().st_size for path in figures))
    found = {}
    for path in figures:
        png = base64.b64encode(path.read_bytes()).decode() if is_embedded else ""
        found[path.relative_to(results).as_posix()] = png
    software = read_json(provenance)
    facts = {"Version": f"cellstack {software['cellstack']}"}
    if software["commit"]:
        facts["Version"] += f", commit {software['commit']}"
    # the folders of a computer are private
    facts["Sheet"] = Path(sheet).name if Path(sheet).is_absolute() else sheet
    if date := newest_date(images):
        facts["Newest image"] = date
    if note:
        facts["Note"] = note
    page = write_index(
        Run(
            stacks=join_checks(read_rows(stacks), read_rows(checks)),
            statistics=list(read_rows(statistics)),
            columns=list(read_rows(columns)),
            user_columns=user_columns,
            group_by=group_by,
            facts=facts,
            channels=channels,
            settings=settings,
            quality={path.parent.name: read_json(path) for path in quality},
            pictures=drawn,
            figures=found,
            further=further,
            provenance=software,
            pages=pages,
            groups=[row for path in groups for row in read_rows(path)],
        )
    )
    with atomic_write(index) as partial:
        partial.write_text(page, encoding="utf-8", errors="backslashreplace")


def newest_date(images: Iterable[str]) -> str:
    """Return the date in UTC at which the newest image was written; empty if there is none."""
    newest = 0.0
    for image in images:
        with suppress(OSError):  # removed since it was read
            path = Path(image)
            parts = path.iterdir() if path.is_dir() else [path]
            newest = max([newest, *(part.stat().st_mtime for part in parts)])
    return datetime.fromtimestamp(newest, UTC).date().isoformat() if newest else ""


job.run(main)
