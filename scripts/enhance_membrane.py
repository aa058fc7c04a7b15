"""Smooth a membrane channel and compute its ridge strength."""

from pathlib import Path
from typing import Any

from cellstack.cells.enhance_membrane import enhance_membrane
from cellstack.config.lengths import check_diameter
from cellstack.files.records import write_json
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, write_stack
from cellstack.run import job


def main(
    *,
    contrast: Path,
    membrane_smooth: Path,
    membrane_ridges: Path,
    record: Path,
    square_root: bool,
    local_factor: float | None,
    local_sigma_um: float,
    smoothing_um: float,
    method: str,
    options: dict[str, Any],
    diameter_um: float | None = None,
) -> None:
    """Write `membrane_smooth`, `membrane_ridges`, and their noise and thresholds as `record`.

    `diameter_um` is only checked, see :func:`cellstack.config.lengths.check_diameter`.
    """
    stack, spacing = open_stack(contrast)
    check_diameter(diameter_um, stack.shape, spacing, "cells")
    with scratch_stacks(record.parent) as allocate:
        smooth, ridges, found = enhance_membrane(
            stack,
            spacing,
            smoothing_um,
            method,
            options,
            square_root=square_root,
            local_factor=local_factor,
            local_sigma_um=local_sigma_um,
            allocate=allocate,
        )
        write_stack(membrane_smooth, smooth, spacing, display=(0, 1))
        write_stack(membrane_ridges, ridges, spacing, display=(0, 3))
    write_json(record, found)


job.run(main)
