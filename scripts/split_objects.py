"""Split touching objects by a watershed from their seeds."""

from pathlib import Path

from cellstack import io, job
from cellstack.split_objects import split_objects


def main(
    *,
    seeds: Path,
    clean: Path,
    stack: Path,
    distance: Path,
    parts: Path,
    method: str,
    options: dict,
    edges: list[Path] = (),
    compactness: float = 0.0,
    connectivity: int = 26,
):
    """Flood the landscape that `method` makes of `stack`, `distance` and `edges` from `seeds` within `clean`, and write `parts`."""
    markers, spacing = io.read_stack(seeds)
    mask, intensities, to_background = (io.read_stack(path)[0] for path in (clean, stack, distance))
    of_edges = [io.read_stack(path)[0] for path in edges]
    how = {"compactness": compactness, "connectivity": connectivity}
    labels = split_objects(markers, mask, intensities, to_background, method, options, *of_edges, **how)
    io.write_stack(parts, labels, spacing)


job.run(main)
