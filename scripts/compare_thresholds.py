"""Compare the methods of binarize, in the histogram and as masks."""

from pathlib import Path

from cellstack.figures.drawing import use_color_map
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import read_stack
from cellstack.gallery.compare_thresholds import compare_thresholds
from cellstack.run import job


def main(
    *,
    contrast: Path,
    denoised: Path,
    view: Path,
    thresholds: Path,
    panels: list,
    color_map: str = "gray",
) -> None:
    """Read a channel before and after denoising and the `view`; write the section `thresholds`."""
    stack, spacing = read_stack(contrast)
    smooth, _ = read_stack(denoised)
    with use_color_map(color_map):
        section = compare_thresholds(stack, smooth, spacing, read_json(view), panels)
    write_json(thresholds, section)


job.run(main)
