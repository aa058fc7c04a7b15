"""Find the threshold of a stack and mark the voxels above it."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellstack.config.lengths import check_diameter
from cellstack.files.no_data import read_no_data
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import open_stack, write_stack
from cellstack.run import job
from cellstack.segment.binarize import binarize_with_record, find_threshold, rule_of

log = logging.getLogger(__name__)


def main(
    *,
    denoised: Path,
    mask: Path,
    threshold: Path,
    method: str,
    options: dict[str, Any],
    factor: float,
    contrast: list[Path] = (),
    no_data: Sequence[Path] = (),
    chosen: Sequence[Path] = (),
    measured: Sequence[Path] = (),
    connected: Sequence[Path] = (),
    block: dict[str, list[list[int]]] | None = None,
    diameter_um: float | None = None,
) -> None:
    """Threshold `denoised` by `method`, multiplied by `factor`, and write the `mask`.

    The file `threshold` records the method, the value, if a single value holds for all voxels, and
    signs that the mask can be inaccurate.
    Voxels without data according to the files `no_data` are background, and count in no threshold.
    Methods that depend on the noise of the stack need `contrast`, the stack before denoising.
    In a `block` of a stack, the objects are those of the file `chosen`, the threshold is that of
    the file `measured`, or the mask is a part of the file `connected`.
    `diameter_um` is only checked, see :func:`cellstack.config.lengths.check_diameter`.
    """
    stack, spacing = open_stack(denoised)
    check_diameter(diameter_um, stack.shape, spacing, "nuclei")
    without = read_no_data(no_data)
    record: dict[str, Any] = {"method": method, "factor": factor, "threshold": None}
    if block is not None:
        # slow to import, rarely used
        from cellstack.blocks.binarize_block import binarize_block, cut_mask, threshold_block

        if chosen:
            foreground, record["core"] = binarize_block(
                stack[:], spacing, read_json(chosen[0]), options, factor, without, **block
            )
        elif connected:
            complete = open_stack(connected[0])[0]
            foreground, record["core"] = cut_mask(complete, without, **block)
        else:
            record["threshold"] = read_json(measured[0])["threshold"]
            found = record["threshold"]
            rule = rule_of(method, options, factor) if found is None else found
            foreground, record["core"] = threshold_block(stack, spacing, rule, without, **block)
    else:
        found = find_threshold(stack, method, options, factor, without)
        before_denoising = open_stack(contrast[0])[0] if contrast else None
        foreground, quality = binarize_with_record(stack, found, spacing, before_denoising, without)
        record["threshold"] = None if callable(found) else found
        record["foreground_fraction"] = float(foreground.mean())
        record |= quality
    log.info("foreground: %s", record)
    write_stack(mask, foreground, spacing, display=(0, 1))
    write_json(threshold, record)


job.run(main)
