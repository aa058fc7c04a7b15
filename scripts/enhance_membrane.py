"""Smooth a membrane channel and measure the strength of its walls."""

from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.enhance_membrane import enhance_membrane


def main(*, contrast: Path, smooth: Path, walls: Path, record: Path, smoothing_um: float, method: str, options: dict):
    """Write `contrast` smoothed as `smooth`, the strength of `walls` that `method` finds, and noise and threshold as `record`."""
    stack, spacing = io.read_stack(contrast)
    smoothed, strength, found = enhance_membrane(stack, spacing, smoothing_um, method, options)
    io.write_stack(smooth, smoothed, spacing, display=(0, 1))
    io.write_stack(walls, strength, spacing, display=(0, 3))
    whole_files.write_json(record, found)


job.run(main)
