"""Measure the standard deviations of the images that the watershed of cells combines."""

import logging
from pathlib import Path

from cellstack.blocks.measure_membrane import measure_scales
from cellstack.files.records import write_json
from cellstack.files.stacks import read_stack
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *, membrane_smooth: Path, membrane_ridges: Path, scales: Path, nuclei: list[Path] = ()
) -> None:
    """Write the standard deviations of the membrane and of the distance to `nuclei` as `scales`."""
    smooth, spacing = read_stack(membrane_smooth, mapped=True)
    ridges, _ = read_stack(membrane_ridges, mapped=True)
    labels = read_stack(nuclei[0], mapped=True)[0] if nuclei else None
    measured = measure_scales(smooth, ridges, labels, spacing)
    log.info("%s", measured)
    write_json(scales, measured._asdict())


job.run(main)
