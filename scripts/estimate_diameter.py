"""Estimate the diameter of the nuclei in a stack."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cellstack.core.counting import counted
from cellstack.files.no_data import read_no_data
from cellstack.files.records import write_json
from cellstack.files.stacks import read_stack
from cellstack.prepare.estimate_diameter import estimate_diameter
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    raw: Path,
    record: Path,
    defaults: dict[str, Any],
    min_um: float | None = None,
    max_um: float | None = None,
    no_data: Sequence[Path] = (),
) -> None:
    """Write the diameter of the nuclei of `raw` and the data from which it was derived.

    `defaults` has the default options of the stages for a diameter of 1 um. If no object is found,
    the largest diameter that was tried is used, so that the following stages report an empty stack.
    """
    stack, spacing = read_stack(raw)
    found = estimate_diameter(stack, spacing, defaults, min_um, max_um, read_no_data(no_data))
    diameter_um, source = found.diameter_um, "estimated"
    if diameter_um is None:
        diameter_um, source = float(f"{found.scales_um[0]:.3g}"), "fallback"
        log.warning(
            "no object was found at any scale: a diameter of %.3g um is used; give diameter_um if "
            "there are objects",
            diameter_um,
        )
    log.info("diameter_um: %.3g, from %s", diameter_um, counted(len(found.found_um), "objects"))
    lists = {
        name: [float(f"{each:.4g}") if np.isfinite(each) else None for each in getattr(found, name)]
        for name in ("found_um", "scales_um", "sizes_um")
    }
    write_json(record, {"diameter_um": diameter_um, "source": source} | lists)


job.run(main)
