"""Sizes in parts of an object: what they come to, what is left alone, and where the diameter comes from."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack import sizes
from cellstack.errors import InputError


def test_sizes_within_mappings_and_lists():
    setting = {
        "steps": [["smooth", {"sigma_um": "0.06 d", "least": "0.5 v"}], ["none", {}]],
        "method": "a d",
        "count": 3,
        "snippet": ["1 d"],
    }
    found = sizes.in_um(setting, 10.0)
    assert found["steps"] == [["smooth", {"sigma_um": 0.6, "least": pytest.approx(math.pi / 12 * 1000, rel=1e-5)}], ["none", {}]]
    assert (found["method"], found["count"], found["snippet"]) == ("a d", 3, ["1 d"])
    assert sizes.in_um(setting, "auto") == setting
    assert sizes.has_sizes(setting) and not sizes.has_sizes({"method": "a d", "steps": []})


@given(st.floats(0.01, 99).map(lambda part: f"{part:.3f}"), st.floats(0.5, 200))
def test_a_length_grows_with_the_diameter_and_a_volume_with_its_cube(part, diameter):
    for unit, power in (("d", 1), ("v", 3)):
        one, two = (sizes.in_um(f"{part} {unit}", factor * diameter) for factor in (1, 2))
        assert two == pytest.approx(2**power * one, rel=1e-4)


@pytest.mark.parametrize("text", ["", "{}", '{"diameter_um": null, "source": "x"}', "[]"])
def test_a_file_without_a_diameter_is_named(tmp_path, text):
    (tmp_path / "diameter.json").write_text(text)
    with pytest.raises(InputError, match="holds no diameter"):
        sizes.read_diameter(tmp_path / "diameter.json")
