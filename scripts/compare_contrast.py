"""Draw the methods of adjust_contrast side by side."""

from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.compare_contrast import compare_contrast


def main(*, image: Path, view: Path, contrast: Path, panels: list):
    """Read the `image` of a channel, raw or corrected, and the `view`; write the section `contrast` of the gallery, with its `panels`."""
    stack, spacing = io.read_stack(image)
    whole_files.write_json(contrast, compare_contrast(stack, spacing, whole_files.read_json(view), panels))


job.run(main)
