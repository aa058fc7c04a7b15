"""Estimate the diameter of the nuclei of a stack, where it is not given."""

import logging
from pathlib import Path

import numpy as np

from cellstack import io, job, whole_files
from cellstack.estimate_diameter import estimate_diameter

log = logging.getLogger(__name__)


def main(*, raw: Path, record: Path, min_um: float | None = None, max_um: float | None = None):
    """Write the diameter of the nuclei of `raw`, looked for from `min_um` to `max_um`, and what it was found from.

    Where nothing is found the largest that was looked for stands in, so that the stages can say in their own way that the stack is empty.
    """
    stack, spacing = io.read_stack(raw)
    found = estimate_diameter(stack, spacing, min_um, max_um)
    found_none = found.diameter_um is None
    diameter_um = float(f"{found.scales_um[0]:.3g}") if found_none else found.diameter_um
    if found_none:
        log.warning("no objects found at any scale: %.3g um stands in for their diameter; give diameter_um if there are any", diameter_um)
    log.info("diameter_um: %.3g, from %d objects", diameter_um, len(found.found_um))
    lists = {name: [float(f"{each:.4g}") if np.isfinite(each) else None for each in getattr(found, name)] for name in found._fields[1:]}
    whole_files.write_json(record, {"diameter_um": diameter_um, "source": "stand-in" if found_none else "estimated"} | lists)


job.run(main)
