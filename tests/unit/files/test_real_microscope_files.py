"""Files of real microscopes: each is read as a second way of reading them says, or refused.

The second way uses no package of the reader: the metadata are searched for in the bytes of the
file, and pixels that are not compressed must occur in them.
"""

import re
import struct
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from reading import read, refused, um

LIF = "LeicaLASX_wavelength-sweep_example.lif"
XZ = "testdata_2channel_xz.lif"
FILES = [  # name, part, shape of the stack, channels
    ("Airyscan.czi", {"time": 2}, (1, 480, 480), ["ChA-T1", "ChA-T2"]),
    (
        "CellDivision_T3_Z5_CH2_X240_Y170.czi",
        {"time": 1},
        (5, 170, 240),
        ["LED555", "LED470"],
    ),
    ("CellDivision_T3_Z6_CH1_X300_Y200_DCV_ZSTD.czi", {"time": 0}, (6, 200, 300), ["LED555"]),
    ("DAPI_GFP.czi", {}, (1, 640, 640), [None, None]),
    (
        "LLS7_small.czi",
        {"time": 1},
        (3, 64, 64),
        ["LatticeLightsheet 1-T1", "LatticeLightsheet 2-T2"],
    ),
    (LIF, {"scene": "x_y_lambdaEmi"}, (1, 64, 64), [f"{n} nm" for n in range(550, 741, 10)]),
    (LIF, {"scene": "x_y_lambdaExc"}, (1, 64, 64), [f"{n} nm" for n in range(490, 561, 5)]),
    (LIF, {"scene": "2", "time": 1}, (11, 64, 64), [f"{n} nm" for n in range(550, 596, 5)]),
    (XZ, {"scene": "xzy"}, (128, 23, 128), ["Green", "Red"]),
    ("cluster.nd2", {"time": 2}, (10, 31, 38), ["5-FAM/pH 9.0", "FM 4-64/2% CHAPS"]),
    ("test.oib", {}, (1, 256, 256), ["CH1", "Alexa Fluor 546", "TD1"]),
]


@pytest.mark.parametrize(("name", "part", "shape", "channels"), FILES)
def test_a_real_file_has_the_shape_channels_and_voxel_size_that_it_contains(
    data, name, part, shape, channels
):
    path = data / "formats" / name
    content = path.read_bytes()
    stacks = []
    for channel in range(len(channels)):
        source, stack = read(path, channel=channel, **part)
        assert stack.shape == shape
        stacks.append(stack)
    rows = [stack[shape[0] // 2, shape[1] // 2] for stack in stacks]
    if path.suffix == ".nd2":  # the channels of a pixel are next to each other
        rows = [np.stack(rows, axis=-1)]
    if "ZSTD" not in name:
        assert all(row.tobytes() in content for row in rows)
    assert source.channels == channels
    assert all((first != second).any() for first, second in pairwise(stacks))
    expected = {".czi": size_in_czi, ".lif": size_in_lif, ".nd2": size_in_nd2, ".oib": size_in_oib}
    found = um(source)
    if shape[0] == 1:
        found.pop("z", None)
    assert found == pytest.approx(expected[path.suffix](content, part), rel=1e-5)


def size_in_czi(content, part):
    found = re.search(rb"<Scaling>.*?</Scaling>", content, re.DOTALL)
    items = ElementTree.fromstring(found[0]).findall("Items/Distance") if found else []
    sizes = {each.get("Id").lower(): 1e6 * float(each.findtext("Value")) for each in items}
    return {axis: size for axis, size in sizes.items() if size > 0}


def size_in_lif(content, part):
    (length,) = struct.unpack_from("<I", content, 9)
    root = ElementTree.fromstring(content[13 : 13 + 2 * length].decode("utf-16-le"))
    images = [each for each in root.iter("Element") if each.find("Data/Image") is not None]
    names = [each.get("Name") for each in images]
    scene = part["scene"]
    image = images[int(scene) if scene.isdecimal() else names.index(scene)]
    sizes = {}
    for each in image.iter("DimensionDescription"):
        if each.get("DimID") in "123":
            assert each.get("Unit") == "m"
            length, count = float(each.get("Length")), int(each.get("NumberOfElements"))
            sizes["?xyz"[int(each.get("DimID"))]] = 1e6 * length / (count - 1)
    return sizes


def size_in_nd2(content, part):
    start = content.index("dCalibration\0".encode("utf-16-le")) + 2 * len("dCalibration\0")
    (size,) = struct.unpack_from("<d", content, start)
    step = re.search(r"- Step ([\d.]+) ".encode("utf-16-le"), content) or re.search(
        rb"- Step ([\d.]+) ", content.replace(b"\0", b"")
    )
    return {"z": float(step[1]), "y": size, "x": size}


def size_in_oib(content, part):
    text = content.replace(b"\0", b"").decode("latin-1")
    sizes = {}
    for axis in "XY":
        section = text[text.index(f'AxisCode="{axis}"') :]
        assert re.search(r'UnitName="(\w+)"', section)[1] == "um"
        length = float(re.search(r"EndPosition=([\d.]+)", section)[1])
        count = int(re.search(r"MaxSize=(\d+)", section)[1])
        sizes[axis.lower()] = length / (count - 1)
    return sizes


def test_planes_of_metaxpress_have_a_pixel_size(data):
    folder = data / "formats" / "imagexpress" / "2024-04-22" / "1697" / "TimePoint_2"
    paths = sorted(folder.glob("*_s1_w[12]*.tif"))
    plane, projection = (read(path)[0] for path in paths)
    for path, source in zip(paths, (plane, projection), strict=True):
        size = re.search(
            rb'id="spatial-calibration-x" type="float" value="([\d.]+)"', path.read_bytes()
        )
        assert um(source) == {"y": float(size[1]), "x": float(size[1])}
    assert plane.notices == []
    assert projection.notices == ["is a projection of a stack (Maximum), not a plane"]
    assert plane.acquisition["numerical_aperture"] == 0.2
    assert plane.acquisition["channels"] == [
        {"name": "FITC", "emission_nm": 536, "exposure_ms": 80}
    ]


@pytest.mark.parametrize(
    ("name", "part", "expected"),
    [
        ("Airyscan.czi", {}, "contains 3 time points, 0 to 2: fill in time"),
        ("tiles_z.czi", {}, "contains 4 tiles that overlap and are not fused: in ZEN"),
        (LIF, {}, "contains 3 scenes, 0 (x_y_lambdaEmi), 1 (x_y_lambdaExc), 2 (x_y_z_t_lambdaEmi)"),
        (LIF, {"scene": "2"}, "contains 2 time points, 0 to 1: fill in time"),
        (XZ, {"scene": "xz"}, "is a section without the axis Y (axes CZX, shape (2, 512, 512))"),
        (XZ, {"scene": "0"}, "is a section without the axis Y (axes TCZX"),
        ("cluster.nd2", {}, "contains 3 time points, 0 to 2: fill in time"),
        ("cluster.nd2", {"time": 0, "scene": "1"}, "scene 1 matches no scene, the file has 0"),
    ],
)
def test_a_real_file_that_is_not_one_stack_is_refused(data, name, part, expected):
    assert expected in refused(data / "formats" / name, **part)


def test_planes_of_an_x_z_scan_are_those_of_its_frames(data):
    path = data / "formats" / XZ
    content = path.read_bytes()
    for channel in range(2):
        _, stack = read(path, scene="xzy", channel=channel)
        assert np.ascontiguousarray(stack[:, 11]).tobytes() in content


def test_an_nd2_without_a_frame_is_refused(data, tmp_path):
    content = (data / "formats" / "cluster.nd2").read_bytes()
    names = sorted(set(re.findall(rb"ImageDataSeq\|(\d+)!", content)), key=int)
    assert len(names) == 30
    changed = content.replace(b"ImageDataSeq|14!", b"ImageDataSeq|99!")
    (tmp_path / "a.nd2").write_bytes(changed)
    assert read(tmp_path / "a.nd2", time=0)[1].shape == (10, 31, 38)
    assert "is incomplete (plane 4 is missing" in refused(tmp_path / "a.nd2", time=1)


def test_what_real_files_say_about_the_acquisition(data):
    found = {
        name: read(data / "formats" / name, **part)[0].acquisition for name, part, *_ in FILES[1:]
    }
    czi = found["CellDivision_T3_Z5_CH2_X240_Y170.czi"]
    assert (czi["magnification"], czi["numerical_aperture"]) == (50, 1.2)
    assert (czi["objective"], czi["immersion"]) == ("Plan-Apochromat 50x/1.2", "Water")
    assert czi["channels"][1]["fluorophore"] == "Alexa Fluor 488"
    assert found[XZ]["microscope"] == "DMI6000B-CS"
    assert found["cluster.nd2"]["channels"][0]["emission_nm"] == 525
    assert found["test.oib"]["numerical_aperture"] == 0.75
