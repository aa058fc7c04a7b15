"""Record the versions of cellstack and its libraries, and the content of all images."""

from pathlib import Path
from typing import Any

from cellstack.files.provenance import describe_images
from cellstack.files.records import write_json
from cellstack.run import job


def main(
    *,
    provenance: Path,
    raw: list[Path],
    records: list[Path],
    images: list[dict[str, str]],
    software: dict[str, Any],
    study: dict[str, Any] | None = None,
) -> None:
    """Write the `software`, what the user says about the `study`, and an entry for each image.

    `raw` and `records` are the imported images and the records of their import.
    """
    described = describe_images(raw, records, images)
    write_json(provenance, software | ({"study": study} if study else {}) | {"images": described})


job.run(main)
