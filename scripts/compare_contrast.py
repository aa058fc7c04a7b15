"""Compare the methods of adjust_contrast."""

from pathlib import Path

from cellstack.figures.drawing import use_color_map
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import open_stack
from cellstack.gallery.compare_contrast import compare_contrast
from cellstack.run import job


def main(*, image: Path, view: Path, contrast: Path, panels: list, color_map: str = "gray") -> None:
    """Read the `image`, raw or corrected, and the `view`; write the section `contrast`."""
    stack, spacing = open_stack(image)
    with use_color_map(color_map):
        write_json(contrast, compare_contrast(stack, spacing, read_json(view), panels))


job.run(main)
