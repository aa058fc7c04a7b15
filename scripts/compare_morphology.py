"""Compare morphological operations on grey values and on the mask."""

from pathlib import Path

from cellstack.figures.drawing import use_color_map
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import open_stack
from cellstack.gallery.compare_morphology import compare_morphology
from cellstack.run import job


def main(
    *,
    image: Path,
    mask: Path,
    view: Path,
    morphology: Path,
    panels: list,
    grey_panels: list,
    color_map: str = "gray",
) -> None:
    """Read the `image`, raw or corrected, the `mask` and the `view`.

    Write the section `morphology` with the `grey_panels` of adjust_contrast and the `panels` of
    clean_mask.
    """
    stack, spacing = open_stack(image)
    foreground, _ = open_stack(mask)
    with use_color_map(color_map):
        section = compare_morphology(
            stack, foreground, spacing, read_json(view), grey_panels, panels
        )
    write_json(morphology, section)


job.run(main)
