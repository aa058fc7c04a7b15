"""The images that results were made from."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cellstack.files.fingerprints import record_path
from cellstack.files.records import read_json


def describe_images(
    raw: Sequence[str | Path],
    records: Sequence[str | Path],
    images: Sequence[Mapping[str, str]],
) -> list[dict[str, Any]]:
    """Return what is known about the content of images.

    Parameters
    ----------
    raw : list of path-like
        Imported channels, ``raw.tif``.
    records : list of path-like
        The records of their import, ``import.json``.
    images : list of dict of str to str
        For each of them ``stack``, ``channel`` and ``image``, as in the sheet.

    Returns
    -------
    list of dict
        The entries of `images` with hash, size, format and the part that was read. An image has a
        hash if it is a file of at most 2 GB that no rule makes: that of its content, as `sha256sum`
        prints it, or that of all of its files. Of an absolute path only the name is kept, because
        the folders of a computer are private.
    """
    entries = []
    for path, record, image in zip(raw, records, images, strict=True):
        source = record_path(path)
        known = json.loads(source.read_text(encoding="utf-8")) if source.is_file() else {}
        imported = read_json(record)
        name = Path(image["image"]).name if Path(image["image"]).is_absolute() else image["image"]
        entries.append(
            dict(image)
            | {"image": name}
            | {"sha256": known.get("sha256"), "bytes": sum(known.get("sizes", [])) or None}
            | {key: imported[key] for key in ("format", "scene", "time")}
            | {"channel_index": imported["channel"]["index"]}
        )
    return entries
