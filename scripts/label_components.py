"""Label the connected components of a mask."""

from pathlib import Path

from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job
from cellstack.segment.label_components import label_components


def main(*, mask_clean: Path, components: Path, connectivity: int) -> None:
    """Label the components of `mask_clean`, and write `components`.

    `connectivity` is 6, 18 or 26, the number of neighbours of a voxel.
    """
    mask, spacing = read_stack(mask_clean, mapped=True)
    write_stack(components, label_components(mask, connectivity), spacing, is_labels=True)


job.run(main)
