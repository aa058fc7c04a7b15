"""Remove noise from a stack."""

from pathlib import Path

from cellstack import io, job
from cellstack.denoise import denoise


def main(*, contrast: Path, denoised: Path, method: str, options: dict):
    """Apply `method` with its `options` to `contrast`, and write `denoised`."""
    stack, spacing = io.read_stack(contrast, mapped=True)
    io.write_stack(denoised, denoise(stack, spacing, method, options), spacing, display=(0, 1))


job.run(main)
