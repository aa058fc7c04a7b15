"""Draw the surfaces of all objects in three dimensions."""

from pathlib import Path

from cellstack.figures import pdf, png
from cellstack.figures.outlines import read_numbers
from cellstack.figures.plot_surfaces import plot_surfaces
from cellstack.files.stacks import open_stack
from cellstack.run import job


def main(
    *, segmentation: Path, objects: Path, figure: Path, vector: Path, title: str, note: str
) -> None:
    """Read the `segmentation` and the table `objects`.

    Write the figure as PNG (`figure`) and as PDF (`vector`).
    """
    labels, spacing = open_stack(segmentation)
    drawn = plot_surfaces(labels, spacing, title=title, note=note, numbers=read_numbers(objects))
    png.save(drawn, figure)
    pdf.save(drawn, vector)


job.run(main)
