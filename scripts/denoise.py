"""Remove noise from a stack."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.enhance.denoise import Measured, denoise_in_parts
from cellstack.files.records import read_json
from cellstack.files.stacks import open_stack, write_stack
from cellstack.run import job


def main(
    *,
    contrast: Path,
    denoised: Path,
    method: str,
    options: dict[str, Any],
    intensities: Sequence[Path] = (),
    block: dict[str, list[list[int]]] | None = None,
) -> None:
    """Apply `method` with its `options` to `contrast`, and write `denoised`.

    If `contrast` is a `block`, the file `intensities` contains what is measured in the complete
    stack.
    """
    stack, spacing = open_stack(contrast)
    measured = None
    if block is not None:
        record = read_json(intensities[0])
        measured = Measured(record["noise_sd"], record["planes"][slice(*block["extent"][0])])
    smooth = denoise_in_parts(stack, spacing, method, options, measured=measured)
    write_stack(denoised, smooth, spacing, display=(0, 1))


job.run(main)
