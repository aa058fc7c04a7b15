import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reading import CHANNELS, pattern, read, refused, um

from cellstack.errors import InputError
from cellstack.files.readers import image_source

TYPES = ["uint8", "uint16", "float16", "float32", "float64"]
ENCODINGS = {
    "plain": {},
    "no description": {"metadata": None},
    "lzw": {"compression": "lzw"},
    "deflate in strips": {"compression": "zlib", "rowsperstrip": 2},
    "bigtiff": {"bigtiff": True},
    "big-endian": {"byteorder": ">"},
    "tiles": {"tile": (16, 16)},
    "volume in one page": {"volumetric": True, "tile": (16, 16, 16), "metadata": {"axes": "ZYX"}},
    "imagej": {"imagej": True, "metadata": {"axes": "ZYX"}},
    "imagej deflate": {"imagej": True, "compression": "zlib", "metadata": {"axes": "ZYX"}},
    "ome": {"ome": True, "metadata": {"axes": "ZYX"}},
}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_tiff_keeps_its_values_and_its_type(tmp_path, encoding, dtype):
    if (encoding.startswith("imagej") and dtype in ("float16", "float64")) or (
        encoding == "ome" and dtype == "float16"
    ):
        dtype = "float32"  # the format does not have the type
    stack = pattern((5, 33, 19), dtype)
    tifffile.imwrite(tmp_path / "a.tif", stack, **ENCODINGS[encoding])
    source, found = read(tmp_path / "a.tif")
    assert found.dtype == ("float32" if stack.dtype.kind == "f" else dtype)
    assert source.dtype == dtype
    np.testing.assert_array_equal(found, stack)


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16, np.float32]),
        st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(2, 5)),
        elements={"min_value": 0, "max_value": 200},
    ),
    st.sampled_from(["plain", "no description", "lzw", "imagej", "imagej deflate", "ome"]),
)
def test_any_small_stack_is_read_unchanged(tmp_path_factory, stack, encoding):
    path = tmp_path_factory.mktemp("any") / "a.tif"
    tifffile.imwrite(path, stack, photometric="minisblack", **ENCODINGS[encoding])
    np.testing.assert_array_equal(read(path)[1], stack)


@pytest.mark.parametrize(
    ("axes", "options"),
    [
        ("CZYX", {"ome": True}),
        ("ZCYX", {"ome": True, "compression": "zlib"}),
        ("ZCYX", {"imagej": True}),
        ("CZYX", {"photometric": "minisblack"}),
        ("ZYXC", {"photometric": "minisblack"}),
        ("ZYXC", {"photometric": "minisblack", "compression": "zlib"}),
        ("ZYXC", {"photometric": "minisblack", "planarconfig": "contig"}),
        ("YXZC", {"photometric": "minisblack", "compression": "lzw"}),
    ],
)
def test_a_channel_is_read_wherever_its_axis_is(tmp_path, axes, options):
    stack = pattern((4, 2, 7, 9))
    stored = stack.transpose(["ZCYX".index(axis) for axis in axes])
    tifffile.imwrite(tmp_path / "a.tif", stored, **options, metadata={"axes": axes})
    for channel in (0, 1):
        source, found = read(tmp_path / "a.tif", channel=channel)
        np.testing.assert_array_equal(found, stack[:, channel])
    assert len(source.channels) == 2


def test_only_the_pages_of_the_channel_are_read(tmp_path, monkeypatch):
    tifffile.imwrite(
        tmp_path / "a.tif", pattern((6, 2, 7, 9)), compression="zlib", metadata={"axes": "ZCYX"}
    )
    decoded = []
    for kind in (tifffile.TiffPage, tifffile.TiffFrame):
        plain = kind.asarray
        monkeypatch.setattr(
            kind,
            "asarray",
            lambda self, *args, plain=plain, **kw: (
                decoded.append(self.index) or plain(self, *args, **kw)
            ),
        )
    read(tmp_path / "a.tif", channel=1)
    assert set(decoded) == {1, 3, 5, 7, 9, 11}


def test_ome_metadata_has_names_and_sizes(tmp_path):
    sizes = {
        "PhysicalSizeX": 0.26,
        "PhysicalSizeY": 0.27,
        "PhysicalSizeZ": 290,
        "PhysicalSizeZUnit": "nm",
    }
    metadata = {"axes": "ZCYX", "Channel": {"Name": ["405", "0x1"]}} | sizes
    tifffile.imwrite(tmp_path / "a.ome.tif", pattern((3, 2, 7, 9)), metadata=metadata)
    source, _ = read(tmp_path / "a.ome.tif")
    assert (source.format, source.axes, source.channels) == ("OME-TIFF", "ZCYX", ["405", "0x1"])
    assert um(source) == {"z": pytest.approx(0.29), "y": 0.27, "x": 0.26}


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (CHANNELS, CHANNELS),
        (
            [f"c:{c}/2 z:{z}/3 - {name}" for z in (1, 2, 3) for c, name in enumerate(CHANNELS, 1)],
            CHANNELS,
        ),
        ([f"c:{c}/2 z:{z}/3 - scan #1" for z in (1, 2, 3) for c in (1, 2)], [None, None]),
        (["ab"], [None, None]),
    ],
)
def test_imagej_metadata_has_names_and_sizes(tmp_path, labels, names):
    metadata = {"axes": "ZCYX", "spacing": 0.5, "unit": "\\u00B5m", "Labels": labels}
    tifffile.imwrite(
        tmp_path / "a.tif", pattern((3, 2, 7, 9)), imagej=True, resolution=(4, 2), metadata=metadata
    )
    source, _ = read(tmp_path / "a.tif")
    assert (source.format, source.axes, source.channels) == ("ImageJ TIFF", "ZCYX", names)
    assert um(source) == {"z": 0.5, "y": 0.5, "x": 0.25}


@pytest.mark.parametrize(
    ("calibration", "shown"),
    [
        ({}, None),
        ({"cf": 0, "c0": 0.0, "c1": 1.0}, None),
        ({"cf": 0, "c0": -32768.0, "c1": 1.0}, "c0 = -32768.0, c1 = 1.0"),
        ({"cf": 20, "c0": 0.5}, "c0 = 0.5, c1 = None"),
    ],
)
def test_values_that_imagej_shows_otherwise_are_flagged(tmp_path, calibration, shown):
    tifffile.imwrite(tmp_path / "a.tif", pattern((3, 7, 9)), imagej=True, metadata=calibration)
    flags = read(tmp_path / "a.tif")[0].flags
    assert len(flags) == (shown is not None)
    assert all(shown in flag for flag in flags)


@pytest.mark.parametrize("mode", ["minisblack", "miniswhite"])
def test_images_that_programs_show_inverted_are_flagged(tmp_path, mode):
    stack = pattern((3, 7, 9))
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric=mode)
    source, found = read(tmp_path / "a.tif")
    assert any("inverted (MINISWHITE)" in flag for flag in source.flags) == (mode == "miniswhite")
    np.testing.assert_array_equal(found, stack)


@pytest.mark.parametrize(
    ("compression", "is_lossy"), [("jpeg", True), ("zlib", False), (None, False)]
)
def test_lossy_compression_of_a_tiff_is_flagged(tmp_path, compression, is_lossy):
    stack = pattern((3, 16, 32), "uint8")
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", compression=compression)
    assert read(tmp_path / "a.tif")[0].flags == [image_source.LOSSY] * is_lossy


def test_an_imagej_unit_in_latin_1_is_understood(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        pattern((3, 7, 9)),
        imagej=True,
        metadata={"axes": "ZYX", "spacing": 0.5, "unit": "um"},
    )
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content.replace(b"unit=um", b"unit=\xb5m"))
    assert um(read(tmp_path / "a.tif")[0])["z"] == 0.5


def test_resolution_tags_are_used_if_their_unit_is_physical(tmp_path):
    tifffile.imwrite(
        tmp_path / "cm.tif",
        pattern((5, 7, 9)),
        resolution=(20000, 10000),
        resolutionunit="CENTIMETER",
    )
    assert um(read(tmp_path / "cm.tif")[0]) == {"y": 1.0, "x": 0.5}
    tifffile.imwrite(
        tmp_path / "dpi.tif", pattern((5, 7, 9)), resolution=(72, 72), resolutionunit="INCH"
    )
    assert um(read(tmp_path / "dpi.tif")[0]) == {"y": None, "x": None}


@pytest.mark.filterwarnings("ignore:.*closed file")  # tifffile opens each file for its plane
def test_an_image_in_several_ome_files(tmp_path):
    stack = pattern((3, 7, 9))
    ids = [f"urn:uuid:00000000-0000-0000-0000-00000000000{z}" for z in range(3)]
    blocks = "".join(
        f'<TiffData FirstZ="{z}" IFD="0" PlaneCount="1">'
        f'<UUID FileName="z{z}.ome.tif">{ids[z]}</UUID></TiffData>'
        for z in range(3)
    )
    for z, plane in enumerate(stack):
        description = (
            '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="{ids[z]}"><Image ID="Image:0">'
            '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
            'SizeX="9" SizeY="7" SizeZ="3" SizeC="1" SizeT="1" '
            'PhysicalSizeX="0.3" PhysicalSizeY="0.3" PhysicalSizeZ="0.9">'
            '<Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
            f"{blocks}</Pixels></Image></OME>"
        )
        tifffile.imwrite(tmp_path / f"z{z}.ome.tif", plane, description=description, metadata=None)
    source, found = read(tmp_path / "z1.ome.tif")
    np.testing.assert_array_equal(found, stack)
    assert um(source) == {"z": 0.9, "y": 0.3, "x": 0.3}
    _, found = read(*sorted(tmp_path.glob("*.tif")))
    np.testing.assert_array_equal(found, stack)
    (tmp_path / "z2.ome.tif").unlink()
    assert "is damaged or incomplete" in refused(tmp_path / "z1.ome.tif")


@pytest.mark.parametrize("ending", ["tif", "png"])
def test_planes_are_read_in_natural_order(tmp_path, ending):
    stack = pattern((12, 7, 9))
    for z, plane in enumerate(stack):
        path = tmp_path / f"p{z}.{ending}"
        if ending == "png":
            path.write_bytes(imagecodecs.png_encode(plane))
        else:
            tifffile.imwrite(path, plane, resolution=(20000, 10000), resolutionunit="CENTIMETER")
    (tmp_path / "notes.txt").write_text("not a plane")
    (tmp_path / f"._p1.{ending}").write_text("hidden file of an operating system")
    given = sorted(tmp_path.glob(f"p*.{ending}"))
    for image in ([tmp_path], given, given[::-1], [tmp_path / f"p*.{ending}"]):
        source, found = read(*image)
        np.testing.assert_array_equal(found, stack)
    assert [path.stem for path in source.files[:3]] == ["p0", "p1", "p2"]
    assert source.count == 12
    assert um(source) == ({} if ending == "png" else {"y": 1.0, "x": 0.5})


def test_planes_whose_numbers_increase_by_2_are_read_with_a_flag(tmp_path):
    stack = pattern((4, 7, 9))
    for z, plane in enumerate(stack):
        tifffile.imwrite(tmp_path / f"p_z{2 * z}.tif", plane)
    source, found = read(tmp_path)
    np.testing.assert_array_equal(found, stack)
    assert source.flags == ["the numbers of the planes increase by 2"]


def test_a_plane_file_has_no_voxel_size_along_z(tmp_path):
    for z in range(2):
        metadata = {"axes": "YX", "PhysicalSizeX": 0.2, "PhysicalSizeY": 0.2, "PhysicalSizeZ": 1.5}
        tifffile.imwrite(tmp_path / f"{z}.ome.tif", pattern((7, 9)), metadata=metadata)
    assert um(read(tmp_path)[0]) == {"y": 0.2, "x": 0.2}


def test_plane_files_may_contain_channels(tmp_path):
    stack = pattern((3, 2, 7, 9))
    for z, plane in enumerate(stack):
        tifffile.imwrite(
            tmp_path / f"{z}.tif", plane, imagej=True, metadata={"axes": "CYX", "Labels": CHANNELS}
        )
    source, found = read(tmp_path, channel=1)
    assert source.channels == CHANNELS
    np.testing.assert_array_equal(found, stack[:, 1])


def test_plane_files_that_do_not_fit_together_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "p1.tif", pattern((7, 9)))
    tifffile.imwrite(tmp_path / "p2.tif", pattern((7, 8)))
    assert "p2.tif: is a plane of (7, 8)" in refused(tmp_path)
    tifffile.imwrite(tmp_path / "p2.tif", pattern((7, 9), "uint8"))
    assert "p2.tif: is a plane of (7, 9) uint8" in refused(tmp_path)
    tifffile.imwrite(tmp_path / "p2.tif", pattern((4, 7, 9)), imagej=True, metadata={"axes": "ZYX"})
    assert "p2.tif: contains 4 planes" in refused(tmp_path)
    (tmp_path / "p2.tif").write_bytes(b"")
    assert "p2.tif: cannot be read" in refused(tmp_path)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((3, 7, 9, 3), {"photometric": "rgb"}),
        ((3, 7, 9, 3), {"photometric": "rgb", "compression": "zlib"}),
        ((3, 7, 9, 3), {"photometric": "rgb", "ome": True, "metadata": {"axes": "ZYXS"}}),
        ((3, 7, 9, 3), {"photometric": "rgb", "imagej": True, "metadata": {"axes": "ZYXS"}}),
        ((7, 9, 3), {"photometric": "rgb"}),
        ((3, 7, 9), {"photometric": "rgb", "planarconfig": "separate"}),
        ((3, 3, 7, 9), {"photometric": "rgb", "planarconfig": "separate"}),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_colours_are_reduced_to_their_luminance(tmp_path, shape, options, dtype):
    if options.get("imagej"):
        dtype = "uint8"
    colours = pattern(shape, dtype)
    tifffile.imwrite(tmp_path / "a.tif", colours, **options)
    source, found = read(tmp_path / "a.tif")
    last = np.moveaxis(colours, -3, -1) if options.get("planarconfig") else colours
    grey = last @ np.array([0.2126, 0.7152, 0.0722])
    expected = grey if dtype == "float32" else np.rint(grey)
    np.testing.assert_array_equal(found, expected.astype(dtype).reshape(found.shape))
    assert len(source.channels) == 1
    assert source.notices == ["colours were reduced to their luminance"]


def test_opacity_is_left_out_with_a_notice(tmp_path):
    colours = pattern((7, 9, 4), "uint8")
    tifffile.imwrite(tmp_path / "a.tif", colours, photometric="rgb", extrasamples=["UNASSALPHA"])
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(colours))
    (tmp_path / "b.png").write_bytes(imagecodecs.png_encode(np.ascontiguousarray(colours[..., :3])))
    (tmp_path / "grey.png").write_bytes(
        imagecodecs.png_encode(np.ascontiguousarray(colours[..., :2]))
    )
    source, found = read(tmp_path / "a.tif")
    assert "opacity" in source.notices[1]
    for path in ("a.png", "b.png"):
        np.testing.assert_array_equal(read(tmp_path / path)[1], found)
    assert "opacity was left out" in read(tmp_path / "a.png")[0].notices
    np.testing.assert_array_equal(read(tmp_path / "grey.png")[1], colours[None, ..., 0])


def test_a_display_mode_does_not_change_values(tmp_path):
    stack = pattern((3, 7, 9), "uint8")
    tifffile.imwrite(
        tmp_path / "a.tif", stack, photometric="palette", colormap=np.zeros((3, 256), "uint16")
    )
    source, found = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(found, stack)
    assert "without the colours of the palette" in source.notices[0]


@pytest.mark.parametrize(
    ("shape", "options", "expected"),
    [
        (
            (3, 5, 7, 9),
            {},
            "3 entries along the axis Q (axes QQYX, shape (3, 5, 7, 9))",
        ),
        ((3, 5, 7, 9), {"metadata": {"axes": "AZYX"}}, "along the axis A"),
        (
            (2, 5, 7, 9, 3),
            {"photometric": "minisblack", "planarconfig": "contig", "metadata": {"axes": "CZYXS"}},
            "with named axes",
        ),
    ],
)
def test_more_than_one_stack_is_refused(tmp_path, shape, options, expected):
    tifffile.imwrite(tmp_path / "a.tif", pattern(shape, "uint8"), **options)
    message = refused(tmp_path / "a.tif")
    assert expected in message
    assert "a.tif: " in message


def test_several_images_in_a_file_are_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(pattern((5, 7, 9)), metadata=None)
        tif.write(pattern((7, 8)), metadata=None)
    message = refused(tmp_path / "a.tif")
    assert "contains 2 scenes, 0 ((5, 7, 9) uint16), 1 ((7, 8) uint16): fill in scene" in message


@pytest.mark.parametrize(
    "encoding", ["plain", "lzw", "no description", "imagej", "imagej deflate", "ome"]
)
def test_a_truncated_tiff_never_gives_wrong_values(tmp_path, encoding):
    stack = pattern((5, 40, 37))
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stack, **ENCODINGS[encoding])
    content = path.read_bytes()
    refusals = 0
    for length in np.linspace(0, len(content) - 1, 25).astype(int):
        path.write_bytes(content[:length])
        try:
            _, found = read(path)
        except InputError as error:
            refusals += 1
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
        else:  # only the list of later pages was cut off
            np.testing.assert_array_equal(found, stack)
    assert refusals > 15


@pytest.mark.parametrize("options", [{}, {"tile": (16, 16)}, {"ome": True}])
def test_a_shape_larger_than_the_file_is_refused_before_memory_is_allocated(tmp_path, options):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pattern((40, 37)), **options)
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        tags = [tif.pages.first.tags[code] for code in ("ImageWidth", "ImageLength")]
    for tag in tags:
        content[tag.valueoffset : tag.valueoffset + 4] = struct.pack("<I", 2**21)
    path.write_bytes(content)
    assert "is damaged or incomplete" in refused(path)


def test_a_damaged_imagej_file_is_described_without_objects_of_tifffile(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pattern((6, 40, 37)), imagej=True)
    path.write_bytes(path.read_bytes()[:-5000])
    message = refused(path)
    assert "a.tif: is damaged or incomplete (ImageJ " in message
    assert "<tifffile" not in message


def test_files_that_are_not_images(tmp_path):
    (tmp_path / "a.tif").write_text("not an image")
    assert "a.tif: cannot be read as an image (not a TIFF file" in refused(tmp_path / "a.tif")
    (tmp_path / "a.png").write_text("not an image")
    assert "a.png: cannot be read as an image (not a PNG image)" in refused(tmp_path / "a.png")
    (tmp_path / "empty.tif").touch()
    assert "empty.tif: cannot be read" in refused(tmp_path / "empty.tif")
    assert "none.tif: there is no such file" in refused(tmp_path / "none.tif")
    assert "none.tif: there is no such file" in refused(tmp_path / "a.tif", tmp_path / "none.tif")
    assert "there is no such file" in refused(tmp_path / "z*.tif")
    for folder in ("folder", "another"):
        (tmp_path / folder).mkdir()
    assert "the folder contains no plane (.tif, .tiff, .png)" in refused(tmp_path / "folder")
    assert "is a folder among files" in refused(tmp_path / "folder", tmp_path / "another")


def test_an_empty_axis_is_refused():
    with pytest.raises(InputError, match="is empty"):
        image_source.axis_roles("a.zarr", "ZYX", (0, 4, 5), colour=False)
