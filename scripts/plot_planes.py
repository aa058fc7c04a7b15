"""Draw the outlines of all objects over up to twelve planes."""

from pathlib import Path

from cellstack.figures.colors import COLORS
from cellstack.figures.outlines import read_numbers
from cellstack.figures.plot_planes import plot_planes
from cellstack.figures.saving import save
from cellstack.files.stacks import open_stack
from cellstack.run import job


def main(
    *, raw: Path, segmentation: Path, objects: Path, figure: Path, title: str, note: str
) -> None:
    """Read the `raw` channel, the `segmentation` and the table `objects`.

    Write the `figure` as PNG or PDF.
    """
    stack, spacing = open_stack(raw)
    labels, _ = open_stack(segmentation)
    numbers = read_numbers(objects)
    drawn = plot_planes(stack, labels, spacing, title=title, note=note, numbers=numbers)
    save(drawn, figure, COLORS)


job.run(main)
