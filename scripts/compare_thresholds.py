"""Draw the thresholds of binarize in the histogram of the stack, and their masks side by side."""

from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.compare_thresholds import compare_thresholds


def main(*, contrast: Path, denoised: Path, view: Path, thresholds: Path, panels: list):
    """Read a channel before and after denoising and the `view`; write the section `thresholds` of the gallery, with all of its `panels`."""
    stack, spacing = io.read_stack(contrast)
    smooth, _ = io.read_stack(denoised)
    whole_files.write_json(thresholds, compare_thresholds(stack, smooth, spacing, whole_files.read_json(view), panels))


job.run(main)
