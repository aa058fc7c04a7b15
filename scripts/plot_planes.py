"""Draw the outlines of all objects found over up to twelve evenly spaced planes."""

from pathlib import Path

from cellstack import figures, io, job
from cellstack.plot_planes import plot_planes


def main(*, raw: Path, split: Path, planes: Path, title: str, note: str):
    """Read a channel and all objects; write the figure `planes` with its title and its warning."""
    stack, spacing = io.read_stack(raw)
    found, _ = io.read_stack(split)
    figures.save(plot_planes(stack, found, spacing, title=title, note=note), planes, figures.COLORS)


job.run(main)
