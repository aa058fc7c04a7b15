"""Remove noise from a stack."""

from pathlib import Path
from typing import Any

from cellstack.enhance.denoise import denoise
from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job


def main(*, contrast: Path, denoised: Path, method: str, options: dict[str, Any]) -> None:
    """Apply `method` with its `options` to `contrast`, and write `denoised`."""
    stack, spacing = read_stack(contrast, mapped=True)
    write_stack(denoised, denoise(stack, spacing, method, options), spacing, display=(0, 1))


job.run(main)
