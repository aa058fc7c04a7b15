"""Import external labels, or a ground truth, on the grid of a stack."""

import logging
from pathlib import Path

from cellstack.core.counting import counted
from cellstack.core.labels import highest_label
from cellstack.files import spreadsheets
from cellstack.files.readers import opening
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, write_stack
from cellstack.prepare import ground_truth_points
from cellstack.prepare.import_labels import import_labels
from cellstack.prepare.label_orientation import check_orientation
from cellstack.prepare.point_positions import check_points
from cellstack.run import job

log = logging.getLogger(__name__)


def main(*, image: list[Path], raw: Path, labels: Path, downsample: list[int]) -> list[Path]:
    """Read labels of any integer type that fit the stack `raw`, and write them as 1..n.

    They get the voxel size of `raw`. A table of points becomes labels of one voxel each.
    """
    name = opening.called(image)
    stack, spacing = open_stack(raw)
    if spreadsheets.is_text_table(image[0]):
        before = tuple(step / factor for step, factor in zip(spacing, downsample, strict=True))
        points = ground_truth_points.read_points(image[0], before)
        where = {"stack_name": str(raw), "downsample": downsample}
        numbered = ground_truth_points.label_points(points, name, stack_shape=stack.shape, **where)
        check_points(points, name, stack=stack, spacing=before, **where)
        log.info("%s: %s, shape %s", name, counted(numbered.max(), "points"), numbered.shape)
        write_stack(labels, numbered, spacing, is_labels=True)
        return []
    with opening.open_image(image) as source, scratch_stacks(labels.parent) as allocate:
        imported = import_labels(
            source,
            name,
            stack_name=str(raw),
            stack_shape=stack.shape,
            downsample=downsample,
            allocate=allocate,
        )
        check_orientation(name, imported, stack, str(raw))
        count = highest_label(imported)
        log.info("%s: %s, shape %s", name, counted(count, "labels"), imported.shape)
        write_stack(labels, imported, spacing, is_labels=True)
    return source.other_files


job.run(main)
