"""Runs on stacks whose brightness can make counts or volumes wrong."""

import numpy as np
import pytest
from scipy import ndimage
from study import Study

from cellstack.files.stacks import write_stack
from cellstack.files.tables import read_rows
from cellstack.measure.collect import join_checks

pytestmark = pytest.mark.slow

SHAPE, SPACING = (20, 106, 130), (1.2, 0.5, 0.4)
CENTRES = [(12, 8 + 12.4 * row, 8 + 12.2 * column) for row in range(4) for column in range(4)]
VOLUME_UM3 = 4 / 3 * np.pi * 4**3


def draw(heights=600.0, haze=0.0, hole_um=0.0):
    """Return 16 blurred balls with a diameter of 8 um, with haze in units of their height.

    Those in the first column have a hole of the given radius.
    """
    grid = np.indices(SHAPE) * np.reshape(SPACING, (3, 1, 1, 1))
    balls = np.zeros(SHAPE)
    for centre, height in zip(CENTRES, np.broadcast_to(heights, 16), strict=True):
        squares = ((grid - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(axis=0)
        balls[squares <= 16] = height
        if centre[2] == CENTRES[0][2]:
            balls[squares < hole_um**2] = 0
    blurred = ndimage.gaussian_filter(balls, np.divide(0.4, SPACING))
    light = ndimage.gaussian_filter(balls, np.divide(4.0, SPACING))
    mean = blurred + 100 + haze * light * balls.max() / light.max()
    return np.random.default_rng(0).poisson(mean).astype(np.uint16)


BRIGHT = [300.0] * 14 + [3000.0] * 2
STACKS = {
    "even": draw(),
    "bright": draw(BRIGHT),
    "dim": draw([3000.0] * 14 + [300.0] * 2),
    "hazy": draw(haze=1.5),
    "clipped": draw().clip(0, 350),
    "hollow": draw(hole_um=2.6),
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """The rows of stacks.csv with the smallest and the largest volume, by stack."""
    study = Study(tmp_path_factory.mktemp("brightness"))
    for name, stack in STACKS.items():
        write_stack(study.folder / f"{name}.tif", stack, SPACING)
        study.add(name, image=f"{name}.tif")
    process = study.run("results/stacks.csv", cores=2)
    assert process.returncode == 0, process.stderr[-3000:]
    tables = [read_rows(study.result(f"{name}.csv")) for name in ("stacks", "checks")]
    rows = {row["stack"]: row for row in join_checks(*tables)}
    for statistics in read_rows(study.result("statistics.csv")):
        if statistics["column"] == "volume_um3":
            rows[statistics["stack"]] |= {name: statistics[name] for name in ("min", "max")}
    return rows


@pytest.mark.parametrize(
    ("stack", "count"), [("even", 16), ("bright", 16), ("dim", 14), ("hollow", 16)]
)
def test_dim_nuclei_are_found_beside_bright_ones_or_counted(rows, stack, count):
    row = rows[stack]
    assert int(row["count_measured"]) == count
    assert int(row["count_dropped_dim"]) == 16 - count
    assert ("dim objects dropped: 2 " in row["flags"]) == (count < 16)
    assert float(row["min"]) == pytest.approx(VOLUME_UM3, rel=0.1)
    # the shell of a hollow nucleus is blurred, and its outline farther out
    assert float(row["max"]) == pytest.approx(VOLUME_UM3, rel=0.25 if stack == "hollow" else 0.2)


def test_stacks_with_volumes_that_are_too_large_are_flagged(rows):
    assert rows["even"]["flags"] == ""
    assert rows["bright"]["flags"].startswith("bright for its stack: 2 objects (")
    assert "haze: beside objects the intensity is" in rows["hazy"]["flags"]
    assert float(rows["hazy"]["haze_ratio"]) > 0.175 > float(rows["even"]["haze_ratio"])
    assert "saturated: 16 of 16 objects have the highest value, 350," in rows["clipped"]["flags"]
    assert rows["even"]["count_saturated"] == "0"
    assert rows["hollow"]["flags"] == "hollow: 4 objects are dark inside (filled)"
