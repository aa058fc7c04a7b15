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
) -> None:
    """Write the `software` and one entry for each of `images`.

    `raw` and `records` are the imported images and the records of their import.
    """
    write_json(provenance, software | {"images": describe_images(raw, records, images)})


job.run(main)
