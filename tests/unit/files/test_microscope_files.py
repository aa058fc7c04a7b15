"""Readers of the formats of microscopes, on files that the tests write."""

import re
import sys
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import tifffile
from hostile import run
from microscopes import (
    SPACING,
    write_czi,
    write_ims,
    write_lif,
    write_lsm,
    write_metaseries,
    write_oif,
    write_stk,
)
from reading import CHANNELS, count_voxels, pattern, read, refused, um

from cellstack.errors import InputError
from cellstack.files.readers import ims
from cellstack.files.readers.voxel_size import choose

SERIES = pattern((3, 2, 5, 20, 31))
STACK = SERIES[:1]


def write(path, series):
    if path.suffix == ".lif":
        return write_lif(path, a=("TCZYX", series))
    return {".czi": write_czi, ".ims": write_ims, ".oif": write_oif}[path.suffix](path, series)


@pytest.fixture(params=["czi", "ims", "lif", "oif"])
def kind(request):
    return request.param


def test_each_channel_and_time_point_is_read(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}", SERIES)
    for time in range(3):
        for channel in range(2):
            source, found = read(path, time=time, channel=channel)
            np.testing.assert_array_equal(found, SERIES[time, channel])
            assert found.dtype == np.uint16
    assert source.channels == CHANNELS
    assert um(source) == pytest.approx(SPACING)
    assert (source.format, source.time, source.scene) == (kind.upper(), 2, None)
    assert source.notices == []
    assert "contains 3 time points, 0 to 2: fill in time in the sheet" in refused(path)
    assert "scene 1 matches no scene, the file has 0" in refused(path, time=0, scene="1")


def test_a_single_stack_needs_no_time(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}", STACK)
    source, found = read(path, channel=1)
    np.testing.assert_array_equal(found, STACK[0, 1])
    assert source.time is None
    assert count_voxels(path) == found.size


def test_a_plane_is_a_stack_without_voxel_size_along_z(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}", STACK[:, :, :1])
    source, found = read(path, channel=1)
    np.testing.assert_array_equal(found, STACK[0, 1, :1])
    assert {"y": 0.5, "x": 0.25}.items() <= um(source).items()


def test_the_extension_may_be_in_capitals(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}", STACK)
    if kind == "oif":
        (tmp_path / "a.oif.files").rename(tmp_path / "a.OIF.files")
    path = path.rename(tmp_path / f"a.{kind.upper()}")
    assert read(path)[1].shape == (5, 20, 31)


def test_a_package_that_is_not_installed_is_named(tmp_path, kind, monkeypatch):
    path = write(tmp_path / f"a.{kind}", STACK)
    packages = {"czi": "pylibCZIrw", "ims": "h5py", "lif": "liffile", "oif": "oiffile"}
    for module in [each for each in sys.modules if each.split(".")[0] == packages[kind]]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, packages[kind], None)
    message = refused(path)
    assert f"are read with the package {packages[kind]}, which is not installed" in message
    assert "run make formats" in message
    assert count_voxels(path) == 0


def test_reading_a_file_needs_no_package_of_another_format(tmp_path, kind, monkeypatch):
    path = write(tmp_path / f"a.{kind}", STACK)
    packages = {"czi": "pylibCZIrw", "ims": "h5py", "lif": "liffile", "oif": "oiffile"}
    for package in {*packages.values(), "nd2"} - {packages[kind]}:
        monkeypatch.setitem(sys.modules, package, None)
    assert read(path)[1].shape == (5, 20, 31)


@pytest.mark.parametrize("size", [0, 1, 100, 0.5, 0.9])
def test_a_truncated_file_is_refused(tmp_path, kind, size):
    path = write(tmp_path / f"a.{kind}", STACK)
    content = path.read_bytes()
    path.write_bytes(content[: int(size * len(content)) if isinstance(size, float) else size])
    message = run(tmp_path, path)
    assert message.startswith(f"{path}: ")


def test_another_file_with_the_extension_is_refused(tmp_path, kind):
    (tmp_path / f"a.{kind}").write_bytes(bytes(range(256)) * 50)
    assert f"a.{kind}: " in refused(tmp_path / f"a.{kind}")


# CZI


def test_scenes_of_a_czi(tmp_path):
    path = write_czi(tmp_path / "a.czi", STACK, scenes=3)
    for scene in range(3):
        source, found = read(path, channel=1, scene=str(scene))
        np.testing.assert_array_equal(found, STACK[0, 1] + scene)
        assert source.scene == str(scene)
    assert "contains 3 scenes, 0, 1, 2: fill in scene in the sheet" in refused(path)
    assert count_voxels(path, scene="2") == found.size
    assert count_voxels(path) == 0


@pytest.mark.parametrize("compression", ["zstd0:ExplicitLevel=1", "zstd1:ExplicitLevel=1"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_compressed_czi(tmp_path, compression, dtype):
    if dtype == "float32":
        compression = "uncompressed:"
    stack = STACK.astype(dtype)
    source, found = read(write_czi(tmp_path / "a.czi", stack, compression=compression))
    np.testing.assert_array_equal(found, stack[0, 0])
    assert source.dtype == dtype


def test_a_czi_without_a_voxel_size_asks_for_it(tmp_path):
    path = write_czi(tmp_path / "a.czi", STACK, spacing={})
    source, _ = read(path)
    with pytest.raises(InputError, match=r"is not known along z \(CZI Scaling Z is 0\)"):
        choose("a.czi", source.spacing, dict.fromkeys("zyx"), source.count)


def test_tiles_of_a_czi_that_overlap_are_refused(tmp_path):
    path = write_czi(tmp_path / "a.czi", STACK, tiles=[0, 30])
    assert "contains 2 tiles that overlap and are not fused: in ZEN" in refused(path)


def test_tiles_of_a_czi_that_do_not_overlap_are_joined(tmp_path):
    source, found = read(write_czi(tmp_path / "a.czi", STACK, tiles=[31, 0]))
    np.testing.assert_array_equal(found, np.concatenate([STACK[0, 0]] * 2, axis=2))
    assert source.notices == []
    source, found = read(write_czi(tmp_path / "b.czi", STACK, tiles=[0, 93]))
    assert found.shape == (5, 20, 124)
    assert "50.0% of the area has no tile, and is 0" in source.notices[0]


def test_a_czi_without_a_plane_is_refused(tmp_path):
    from pylibCZIrw import czi

    with czi.create_czi(str(tmp_path / "a.czi")) as file:
        for channel, z in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2)]:
            file.write(STACK[0, channel, z], plane={"C": channel, "Z": z})
    assert "is incomplete (plane 1 of channel 1 is missing)" in refused(tmp_path / "a.czi")


def test_positions_in_a_czi_need_not_begin_at_0(tmp_path):
    from pylibCZIrw import czi

    with czi.create_czi(str(tmp_path / "a.czi")) as file:
        for time in (2, 5):
            for z in (3, 4):
                file.write(SERIES[0, 0, z] + time, plane={"C": 1, "Z": z, "T": time})
    source, found = read(tmp_path / "a.czi", time=1)
    np.testing.assert_array_equal(found, SERIES[0, 0, 3:] + 5)
    assert len(source.channels) == 1


def test_channels_of_a_czi_may_have_different_types(tmp_path):
    from pylibCZIrw import czi

    colours = np.dstack([np.full((20, 31), value, np.uint8) for value in (30, 20, 10)])  # BGR
    with czi.create_czi(str(tmp_path / "a.czi")) as file:
        file.write(STACK[0, 0, 0], plane={"C": 0})
        file.write(colours, plane={"C": 1})
    np.testing.assert_array_equal(read(tmp_path / "a.czi")[1], STACK[0, 0, :1])
    source, found = read(tmp_path / "a.czi", channel=1)
    assert (found == round(0.2126 * 10 + 0.7152 * 20 + 0.0722 * 30)).all()
    assert source.notices == ["colours were reduced to their luminance"]


def test_other_axes_of_a_czi_are_refused(tmp_path, monkeypatch):
    from pylibCZIrw import czi

    # the package reads other axes, but writes only these
    whole = staticmethod(lambda plane, scene: {"T": 0, "Z": 0, "C": 0, "S": scene} | plane)
    monkeypatch.setattr(czi.CziWriter, "_create_plane", whole)
    with czi.create_czi(str(tmp_path / "a.czi")) as file:
        for phase in range(3):
            file.write(STACK[0, 0, phase], plane={"C": 0, "H": phase})
    assert "contains 3 phases (axis H), but a single stack is needed" in refused(tmp_path / "a.czi")


@pytest.fixture
def set_metadata(monkeypatch):
    """Replace the metadata of every CZI, of which the package can write only some."""
    from pylibCZIrw import czi

    def set_to(image):
        text = f"<Information><Image>{image}</Image></Information>"
        text = f"<ImageDocument><Metadata>{text}</Metadata></ImageDocument>"
        monkeypatch.setattr(czi.CziReader, "raw_metadata", property(lambda reader: text))

    return set_to


def test_skewed_planes_of_a_czi_are_refused(tmp_path, set_metadata):
    path = write_czi(tmp_path / "a.czi", STACK)
    shear = "<Dimensions><Z><ZAxisShear>{}</ZAxisShear></Z></Dimensions>"
    set_metadata(shear.format("Skew60"))
    assert "its planes are skewed (ZAxisShear Skew60): deskew it in ZEN" in refused(path)
    set_metadata(shear.format("None"))
    assert read(path)[0].count == 5


def test_channels_of_a_czi_have_the_names_of_their_numbers(tmp_path, set_metadata):
    from pylibCZIrw import czi

    channels = '<Channel Id="Channel:1" Name="one"/><Channel Id="Channel:0" Name="zero"/>'
    set_metadata(f"<Dimensions><Channels>{channels}</Channels></Dimensions>")
    assert read(write_czi(tmp_path / "a.czi", STACK))[0].channels == ["zero", "one"]
    with czi.create_czi(str(tmp_path / "b.czi")) as file:
        file.write(STACK[0, 0, 0], plane={"C": 1})
    assert read(tmp_path / "b.czi")[0].channels == ["one"]


def test_the_pyramid_of_a_czi_is_not_read(tmp_path, monkeypatch):
    from pylibCZIrw import czi

    path = write_czi(tmp_path / "a.czi", STACK)
    original = czi.CziReader.enumerate_subblocks

    def with_pyramid(reader, add):
        original(reader, add)
        tile = SimpleNamespace(x=0, y=0, w=620, h=400)
        stored = SimpleNamespace(w=31, h=20)
        add(99, SimpleNamespace(logicalRect=tile, physicalSize=stored))

    monkeypatch.setattr(czi.CziReader, "enumerate_subblocks", with_pyramid)
    np.testing.assert_array_equal(read(path)[1], STACK[0, 0])


# LIF


def test_images_of_a_lif_are_scenes(tmp_path):
    path = write_lif(
        tmp_path / "a.lif",
        left=("CZYX", SERIES[0]),
        right=("ZYX", SERIES[1, 0]),
        section=("CZX", SERIES[0, :, :, 0]),
    )
    source, found = read(path, scene="left", channel=1)
    np.testing.assert_array_equal(found, SERIES[0, 1])
    assert source.scene == "0 (left)"
    np.testing.assert_array_equal(read(path, scene="1")[1], SERIES[1, 0])
    assert "contains 3 scenes, 0 (left), 1 (right), 2 (section): fill in scene" in refused(path)
    message = refused(path, scene="section")
    assert "2 (section): is a section without the axis Y (axes CZX, shape (2, 5, 31))" in message
    assert "choose another scene or file, or set include to false" in message


def test_images_of_a_lif_with_the_same_name_are_all_read(tmp_path):
    stacks = {name: ("ZYX", SERIES[time, 0]) for time, name in enumerate(["aa", "ab", "ac"])}
    path = write_lif(tmp_path / "a.lif", **stacks)
    for name in ("ab", "ac"):
        path.write_bytes(
            path.read_bytes().replace(
                f'Element Name="{name}"'.encode("utf-16-le"),
                'Element Name="aa"'.encode("utf-16-le"),
            )
        )
    assert "contains 3 scenes, 0 (aa), 1 (aa), 2 (aa): fill in scene" in refused(path)
    assert "scene aa matches 3 of its scenes" in refused(path, scene="aa")
    for time, scene in enumerate(["0", "1", "#2"]):
        source, found = read(path, scene=scene)
        np.testing.assert_array_equal(found, SERIES[time, 0])
        assert source.scene == f"{time} (aa)"


def test_an_x_z_scan_with_several_y_is_a_stack(tmp_path):
    path = write_lif(tmp_path / "a.lif", a=("TYCZX", SERIES.transpose(0, 3, 1, 2, 4)))
    source, found = read(path, time=2, channel=1)
    np.testing.assert_array_equal(found, SERIES[2, 1])
    assert um(source) == pytest.approx(SPACING)


def test_wavelengths_of_a_lif_are_channels(tmp_path):
    path = write_lif(tmp_path / "a.lif", a=("λZYX", SERIES[:, 0]))
    source, found = read(path, channel=2)
    np.testing.assert_array_equal(found, SERIES[2, 0])
    assert source.channels == ["500 nm", "510 nm", "520 nm"]
    path = write_lif(tmp_path / "b.lif", a=("λCZYX", SERIES))
    assert "3 entries along the axis λ" in refused(path)


def test_tiles_of_a_lif_are_refused(tmp_path):
    path = write_lif(tmp_path / "a.lif", a=("MZYX", SERIES[:, 0]))
    assert "contains 3 tiles that are not merged: in LAS X apply Mosaic Merge" in refused(path)


def test_a_lif_without_a_unit_has_no_voxel_size(tmp_path):
    path = write_lif(tmp_path / "a.lif", unit="", a=("ZYX", SERIES[0, 0]))
    assert um(read(path)[0]) == {"z": None, "y": None, "x": None}


def test_a_lif_that_declares_more_than_it_contains_is_refused(tmp_path):
    path = write_lif(tmp_path / "a.lif", a=("ZYX", SERIES[0, 0]))
    old, new = (f'NumberOfElements="{count}"'.encode("utf-16-le") for count in ("20", "50"))
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    assert "is damaged or incomplete (6,200 bytes for 15,500)" in refused(path)


def test_an_xlif_which_refers_to_other_files_is_refused(tmp_path):
    memory = '<Memory Size="4"><Frame File="../b.tif" Offset="0" Size="4"/></Memory>'
    (tmp_path / "a.lif").write_text(
        f'<?xml version="1.0"?><LMSDataContainerHeader Version="2"><Element Name="a">{memory}'
        "</Element></LMSDataContainerHeader>",
        encoding="utf-8",
    )
    assert "a file of type XLIF, not LIF" in refused(tmp_path / "a.lif")


# IMS


def test_an_ims_that_refers_to_another_file_is_refused(tmp_path):
    other = write_ims(tmp_path / "other.ims", STACK)
    data = "DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data"
    path = write_ims(tmp_path / "link.ims", STACK)
    with h5py.File(path, "a") as file:
        del file[data]
        file[data] = h5py.ExternalLink(str(other), data)
    assert "Data refers to another place or file" in refused(path)
    path = write_ims(tmp_path / "raw.ims", STACK)
    with h5py.File(path, "a") as file:
        del file[data]
        shape = STACK.shape[2:]
        files = [(str(other), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset(data, shape, np.uint16, external=files)
    assert "refers to other files" in refused(path)
    path = write_ims(tmp_path / "virtual.ims", STACK)
    with h5py.File(path, "a") as file:
        layout = h5py.VirtualLayout(shape, np.uint16)
        layout[:2] = h5py.VirtualSource(str(other), data, (6, 24, 32))[:2, :20, :31]
        del file[data]
        file.create_virtual_dataset(data, layout)
    assert "refers to other files" in refused(path)


def test_an_ims_that_declares_more_than_it_contains_is_refused(tmp_path):
    path = write_ims(tmp_path / "a.ims", STACK)
    with h5py.File(path, "a") as file:
        about = file["DataSetInfo/Image"]
        about.attrs["Z"] = np.array(list("70"), "S1")
    assert "declares a stack of (70, 20, 31) voxels, but contains (6, 24, 32)" in refused(path)


@pytest.mark.parametrize("chunks", [(2, 8, 8), None])
def test_an_ims_without_some_of_its_voxels_is_refused(tmp_path, chunks):
    path = write_ims(tmp_path / "a.ims", STACK)
    data = "DataSet/ResolutionLevel 0/TimePoint 0/Channel 1/Data"
    with h5py.File(path, "a") as file:
        del file[data]
        stack = file.create_dataset(data, (6, 24, 32), np.uint16, chunks=chunks)
        if chunks:
            stack[:4] = 1
    assert "is incomplete (blocks of voxels are missing)" in refused(path)


def test_an_ims_with_huge_chunks_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(ims, "MAX_CHUNK_BYTES", 100)
    assert "has chunks of" in refused(write_ims(tmp_path / "a.ims", STACK))


# OIF


def test_planes_of_an_oif_in_another_folder_are_refused(tmp_path):
    (tmp_path / "in").mkdir()
    path = write_oif(tmp_path / "in" / "a.oif", STACK)
    plane = tmp_path / "in" / "a.oif.files" / "s_C001Z001T001.tif"
    plane.rename(tmp_path / "outside.tif")
    plane.symlink_to(tmp_path / "outside.tif")
    assert "is a link to a file outside its folder" in refused(path)


def test_an_oif_without_a_plane_is_refused_at_its_time_point(tmp_path):
    path = write_oif(tmp_path / "a.oif", SERIES)
    (tmp_path / "a.oif.files" / "s_C002Z003T002.tif").unlink()
    assert "is incomplete (1 of its planes is missing)" in refused(path, time=1)
    np.testing.assert_array_equal(read(path, time=2)[1], SERIES[2, 0])


def test_an_oif_with_x_z_planes_is_refused(tmp_path):
    path = write_oif(tmp_path / "a.oif", STACK, order="XZCYT")
    assert "its planes are in XZ (axes TYCZX), but planes in XY are needed" in refused(path)


def test_thumbnails_of_an_oif_are_ignored(tmp_path):
    path = write_oif(tmp_path / "a.oif", STACK)
    plane = tmp_path / "a.oif.files" / "s_C001Z001T001.tif"
    for number in range(20):
        (plane.parent / f"s_R{number:03}.tif").write_bytes(b"")
    (plane.parent / "s_Thumb.tif").write_bytes(b"")
    np.testing.assert_array_equal(read(path)[1], STACK[0, 0])


def test_a_plane_of_an_oif_with_another_shape_is_refused(tmp_path):
    path = write_oif(tmp_path / "a.oif", STACK)
    tifffile.imwrite(tmp_path / "a.oif.files" / "s_C001Z002T001.tif", STACK[0, 0, 0, :10])
    assert "s_C001Z002T001.tif has the shape (10, 31)" in refused(path)


# LSM and STK


@pytest.mark.parametrize("channels", [1, 2])
def test_each_channel_and_time_point_of_an_lsm(tmp_path, channels):
    path = write_lsm(tmp_path / "a.lsm", SERIES[:, :channels])
    for time in range(3):
        for channel in range(channels):
            source, found = read(path, time=time, channel=channel)
            np.testing.assert_array_equal(found, SERIES[time, channel])
    assert (source.format, source.channels) == ("LSM", CHANNELS[:channels])
    assert um(source) == pytest.approx(SPACING)
    assert "contains 3 time points, 0 to 2" in refused(path)


def test_positions_of_an_lsm_are_scenes(tmp_path):
    path = write_lsm(tmp_path / "a.lsm", SERIES, positions=3, scan="ZCYX")
    source, found = read(path, scene="2", channel=1)
    np.testing.assert_array_equal(found, SERIES[2, 1])
    assert source.scene == "2"
    assert "contains 3 scenes, 0, 1, 2: fill in scene" in refused(path)


def test_tiles_and_sections_of_an_lsm_are_refused(tmp_path):
    path = write_lsm(tmp_path / "a.lsm", SERIES, tiles=3, scan="ZCYX")
    assert "contains 3 tiles that are not fused: in ZEN" in refused(path)
    path = write_lsm(tmp_path / "b.lsm", SERIES[:1, :, :1], scan="CZX", height_is_z=True)
    assert "is a section without the axis Y" in refused(path)


def test_an_stk_is_read_with_its_voxel_size(tmp_path):
    path = write_stk(tmp_path / "a.stk", SERIES[0, 0])
    source, found = read(path)
    np.testing.assert_array_equal(found, SERIES[0, 0])
    assert (source.format, um(source)) == ("STK", pytest.approx(SPACING))
    source, _ = read(write_stk(tmp_path / "b.stk", SERIES[0, 0], calibrated=0))
    assert um(source) == {"z": 1}
    source, _ = read(write_stk(tmp_path / "c.stk", SERIES[0, 0], unit="pixel"))
    assert um(source) == {"z": 1, "y": None, "x": None}


def test_an_stk_whose_planes_are_not_equally_spaced_is_refused(tmp_path):
    path = write_stk(tmp_path / "a.stk", SERIES[0, 0], distances=[1, 1, 1, 3, 1])
    assert "are not equally spaced, their distances are 1 to 3 um" in refused(path)


@pytest.mark.parametrize(("calibrated", "expected"), [(True, {"y": 0.5, "x": 0.25}), (False, {})])
def test_a_plane_of_metaxpress_has_a_pixel_size(tmp_path, calibrated, expected):
    values = {
        "spatial_calibration_state": calibrated,
        "spatial_calibration_x": 0.25,
        "spatial_calibration_y": 0.5,
        "spatial_calibration_units": "um",
        "Z Projection Method": "Maximum",
    }
    write_metaseries(tmp_path / "a.tif", SERIES[0, 0, 0], **values)
    source, _ = read(tmp_path / "a.tif")
    assert um(source) == expected
    assert source.notices == ["is a projection of a stack (Maximum), not a plane"]


@pytest.mark.parametrize("write", [write_lsm, write_stk])
def test_a_truncated_lsm_or_stk_is_refused(tmp_path, write):
    series = SERIES[:1] if write is write_lsm else SERIES[0, 0]
    path = write(tmp_path / "a.tif", series)
    content = path.read_bytes()
    for share in (0, 0.3, 0.9):
        path.write_bytes(content[: int(share * len(content))])
        assert run(tmp_path, path, channel_index="0").startswith(f"{path}: ")


# the acquisition


def test_what_a_file_says_about_the_acquisition_is_kept(tmp_path, kind):
    source, _ = read(write(tmp_path / f"a.{kind}", STACK))
    expected = {
        "czi": {"channels": [{"name": name} for name in CHANNELS]},
        "ims": {"numerical_aperture": 1.2, "channels": [{"name": name} for name in CHANNELS]},
        "lif": {"bit_depth": 16},
        "oif": {
            "channels": [
                {"name": f"CH{number}", "fluorophore": name}
                for number, name in enumerate(CHANNELS, 1)
            ]
        },
    }
    assert source.acquisition == expected[kind]
    assert not re.search(r"nan|inf", str(source.acquisition))
