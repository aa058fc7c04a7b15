"""Draw the outlines of all objects over up to twelve evenly spaced planes."""

from pathlib import Path

from cellstack.figures import png
from cellstack.figures.colors import COLORS
from cellstack.figures.plot_planes import plot_planes
from cellstack.files.stacks import read_stack
from cellstack.run import job


def main(*, raw: Path, segmentation: Path, figure: Path, title: str, note: str) -> None:
    """Read the `raw` channel and the `segmentation`; write the `figure`."""
    stack, spacing = read_stack(raw)
    labels, _ = read_stack(segmentation)
    png.save(plot_planes(stack, labels, spacing, title=title, note=note), figure, COLORS)


job.run(main)
