import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack.errors import InputError
from cellstack.files.readers import voxel_size
from cellstack.files.readers.voxel_size import StoredSize

NOTHING = {"z": None, "y": None, "x": None}


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("um", 1),
        ("µm", 1),
        ("\u00b5m", 1),
        ("\u03bcm", 1),
        ("\\u00B5m", 1),
        ("\\u00b5m", 1),
        ("Âµm", 1),
        ("micron", 1),
        ("Microns", 1),
        ("micrometer", 1),
        ("micrometre", 1),
        ("nm", 1e-3),
        ("nanometer", 1e-3),
        ("mm", 1e3),
        ("millimeter", 1e3),
        ("cm", 1e4),
        ("m", 1e6),
        ("pm", 1e-6),
        ("picometer", 1e-6),
        ("Å", 1e-4),
    ],
)
def test_units_are_converted_to_um(unit, factor):
    value, problem = voxel_size.in_um(StoredSize(0.5, unit, "file"))
    assert value == pytest.approx(0.5 * factor, rel=1e-12)
    assert problem == ""


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (None, "gives none"),
        (StoredSize(0.5, "", "file"), "without a physical unit"),
        (StoredSize(0.5, "pixel", "file"), "without a physical unit"),
        (StoredSize(1.0, "", "file", "µm"), "1 without a unit"),
        (StoredSize(0.5, "inch", "file"), "'inch'"),
        (StoredSize(0.5, "Mm", "file"), "'Mm'"),
        (StoredSize(0.5, "furlong", "file"), "'furlong'"),
        (StoredSize(0, "um", "file"), "is 0"),
        (StoredSize(-0.3, "um", "file"), "is -0.3"),
        (StoredSize(math.inf, "um", "file"), "is inf"),
        (StoredSize("nan", "um", "file"), "is nan"),
        (StoredSize("0,3", "um", "file"), "'0,3'"),
    ],
)
def test_a_value_that_is_not_a_length_is_reported(found, problem):
    value, message = voxel_size.in_um(found)
    assert value is None
    assert problem in message


def test_ome_without_a_unit_means_um():
    found = voxel_size.from_ome(
        {"PhysicalSizeX": "0.26", "PhysicalSizeZ": "290", "PhysicalSizeZUnit": "nm"}
    )
    assert {axis: voxel_size.in_um(each)[0] for axis, each in found.items()} == {
        "x": 0.26,
        "z": pytest.approx(0.29),
    }


def test_imagej_stores_x_and_y_in_resolution_tags_and_z_in_its_metadata():
    resolution = voxel_size.from_resolution((5, 4), (2, 1), "")
    found = voxel_size.from_imagej(
        {"unit": "nm", "zunit": "micron", "yunit": "mm", "spacing": 1.75}, resolution
    )
    assert {axis: voxel_size.in_um(each)[0] for axis, each in found.items()} == {
        "z": 1.75,
        "y": pytest.approx(500),
        "x": pytest.approx(0.0008),
    }


def test_without_a_unit_of_imagej_that_of_the_resolution_tags_counts():
    resolution = voxel_size.from_resolution((20000, 1), (25000, 1), "centimeter")
    found = voxel_size.from_imagej({}, resolution)
    assert {axis: voxel_size.in_um(each)[0] for axis, each in found.items()} == {
        "y": pytest.approx(0.4),
        "x": pytest.approx(0.5),
    }


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m"])
def test_centimeters_of_the_tags_are_kept_beside_um(unit):
    """As ImageJ reads files of Micro-Manager."""
    resolution = voxel_size.from_resolution((62500, 1), (62500, 1), "centimeter")
    found = voxel_size.from_imagej({"unit": unit, "spacing": 0.5}, resolution)
    sizes = {axis: voxel_size.in_um(each)[0] for axis, each in found.items()}
    assert sizes == {"z": 0.5, "y": pytest.approx(0.16), "x": pytest.approx(0.16)}


def test_resolution_tags_need_a_unit():
    assert voxel_size.in_um(voxel_size.from_resolution((20000, 1), (20000, 1), "centimeter")["x"])[
        0
    ] == pytest.approx(0.5)
    assert voxel_size.in_um(voxel_size.from_resolution((20000, 1), (20000, 1), "")["x"])[0] is None
    assert (
        voxel_size.in_um(voxel_size.from_resolution((0, 1), (72, 1), "centimeter")["x"])[0] is None
    )
    assert voxel_size.from_resolution(None, None, "") == {}


FILE = {
    axis: StoredSize(step, "um", f"ImageJ {axis}")
    for axis, step in {"z": 2.0, "y": 0.5, "x": 0.25}.items()
}


def values(chosen):
    return {axis: each["um"] for axis, each in chosen.items()}


@pytest.mark.parametrize(
    ("found", "sheet", "planes", "expected"),
    [
        (FILE, NOTHING, 9, (2.0, 0.5, 0.25)),
        ({}, {"z": 3, "y": 2, "x": 1}, 9, (3, 2, 1)),
        (FILE, {"z": 2.01, "y": None, "x": 0.2501}, 9, (2.01, 0.5, 0.2501)),
        ({"y": FILE["y"], "x": FILE["x"]}, {"z": 4, "y": None, "x": None}, 9, (4, 0.5, 0.25)),
        ({"y": FILE["y"], "x": FILE["x"]}, NOTHING, 1, (0.5, 0.5, 0.25)),
        ({}, {"z": None, "y": 3.0, "x": 3.0}, 1, (3, 3, 3)),
        (FILE, NOTHING, 1, (2.0, 0.5, 0.25)),
        (
            FILE | {"z": StoredSize(9, "inch", "ImageJ spacing")},
            {"z": 4, "y": None, "x": None},
            9,
            (4, 0.5, 0.25),
        ),
        (
            FILE | {"z": StoredSize(1, "", "ImageJ spacing")},
            {"z": 1, "y": None, "x": None},
            9,
            (1, 0.5, 0.25),
        ),
    ],
)
def test_the_spacing_comes_from_the_file_or_the_sheet(found, sheet, planes, expected):
    chosen, _ = voxel_size.choose("a.tif", found, sheet, planes)
    assert values(chosen) == dict(zip("zyx", expected, strict=True))


def test_the_source_of_each_value_is_recorded():
    chosen, notices = voxel_size.choose("a.tif", FILE, {"z": 2.01, "y": None, "x": None}, 9)
    assert chosen["z"] == {"um": 2.01, "source": "sheet z_um", "file": "ImageJ z 2.0 um"}
    assert chosen["y"] == {"um": 0.5, "source": "ImageJ y", "file": "ImageJ y 0.5 um"}
    assert notices == []


@pytest.mark.parametrize(
    ("found", "sheet", "expected"),
    [
        ({}, NOTHING, ["z_um, y_um, x_um", "gives none"]),
        ({"y": FILE["y"], "x": FILE["x"]}, NOTHING, ["along z", "fill in z_um in"]),
        (
            FILE | {"z": StoredSize(1.0, "", "ImageJ spacing")},
            NOTHING,
            ["ImageJ spacing is 1 without a unit", "fill in z_um in"],
        ),
        (
            FILE | {"x": StoredSize(0.01, "inch", "XResolution")},
            NOTHING,
            ["'inch'", "fill in x_um in"],
        ),
        (
            FILE,
            {"z": 2.03, "y": None, "x": None},
            [
                "along z",
                "2 um in the file",
                "2.03 um in the sheet",
                "correct z_um",
                "leave it empty",
            ],
        ),
        (FILE, {"z": 2.021, "y": None, "x": None}, ["along z", "2.021 um"]),
        (FILE, {"z": None, "y": math.inf, "x": None}, ["y_um is inf", "not a length"]),
        (FILE, {"z": None, "y": None, "x": 0.247}, ["along x", "0.25 um", "0.247 um"]),
        (FILE, {"z": 0, "y": None, "x": None}, ["z_um is 0"]),
        (FILE, {"z": None, "y": -1.0, "x": None}, ["y_um is -1.0"]),
        (FILE, {"z": None, "y": None, "x": math.nan}, ["x_um is nan"]),
    ],
)
def test_a_doubtful_spacing_is_refused(found, sheet, expected):
    with pytest.raises(InputError) as error:
        voxel_size.choose("a.tif", found, sheet, 9)
    message = str(error.value)
    assert message.startswith("a.tif: ")
    assert "\n" not in message
    assert all(part in message for part in expected), message


def test_a_possible_error_in_the_spacing_gives_a_notice():
    chosen, notices = voxel_size.choose(
        "a.tif", FILE | {"y": StoredSize(1.0, "um", "ImageJ YResolution")}, NOTHING, 9
    )
    assert values(chosen)["y"] == 1
    assert "ImageJ YResolution 1.0 um" in notices[0]
    _, notices = voxel_size.choose("a.tif", {"y": FILE["y"], "x": FILE["x"]}, NOTHING, 1)
    assert "single plane" in notices[0]
    _, notices = voxel_size.choose(
        "a.tif",
        FILE | {"z": StoredSize(-2, "um", "ImageJ spacing")},
        {"z": 2, "y": None, "x": None},
        9,
    )
    assert "ImageJ spacing is -2" in notices[0]


@given(
    st.fixed_dictionaries(dict.fromkeys("zyx", st.floats(1e-3, 1e3))),
    st.fixed_dictionaries(dict.fromkeys("zyx", st.none() | st.floats(0.991, 1.009))),
)
def test_a_value_of_the_sheet_that_agrees_is_used_exactly(steps, ratios):
    found = {axis: StoredSize(step, "um", axis) for axis, step in steps.items()}
    sheet = {axis: None if ratio is None else steps[axis] * ratio for axis, ratio in ratios.items()}
    chosen, _ = voxel_size.choose("a.tif", found, sheet, 2)
    assert values(chosen) == {
        axis: steps[axis] if sheet[axis] is None else sheet[axis] for axis in "zyx"
    }


@pytest.mark.parametrize("unit", ["centimeter", "inch"])
def test_the_resolution_of_a_print_is_doubtful(unit):
    tags = voxel_size.from_resolution((28, 1), (28, 1), unit) | {"z": StoredSize(1, "um", "file")}
    sheet = {"z": None, "y": 0.4, "x": 0.4}
    chosen, notices = voxel_size.choose("a.tif", tags, sheet, 5)
    assert [chosen[axis]["um"] for axis in "zyx"] == [1, 0.4, 0.4]
    assert len(notices) == 3
    assert voxel_size.find_doubtful(tags, sheet) == []
    (flag,) = voxel_size.find_doubtful(tags, NOTHING)
    assert flag.startswith("the voxel size along y and x is from the print resolution in")
    assert "fill in y_um and x_um" in flag


def test_a_size_in_another_tag_is_not_doubtful():
    assert not StoredSize(4e-5, "centimeter", "OME PhysicalSizeX").doubtful


def test_other_resolution_tags_are_not_doubtful():
    microscope = voxel_size.from_resolution((4, 1), (4, 1), "micrometer")
    tags = voxel_size.from_resolution((4, 1), (4, 1), "centimeter")
    imagej = voxel_size.from_imagej({"unit": "um"}, tags)
    for found in (microscope, imagej):
        assert voxel_size.find_doubtful(found, NOTHING) == []


@pytest.mark.parametrize(
    ("sizes", "planes", "flag"),
    [
        ((0.9, 0.4, 0.4), 24, ""),
        ((0.4, 0.4, 0.9), 24, "the voxel sizes along y (0.4 um) and x (0.9 um) differ"),
        ((0.4, 0.9, 0.4), 24, "the voxel sizes along y (0.9 um) and x (0.4 um) differ"),
        ((0.4, 1.0, 0.9), 24, "the voxel size along z (0.4 um) is smaller than along y and x"),
        ((0.4, 0.9, 0.9), 1, ""),  # of one plane any thickness is plausible
        ((0.4, 0.8, 0.4), 24, ""),
        ((0.4, 0.8, 0.8), 24, ""),
        ((20.0, 0.1, 0.1), 24, ""),
    ],
)
def test_voxel_sizes_that_can_be_in_the_wrong_order_are_flagged(sizes, planes, flag):
    flags = voxel_size.find_unusual(dict(zip("zyx", sizes, strict=True)), planes)
    assert [each.startswith(flag) for each in flags] == [True] * bool(flag)


def test_axes_with_the_same_problem_are_named_together():
    found = {"y": StoredSize(1, "", "YResolution")}
    with pytest.raises(InputError, match=r"not known along z, x \(the file gives none\) and y \("):
        voxel_size.choose("a.tif", found, NOTHING, planes=3)
