"""Reader of PNG files, each of which is one plane."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cellstack.errors import InputError
from cellstack.files.readers import image_source, parts
from cellstack.files.readers.image_source import ImageSource, Planes
from cellstack.files.readers.parts import Part

MAX_PIXELS = 2**30  # the decoder allocates whatever the header declares
SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = struct.Struct(">16sIIBB7s")  # signature, IHDR: width, height, bit depth, colour type
CHUNK = struct.Struct(">I4s")  # length and kind of a chunk
CHECKSUM_BYTES = 4
SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # by colour type; palettes are decoded to colours
TRANSPARENT_BY_CHUNK = (0, 2, 3)  # colour types to which a chunk tRNS adds an opacity


@contextmanager
def open_png(path: Path, part: Part | None = None) -> Iterator[ImageSource]:
    """Open a PNG file.

    Parameters
    ----------
    path : pathlib.Path
    part : Part, optional
        What the sheet gives; a PNG has a single scene and time point.

    Yields
    ------
    ImageSource
        One plane, which is decoded when it is read.

    Raises
    ------
    InputError
        The file is not a PNG, its header declares more pixels than any plane has, or `part` names
        another scene or time point.
    """
    name = str(path)
    with image_source.input_errors(name):
        height, width, samples, dtype = _read_header(path)
    parts.pick_scene(name, [None], part)
    parts.pick_time(name, 1, part)
    if height * width > MAX_PIXELS:
        raise InputError(
            f"{path}: declares {height * width:,} pixels, more than a plane has: "
            "the file is damaged, export it again"
        )
    notices = [image_source.REDUCED] if samples >= 3 else []
    if samples in (2, 4):
        notices.append("opacity was left out")
    shape = (height, width) if samples == 1 else (height, width, samples)
    yield ImageSource(
        files=[path],
        format="PNG",
        axes="YXS"[: len(shape)],
        shape=shape,
        dtype=dtype,
        count=1,
        plane_shape=(height, width),
        channels=[None],
        planes=lambda channel: _read_plane(name, path, shape),
        notices=notices,
    )


def _read_header(path: Path) -> tuple[int, int, int, np.dtype[Any]]:
    """Return height, width, samples per pixel and type of the decoded pixels."""
    with path.open("rb") as file:
        start = file.read(HEADER.size)
        if len(start) < HEADER.size or not start.startswith(SIGNATURE):
            raise ValueError("not a PNG image")
        _, width, height, depth, colour, _ = HEADER.unpack(start)
        if colour not in SAMPLES:
            raise ValueError(f"PNG of colour type {colour}")
        samples = SAMPLES[colour]
        while len(chunk := file.read(CHUNK.size)) == CHUNK.size:
            length, kind = CHUNK.unpack(chunk)
            if kind in (b"IDAT", b"IEND"):
                break
            if kind == b"tRNS" and colour in TRANSPARENT_BY_CHUNK:
                samples += 1
            file.seek(length + CHECKSUM_BYTES, os.SEEK_CUR)
    return height, width, samples, np.dtype(np.uint16 if depth == 16 else np.uint8)


def _read_plane(name: str, path: Path, shape: tuple[int, ...]) -> Planes:
    """Yield the plane."""
    import imagecodecs  # slow to import, and most images are TIFF

    with image_source.input_errors(name):
        pixels = imagecodecs.png_decode(path.read_bytes())
        if pixels.shape != shape:
            raise ValueError(f"shape {pixels.shape}, but its header declares {shape}")
    yield pixels[..., 0] if shape[2:] == (2,) else pixels
