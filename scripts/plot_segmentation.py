"""Draw the outlines of all objects found over the stack, in colour those that are measured, seen along the three axes."""

from pathlib import Path

from cellstack import figures, io, job
from cellstack.plot_segmentation import plot_segmentation


def main(*, raw: Path, split: Path, labels: Path, segmentation: Path, title: str, note: str, nuclei: list[Path] = ()):
    """Read a channel, all objects and the selected ones; write the figure `segmentation`. A channel of `nuclei` tints the first."""
    stack, spacing = io.read_stack(raw)
    found, _ = io.read_stack(split)
    selected, _ = io.read_stack(labels)
    tint = io.read_channel(nuclei[0], raw, stack.shape, spacing) if nuclei else None
    figure = plot_segmentation(stack, found, selected, spacing, title=title, note=note, nuclei=tint)
    figures.save(figure, segmentation, figures.COLORS)


job.run(main)
