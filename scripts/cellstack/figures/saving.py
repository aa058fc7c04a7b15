"""Figures as files, in the format given by the name of the file."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from cellstack.figures import pdf, png


def save(figure: Figure, path: Path, colors: Sequence[str] = ()) -> None:
    """Write a figure as a PDF file if the path ends in .pdf, otherwise as a PNG file.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : pathlib.Path
    colors : sequence of str, optional
        Colours of a PNG file, see :func:`cellstack.figures.png.to_png`.
    """
    if path.suffix == ".pdf":
        pdf.save(figure, path)
    else:
        png.save(figure, path, colors)
