"""Draw the outlines of all objects found over the stack, in colour those that are measured, seen along the three axes."""

from pathlib import Path

from cellstack import figures, io, job
from cellstack.plot_segmentation import plot_segmentation


def main(*, raw: Path, split: Path, labels: Path, segmentation: Path, title: str, note: str):
    """Read a channel, all objects and the selected objects; write the figure `segmentation` with its title and its warning."""
    stack, spacing = io.read_stack(raw)
    found, _ = io.read_stack(split)
    selected, _ = io.read_stack(labels)
    figure = plot_segmentation(stack, found, selected, spacing, title=title, note=note)
    figures.save(figure, segmentation, figures.COLORS)


job.run(main)
