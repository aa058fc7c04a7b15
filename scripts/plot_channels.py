"""Draw the outlines of all objects over each channel."""

from pathlib import Path

from cellstack.figures import pdf, png
from cellstack.figures.drawing import use_color_map
from cellstack.figures.outlines import read_numbers
from cellstack.figures.plot_channels import plot_channels
from cellstack.files.stacks import open_channel, open_stack
from cellstack.run import job


def main(
    *,
    raw: list[Path],
    segmentation: Path,
    objects: Path,
    figure: Path,
    vector: Path,
    channels: list,
    title: str,
    note: str,
    marks: list = (),
    color_map: str = "gray",
) -> None:
    """Read the `raw` stacks of all `channels`, the `segmentation` and the table `objects`.

    Write the figure as PNG (`figure`) and as PDF (`vector`).
    """
    labels, spacing = open_stack(segmentation)
    stacks = {
        name: open_channel(path, segmentation, labels.shape, spacing)
        for name, path in zip(channels, raw, strict=True)
    }
    numbers = read_numbers(objects)
    with use_color_map(color_map):
        drawn = plot_channels(
            stacks, labels, spacing, title=title, note=note, numbers=numbers, marks=marks
        )
        png.save(drawn, figure)
        pdf.save(drawn, vector)


job.run(main)
