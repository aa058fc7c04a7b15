"""Draw all channels of a stack in colours."""

from pathlib import Path

from cellstack.figures import pdf, png
from cellstack.figures.plot_composite import plot_composite
from cellstack.files.stacks import open_channel, open_stack
from cellstack.run import job


def main(
    *,
    raw: list[Path],
    segmentation: Path,
    figure: Path,
    vector: Path,
    channels: list,
    title: str,
    note: str,
    marks: list = (),
) -> None:
    """Read the `raw` stacks of all `channels` and the `segmentation`.

    Write the figure as PNG (`figure`) and as PDF (`vector`).
    """
    labels, spacing = open_stack(segmentation)
    stacks = {
        name: open_channel(path, segmentation, labels.shape, spacing)
        for name, path in zip(channels, raw, strict=True)
    }
    drawn = plot_composite(stacks, labels, spacing, title=title, note=note, marks=marks)
    png.save(drawn, figure)
    pdf.save(drawn, vector)


job.run(main)
