"""Score the spots of a channel against a ground truth of points."""

import logging
from pathlib import Path

import numpy as np

from cellstack.config.columns import POSITION
from cellstack.evaluate.evaluate_spots import evaluate_spots
from cellstack.files.records import write_json
from cellstack.files.stacks import read_stack
from cellstack.files.tables import read_rows
from cellstack.prepare.ground_truth_points import read_points
from cellstack.run import job

log = logging.getLogger(__name__)


def main(
    *,
    spots: Path,
    raw: Path,
    image: list[Path],
    scores: Path,
    stack: str,
    channel: str,
    diameters_um: list[float],
    downsample: list[int],
) -> None:
    """Write the `scores` of `spots` against the table of points `image`."""
    _, spacing = read_stack(raw, mapped=True)
    before = np.divide(spacing, downsample)
    known = read_points(image[0], before.tolist()) * before
    # the middle of the first voxel after downsampling is that of several voxels
    known -= (np.asarray(downsample) - 1) / 2 * before
    found = np.array([[float(row[axis]) for axis in POSITION] for row in read_rows(spots)])
    measured = evaluate_spots(known, found.reshape(-1, 3), spacing, diameters_um)
    log.info("%s: F1 %.3f", channel, measured["f1"])
    write_json(scores, {"stack": stack, "channel": channel} | measured)


job.run(main)
