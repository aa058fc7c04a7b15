"""Imports of hostile images in tests, and mutations of valid files."""

import copy
import os
import struct
import sys
import time
from pathlib import Path

import import_stack
from cellstack.errors import InputError
from cellstack.files.readers import image_source

UM = {"z_um": 1.0, "y_um": 0.5, "x_um": 0.5}
MAX_SECONDS = 20  # an idle machine needs a hundredth of it


NUMBERS = [0, 1, -1, 2, 255, 10**6, 2**31 - 1, 2**31, 2**32, 2**63, 10**40]
WORDS = ["", "nan", "inf", "-", "1e999", "0x7", "é", "\x00", "../x", "/etc/passwd", "a" * 5000]
JSON_LEAVES = [*NUMBERS, *WORDS, None, True, 1e308, [], {}, [[]], ["gzip"], {"id": "pickle"}]
RUNS_CODE = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pickle.find_class")
CONNECTS = ("socket.connect", "socket.bind")

watched: dict[str, list[str]] = {}  # by the folder in which files may be written


@sys.addaudithook  # cannot be removed, and does nothing outside `run`
def note_events(event, arguments):
    """Note each program that is started, and each file that is written outside the folder."""
    for folder, found in watched.items():
        if event in RUNS_CODE + CONNECTS:
            found.append(f"{event}: {arguments}"[:500])
        elif event == "open" and isinstance(arguments[0], str | bytes | Path):
            path, flags = os.fsdecode(arguments[0]), arguments[2]
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if writes and not path.startswith(folder) and "__pycache__" not in path:
                found.append(f"{event}: {path}")


def mutations(default):
    """Return the number of mutated files to try; set CELLSTACK_FUZZ for more of them."""
    return int(os.environ.get("CELLSTACK_FUZZ", default))


def run(folder, *image, **options):
    """Import an image, and return the error message, or an empty text.

    Options are arguments of import_stack; without any, the sheet gives the voxel size.

    Whatever the image is, it is read or refused in one line, in time, no file is left behind, and
    nothing is executed.
    """
    found = watched.setdefault(str(folder), [])
    try:
        message = _import(folder, image, {"channel": "nuclei", **(options or UM)})
    finally:
        del watched[str(folder)]
    assert found == []
    return message


def _import(folder, image, options):
    start = time.monotonic()
    (folder / "out").mkdir(exist_ok=True)
    try:
        import_stack.main(
            image=list(image),
            raw=folder / "out" / "raw.tif",
            record=folder / "out" / "import.json",
            **options,
        )
    except InputError as error:
        message = str(error)
        assert message
        assert message.isprintable()  # thus one line
        assert len(message) <= image_source.MAX_MESSAGE_LENGTH
        assert not list((folder / "out").iterdir())
    else:
        message = ""
        for path in (folder / "out").iterdir():
            path.unlink()
    assert time.monotonic() - start < MAX_SECONDS
    return message


def write_pages(path, pages, side, strip, compression=8, after_last=0):
    """Write a BigTIFF of uint8 whose pages all refer to the same strip.

    With `after_last` 1 the last page names the first one as the next.
    """
    body = bytearray(strip) + bytes(-len(strip) % 8)
    first = 16 + len(body)
    tags = {
        256: side,
        257: side,
        258: 8,
        259: compression,
        262: 1,
        273: 16,
        277: 1,
        278: side,
        279: len(strip),
    }
    size = 8 + len(tags) * 20 + 8
    content = bytearray(struct.pack("<2sHHHQ", b"II", 43, 8, 0, first)) + body
    for page in range(pages):
        entries = b"".join(struct.pack("<HHQQ", code, 16, 1, value) for code, value in tags.items())
        following = first + (page + 1) * size if page < pages - 1 else first * after_last
        content += struct.pack("<Q", len(tags)) + entries + struct.pack("<Q", following)
    path.write_bytes(content)


def mutated(content, rng, header=400):
    """Truncate a file, change bytes anywhere or in its header, or replace or remove a few bytes."""
    content = bytearray(content)
    kind = rng.integers(4)
    if kind == 0:
        return content[: rng.integers(len(content))]
    if kind == 3:
        start, length = rng.integers(len(content)), rng.integers(1, 64)
        content[start : start + length] = rng.bytes(length) if rng.random() < 0.5 else b""
        return content
    reach = len(content) if kind == 1 else min(len(content), header)
    for _ in range(rng.integers(1, 20)):
        content[rng.integers(reach)] = rng.integers(256)
    return content


def choose(rng, values):
    return values[rng.integers(len(values))]


def places_in(content):
    """Yield each list and dictionary in a JSON document with each of its keys."""
    for key in list(content) if isinstance(content, dict) else range(len(content)):
        yield content, key
        if isinstance(content[key], dict | list):
            yield from places_in(content[key])


def with_mutated_json(content, rng):
    """Replace, remove or repeat some parts of a JSON document."""
    content = copy.deepcopy(content)
    for _ in range(rng.integers(1, 4)):
        places = list(places_in(content))
        if not places:
            break
        part, key = choose(rng, places)
        kind = rng.integers(3)
        if kind == 0:
            del part[key]
        elif kind == 1 and isinstance(part, list):
            part.extend([part[key]] * int(choose(rng, [1, 3, 100])))
        else:
            part[key] = copy.deepcopy(choose(rng, JSON_LEAVES))
    return content
