"""Segment the tissue in one channel of a stack."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cellstack.files.no_data import open_no_data
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, write_stack
from cellstack.run import job
from cellstack.tissue.segment_tissue import segment_tissue

log = logging.getLogger(__name__)


def main(
    *,
    raw: Path,
    mask: Path,
    channel: str | None,
    sigma_um: float,
    method: str,
    options: dict[str, Any],
    factor: float,
    closing_radius_um: float,
    max_hole_um3: float,
    min_volume_um3: float,
    no_data: Sequence[Path] = (),
    threads: int = 1,
) -> None:
    """Write the `mask` of the tissue in the stack `raw`, whose channel the setting `channel` names.

    In stacks with a channel `tissue`, `raw` is that channel. Voxels without data according to the
    files `no_data` are not tissue.
    """
    stack, spacing = open_stack(raw)
    with scratch_stacks(mask.parent) as allocate:
        tissue, threshold = segment_tissue(
            stack,
            spacing,
            sigma_um=sigma_um,
            method=method,
            options=options,
            factor=factor,
            closing_radius_um=closing_radius_um,
            max_hole_um3=max_hole_um3,
            min_volume_um3=min_volume_um3,
            no_data=open_no_data(no_data),
            allocate=allocate,
            threads=threads,
        )
        voxels = sum(np.count_nonzero(plane) for plane in tissue)
        fraction = voxels / tissue.size
        if 0 < fraction < 1:
            log.info("%s above %.4g is tissue: %.4g of the stack", raw, threshold, fraction)
        else:
            extent = "all of the stack" if fraction else "nothing"
            log.warning(
                "%s: %s is tissue (threshold %.4g); check segment_tissue.channel and its method",
                raw,
                extent,
                threshold,
            )
        write_stack(mask, tissue, spacing, display=(0, 1))


job.run(main)
