"""What images contain: scenes, time points, channels and voxel size."""

import numpy as np
import pytest
import tifffile

from cellstack.init.contents import name_or_number, read_contents


def write_ome(path, shape, axes, **metadata):
    sizes = {"PhysicalSizeZ": 1.5, "PhysicalSizeY": 0.4, "PhysicalSizeX": 0.3}
    units = {f"{size}Unit": "µm" for size in sizes}
    image = np.zeros(shape, np.uint16)
    tifffile.imwrite(path, image, ome=True, metadata={"axes": axes, **units, **sizes, **metadata})


def test_channels_and_voxel_size(tmp_path):
    path = tmp_path / "a.ome.tif"
    write_ome(path, (2, 5, 16, 17), "CZYX", Channel={"Name": ["DAPI", "GFP"]})
    (found,) = read_contents([path])
    assert found.channels == ["DAPI", "GFP"]
    assert found.shape == (5, 16, 17)
    assert found.spacing == {"z": 1.5, "y": 0.4, "x": 0.3}
    assert list(found.sources) == ["OME"]
    assert (found.scene, found.time, found.problem) == (None, None, "")


def test_each_time_point_of_each_scene_is_a_stack(tmp_path):
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        for name in ("left", "right"):
            image = np.zeros((3, 4, 16, 17), np.uint16)
            tif.write(image, metadata={"axes": "TZYX", "Name": name})
    found = read_contents([path])
    expected = [(scene, time) for scene in ("left", "right") for time in range(3)]
    assert [(each.scene, each.time) for each in found] == expected
    assert {each.shape for each in found} == {(4, 16, 17)}


def test_what_cannot_be_read_says_why(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(b"no image")
    (found,) = read_contents([path])
    assert "a.tif" in found.problem


def test_an_unknown_voxel_size_is_none_except_along_z_of_one_plane(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((5, 16, 17), np.uint16), metadata=None)
    assert read_contents([path])[0].spacing == {"z": None, "y": None, "x": None}
    write_ome(path, (16, 17), "YX", PhysicalSizeZ=1, PhysicalSizeZUnit="pixel")
    assert read_contents([path])[0].spacing == {"z": 0.4, "y": 0.4, "x": 0.3}


@pytest.mark.parametrize(
    ("planes", "z_um", "notice"),
    [(5, 5.9, None), (5, 6.1, "more than 20 times the pixel size"), (1, 1.5, "only one plane")],
)
def test_what_looks_wrong_is_a_notice(tmp_path, planes, z_um, notice):
    path = tmp_path / "a.ome.tif"
    write_ome(path, (planes, 16, 17), "ZYX", PhysicalSizeZ=z_um)
    notices = " ".join(read_contents([path])[0].notices)
    assert notices == "" if notice is None else notice in notices


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["left", "right"], "left"),
        (["left", "left"], "0"),
        (["left", "LEFT"], "left"),
        (["7", "right"], "0"),
        (["7", "0"], "#0"),
        ([" left", "right"], "0"),
        (["le\tft", "right"], "0"),
        ([None, "right"], "0"),
    ],
)
def test_a_name_is_used_only_if_it_is_unmistakable(names, expected):
    assert name_or_number(0, names) == expected


def test_time_points_of_microscope_files(data):
    found = read_contents([data / "formats" / "cluster.nd2"])
    assert [each.time for each in found] == [0, 1, 2]
    assert [each.problem for each in read_contents([data / "formats" / "tiles_z.czi"])] != [""]
    scenes = read_contents([data / "formats" / "testdata_2channel_xz.lif"])
    assert [each.scene for each in scenes] == ["xzt", "xzy", "xz"]
    assert [bool(each.problem) for each in scenes] == [True, False, True]
