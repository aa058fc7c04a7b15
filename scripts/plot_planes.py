"""Draw the outlines of all objects over up to twelve planes."""

from pathlib import Path

from cellstack.figures import marking
from cellstack.figures.drawing import use_color_map
from cellstack.figures.outlines import read_numbers
from cellstack.figures.plot_planes import plot_planes
from cellstack.figures.saving import save
from cellstack.files.stacks import open_stack
from cellstack.run import job


def main(
    *,
    raw: Path,
    segmentation: Path,
    objects: Path,
    figure: Path,
    title: str,
    note: str,
    marks: list = (),
    color_map: str = "gray",
) -> None:
    """Read the `raw` channel, the `segmentation` and the table `objects`.

    Write the `figure` as PNG or PDF.
    """
    stack, spacing = open_stack(raw)
    labels, _ = open_stack(segmentation)
    numbers = read_numbers(objects)
    with use_color_map(color_map):
        drawn = plot_planes(
            stack, labels, spacing, title=title, note=note, numbers=numbers, marks=marks
        )
        save(drawn, figure, marking.palette(marks))


job.run(main)
