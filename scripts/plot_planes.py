"""Draw the outlines of all objects over up to twelve planes."""

from pathlib import Path

from cellstack.figures import png
from cellstack.figures.colors import COLORS
from cellstack.figures.outlines import read_numbers
from cellstack.figures.plot_planes import plot_planes
from cellstack.files.stacks import read_stack
from cellstack.run import job


def main(
    *, raw: Path, segmentation: Path, objects: Path, figure: Path, title: str, note: str
) -> None:
    """Read the `raw` channel, the `segmentation` and the table `objects`; write the `figure`."""
    stack, spacing = read_stack(raw)
    labels, _ = read_stack(segmentation)
    numbers = read_numbers(objects)
    drawn = plot_planes(stack, labels, spacing, title=title, note=note, numbers=numbers)
    png.save(drawn, figure, COLORS)


job.run(main)
