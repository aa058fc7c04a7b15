"""Record the versions of cellstack and its libraries, and the content of all images."""

import json
from pathlib import Path
from typing import Any

from cellstack.files.fingerprints import record_path
from cellstack.files.records import read_json, write_json
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

    `raw` and `records` are the imported images and the records of their import. An image has a hash
    if it is a file of at most 2 GB that no rule makes: that of its content, as `sha256sum` prints
    it, or that of all of its files. Of an absolute path only the name is recorded, because the
    folders of a computer are private.
    """
    entries = []
    for path, record, image in zip(raw, records, images, strict=True):
        source = record_path(path)
        known = json.loads(source.read_text(encoding="utf-8")) if source.is_file() else {}
        imported = read_json(record)
        name = Path(image["image"]).name if Path(image["image"]).is_absolute() else image["image"]
        entries.append(
            image
            | {"image": name}
            | {"sha256": known.get("sha256"), "bytes": sum(known.get("sizes", [])) or None}
            | {key: imported[key] for key in ("format", "scene", "time")}
            | {"channel_index": imported["channel"]["index"]}
        )
    write_json(provenance, software | ({"study": study} if study else {}) | {"images": entries})


job.run(main)
