"""Remove noise from a stack."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.enhance.denoise import denoise
from cellstack.files.records import read_json
from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job


def main(
    *,
    contrast: Path,
    denoised: Path,
    method: str,
    options: dict[str, Any],
    intensities: Sequence[Path] = (),
) -> None:
    """Apply `method` with its `options` to `contrast`, and write `denoised`.

    If `contrast` is a block, the file `intensities` contains the noise of the complete stack.
    """
    stack, spacing = read_stack(contrast, mapped=True)
    noise_sd = read_json(intensities[0])["noise_sd"] if intensities else None
    result = denoise(stack, spacing, method, options, noise_sd)
    write_stack(denoised, result, spacing, display=(0, 1))


job.run(main)
