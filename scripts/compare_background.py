"""Draw the methods of correct_background side by side."""

from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.compare_background import compare_background


def main(*, raw: Path, view: Path, background: Path, panels: list):
    """Read a `raw` channel and the `view` of the gallery; write the section `background` of the gallery, with all of its `panels`."""
    stack, spacing = io.read_stack(raw)
    whole_files.write_json(background, compare_background(stack, spacing, whole_files.read_json(view), panels))


job.run(main)
