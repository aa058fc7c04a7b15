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
    threads: int = 1,
):
    """Flood the landscape that `method` makes of `stack`, `distance` and `edges` from `seeds` within `clean`, and write `parts`."""
    markers, spacing = io.read_stack(seeds, mapped=True)
    mask = io.read_stack(clean)[0]
    intensities, to_background, *of_edges = (io.read_stack(path, mapped=True)[0] for path in (stack, distance, *edges))
    how = {"compactness": compactness, "connectivity": connectivity, "threads": threads}
    labels = split_objects(markers, mask, intensities, to_background, method, options, *of_edges, **how)
    io.write_stack(parts, labels, spacing)


job.run(main)
