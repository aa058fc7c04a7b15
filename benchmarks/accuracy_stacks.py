"""The real stacks of accuracy.py and cells.py: their groups, and their ground truth.

They are expected in the folder CELLSTACK_DATA, by default ../shared/data. Stacks for *tuning* may
decide on settings, stacks for *check* only report. Stacks of one animal have the same use.
"""

import os
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("CELLSTACK_DATA", HERE.parent.parent / "shared" / "data")).resolve()
sys.path[:0] = [str(HERE.parent / "scripts")]

TUNING, CHECK = "tuning", "check"
MAX_SLIVER = 0.1  # volume of a sliver, relative to the median volume
Spacing = tuple[float, float, float]


class RealStack(NamedTuple):
    """A real stack with a ground truth."""

    group: str
    use: str
    image: str
    ground_truth: str
    """Labels, or a table of points."""
    spacing: Spacing | None = None
    """Voxel size in um, if it is not in the file."""
    diameter_um: float | None = None
    """If it cannot be computed from the ground truth."""
    min_iou: float = 0.5
    """Of a match; less if the ground truth has no exact outlines."""

    @property
    def files(self) -> tuple[Path, Path]:
        """Image and ground truth."""
        return DATA / self.image, DATA / self.ground_truth


def _embryo(name: str, use: str) -> RealStack:
    return RealStack(
        "embryos", use, f"embryos/{name}/nuclei.tif", f"embryos/{name}/nuclei_truth.tif"
    )


def _worm(name: str, use: str) -> RealStack:
    folder, spacing = f"celegans/{name}", (1.0, 0.22, 0.22)
    return RealStack(
        "worms", use, f"{folder}/nuclei.tif", f"{folder}/nuclei_points.csv", spacing, 3.5
    )


def _gland(name: str, use: str) -> RealStack:
    folder, spacing = f"glands/{name}", (1.24, 2.48, 2.48)
    return RealStack("glands", use, f"{folder}/membrane.tif", f"{folder}/cells_truth.tif", spacing)


EMBRYOS = {
    "emb01": _embryo("emb01-t401", TUNING),
    "emb02": _embryo("emb02-t451", TUNING),
    "emb05": _embryo("emb05-t501", TUNING),
    "emb08": _embryo("emb08-t451", TUNING),
    "emb11": _embryo("emb11-t501", TUNING),
    "emb04": _embryo("emb04-t501", CHECK),
    "emb06": _embryo("emb06-t501", CHECK),
    "emb07": _embryo("emb07-t451", CHECK),
    "emb09": _embryo("emb09-t501", CHECK),
    "emb10": _embryo("emb10-t451", CHECK),
}
NUCLEI = EMBRYOS | {
    "t060": _worm("t060", TUNING),
    "t180": _worm("t180", TUNING),
    "t120": _worm("t120", CHECK),
    "ovule": RealStack("plants", TUNING, "ovule/nuclei.tif", "ovule/nuclei_truth.tif"),
    "tutorial": RealStack(
        "colony", TUNING, "tutorial/nuclei.tif", "tutorial/nuclei_reference_labels.tif"
    ),
    "embryo8": RealStack(
        "colony", TUNING, "embryo8/nuclei.tif", "embryo8/nuclei_truth.tif", (1.75, 0.8, 0.8)
    ),
    "lightsheet8": RealStack(  # its ground truth are rough boxes
        "colony",
        CHECK,
        "lightsheet8/nuclei.tif",
        "lightsheet8/nuclei_truth.tif",
        (2.0, 0.83, 0.83),
        min_iou=0.1,
    ),
}
CELLS = {
    "gland-2017": _gland("2017-12-04-1a", TUNING),
    "gland-2019": _gland("2019-01-15-2a", TUNING),
    "gland-2018": _gland("2018-04-10-2a", CHECK),
    "membrane": RealStack("plants", TUNING, "membrane/membrane.tif", "membrane/cells_truth.tif"),
}


class GroundTruth(NamedTuple):
    """What is known of the objects of a ground truth."""

    diameter_um: float
    """Of the sphere with the median volume of the objects that no face of the stack cuts; of all
    objects if each of them is cut."""
    count: int
    slivers: int
    """Objects with less than a tenth of the median volume."""

    @property
    def max_f1(self) -> float:
        """F1 of a method that finds all objects but the slivers, and nothing else."""
        found = self.count - self.slivers
        return 2 * found / (found + self.count)


def available(stacks: dict[str, RealStack]) -> dict[str, RealStack]:
    """Return the stacks whose files exist."""
    return {
        name: stack for name, stack in stacks.items() if all(path.exists() for path in stack.files)
    }


def describe(stack: RealStack) -> GroundTruth:
    """Measure the objects of a ground truth."""
    from cellstack.files.readers import opening
    from cellstack.files.spreadsheets import is_text_table, read_cells

    image, ground_truth = stack.files
    if is_text_table(ground_truth):
        assert stack.diameter_um is not None
        count = sum(any(line) for line in read_cells(str(ground_truth))) - 1
        return GroundTruth(stack.diameter_um, count, 0)
    spacing = stack.spacing
    if spacing is None:
        with opening.open_image([image]) as source:
            z, y, x = (float(str(source.spacing[axis].value)) for axis in "zyx")
        spacing = (z, y, x)
    with opening.open_image([ground_truth]) as source:
        labels = np.stack(list(source.planes(0)))
    return measure(labels, spacing)


def measure(labels: np.ndarray, spacing: Spacing) -> GroundTruth:
    """Measure the objects of a label image.

    Examples
    --------
    >>> labels = np.zeros((3, 4, 9), int)
    >>> labels[1, 1:3, 1:3], labels[1, 1:3, 4:7], labels[:, :, 8], labels[0, 0, 0] = 1, 2, 3, 9
    >>> objects = measure(labels, (1.0, 0.5, 2.0))
    >>> objects.count, objects.slivers  # the median volume is 5 voxels
    (4, 0)
    >>> round(objects.diameter_um**3 * np.pi / 6, 6)  # of 4 and 6 voxels
    5.0
    """
    known, inverse, voxels = np.unique(labels, return_inverse=True, return_counts=True)
    inverse = inverse.reshape(labels.shape)
    is_object = known != 0
    is_whole = is_object.copy()
    for axis in range(3):
        for face in (0, -1):
            is_whole[np.take(inverse, face, axis)] = False
    typical = np.median(voxels[is_whole if is_whole.any() else is_object])
    small = voxels[is_object] < MAX_SLIVER * np.median(voxels[is_object])
    return GroundTruth(
        diameter_um=float((6 * typical * np.prod(spacing) / np.pi) ** (1 / 3)),
        count=int(is_object.sum()),
        slivers=int(small.sum()),
    )
