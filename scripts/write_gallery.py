"""Write the page of the gallery of a stack."""

from pathlib import Path
from typing import Any

from cellstack.files.atomic import atomic_write
from cellstack.files.provenance import describe_images
from cellstack.files.records import read_json
from cellstack.gallery.sections import describe_block
from cellstack.gallery.write_gallery import write_gallery
from cellstack.run import job


def main(
    *,
    sections: list[Path],
    view: Path,
    raw: list[Path],
    records: list[Path],
    page: Path,
    stack: str,
    note: str,
    diameter_um: float,
    preset: str,
    block: dict[str, Any] | None = None,
    images: list[dict[str, str]],
    software: dict[str, Any],
) -> None:
    """Read the `sections`, each named like its file, and the `view`; write the `page`.

    It lists the `software` and the `images`; `raw` and `records` are those imported, and the
    records of their import. If the stack is cut into blocks, the sections are those of `block`.
    """
    parts = {path.stem: read_json(path) for path in sections}
    text = write_gallery(
        parts,
        read_json(view),
        stack=stack,
        note=describe_block(note, block),
        diameter_um=diameter_um,
        preset=preset,
        provenance=software | {"images": describe_images(raw, records, images)},
    )
    with atomic_write(page) as partial:
        partial.write_text(text, encoding="utf-8")


job.run(main)
