"""Split touching objects by a watershed from their seeds."""

from pathlib import Path
from typing import Any

from cellstack.files.stacks import open_stack, read_stack, write_stack
from cellstack.run import job
from cellstack.segment.split_objects import split_objects


def main(
    *,
    seeds: Path,
    mask_clean: Path,
    intensity: Path,
    distance: Path,
    watershed: Path,
    method: str,
    options: dict[str, Any],
    edges: list[Path] = (),
    compactness: float,
    connectivity: int,
    threads: int = 1,
) -> None:
    """Flood a landscape from `seeds` within `mask_clean`, and write the `watershed`.

    `method` makes the landscape from `intensity`, `distance` and `edges`.
    """
    markers, spacing = open_stack(seeds)
    mask = read_stack(mask_clean)[0]
    stack, to_background = (open_stack(path)[0] for path in (intensity, distance))
    labels = split_objects(
        markers,
        mask,
        stack,
        to_background,
        spacing,
        method,
        options,
        edges=open_stack(edges[0])[0] if edges else None,
        compactness=compactness,
        connectivity=connectivity,
        threads=threads,
    )
    write_stack(watershed, labels, spacing, is_labels=True)


job.run(main)
