"""Reader of JPEG files, each of which is one plane."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cellstack.errors import InputError
from cellstack.files.readers import image_source, parts
from cellstack.files.readers.image_source import ImageSource, Planes
from cellstack.files.readers.parts import Part

SIGNATURE = b"\xff\xd8"
# start of frame: length, bits per sample, height, width, number of samples
FRAME = struct.Struct(">HBHHB")
FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended and progressive, which the decoder supports
NOT_FRAMES = {0xC4, 0xC8, 0xCC}  # other segments with the same first digit


@contextmanager
def open_jpeg(path: Path, part: Part | None = None) -> Iterator[ImageSource]:
    """Open a JPEG file.

    Parameters
    ----------
    path : pathlib.Path
    part : Part, optional
        What the sheet gives; a JPEG has a single scene and time point.

    Yields
    ------
    ImageSource
        One plane of uint8, grey or colour, which is decoded when it is read.

    Raises
    ------
    InputError
        The file is not a JPEG of 8 bits with one or three samples, or `part` names another scene or
        time point.
    """
    name = str(path)
    with image_source.input_errors(name):
        height, width, samples, bits = _read_header(path)
    parts.pick_scene(name, [None], part)
    parts.pick_time(name, 1, part)
    if bits != 8 or samples not in (1, 3):
        raise InputError(
            f"{path}: has {samples} samples of {bits} bits, but a JPEG with one grey value or red, "
            "green and blue of 8 bits is needed: save it as TIFF or PNG"
        )
    shape = (height, width) if samples == 1 else (height, width, samples)
    yield ImageSource(
        files=[path],
        format="JPEG",
        axes="YXS"[: len(shape)],
        shape=shape,
        dtype=np.dtype(np.uint8),
        count=1,
        plane_shape=(height, width),
        channels=[None],
        planes=lambda channel: _read_plane(name, path, shape),
        notices=[image_source.REDUCED] if samples == 3 else [],
        flags=[image_source.LOSSY],
    )


def _read_header(path: Path) -> tuple[int, int, int, int]:
    """Return height, width, samples per pixel and bits per sample."""
    with path.open("rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise ValueError("not a JPEG image")
        while len(marker := file.read(2)) == 2 and marker[0] == 0xFF:
            kind = marker[1]
            if kind == 0xFF:  # fill byte
                file.seek(-1, 1)
                continue
            if kind in FRAMES:
                _, bits, height, width, samples = FRAME.unpack(file.read(FRAME.size))
                if not (height and width):
                    raise ValueError("JPEG without pixels")
                return height, width, samples, bits
            if kind & 0xF0 == 0xC0 and kind not in NOT_FRAMES:
                raise ValueError(f"JPEG with frames of type {kind & 0x0F}")
            (length,) = struct.unpack(">H", file.read(2))
            file.seek(length - 2, 1)
    raise ValueError("JPEG without a frame")


def _read_plane(name: str, path: Path, shape: tuple[int, ...]) -> Planes:
    """Yield the plane."""
    import imagecodecs  # slow to import, and most images are TIFF

    with image_source.input_errors(name):
        pixels = imagecodecs.jpeg8_decode(path.read_bytes())
        if pixels.shape != shape:
            raise ValueError(f"shape {pixels.shape}, but its header declares {shape}")
    yield pixels
