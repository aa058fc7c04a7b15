"""Compute the edge strength of a stack."""

from pathlib import Path
from typing import Any

from cellstack.enhance.detect_edges import detect_edges_in_parts
from cellstack.files.stacks import open_stack, write_stack
from cellstack.run import job


def main(*, denoised: Path, edges: Path, method: str, options: dict[str, Any]) -> None:
    """Apply `method` with its `options` to `denoised`, and write `edges`."""
    stack, spacing = open_stack(denoised)
    write_stack(edges, detect_edges_in_parts(stack, spacing, method, options), spacing)


job.run(main)
