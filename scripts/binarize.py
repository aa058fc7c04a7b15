"""Find the threshold of a stack and mark what lies above it."""

import logging
from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.binarize import binarize, find_threshold

log = logging.getLogger(__name__)


def main(
    *,
    denoised: Path,
    mask: Path,
    threshold: Path,
    method: str,
    options: dict,
    factor: float,
    contrast: list[Path] = (),
):
    """Threshold `denoised` by `method` times `factor`; write the `mask`, and the value, if there is a single one, to `threshold`.

    A method that goes by the noise takes it from `contrast`, the stack before it was denoised.
    """
    stack, spacing = io.read_stack(denoised, mapped=True)
    found = find_threshold(stack, method, options, factor)
    foreground = binarize(stack, found, spacing, *(io.read_stack(path, mapped=True)[0] for path in contrast))
    value = None if callable(found) else found
    record = {"method": method, "factor": factor, "threshold": value, "foreground_fraction": float(foreground.mean())}
    log.info("foreground: %s", record)
    io.write_stack(mask, foreground, spacing, display=(0, 1))
    whole_files.write_json(threshold, record)


job.run(main)
