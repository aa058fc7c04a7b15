"""Find the seeds of cells and of what is outside of them."""

import logging
from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.find_cell_seeds import find_cell_seeds

log = logging.getLogger(__name__)


def main(
    *,
    smooth: Path,
    walls: Path,
    record: Path,
    seeds: Path,
    background: Path,
    background_radius_um: float,
    background_radius_beside_nuclei_um: float,
    min_wall_um3: float,
    method: str,
    options: dict,
    nuclei: list[Path] = (),
):
    """Write the `seeds` that `method` finds beside the `nuclei`, and what is surely `background`."""
    smoothed, spacing = io.read_stack(smooth)
    strength, _ = io.read_stack(walls)
    of_nuclei = [io.read_channel(path, smooth, smoothed.shape, spacing) for path in nuclei]
    found, outside = find_cell_seeds(
        smoothed,
        strength,
        spacing,
        whole_files.read_json(record)["noise"],
        method,
        options,
        background_radius_um=background_radius_beside_nuclei_um if nuclei else background_radius_um,
        min_wall_um3=min_wall_um3,
        nuclei=of_nuclei[0] if of_nuclei else None,
    )
    log.info("%d seeds, %.1f %% of the stack surely background", found.max(initial=0), 100 * outside.mean())
    io.write_stack(seeds, found, spacing)
    io.write_stack(background, outside, spacing, display=(0, 1))


job.run(main)
