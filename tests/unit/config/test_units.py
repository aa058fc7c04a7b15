import re

import pytest

from cellstack.config.units import (
    OF_ALTERNATIVES,
    OF_BLOCKS,
    OF_STACKS,
    PATTERN,
    Unit,
    pattern_of,
    pattern_of_units,
)


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("colony", Unit("colony")),
        ("sweep/12/a-1", Unit("a-1", 12)),
        ("sweep/1/sweep", Unit("sweep", 1)),
        ("a/blocks/0-1-12", Unit("a", block="0-1-12")),
        ("sweep/2/blocks/blocks/0-0-0", Unit("blocks", 2, "0-0-0")),
    ],
)
def test_a_path_names_a_unit(path, unit):
    assert re.fullmatch(PATTERN, path)
    assert Unit.parse(path) == unit
    assert unit.path == path


@pytest.mark.parametrize(
    "path",
    [
        *("sweep/0/a", "sweep/a", "a/b", "sweep/1/a/b", "-a", "", "../a"),
        *("a/blocks", "a/blocks/1-2", "a/blocks/0-1-x", "blocks/0-0-0", "a/blocks/0-0-0/b"),
    ],
)
def test_other_paths_name_no_unit(path):
    assert not re.fullmatch(PATTERN, path)


def test_a_pattern_matches_its_stacks_in_all_runs():
    pattern = pattern_of(["a", "b-1"])
    for path in ("a", "b-1", "sweep/3/b-1"):
        assert re.fullmatch(pattern, path)
    for path in ("b", "c", "sweep/3/c", "ab", "a/blocks/0-0-0"):
        assert not re.fullmatch(pattern, path)
    pattern = pattern_of(["a", "b-1"], with_blocks=True)
    for path in ("a", "a/blocks/0-0-0", "sweep/3/b-1/blocks/1-0-2"):
        assert re.fullmatch(pattern, path)
    assert not re.fullmatch(pattern, "c/blocks/0-0-0")


def test_a_pattern_of_names_with_the_same_beginnings():
    names = ["a", "a-1", "a-10", "a-1_b", "a-2", "b", "stack", "sweep/1/a", "sweep/10/a"]
    pattern = pattern_of_units([*names, "a"])
    matched = [name for name in names if re.fullmatch(pattern, name)]
    assert matched == names
    for other in ("", "a-", "a-11", "a-1_", "sweep/1/", "sweep/1/b", "sta", "a|b", "stackstack"):
        assert not re.fullmatch(pattern, other)
    assert not re.fullmatch(pattern_of_units([]), "")


def test_a_match_takes_as_long_for_thousands_of_names_as_for_a_few():
    pattern = pattern_of([f"stack{number}" for number in range(10_000)])
    assert re.fullmatch(pattern, "sweep/2/stack9999")
    widest = max(part.count("|") for part in re.findall(r"\(\?:([^()]*)", pattern))
    assert widest <= 10  # a digit, or the end


def test_the_stack_of_a_block():
    assert Unit("a", 3, "0-0-1").complete == Unit("a", 3)
    assert re.fullmatch(OF_BLOCKS, "sweep/3/a/blocks/0-0-1")
    assert not re.fullmatch(OF_BLOCKS, "a")
    assert not re.fullmatch(OF_STACKS, "a/blocks/0-0-1")


def test_alternatives_have_their_own_pattern():
    path = "alternatives/clean_mask/opening-then-closing-small/a-1"
    assert re.fullmatch(OF_ALTERNATIVES, path)
    assert not re.fullmatch(PATTERN, path)
    assert not re.fullmatch(OF_ALTERNATIVES, "sweep/1/a")
    unit = Unit("a-1", alternative="clean_mask/opening-then-closing-small")
    assert Unit.parse(path) == unit
    assert unit.path == path
    assert Unit.parse("alternatives") == Unit("alternatives")
