"""Find the threshold of a stack and mark what lies above it."""

import logging
from pathlib import Path

from cellstack import io, job
from cellstack.binarize import binarize, find_threshold

log = logging.getLogger(__name__)


def main(*, denoised: Path, mask: Path, threshold: Path, method: str, options: dict, factor: float):
    """Threshold `denoised` by `method` times `factor`; write the `mask`, and the value to the record `threshold`."""
    stack, spacing = io.read_stack(denoised)
    value = find_threshold(stack, method, options, factor)
    foreground = binarize(stack, value)
    share = float(foreground.mean())
    log.info("threshold %.6g by %s: %.3g of the stack is foreground", value, method, share)
    io.write_stack(mask, foreground, spacing, display=(0, 1))
    io.write_json(threshold, {"method": method, "factor": factor, "threshold": value, "foreground_fraction": share})


job.run(main)
