"""Stacks of integers with other values than uint16 and of booleans, up to the tables."""

import csv

import numpy as np
import pytest
import tifffile
from study import SPACING, Study, simulated

OFFSETS = {"plain": 0, "negative": -2000, "large": 400_000}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return the rows of objects.csv by stack, of the same colony in images of several types."""
    study = Study(tmp_path_factory.mktemp("types"))
    colony = simulated()
    images = {
        name: (colony.nuclei_image + np.int32(offset)).astype(dtype)
        for (name, offset), dtype in zip(OFFSETS.items(), ["uint16", "int16", "int32"], strict=True)
    }
    for name, stack in (images | {"boolean": colony.nuclei_labels > 0}).items():
        tifffile.imwrite(study.folder / f"{name}.tif", stack, photometric="minisblack")
        sizes = dict(zip(("z_um", "y_um", "x_um"), SPACING, strict=True))
        study.add(name, image=f"{name}.tif", **sizes)
    process = study.run("results/objects.csv", "results/stacks.csv", cores=2)
    assert process.returncode == 0, process.stderr
    found = {name: [] for name in images | {"boolean": None}}
    with study.result("objects.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found[row["stack"]].append(row)
    return found


def numbers(rows, column):
    return [float(row[column]) for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["negative", "large"])
def test_an_offset_changes_intensities_only(results, name):
    plain, rows = results["plain"], results[name]
    assert len(plain) >= 4
    assert numbers(rows, "volume_um3") == numbers(plain, "volume_um3")
    for statistic in ("min", "median", "mean"):
        column = f"{statistic}_intensity_nuclei"
        expected = [value + OFFSETS[name] for value in numbers(plain, column)]
        assert numbers(rows, column) == pytest.approx(expected, rel=1e-6, abs=0.01)
    assert min(numbers(results["negative"], "min_intensity_nuclei")) < 0


@pytest.mark.slow
def test_a_boolean_image_is_segmented(results):
    assert len(results["boolean"]) == len(results["plain"])
    found, expected = (
        sorted(numbers(results[each], "volume_um3")) for each in ("boolean", "plain")
    )
    assert found == pytest.approx(expected, rel=0.3)  # labels may be in another order
