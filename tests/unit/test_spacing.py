import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack import spacing
from cellstack.errors import InputError
from cellstack.spacing import Found

NOTHING = {"z": None, "y": None, "x": None}


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("um", 1),
        ("µm", 1),
        ("\u00b5m", 1),
        ("\u03bcm", 1),
        ("\\u00B5m", 1),
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
        ("Å", 1e-4),
    ],
)
def test_a_unit_becomes_um(unit, factor):
    value, problem = spacing.in_um(Found(0.5, unit, "file"))
    assert value == pytest.approx(0.5 * factor, rel=1e-12)
    assert problem == ""


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (None, "gives none"),
        (Found(0.5, "", "file"), "without a physical unit"),
        (Found(0.5, "pixel", "file"), "without a physical unit"),
        (Found(1.0, "", "file", "µm"), "1 without a unit"),
        (Found(0.5, "inch", "file"), "'inch'"),
        (Found(0.5, "Mm", "file"), "'Mm'"),
        (Found(0.5, "furlong", "file"), "'furlong'"),
        (Found(0, "um", "file"), "is 0"),
        (Found(-0.3, "um", "file"), "is -0.3"),
        (Found(math.inf, "um", "file"), "is inf"),
        (Found("nan", "um", "file"), "is nan"),
        (Found("0,3", "um", "file"), "'0,3'"),
    ],
)
def test_what_is_no_length_is_said(found, problem):
    value, said = spacing.in_um(found)
    assert value is None
    assert problem in said


def test_ome_without_a_unit_means_um():
    found = spacing.from_ome({"PhysicalSizeX": "0.26", "PhysicalSizeZ": "290", "PhysicalSizeZUnit": "nm"})
    assert {axis: spacing.in_um(each)[0] for axis, each in found.items()} == {"x": 0.26, "z": pytest.approx(0.29)}


def test_imagej_keeps_xy_in_resolution_tags_and_z_by_itself():
    resolution = spacing.from_resolution((5, 4), (2, 1), "")
    found = spacing.from_imagej({"unit": "nm", "zunit": "micron", "yunit": "mm", "spacing": 1.75}, resolution)
    assert {axis: spacing.in_um(each)[0] for axis, each in found.items()} == {
        "z": 1.75,
        "y": pytest.approx(500),
        "x": pytest.approx(0.0008),
    }


def test_resolution_tags_count_with_a_unit_only():
    assert spacing.in_um(spacing.from_resolution((20000, 1), (20000, 1), "centimeter")["x"])[0] == pytest.approx(0.5)
    assert spacing.in_um(spacing.from_resolution((20000, 1), (20000, 1), "")["x"])[0] is None
    assert spacing.in_um(spacing.from_resolution((0, 1), (72, 1), "centimeter")["x"])[0] is None
    assert spacing.from_resolution(None, None, "") == {}


FILE = {axis: Found(step, "um", f"ImageJ {axis}") for axis, step in {"z": 2.0, "y": 0.5, "x": 0.25}.items()}


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
        (FILE | {"z": Found(9, "inch", "ImageJ spacing")}, {"z": 4, "y": None, "x": None}, 9, (4, 0.5, 0.25)),
        (FILE | {"z": Found(1, "", "ImageJ spacing")}, {"z": 1, "y": None, "x": None}, 9, (1, 0.5, 0.25)),
    ],
)
def test_the_file_or_the_sheet_gives_the_spacing(found, sheet, planes, expected):
    chosen, _ = spacing.choose("a.tif", found, sheet, planes)
    assert values(chosen) == dict(zip("zyx", expected, strict=True))


def test_the_source_of_each_value_is_kept():
    chosen, notices = spacing.choose("a.tif", FILE, {"z": 2.01, "y": None, "x": None}, 9)
    assert chosen["z"] == {"um": 2.01, "source": "sheet z_um", "file": "ImageJ z 2.0 um"}
    assert chosen["y"] == {"um": 0.5, "source": "ImageJ y", "file": "ImageJ y 0.5 um"}
    assert notices == []


@pytest.mark.parametrize(
    ("found", "sheet", "said"),
    [
        ({}, NOTHING, ["z_um, y_um, x_um", "gives none"]),
        ({"y": FILE["y"], "x": FILE["x"]}, NOTHING, ["along z", "fill in z_um in"]),
        (FILE | {"z": Found(1.0, "", "ImageJ spacing")}, NOTHING, ["ImageJ spacing is 1 without a unit", "fill in z_um in"]),
        (FILE | {"x": Found(0.01, "inch", "XResolution")}, NOTHING, ["'inch'", "fill in x_um in"]),
        (
            FILE,
            {"z": 2.03, "y": None, "x": None},
            ["along z", "2 um in the file", "2.03 um in the sheet", "correct z_um", "leave it empty"],
        ),
        (FILE, {"z": None, "y": None, "x": 0.247}, ["along x", "0.25 um", "0.247 um"]),
        (FILE, {"z": 0, "y": None, "x": None}, ["z_um is 0"]),
        (FILE, {"z": None, "y": -1.0, "x": None}, ["y_um is -1.0"]),
        (FILE, {"z": None, "y": None, "x": math.nan}, ["x_um is nan"]),
    ],
)
def test_a_spacing_that_cannot_be_trusted_stops_the_run(found, sheet, said):
    with pytest.raises(InputError) as caught:
        spacing.choose("a.tif", found, sheet, 9)
    message = str(caught.value)
    assert message.startswith("a.tif: ")
    assert "\n" not in message
    assert all(part in message for part in said), message


def test_what_is_doubtful_is_said():
    chosen, notices = spacing.choose("a.tif", FILE | {"y": Found(1.0, "um", "ImageJ YResolution")}, NOTHING, 9)
    assert values(chosen)["y"] == 1
    assert "ImageJ YResolution 1.0 um" in notices[0]
    _, notices = spacing.choose("a.tif", {"y": FILE["y"], "x": FILE["x"]}, NOTHING, 1)
    assert "one plane" in notices[0]
    _, notices = spacing.choose("a.tif", FILE | {"z": Found(-2, "um", "ImageJ spacing")}, {"z": 2, "y": None, "x": None}, 9)
    assert "ImageJ spacing is -2" in notices[0]


@given(
    st.fixed_dictionaries(dict.fromkeys("zyx", st.floats(1e-3, 1e3))),
    st.fixed_dictionaries(dict.fromkeys("zyx", st.none() | st.floats(0.991, 1.009))),
)
def test_a_sheet_that_agrees_wins_to_the_last_digit(steps, ratios):
    found = {axis: Found(step, "um", axis) for axis, step in steps.items()}
    sheet = {axis: None if ratio is None else steps[axis] * ratio for axis, ratio in ratios.items()}
    chosen, _ = spacing.choose("a.tif", found, sheet, 2)
    assert values(chosen) == {axis: steps[axis] if sheet[axis] is None else sheet[axis] for axis in "zyx"}
