"""Divide a stack into compartments by a watershed on the membrane."""

from pathlib import Path

from cellstack import io, job
from cellstack.segment_cells import segment_cells


def main(
    *,
    seeds: Path,
    background: Path,
    smooth: Path,
    walls: Path,
    compartments: Path,
    wall_weight: float,
    distance_weight: float,
    nuclei: list[Path] = (),
    threads: int = 1,
):
    """Flood `smooth` and `walls` from `seeds` and `background`, and write `compartments`."""
    markers, spacing = io.read_stack(seeds)
    outside, smoothed, strength, *of_nuclei = (io.read_stack(path)[0] for path in (background, smooth, walls, *nuclei))
    flooded = segment_cells(
        markers,
        outside,
        smoothed,
        strength,
        of_nuclei[0] if of_nuclei else None,
        spacing,
        wall_weight=wall_weight,
        distance_weight=distance_weight,
        threads=threads,
    )
    io.write_stack(compartments, flooded, spacing)


job.run(main)
