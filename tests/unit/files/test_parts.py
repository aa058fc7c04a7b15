"""Scenes and time points: one stack of a file that contains several."""

import numpy as np
import pytest
import tifffile
import zarr
from reading import count_voxels, pattern, read, refused, um

from cellstack.errors import InputError
from cellstack.files.readers import opening
from cellstack.files.readers.parts import Part, pick_scene, pick_time

NAMES = ["left", "Right", None, "right", "1"]
SERIES = pattern((3, 5, 7, 9))


@pytest.mark.parametrize(
    ("names", "scene", "expected"),
    [
        (["left"], None, 0),
        (["left"], "", 0),
        ([None], "0", 0),
        (NAMES, "0", 0),
        (NAMES, "2", 2),
        (NAMES, "left", 0),
        (NAMES, "LEFT", 0),
        (NAMES, "Right", 1),
        (NAMES, "right", 3),
        (NAMES, "#1", 1),
        (NAMES, "#4", 4),
        (["a", "a"], "1", 1),
        (["a", "#0"], "#0", 1),
    ],
)
def test_scene_by_number_or_name(names, scene, expected):
    assert pick_scene("a.czi", names, Part(scene=scene)) == expected


@pytest.mark.parametrize(
    ("names", "scene", "expected"),
    [
        (["a", None], None, "contains 2 scenes, 0 (a), 1: fill in scene in the sheet"),
        (["a", None], "2", "scene 2 matches no scene, the file has 0 (a), 1: correct scene"),
        (["a", None], "-1", "scene -1 matches no scene"),
        (["a"], "b", "scene b matches no scene, the file has 0 (a)"),
        (NAMES, "RIGHT", "scene RIGHT matches 2 of its scenes"),
        (NAMES, "1", "scene 1 matches 2 of its scenes, the file has 0 (left)"),
        (NAMES, "1", ": use #1 for number 1"),
        (["a", "a"], "a", ": use #0 for number 0"),
        (NAMES, "#5", "scene #5 matches no scene"),
        ([], None, "contains 0 scenes, none"),
        ([None] * 11, None, "8, 9, ...: fill in"),
    ],
)
def test_a_missing_or_ambiguous_scene_is_an_error(names, scene, expected):
    with pytest.raises(InputError) as error:
        pick_scene("a.czi", names, Part(scene=scene))
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


def test_time_points_are_counted_from_0():
    assert pick_time("a.czi", 1, Part()) == pick_time("a.czi", 1, Part(time=0)) == 0
    assert pick_time("a.czi", 3, Part(time=2)) == 2
    with pytest.raises(InputError, match="contains 3 time points, 0 to 2: fill in time"):
        pick_time("a.czi", 3, Part())
    for count, time in [(1, 1), (3, 3), (3, -1)]:
        with pytest.raises(InputError, match=f"time {time} is not in the file, which has {count} "):
            pick_time("a.czi", count, Part(time=time))


def test_labels_must_be_in_a_file_of_one_stack():
    with pytest.raises(InputError, match="one is needed: save it as a separate file"):
        pick_time("a.tif", 3, None)
    with pytest.raises(InputError, match="one is needed: save it as a separate file"):
        pick_scene("a.tif", ["a", "b"], None)


def write_series(path, axes):
    order = ["TZYX".index(axis) for axis in axes]
    if path.suffix == ".zarr":
        group = zarr.create_group(path)
        group.create_array("0", data=SERIES.transpose(order), chunks=(1, 2, 7, 9))
        image = {"axes": [{"name": axis} for axis in axes.lower()], "datasets": [{"path": "0"}]}
        group.attrs["ome"] = {"version": "0.5", "multiscales": [image]}
        return path
    options = {"ome": True} if path.name.endswith(".ome.tif") else {"imagej": True}
    tifffile.imwrite(path, SERIES.transpose(order), metadata={"axes": axes}, **options)
    return path


@pytest.mark.parametrize(
    ("name", "axes"),
    [("a.tif", "TZYX"), ("a.ome.tif", "TZYX"), ("b.ome.tif", "ZTYX"), ("a.zarr", "TZYX")],
)
def test_each_time_point_is_a_stack(tmp_path, name, axes):
    path = write_series(tmp_path / name, axes)
    for time in range(3):
        source, found = read(path, time=time)
        np.testing.assert_array_equal(found, SERIES[time])
        assert source.time == time
    assert "contains 3 time points, 0 to 2: fill in time in the sheet" in refused(path)
    assert "time 3 is not in the file" in refused(path, time=3)
    assert "scene 1 matches no scene" in refused(path, time=0, scene="1")
    with (
        pytest.raises(InputError, match="save it as a separate file"),
        opening.open_image([path]),
    ):
        pass


def test_time_points_and_channels(tmp_path):
    series = pattern((3, 5, 2, 7, 9))
    tifffile.imwrite(tmp_path / "a.tif", series, imagej=True, metadata={"axes": "TZCYX"})
    for time in range(3):
        for channel in range(2):
            _, found = read(tmp_path / "a.tif", time=time, channel=channel)
            np.testing.assert_array_equal(found, series[time, :, channel])


def test_time_points_of_one_plane_may_be_planes(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", SERIES[0], imagej=True, metadata={"axes": "TYX"})
    assert "if they are planes, correct the axes, in Fiji" in refused(tmp_path / "a.tif")
    assert read(tmp_path / "a.tif", time=4)[1].shape == (1, 7, 9)


def test_each_image_of_an_ome_tiff_is_a_scene_with_its_own_voxel_size(tmp_path):
    images = {"left": (pattern((5, 7, 9)), 0.5), "right": (pattern((2, 4, 20, 30)), 0.25)}
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        for name, (image, size) in images.items():
            metadata = {"axes": "CZYX"[-image.ndim :], "Name": name, "PhysicalSizeX": size}
            channels = {"Channel": {"Name": ["DAPI", "GFP"]}} if image.ndim == 4 else {}
            tif.write(image, photometric="minisblack", metadata=metadata | channels)
    source, found = read(path, scene="left")
    np.testing.assert_array_equal(found, images["left"][0])
    assert (source.scene, um(source)) == ("0 (left)", {"x": 0.5})
    source, found = read(path, scene="1", channel=1)
    np.testing.assert_array_equal(found, images["right"][0][1])
    assert (source.scene, um(source)) == ("1 (right)", {"x": 0.25})
    assert source.channels == ["DAPI", "GFP"]
    assert "contains 2 scenes, 0 (left), 1 (right): fill in scene" in refused(path)


def test_voxels_are_those_of_the_scene(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(pattern((5, 7, 9)), metadata=None)
        tif.write(pattern((7, 8)), metadata=None)
    assert count_voxels(tmp_path / "a.tif", scene="1") == 7 * 8
    assert count_voxels(tmp_path / "a.tif") == 0
