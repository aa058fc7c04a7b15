"""Import a label image of regions on the grid of a stack."""

import logging
from pathlib import Path

import fastremap

from cellstack.core.counting import counted
from cellstack.errors import InputError
from cellstack.files import spreadsheets
from cellstack.files.readers import opening
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, write_stack
from cellstack.run import job
from cellstack.tissue.import_regions import import_regions

log = logging.getLogger(__name__)


def main(*, image: list[Path], raw: Path, regions: Path, downsample: list[int]) -> list[Path]:
    """Read regions of any integer type that fit the stack `raw`, and write them with their labels.

    They get the voxel size of `raw`.
    """
    name = opening.called(image)
    if spreadsheets.is_text_table(image[0]):
        raise InputError(f"{name}: is a table: give regions as an image, one integer per region")
    stack, spacing = open_stack(raw)
    with opening.open_image(image) as source, scratch_stacks(regions.parent) as allocate:
        labels = import_regions(
            source,
            name,
            stack_name=str(raw),
            stack_shape=stack.shape,
            downsample=downsample,
            allocate=allocate,
        )
        found = set().union(*(fastremap.unique(plane).tolist() for plane in labels))
        log.info("%s: %s, shape %s", name, counted(len(found - {0}), "regions"), labels.shape)
        write_stack(regions, labels, spacing, is_labels=True)
    return source.other_files


job.run(main)
