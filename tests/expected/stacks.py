"""Expected columns of stacks.csv, checks.csv and quality.csv."""

import json

import numpy as np
from expected.objects import touched_faces
from expected.scene import VOXEL, labels_of, rows_of
from scipy import ndimage


def density_of(study, stack, kind):
    """Return the number of objects per mm3 that touch neither the first row nor column."""
    labels = labels_of(study, stack, kind)
    inside = set(np.unique(labels)) - {0} - set(labels[:, 0].flat) - set(labels[:, :, 0].flat)
    # the frame begins after the first row and column
    return len(inside) / (labels[:, 1:, 1:].size * VOXEL) * 1e9


def haze_of(study, stack):
    """Return the haze of a stack, which tests of the threshold compare with known images."""
    return json.loads(study.result(stack, "nuclei", "threshold.json").read_text())["haze_ratio"]


def cut_by_faces(study, stack, kind):
    labels = labels_of(study, stack, kind)
    touched = [touched_faces(labels == label) for label in range(1, labels.max() + 1)]
    counts = {face: sum(each[face] for each in touched) for face in touched_faces(labels)}
    return ";".join(f"{face} {count}" for face, count in counts.items() if count)


def flags_of_channels(study, stack):
    return [
        f"{row['channel']}: {flag}"
        for row in rows_of(study, "quality.csv", stack=stack)
        for flag in row["flags"].split(";")
        if flag and not flag.startswith("same image as")  # added to the collected tables
    ]


def block_means(plane):
    """Return the means of blocks of 4 x 4 pixels."""
    rows, columns = (size // 4 for size in plane.shape)
    return plane[: 4 * rows, : 4 * columns].reshape(rows, 4, columns, 4).mean(axis=(1, 3))


def focus_of(plane):
    smooth = ndimage.gaussian_filter(plane, 1, mode="mirror")
    if smooth.var() == 0:
        return np.nan
    square = np.diff(smooth, axis=0)[:, 1:] ** 2 + np.diff(smooth, axis=1)[1:] ** 2
    return square.mean() / smooth.var()


def is_blurred(z, focus, signal, noise):
    """Return whether a plane is out of focus, given the focus and the signal of all planes."""
    usable = [i for i in range(len(focus)) if signal[i] >= 4 * noise and focus[i] >= 0]
    before = [i for i in usable if z - 2 <= i < z]
    after = [i for i in usable if z < i <= z + 2]
    if z not in usable or not before or not after:
        return False
    beside = before + after
    return focus[z] < np.median(focus[beside]) / 2 and signal[z] < 1.2 * np.median(signal[beside])
