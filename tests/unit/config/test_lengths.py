"""Sizes relative to the diameter, and reading the diameter."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack.config import lengths
from cellstack.errors import InputError


def test_sizes_in_mappings_and_lists_are_converted():
    setting = {
        "steps": [["smooth", {"sigma_um": "0.06 d", "min": "0.5 v"}], ["none", {}]],
        "method": "a d",
        "count": 3,
        "snippet": ["1 d"],
    }
    found = lengths.in_um(setting, 10.0)
    assert found["steps"] == [
        ["smooth", {"sigma_um": 0.6, "min": pytest.approx(math.pi / 12 * 1000, rel=1e-5)}],
        ["none", {}],
    ]
    assert (found["method"], found["count"], found["snippet"]) == ("a d", 3, ["1 d"])
    assert lengths.in_um(setting, "auto") == setting
    assert lengths.has_sizes(setting) and not lengths.has_sizes({"method": "a d", "steps": []})


@given(st.floats(0.01, 99).map(lambda part: f"{part:.3f}"), st.floats(0.5, 200))
def test_lengths_scale_with_the_diameter_and_volumes_with_its_cube(part, diameter):
    for unit, power in (("d", 1), ("v", 3)):
        one, two = (lengths.in_um(f"{part} {unit}", factor * diameter) for factor in (1, 2))
        assert two == pytest.approx(2**power * one, rel=1e-4)


@pytest.mark.parametrize(
    "text", ["", "{}", '{"diameter_um": null, "source": "x"}', '{"diameter_um": 5}', "[]"]
)
def test_a_file_without_a_diameter_is_refused(tmp_path, text):
    (tmp_path / "diameter.json").write_text(text)
    with pytest.raises(InputError, match="contains no diameter"):
        lengths.read_diameter(tmp_path / "diameter.json")
    with pytest.raises(InputError, match=r"missing\.json: contains no diameter"):
        lengths.read_diameter(tmp_path / "missing.json")


@pytest.mark.parametrize(
    ("diameter_um", "message"),
    [
        (3.99, "diameter_um of nuclei, 3.99 um, is less than 2 voxels of 2 um along z"),
        (4, None),
        (7.5, None),
        (7.51, "is more than the field of view of 7.5 um: correct diameter_um or the voxel size"),
        (None, None),
    ],
)
def test_a_diameter_fits_the_stack(diameter_um, message):
    shape, spacing = (8, 20, 30), (2.0, 0.5, 0.25)
    if message is None:
        lengths.check_diameter(diameter_um, shape, spacing, "nuclei")
    else:
        with pytest.raises(InputError, match=message):
            lengths.check_diameter(diameter_um, shape, spacing, "nuclei")


def test_the_distance_between_planes_does_not_count_in_a_single_plane():
    lengths.check_diameter(4, (1, 90, 90), (9.0, 0.5, 0.5), "nuclei")
    with pytest.raises(InputError, match=r"less than 2 voxels of 2\.1 um along x"):
        lengths.check_diameter(4, (1, 90, 90), (9.0, 0.5, 2.1), "nuclei")


@pytest.mark.parametrize(
    ("diameter_um", "spacing"), [(8, (2.0, 0.5, 0.25)), (3.9, (1.9, 0.5, 0.25))]
)
def test_a_corrected_diameter_or_voxel_size_fits_the_stack(diameter_um, spacing):
    with pytest.raises(InputError, match="correct diameter_um or the voxel size"):
        lengths.check_diameter(3.9, (8, 20, 40), (2.0, 0.5, 0.25), "nuclei")
    lengths.check_diameter(diameter_um, (8, 20, 40), spacing, "nuclei")


def test_a_size_is_a_number_and_a_unit_only():
    assert lengths.in_um([".5 d", "2 d", "0.5 days", "1.5 d "], 10) == [5, 20, "0.5 days", "1.5 d "]
