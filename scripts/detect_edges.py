"""Compute the strength of edges in a stack."""

from pathlib import Path

from cellstack import io, job
from cellstack.detect_edges import detect_edges


def main(*, denoised: Path, edges: Path, method: str, options: dict):
    """Apply `method` with its `options` to `denoised`, and write `edges`."""
    stack, spacing = io.read_stack(denoised)
    io.write_stack(edges, detect_edges(stack, spacing, method, options), spacing)


job.run(main)
