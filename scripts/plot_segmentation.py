"""Draw the outlines of all objects over a stack, seen along the three axes."""

from pathlib import Path

from cellstack.figures import marking
from cellstack.figures.drawing import use_color_map
from cellstack.figures.outlines import read_numbers
from cellstack.figures.plot_segmentation import plot_segmentation
from cellstack.figures.saving import save
from cellstack.files.records import write_json
from cellstack.files.stacks import open_channel, open_stack
from cellstack.files.tables import read_rows
from cellstack.pages.pictures import draw_pictures
from cellstack.run import job


def main(
    *,
    raw: Path,
    segmentation: Path,
    labels: Path,
    objects: Path,
    figure: Path,
    pictures: Path | None = None,
    title: str,
    note: str,
    nuclei: list[Path] = (),
    marks: list = (),
    color_map: str = "gray",
) -> None:
    """Read the `raw` channel, the `segmentation` and the selected `labels`.

    Write the `figure` as PNG or PDF. The numbers of the objects are those of the table `objects`.
    The channel of the `nuclei`, if given, is shown as a tint. Small `pictures` for the page of the
    run are written too, if requested.
    """
    stack, spacing = open_stack(raw)
    found, selected = open_stack(segmentation)[0], open_stack(labels)[0]
    tint = open_channel(nuclei[0], raw, stack.shape, spacing) if nuclei else None
    with use_color_map(color_map):
        drawn = plot_segmentation(
            stack,
            found,
            selected,
            spacing,
            title=title,
            note=note,
            nuclei=tint,
            numbers=read_numbers(objects),
            marks=marks,
        )
        save(drawn, figure, marking.palette(marks))
    if pictures is not None:
        write_json(pictures, draw_pictures(stack, found, list(read_rows(objects)), spacing))


job.run(main)
