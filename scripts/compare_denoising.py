"""Draw the methods of denoise side by side."""

from pathlib import Path

from cellstack import io, job
from cellstack.compare_denoising import compare_denoising


def main(*, contrast: Path, view: Path, denoising: Path, diameter_um: float, panels: list):
    """Read a channel in [0, 1] and the `view` of the gallery; write the section `denoising` of the gallery, with all of its `panels`."""
    stack, spacing = io.read_stack(contrast)
    io.write_json(denoising, compare_denoising(stack, spacing, io.read_json(view), diameter_um, panels))


job.run(main)
