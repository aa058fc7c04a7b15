"""Estimate the diameter of the nuclei in a stack, or check the diameter that is given."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cellstack.core.counting import counted
from cellstack.files.no_data import open_no_data
from cellstack.files.records import write_json
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack
from cellstack.prepare.estimate_diameter import check_diameter, estimate_diameter
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    raw: Path,
    record: Path,
    defaults: dict[str, Any],
    min_um: float | None = None,
    max_um: float | None = None,
    given_um: float | None = None,
    no_data: Sequence[Path] = (),
) -> None:
    """Write the diameter of the nuclei of `raw` and the data from which it was derived.

    `defaults` has the default options of the stages for a diameter of 1 um. If no object is found,
    the largest diameter that was tried is used, so that the following stages report an empty stack.
    A diameter `given_um` is only compared with the estimate, which is `estimated_um`.
    """
    stack, spacing = open_stack(raw)
    with scratch_stacks(record.parent) as allocate:
        options = {
            "min_um": min_um,
            "max_um": max_um,
            "no_data": open_no_data(no_data),
            "allocate": allocate,
        }
        if given_um is None:
            found = estimate_diameter(stack, spacing, defaults, **options)
            diameter_um, source = found.diameter_um, "estimated"
        else:
            found = check_diameter(stack, spacing, defaults, given_um, **options)
            diameter_um, source = float(given_um), "given"
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
    estimate = {
        "diameter_um": diameter_um,
        "source": source,
        "estimated_um": found.diameter_um,
        "doubt": found.doubt if given_um is None else "",
    }
    write_json(record, estimate | lists)


job.run(main)
