"""Ground truth as a table of points: reading, voxels, downsampling, and errors by row."""

import logging

import numpy as np
import pytest

import import_labels as script
from cellstack.errors import InputError
from cellstack.files.stacks import read_stack, write_stack
from cellstack.prepare.ground_truth_points import label_points, read_points

SPACING = (2.0, 0.5, 0.25)
POINTS = [[1, 4, 6], [2.5, 0, 30.5]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "z,y,x\n1,4,6\n2.5,0,30.5\n"),
        ("a.csv", "\ufeffX;Z;name;Y\n6;1;one;4\n\n30,5;2,5;two;0\n"),
        ("a.csv", "frame,z,y,x,,\n5,1,4,6,,\n5,2.5,0,30.5,,\n"),
        ("a.tsv", "z_um\ty_um\tx_um\n2\t2\t1.5\n5\t0\t7.625\n"),
        ("a.CSV", "index,axis-0,axis-1,axis-2\n0.0,1.0,4.0,6.0\n1.0,2.5,0.0,30.5\n"),
    ],
    ids=["voxels", "spreadsheet", "time point", "um", "napari"],
)
def test_tables_of_points(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    np.testing.assert_allclose(read_points(tmp_path / name, SPACING), POINTS)


def test_a_table_without_rows_has_no_points(tmp_path):
    (tmp_path / "a.csv").write_text("z,y,x\n")
    assert read_points(tmp_path / "a.csv", SPACING).shape == (0, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a text table in UTF-8"),
        (b"II*\0\xff\xfe", "is not a text table in UTF-8"),
        (b"y,x\n1,2\n", "the columns are y, x: give the centres .* z, y, x .voxels., or z_um"),
        (b"axis-0,axis-1,axis-2,axis-3\n0,1,2,3\n", "from a 3D layer"),
        (b"z,y,x,z_um,y_um,x_um\n1,2,3,4,5,6\n", "has z, y, x and z_um, y_um, x_um: keep only"),
        (b"z,y,x\n1,2,3\n\n1,two,3\n", "row 4 has the coordinates 1, two, 3: give three numbers"),
        (b"z,y,x\n1,2\n", "row 2 has the coordinates 1, 2, : give three numbers"),
        (b"z,y,x\n1,2,inf\n", "row 2 has the coordinates 1, 2, inf"),
        (b"z,y,x,x\n1,2,3,4\n", "has the column x twice: keep only one of them"),
        (b"z,y,x\n1,2,3\n1,5,2,5,3,5\n", "row 3 has more cells than the header: write numbers"),
        (b"t,z,y,x\n0,1,2,3\n1,1,2,4\n", "has points of 2 time points in the column t: keep"),
        (b"z;y;x\n1;2;1,234\n", "row 2 has the coordinates 1, 2, 1,234"),
    ],
)
def test_a_table_without_points_in_3d_is_an_error(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=f"a.csv: .*{message}"):
        read_points(tmp_path / "a.csv", SPACING)


def label(points, shape=(4, 6, 8), downsample=(1, 1, 1)):
    return label_points(
        np.array(points, float).reshape(-1, 3),
        "a.csv",
        stack_name="raw.tif",
        stack_shape=shape,
        downsample=downsample,
    )


def test_points_belong_to_the_voxel_with_the_nearest_centre():
    labels = label([(0.4, 1.0, 2.6), (3.4, 5.4, -0.4)])
    assert {tuple(place): labels[tuple(place)] for place in np.argwhere(labels)} == {
        (0, 1, 3): 1,
        (3, 5, 0): 2,
    }
    assert label([]).dtype == np.uint16
    assert not label([]).any()


def test_points_are_downsampled_with_the_stack(caplog):
    """The stack has 2 x 3 x 2 blocks; the last column of the image is in an incomplete one."""
    points = [(1, 3, 7), (0, 0, 8), (0, 1, 3)]
    with caplog.at_level(logging.WARNING):
        labels = label(points, shape=(2, 3, 2), downsample=(1, 2, 4))
    assert np.argwhere(labels).tolist() == [[0, 0, 0], [1, 1, 1]]
    assert (labels[1, 1, 1], labels[0, 0, 0]) == (1, 2)
    assert "a.csv: 1 of 3 points are left out, because downsampling drops" in caplog.text


@pytest.mark.parametrize(
    ("point", "downsample"),
    [
        ((-0.6, 0, 0), (1, 1, 1)),
        ((3.5, 0, 0), (1, 1, 1)),
        ((0, 6, 0), (1, 1, 1)),
        ((0, 0, 8), (1, 1, 1)),
        ((0, 0, 8 * 4 + 3), (1, 2, 4)),
    ],
)
def test_points_outside_the_stack_are_named_by_row(point, downsample):
    with pytest.raises(InputError, match=r"a.csv: 1 of 2 points lie outside raw.tif .* in row 3 "):
        label([(0, 0, 0), point], downsample=downsample)


def test_two_points_in_a_voxel_are_named_by_row():
    with pytest.raises(InputError, match=r"a.csv: the points in rows 2 and 4 lie in the same vox"):
        label([(1, 1, 1), (2, 2, 2), (1.2, 1, 0.8)])


@pytest.mark.parametrize("unit", ["voxels", "um"])
def test_the_script_places_points_of_the_image_on_the_downsampled_stack(tmp_path, unit):
    """Coordinates are those of the image, whose voxels are smaller than those of the stack."""
    factors, spacing = (1, 2, 4), (2.0, 0.3, 0.1)
    write_stack(
        tmp_path / "raw.tif", np.zeros((3, 4, 5), "uint16"), np.multiply(spacing, factors).tolist()
    )
    header = "z,y,x" if unit == "voxels" else "z_um,y_um,x_um"
    point = np.array([2, 7, 18]) * (1 if unit == "voxels" else spacing)
    (tmp_path / "a.csv").write_text(f"{header}\n{','.join(map(str, point))}\n")
    script.main(
        image=[tmp_path / "a.csv"],
        raw=tmp_path / "raw.tif",
        labels=tmp_path / "labels.tif",
        downsample=list(factors),
    )
    labels, written = read_stack(tmp_path / "labels.tif")
    assert np.argwhere(labels).tolist() == [[2, 3, 4]]
    assert written == pytest.approx((2, 0.6, 0.4))


@pytest.mark.parametrize(("stack", "count"), [("t060", 29), ("t120", 171), ("t180", 374)])
def test_real_points(data, tmp_path, stack, count):
    write_stack(tmp_path / "raw.tif", np.zeros((30, 224, 320), "uint8"), (1, 0.22, 0.22))
    script.main(
        image=[data / "celegans" / stack / "nuclei_points.csv"],
        raw=tmp_path / "raw.tif",
        labels=tmp_path / "labels.tif",
        downsample=[1, 1, 1],
    )
    labels, _ = read_stack(tmp_path / "labels.tif")
    assert np.unique(labels[labels > 0]).tolist() == list(range(1, count + 1))
