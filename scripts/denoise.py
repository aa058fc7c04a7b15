"""Remove noise from a stack."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.enhance.denoise import Measured, denoise
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
    block: dict[str, list[list[int]]] | None = None,
) -> None:
    """Apply `method` with its `options` to `contrast`, and write `denoised`.

    If `contrast` is a `block`, the file `intensities` contains what is measured in the complete
    stack.
    """
    stack, spacing = read_stack(contrast, mapped=True)
    measured = None
    if block is not None:
        record = read_json(intensities[0])
        measured = Measured(record["noise_sd"], record["planes"][slice(*block["extent"][0])])
    result = denoise(stack, spacing, method, options, measured)
    write_stack(denoised, result, spacing, display=(0, 1))


job.run(main)
