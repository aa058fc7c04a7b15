"""Compare the methods of detect_edges."""

from pathlib import Path

from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import open_stack
from cellstack.gallery.compare_edges import compare_edges
from cellstack.run import job


def main(*, denoised: Path, view: Path, edges: Path, panels: list) -> None:
    """Read the `denoised` channel and the `view`; write the section `edges` with its `panels`."""
    stack, spacing = open_stack(denoised)
    write_json(edges, compare_edges(stack, spacing, read_json(view), panels))


job.run(main)
