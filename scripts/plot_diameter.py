"""Draw how the diameter of the nuclei of a stack was estimated, and circles of that size over a plane."""

from pathlib import Path

from cellstack import figures, io, job, whole_files
from cellstack.plot_diameter import plot_diameter


def main(*, raw: Path, record: Path, figure: Path, title: str, note: str):
    """Read a channel and the `record` of its estimate; write the `figure` with its title and its warning."""
    stack, spacing = io.read_stack(raw)
    drawn = plot_diameter(stack, spacing, whole_files.read_json(record), title=title, note=note)
    figures.save(drawn, figure, (*figures.COLORS, figures.ALERT))


job.run(main)
