"""Seed points from napari: reading, and their use as seeds."""

import logging
from contextlib import nullcontext

import numpy as np
import pytest

from cellstack.core.distance import distance_map
from cellstack.errors import InputError
from cellstack.files.stacks import read_stack, write_stack
from cellstack.prepare.seed_points import read_points
from cellstack.segment.find_seeds import check_points, find_seeds, points
from cellstack.segment.label_components import label_components
from find_seeds import main

UNIT = (1.0, 1.0, 1.0)


def place(coordinates, file_points, shape=(4, 6, 8), spacing=(2.0, 0.5, 0.5)):
    distance = np.ones(shape, "float32")
    distance[:, 0] = 0
    options = {"path": "a.csv", "coordinates": coordinates}
    seeds = points(distance, spacing, None, np.array(file_points), **options)
    return np.argwhere(seeds).tolist()


@pytest.mark.parametrize(
    ("coordinates", "step"), [("voxels", (1, 1, 1)), ("world", (2.0, 0.5, 0.5))]
)
def test_points_belong_to_the_voxel_with_the_nearest_centre(coordinates, step):
    by_hand = [np.multiply(voxel, step) for voxel in ((0.4, 1.0, 2.6), (3.4, 5.4, -0.4))]
    assert place(coordinates, by_hand) == [[0, 1, 3], [3, 5, 0]]


def test_points_outside_the_mask_are_logged_and_ignored(caplog):
    outside = [(1, 0, 1), (-0.6, 1, 1), (4, 1, 1), (1, 1, 7.75)]
    with caplog.at_level(logging.WARNING):
        assert place("voxels", [(1, 2, 3), *outside]) == [[1, 2, 3]]
    (record,) = caplog.records
    assert record.getMessage() == (
        "4 of 5 points of a.csv lie outside the mask and are ignored: "
        "-0.6 1 1; 4 1 1; 1 1 7.75; 1 0 1"
    )


@pytest.mark.parametrize(
    ("by_hand", "coordinates", "expected"),
    [
        ([(1, 30, 20), (2, 10, 8)], "voxels", None),
        ([(1, 30, 20), (2, 0, 8)], "voxels", None),  # half of them
        ([(1, 30, 20), (20, 30, 1), (8, 10, 2)] * 2, "voxels", "4 of 6 points .* 4 of them"),
        ([(20, 30, 1)] * 4, "voxels", None),  # too few to be judged
        ([(2, 15, 10), (4, 5, 4)] * 3, "world", None),
        ([(4, 120, 80), (6, 40, 32)] * 3, "world", "6 of 6 points .*coordinates, now world, to"),
        ([(1, 0, 5), (2, 0, 9)] * 3, "voxels", "6 of 6 points .* 0 of them outside the stack"),
        (np.empty((0, 3)), "voxels", None),
    ],
)
def test_points_of_which_most_lie_outside_the_mask_are_refused(by_hand, coordinates, expected):
    mask = np.ones((4, 40, 40), "uint8")
    mask[:, 0] = 0
    arguments = (np.array(by_hand, float), mask, (2.0, 0.5, 0.5))
    refusal = pytest.raises(InputError, match=expected) if expected else nullcontext()
    with refusal:
        check_points(*arguments, path="a.csv", coordinates=coordinates)


def test_the_log_message_on_many_points_is_short(caplog):
    assert place("voxels", [(9, 9, 9)] * 500) == []
    assert len(caplog.text) < 300


def test_without_points_there_is_a_seed_per_component():
    mask = np.zeros((3, 5, 9), "uint8")
    mask[:, :, :3] = mask[:, :, 5:] = 1
    options = {"path": "a.csv", "coordinates": "voxels"}
    seeds = find_seeds(
        distance_map(mask, UNIT),
        label_components(mask, 26),
        UNIT,
        "points",
        options,
        None,
        np.empty((0, 3)),
    )
    assert seeds.max() == 2


def test_a_missing_file_of_points_is_an_error():
    with pytest.raises(InputError, match=r"no file seeds/\{stack\}.csv: save"):
        points(
            np.ones((1, 2, 3), "float32"),
            UNIT,
            None,
            None,
            path="seeds/{stack}.csv",
            coordinates="voxels",
        )


@pytest.mark.parametrize("head", ["", "\ufeff"])
def test_points_of_napari_are_read(tmp_path, head):
    path = tmp_path / "points.csv"
    path.write_text(
        f"{head}index,axis-0,axis-1,axis-2\n0.0,1.5,2.0,3.0\n1.0,4.0,5.25,6e1\n", encoding="utf-8"
    )
    assert read_points(path).tolist() == [[1.5, 2, 3], [4, 5.25, 60]]
    path.write_text(f"{head}axis-0;axis-1;axis-2\n1,5;2;3\n\n4;5,25;60\n", encoding="utf-8")
    assert read_points(path).tolist() == [[1.5, 2, 3], [4, 5.25, 60]]
    path.write_text("index,axis-0,axis-1,axis-2\n", encoding="utf-8")
    assert read_points(path).shape == (0, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "not a CSV table"),
        (b"II*\0\xff\xfe", "not a CSV table"),
        (
            b"index,axis-0,axis-1\n0,1,2\n",
            "columns are index, axis-0, axis-1: save the points of a 3D layer",
        ),
        (b"index,axis-0,axis-1,axis-2,axis-3\n0,1,2,3,4\n", "axis-2 only"),
        (b"axis-0,axis-1,axis-2\n1,2,3\n1,two,3\n", "line 3 has the cells 1, two, 3: give three"),
        (b"axis-0,axis-1,axis-2\n1,2\n", "line 2 has the cells 1, 2: give three"),
        (b"axis-0,axis-1,axis-2\n1,nan,3\n", "line 2 has the cells"),
        (b"axis-0,axis-1,axis-2\n1,5,2,5,3,5\n", "line 2 has the cells 1, 5, 2, 5, 3, 5: give"),
    ],
    ids=["missing", "empty", "binary", "2D", "4D", "text", "short", "nan", "commas"],
)
def test_a_table_without_points_in_3d_is_an_error(tmp_path, content, message):
    path = tmp_path / "points.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=f"points.csv: .*{message}"):
        read_points(path)


def test_the_script_reads_points(tmp_path):
    mask, spacing = np.ones((3, 9, 20), "uint8"), (2.0, 0.5, 0.5)
    for name, stack in {
        "mask_clean": mask,
        "components": mask.astype("uint16"),
        "denoised": mask.astype("float32"),
    }.items():
        write_stack(tmp_path / f"{name}.tif", stack, spacing)
    (tmp_path / "points.csv").write_text(
        "index,axis-0,axis-1,axis-2\n0,2.0,1.0,2.0\n1,4.0,3.0,8.0\n", encoding="utf-8"
    )
    files = {
        name: tmp_path / f"{name}.tif"
        for name in ("mask_clean", "components", "denoised", "distance", "seeds")
    }
    options = {"path": "points.csv", "coordinates": "world"}
    limits = {"z_scale": 1, "planes": "all", "plane_range_um": 1.0, "radius_um": 0}
    main(
        **files,
        **limits,
        points=[tmp_path / "points.csv"],
        smoothing_um=0,
        method="points",
        options=options,
    )
    seeds, _ = read_stack(files["seeds"])
    assert np.argwhere(seeds).tolist() == [[1, 2, 4], [2, 6, 16]]
