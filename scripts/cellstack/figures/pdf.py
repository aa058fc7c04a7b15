"""Figures as PDF files: text, lines and markers as vectors, images as pixels.

PDF and not SVG, because a PDF contains its fonts: it looks the same everywhere, journals and LaTeX
accept it, and its text can be edited in Inkscape and Illustrator.
"""

import logging
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from cellstack import __version__
from cellstack.figures.drawing import default_style
from cellstack.files.atomic import atomic_write

IMAGE_DPI = 200
"""Resolution of the images in a figure, twice that of the PNG file."""

TRUETYPE = 42
"""Type of the embedded fonts; matplotlib's default, type 3, turns letters into drawings."""


@default_style()
def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as a PDF file, the same bytes for the same figure.

    The file appears when it is complete. It contains no date.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Keeps its canvas.
    path : path-like
        Ends in .pdf.
    """
    matplotlib.rcParams["pdf.fonttype"] = TRUETYPE
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it reports each table of a font
    metadata = {"Creator": f"cellstack {__version__}", "CreationDate": None}
    with atomic_write(path) as partial:
        figure.savefig(partial, format="pdf", dpi=IMAGE_DPI, metadata=metadata)
