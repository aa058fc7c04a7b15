"""Label the connected components of a mask."""

from pathlib import Path

from cellstack import io, job
from cellstack.label_components import label_components


def main(*, clean: Path, components: Path, connectivity: int):
    """Label the parts of `clean` that are connected by `connectivity` (6, 18 or 26), and write `components`."""
    mask, spacing = io.read_stack(clean)
    io.write_stack(components, label_components(mask, connectivity), spacing)


job.run(main)
