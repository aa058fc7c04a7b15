"""Compare the methods of correct_background."""

from pathlib import Path

from cellstack.figures.drawing import use_color_map
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import open_stack
from cellstack.gallery.compare_background import compare_background
from cellstack.run import job


def main(*, raw: Path, view: Path, background: Path, panels: list, color_map: str = "gray") -> None:
    """Read the `raw` channel and the `view`; write the section `background` with its `panels`."""
    stack, spacing = open_stack(raw)
    with use_color_map(color_map):
        write_json(background, compare_background(stack, spacing, read_json(view), panels))


job.run(main)
