"""Draw the methods of detect_edges side by side, and their difference."""

from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.compare_edges import compare_edges


def main(*, denoised: Path, view: Path, edges: Path, panels: list):
    """Read a `denoised` channel and the `view` of the gallery; write the section `edges` of the gallery, with all of its `panels`."""
    stack, spacing = io.read_stack(denoised)
    whole_files.write_json(edges, compare_edges(stack, spacing, whole_files.read_json(view), panels))


job.run(main)
