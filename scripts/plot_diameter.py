"""Draw how the diameter of the objects of a stack was estimated."""

from pathlib import Path

from cellstack.figures import marking
from cellstack.figures.colors import ALERT, COLORS
from cellstack.figures.drawing import use_color_map
from cellstack.figures.plot_diameter import plot_diameter
from cellstack.figures.saving import save
from cellstack.files.records import read_json
from cellstack.files.stacks import open_stack
from cellstack.run import job


def main(
    *,
    raw: Path,
    record: Path,
    figure: Path,
    title: str,
    note: str,
    marks: list = (),
    color_map: str = "gray",
) -> None:
    """Read the `raw` channel and the `record` of the estimate; write the `figure` as PNG or PDF."""
    stack, spacing = open_stack(raw)
    with use_color_map(color_map):
        drawn = plot_diameter(
            stack, spacing, read_json(record), title=title, note=note, marks=marks
        )
        save(drawn, figure, marking.palette(marks, (*COLORS, ALERT)))


job.run(main)
