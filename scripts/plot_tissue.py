"""Draw the outlines of tissue and regions over the middle planes of a stack."""

from pathlib import Path

from cellstack.figures import marking
from cellstack.figures.drawing import use_color_map
from cellstack.figures.plot_tissue import plot_tissue
from cellstack.figures.saving import save
from cellstack.files.stacks import open_channel, open_stack
from cellstack.run import job


def main(
    *,
    raw: Path,
    figure: Path,
    title: str,
    note: str,
    names: dict[str, str],
    tissue: list[Path] = (),
    regions: list[Path] = (),
    marks: list = (),
    color_map: str = "gray",
) -> None:
    """Draw the mask `tissue` and the labels `regions`, which have `names`, over the `raw` channel.

    Either can be absent. Write the `figure` as PNG or PDF.
    """
    stack, spacing = open_stack(raw)
    mask, labels = (
        open_channel(path[0], raw, stack.shape, spacing) if path else None
        for path in (tissue, regions)
    )
    with use_color_map(color_map):
        drawn = plot_tissue(
            stack, mask, labels, spacing, title=title, note=note, names=names, marks=marks
        )
        save(drawn, figure, marking.palette(marks))


job.run(main)
