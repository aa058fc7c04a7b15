"""JSON files."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cellstack.files.atomic import atomic_write


def write_json(path: str | Path, content: Any) -> None:
    """Write an object as indented JSON, atomically.

    Parameters
    ----------
    path : path-like
    content : object
        Mappings, lists, strings, numbers and None. The order of keys is kept.

    Raises
    ------
    ValueError
        A number is NaN or infinite, which JSON cannot represent; use None for unknown values.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_write(path) as temporary:
        # names of files in another encoding contain characters that UTF-8 has only as an escape
        temporary.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_flags(records: Iterable[str | Path]) -> list[str]:
    """Return the flags of the images of a stack, from the records of their import.

    Parameters
    ----------
    records : iterable of path-like
        The files ``channels/CHANNEL/import.json`` of a stack.

    Returns
    -------
    list of str
        Each with the name of its channel.
    """
    return [
        f"{Path(record).parent.name}: {flag}"
        for record in records
        for flag in read_json(record)["flags"]
    ]
