"""Split touching objects by a watershed from their seeds."""

from pathlib import Path

from cellstack import io, job
from cellstack.split_objects import split_objects


def main(
    *,
    seeds: Path,
    clean: Path,
    denoised: Path,
    distance: Path,
    split: Path,
    method: str,
    options: dict,
    edges: list[Path] = (),
    compactness: float = 0.0,
):
    """Flood the landscape that `method` makes of `denoised`, `distance` and `edges` from `seeds` within `clean`, and write `split`."""
    markers, spacing = io.read_stack(seeds)
    mask, stack, to_background = (io.read_stack(path)[0] for path in (clean, denoised, distance))
    of_edges = [io.read_stack(path)[0] for path in edges]
    labels = split_objects(markers, mask, stack, to_background, method, options, *of_edges, compactness=compactness)
    io.write_stack(split, labels, spacing)


job.run(main)
