"""Draw the methods of denoise side by side."""

from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.compare_denoising import compare_denoising


def main(*, contrast: Path, view: Path, denoising: Path, diameter_um: float, panels: list):
    """Read a channel in [0, 1] and the `view` of the gallery; write the section `denoising` of the gallery, with all of its `panels`."""
    stack, spacing = io.read_stack(contrast)
    whole_files.write_json(denoising, compare_denoising(stack, spacing, whole_files.read_json(view), diameter_um, panels))


job.run(main)
