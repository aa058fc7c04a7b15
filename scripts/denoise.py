"""Remove noise from a stack."""

from pathlib import Path
from typing import Any

from cellstack.enhance.denoise import denoise_in_parts
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, write_stack
from cellstack.run import job


def main(*, contrast: Path, denoised: Path, method: str, options: dict[str, Any]) -> None:
    """Apply `method` with its `options` to `contrast`, and write `denoised`."""
    stack, spacing = open_stack(contrast)
    with scratch_stacks(denoised.parent) as allocate:
        smooth = denoise_in_parts(stack, spacing, method, options, allocate)
        write_stack(denoised, smooth, spacing, display=(0, 1))


job.run(main)
