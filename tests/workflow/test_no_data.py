"""Runs on stacks with regions without data, which rotation or stitching left beside the data."""

import csv

import numpy as np
import pytest
from scipy import ndimage
from study import Study

from cellstack.files.records import read_json
from cellstack.files.stacks import read_stack, write_stack

pytestmark = pytest.mark.slow

SHAPE, SPACING = (20, 90, 110), (1.2, 0.5, 0.4)
VOLUME_UM3 = 4 / 3 * np.pi * 4**3
CENTRES = [(12, 8 + 14 * row, 7 + 15 * column) for row in range(3) for column in range(3)]


def draw():
    """Return nine blurred balls with a diameter of 8 um on the offset of a camera."""
    grid = np.indices(SHAPE) * np.reshape(SPACING, (3, 1, 1, 1))
    balls = np.zeros(SHAPE)
    for centre in CENTRES:
        balls[((grid - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(axis=0) <= 16] = 300
    blurred = ndimage.gaussian_filter(balls, np.divide(0.4, SPACING))
    return np.random.default_rng(0).poisson(blurred + 300).astype(np.uint16)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("no_data"))
    strip = draw()
    strip[:, :, 98:] = 0  # cuts the three balls at x = 37 um
    turned = ndimage.rotate(draw(), 20, axes=(1, 2), order=1)
    for name, stack in {"complete": draw(), "strip": strip, "turned": turned}.items():
        write_stack(study.folder / f"{name}.tif", stack, SPACING)
        study.add(name, image=f"{name}.tif")
    # A membrane channel, of which only a part has data.
    walls = np.full(SHAPE, 100.0)
    walls[:, ::22] = walls[:, :, ::22] = 900
    walls = np.random.default_rng(1).poisson(ndimage.gaussian_filter(walls, 0.8))
    write_stack(
        study.folder / "walls.tif", walls.astype(np.uint16) * (np.arange(110) < 80), SPACING
    )
    study.add("walls", "membrane", image="walls.tif")
    study.config["diameter_um"] = {"nuclei": 8, "cells": 10}
    process = study.run("results/objects.csv", "results/stacks.csv", cores=2)
    assert process.returncode == 0, process.stderr[-3000:]
    return study


def rows_of(study, stack, table="objects.csv"):
    with study.result(table).open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["stack"] == stack]


@pytest.mark.parametrize(("stack", "count"), [("complete", 9), ("strip", 6), ("turned", 9)])
def test_objects_have_the_same_volumes_beside_a_region_without_data(study, stack, count):
    volumes = [float(row["volume_um3"]) for row in rows_of(study, stack)]
    assert len(volumes) == count
    np.testing.assert_allclose(volumes, VOLUME_UM3, rtol=0.1)
    assert not any("no data" in row["flags"] for row in rows_of(study, stack))


@pytest.mark.parametrize(
    ("stack", "fraction", "excluded", "flag"),
    [
        ("complete", 0, 0, ""),
        ("strip", 12 / 110, 3, "no data in 10.9 % of the voxels, objects beside them excluded: 3"),
        ("turned", None, 0, "no data in"),
        ("walls", 30 / 110, None, "no data in 27.3 %"),
    ],
)
def test_the_share_and_the_objects_cut_are_reported(study, stack, fraction, excluded, flag):
    (row,) = rows_of(study, stack, "stacks.csv")
    row |= rows_of(study, stack, "checks.csv")[0]
    assert flag in row["flags"] if flag else row["flags"] == ""
    if fraction is not None:
        assert float(row["no_data_fraction"]) == pytest.approx(fraction, rel=0.02)
    if excluded is not None:
        assert int(row["count_dropped_beside_no_data"]) == excluded
    notices = read_json(study.result(stack, "channels", channel_of(stack), "import.json"))
    assert any("have no data" in notice for notice in notices["notices"]) == bool(flag)


def channel_of(stack):
    return "membrane" if stack == "walls" else "nuclei"


@pytest.mark.parametrize("stack", ["strip", "turned", "walls"])
def test_no_object_lies_in_a_region_without_data(study, stack):
    raw, _ = read_stack(study.result(stack, "channels", channel_of(stack), "raw.tif"))
    kind = "cells" if stack == "walls" else "nuclei"
    segmentation, _ = read_stack(study.result(stack, kind, "segmentation.tif"))
    assert segmentation.any()
    assert not segmentation[raw == 0].any()
