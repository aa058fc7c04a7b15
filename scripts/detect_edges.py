"""Compute the edge strength of a stack."""

from pathlib import Path
from typing import Any

from cellstack.enhance.detect_edges import detect_edges
from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job


def main(*, denoised: Path, edges: Path, method: str, options: dict[str, Any]) -> None:
    """Apply `method` with its `options` to `denoised`, and write `edges`."""
    stack, spacing = read_stack(denoised)
    write_stack(edges, detect_edges(stack, spacing, method, options), spacing)


job.run(main)
