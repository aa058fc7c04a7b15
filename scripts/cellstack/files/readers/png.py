"""Reader of PNG files, each of which is one plane."""

import math
from pathlib import Path

from cellstack.errors import InputError
from cellstack.files.readers import image_source
from cellstack.files.readers.image_source import ImageSource

MAX_PIXELS = 2**30  # the decoder allocates whatever the header declares
WIDTH, HEIGHT = slice(16, 20), slice(20, 24)  # bytes of the header


def open_png(path: Path) -> ImageSource:
    """Open a PNG file.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    ImageSource
        One plane, already read.

    Raises
    ------
    InputError
        The file is not a PNG, or its header declares more pixels than any plane has.
    """
    import imagecodecs  # slow to import, and most images are TIFF

    with image_source.input_errors(str(path)):
        content = path.read_bytes()
        declared = math.prod(int.from_bytes(content[side], "big") for side in (WIDTH, HEIGHT))
        if declared > MAX_PIXELS:
            raise InputError(
                f"{path}: declares {declared:,} pixels, more than a plane has: "
                "the file is damaged, export it again"
            )
        pixels = imagecodecs.png_decode(content)
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    notices = ["colours were reduced to their luminance"] if samples >= 3 else []
    if samples in (2, 4):
        notices.append("opacity was left out")
    plane = pixels[..., 0] if samples == 2 else pixels
    return ImageSource(
        files=[path],
        format="PNG",
        axes="YXS"[: pixels.ndim],
        shape=pixels.shape,
        dtype=pixels.dtype,
        count=1,
        plane_shape=pixels.shape[:2],
        channels=[None],
        planes=lambda channel: iter([plane]),
        notices=notices,
    )
