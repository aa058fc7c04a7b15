"""Figures as PNG files of few colours."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from cellstack.figures.drawing import DPI, default_style, is_grey
from cellstack.files.atomic import atomic_write


def save(figure: Figure, path: str | Path, colors: Sequence[str] = ()) -> None:
    """Write a figure as a PNG file.

    The file appears when it is complete.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path-like
        Ends in .png.
    colors : sequence of str, optional
        See :func:`to_png`.
    """
    with atomic_write(path) as partial:
        partial.write_bytes(to_png(figure, colors))


@default_style()
def to_png(figure: Figure, colors: Sequence[str] = ()) -> bytes:
    """Return a figure as the content of a PNG file, the same bytes for the same figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    colors : sequence of str, optional
        If given, the image has a palette of 64 greys, these colours and blends of them with grey.
        This makes the file of a noisy image three times smaller. Images that are not shown in
        grey, see :func:`cellstack.figures.drawing.use_color_map`, have all colours.

    Returns
    -------
    bytes
    """
    canvas: Any = figure.canvas  # matplotlib's Agg canvas has no types
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    if colors and is_grey():
        palette = Image.new("P", (1, 1))
        palette.putpalette(_palette(colors).tobytes())
        image = image.quantize(palette=palette, dither=Image.Dither.NONE)
    file = BytesIO()
    image.save(file, "PNG", dpi=(DPI, DPI))
    return file.getvalue()


def _palette(colors: Sequence[str]) -> NDArray[np.uint8]:
    # Pillow looks pixels up by their upper six bits. With white and greys at multiples of four,
    # each of these is found at its own value.
    greys = np.repeat([*range(0, 252, 4), 255], 3).reshape(-1, 3)
    pure = np.array([to_rgb(color) for color in colors]) * 255
    blends = [
        share * pure + (1 - share) * ground
        for ground in (0, 64, 128, 255)
        for share in (0.75, 0.5, 0.25)
    ]
    return np.concatenate([greys, pure, *blends]).round().astype(np.uint8)
