"""Axes of TIFF files that do not name them, colours as channels, JPEG, and lists of planes."""

import imagecodecs
import numpy as np
import pytest
import tifffile
from reading import pattern, read, refused
from study import Study

import import_stack as script
from cellstack.errors import InputError
from cellstack.files.readers import image_source
from cellstack.files.records import read_json
from cellstack.files.stacks import read_stack

STACK = pattern((3, 5, 7, 9))  # c, z, y, x: all different
SIZES = {"z_um": 0.5, "y_um": 0.2, "x_um": 0.3}


def unnamed(path, stack, **options):
    """Write a TIFF whose axes have no names."""
    tifffile.imwrite(path, stack, photometric="minisblack", **options)
    return path


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"bigtiff": True}])
@pytest.mark.parametrize("axes", ["zcyx", "czyx", "zyxc", "zyxc", "xyzc", "cyxz", "ZYXC"])
def test_the_sheet_names_the_axes(tmp_path, axes, options):
    order = ["czyx".index(axis) for axis in axes.lower()]
    path = unnamed(tmp_path / "a.tif", STACK.transpose(order).copy(), **options)
    for channel in range(3):
        source, found = read(path, channel=channel, axes=axes)
        np.testing.assert_array_equal(found, STACK[channel])
    assert source.channels == [None] * 3
    assert (source.count, *source.plane_shape) == STACK.shape[1:]


def test_time_points_and_single_planes_have_axes_too(tmp_path):
    path = unnamed(tmp_path / "a.tif", STACK)
    np.testing.assert_array_equal(read(path, time=2, axes="tzyx")[1], STACK[2])
    assert "contains 3 time points" in refused(path, axes="tzyx")
    path = unnamed(tmp_path / "b.tif", STACK[:, 0])
    np.testing.assert_array_equal(read(path, channel=1, axes="cyx")[1], STACK[1, :1])


def test_samples_can_be_channels(tmp_path):
    """The convention of scikit-image; tifffile stores such arrays as red, green and blue."""
    stack = np.moveaxis(STACK, 0, -1).astype("uint8")
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="rgb")
    for channel in range(3):
        source, found = read(tmp_path / "a.tif", channel=channel, axes="zyxc")
        np.testing.assert_array_equal(found, stack[..., channel])
    assert source.notices == []


def test_planes_in_separate_files_have_axes(tmp_path):
    for z in range(5):
        unnamed(tmp_path / f"p{z}.tif", STACK[:, z])
    np.testing.assert_array_equal(read(tmp_path, channel=2, axes="cyx")[1], STACK[2])


def test_axes_that_do_not_fit_are_refused(tmp_path):
    path = unnamed(tmp_path / "a.tif", STACK)
    assert "axes zyx name 3 axes, but the image has 4, of lengths 3 x 5 x 7 x 9" in refused(
        path, axes="zyx"
    )
    fix = "fill in axes in the sheet, such as zcyx"
    assert fix in refused(path)
    named = tmp_path / "named.ome.tif"
    tifffile.imwrite(named, STACK, ome=True, metadata={"axes": "CZYX"})
    assert "the file names its axes czyx: leave axes empty" in refused(named, axes="zcyx")
    np.testing.assert_array_equal(read(named, channel=1, axes="czyx")[1], STACK[1])
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(STACK[0, 0]))
    assert "a.png: axes yx are given, but its format names them" in refused(
        tmp_path / "a.png", axes="yx"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "accepted"),
    [("zyxc", True), ("tyx", True), ("yx", True), ("zzyx", False), ("zyc", False), ("qzyx", False)],
)
def test_the_column_is_checked_with_the_sheet(tmp_path, cell, accepted):
    study = Study(tmp_path)
    unnamed(tmp_path / "a.tif", STACK)
    study.add("a", image="a.tif", axes=cell, channel_index="0", **SIZES)
    process = study.run("-n")
    assert (process.returncode == 0) == accepted, process.stderr
    if not accepted:
        assert f"axes: '{cell}'" in process.stdout + process.stderr


def test_each_colour_is_a_channel(tmp_path):
    colours = np.moveaxis(STACK, 0, -1).astype("uint8")
    tifffile.imwrite(tmp_path / "a.tif", colours, photometric="rgb")
    files = {"image": [tmp_path / "a.tif"], "raw": tmp_path / "raw.tif"}
    files["record"] = tmp_path / "import.json"
    for number, colour in enumerate(("red", "Green", "blue")):
        script.main(**files, channel="nuclei", channel_index=colour, **SIZES)
        np.testing.assert_array_equal(read_stack(files["raw"])[0], colours[..., number])
        record = read_json(files["record"])
        assert image_source.REDUCED not in record["notices"]
        assert f"the samples of {colour}" in record["channel"]["why"]
    script.main(**files, channel="nuclei", **SIZES)
    assert image_source.REDUCED in read_json(files["record"])["notices"]
    assert "colours in 5 planes were mixed" in read_json(files["record"])["flags"][0]
    with pytest.raises(InputError, match="channel_index is 0, but its channels are colours"):
        script.main(**files, channel="nuclei", channel_index="0", **SIZES)
    unnamed(tmp_path / "a.tif", STACK[0])
    with pytest.raises(InputError, match="channel_index red matches no channel"):
        script.main(**files, channel="nuclei", channel_index="red", **SIZES)


@pytest.mark.parametrize(("kind", "difference"), [("rgb", 0), ("rgb", 4), ("rgba", 0)])
def test_grey_images_with_three_samples_are_not_flagged(tmp_path, kind, difference):
    grey = STACK[0].astype("uint8")
    samples = [grey, grey, np.maximum(grey, difference) - difference]
    if kind == "rgba":
        samples.append(np.full_like(grey, 255))
    options = {"extrasamples": ["UNASSALPHA"]} if kind == "rgba" else {}
    tifffile.imwrite(tmp_path / "a.tif", np.stack(samples, -1), photometric="rgb", **options)
    files = {"image": [tmp_path / "a.tif"], "raw": tmp_path / "raw.tif"}
    script.main(**files, record=tmp_path / "import.json", channel="nuclei", **SIZES)
    assert read_json(tmp_path / "import.json")["flags"] == []


@pytest.mark.parametrize("samples", [1, 3])
def test_planes_as_jpeg_are_read_with_a_flag(tmp_path, samples):
    smooth = np.add.outer(np.arange(24), np.arange(33)).astype("uint8") * 3
    planes = [smooth + z if samples == 1 else np.dstack([smooth + z] * 3) for z in range(3)]
    for z, plane in enumerate(planes):
        (tmp_path / f"p{z}.jpg").write_bytes(imagecodecs.jpeg8_encode(plane, level=98))
    source, found = read(tmp_path)
    assert source.format == "JPEG planes"
    assert source.flags == [image_source.LOSSY]
    expected = np.stack([smooth + z for z in range(3)]).astype(int)
    assert np.abs(found - expected).max() <= 4
    tifffile.imwrite(tmp_path / "p0.tif", smooth)  # now JPEG files are previews
    assert read(tmp_path)[0].format == "TIFF"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\n", "not a JPEG image"),
        (b"\xff\xd8\xff\xd9\x00\x02", "JPEG without a frame"),
        (b"\xff\xd8\xff\xc3\x00\x0b\x08\x00\x02\x00\x02\x01", "frames of type 3"),
        (b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x00\x00\x02\x01", "JPEG without pixels"),
        (b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x02\x00\x02\x04", "has 4 samples of 8 bits"),
        (b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01", "cannot be read as an image"),
    ],
)
def test_damaged_jpegs_are_refused(tmp_path, content, message):
    (tmp_path / "a.jpg").write_bytes(content)
    assert message in refused(tmp_path / "a.jpg")


@pytest.mark.slow
def test_a_list_of_planes(tmp_path):
    for z in (8, 9, 10, 11):
        tifffile.imwrite(tmp_path / f"p{z}.tif", STACK[0, z % 5])
    study = Study(tmp_path)
    study.add("list", image="p10.tif; p9.tif;p8.tif", **SIZES)
    study.add("patterns", image="p1[01].tif; p9.tif; p10.tif;", **SIZES)
    targets = [f"results/{name}/channels/nuclei/raw.tif" for name in ("list", "patterns")]
    process = study.run(*targets)
    assert process.returncode == 0, process.stdout + process.stderr
    for name, planes in (("list", (3, 4, 0)), ("patterns", (4, 0, 1))):
        found, _ = read_stack(study.result(name, "channels", "nuclei", "raw.tif"))
        np.testing.assert_array_equal(found, STACK[0, list(planes)])
    study.add("absent", image="p8.tif; p7.tif", **SIZES)
    process = study.run("-n")
    assert "'p8.tif; p7.tif' lists p7.tif, which does not exist" in process.stdout + process.stderr


def test_a_file_whose_name_contains_the_separator(tmp_path):
    tifffile.imwrite(tmp_path / "a;b.tif", STACK[0], metadata={"axes": "ZYX"})
    np.testing.assert_array_equal(read(tmp_path / "a;b.tif")[1], STACK[0])
