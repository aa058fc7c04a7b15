"""Compare the methods of denoise."""

from pathlib import Path

from cellstack.figures.drawing import use_color_map
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import open_stack
from cellstack.gallery.compare_denoising import compare_denoising
from cellstack.run import job


def main(
    *,
    contrast: Path,
    view: Path,
    denoising: Path,
    diameter_um: float,
    panels: list,
    color_map: str = "gray",
) -> None:
    """Read the adjusted `contrast` and the `view`; write the section `denoising`."""
    stack, spacing = open_stack(contrast)
    with use_color_map(color_map):
        section = compare_denoising(stack, spacing, read_json(view), diameter_um, panels)
    write_json(denoising, section)


job.run(main)
