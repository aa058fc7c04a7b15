import re

import pytest

from cellstack.config.units import PATTERN, Unit, pattern_of


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("colony", Unit("colony")),
        ("sweep/12/a-1", Unit("a-1", 12)),
        ("sweep/1/sweep", Unit("sweep", 1)),
    ],
)
def test_a_path_names_a_unit(path, unit):
    assert re.fullmatch(PATTERN, path)
    assert Unit.parse(path) == unit
    assert unit.path == path


@pytest.mark.parametrize("path", ["sweep/0/a", "sweep/a", "a/b", "sweep/1/a/b", "-a", "", "../a"])
def test_other_paths_name_no_unit(path):
    assert not re.fullmatch(PATTERN, path)


def test_a_pattern_matches_its_stacks_in_all_runs():
    pattern = pattern_of(["a", "b-1"])
    for path in ("a", "b-1", "sweep/3/b-1"):
        assert re.fullmatch(pattern, path)
    for path in ("b", "c", "sweep/3/c", "ab"):
        assert not re.fullmatch(pattern, path)
