"""Merge neighbours that are parts of one object, and remove objects of low contrast."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cellstack.core.counting import counted
from cellstack.core.labels import relabel_parts
from cellstack.files.no_data import open_no_data
from cellstack.files.records import read_json
from cellstack.files.stacks import read_stack, write_stack
from cellstack.run import job
from cellstack.segment.merge_objects import Typical, number_objects

log = logging.getLogger(__name__)


def main(
    *,
    watershed: Path,
    denoised: Path,
    distance: Path,
    merged: Path,
    method: str,
    options: dict[str, Any],
    no_data: Sequence[Path] = (),
    typical: Sequence[Path] = (),
    threads: int = 1,
) -> None:
    """Merge objects of `watershed` by their shape and their border, and write `merged`.

    The border is described by the intensities `denoised` and by the `distance` to the background.
    Voxels without data according to the files `no_data` are not part of the background of an
    object. If the stack is a block, the file `typical` describes the objects of the complete stack.
    """
    labels, spacing = read_stack(watershed, mapped=True)
    stack, to_background = (read_stack(path, mapped=True)[0] for path in (denoised, distance))
    known = Typical(**read_json(typical[0])) if typical else None
    numbers = number_objects(
        labels,
        stack,
        to_background,
        spacing,
        method,
        options,
        threads,
        known,
        open_no_data(no_data),
    )
    count = int(numbers.max())
    log.info(
        "%s, of which %d are removed because of their low contrast; %d after merging",
        counted(len(numbers) - 1, "objects"),
        np.count_nonzero(numbers[1:] == 0),
        count,
    )
    write_stack(merged, relabel_parts(labels, numbers), spacing, (0, count), is_labels=True)


job.run(main)
