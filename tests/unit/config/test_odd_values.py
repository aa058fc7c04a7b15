"""Values that a YAML file can contain at any key: they are refused in short lines, or accepted."""

import datetime
import math

import pytest
from study import ROOT

from cellstack.config import values
from cellstack.config.read_study import read_study
from cellstack.config.schemas import Schemas
from cellstack.config.settings import follow
from cellstack.errors import InputError

CYCLE = []
CYCLE.append(CYCLE)
DEEP = [1]
for _ in range(2000):
    DEEP = [DEEP]
BOMB = ["x"] * 10
for _ in range(8):
    BOMB = [BOMB] * 10  # a billion strings
REFUSED = [  # at each key
    math.nan,
    math.inf,
    -math.inf,
    10**400,
    1e308,
    "\n\t\x00",
    "a" * 10**5,
    "9" * 400 + " d",
    {1: 2},
    {None: 1},
    {True: {}},
    {datetime.date(2024, 1, 1): 1},
    {("a", 1): 1},
    datetime.date(2024, 1, 1),
    b"x",
    {"a"},
    (1, 2),
    CYCLE,
    DEEP,
    BOMB,
]
ODD = [
    *REFUSED,
    None,
    True,
    0,
    -1,
    5e-324,
    "",
    "x",
    [],
    [[]],
    [{}],
    ["median"],
    [["x"]],
    [None],
    {},
    {"x": 1},
    {"a" * 10**4: 1},
    {"x": {"y": {"z": []}}},
]
SCHEMAS = Schemas.read(ROOT / "config")
NAMED = ("presets", "simulate_stack")  # which contain blocks with names chosen by the user


def keys(schema=SCHEMAS.config, before=()):
    """Yield the path of each key of the configuration."""
    schema = follow(schema, SCHEMAS.config)
    parts = dict(schema.get("properties", {}))
    if isinstance(schema.get("additionalProperties"), dict):
        parts["a-name"] = schema["additionalProperties"]
    for name, part in parts.items():
        yield (*before, name)
        yield from keys(part, (*before, name))


KEYS = list(keys())


def nested(path, value):
    for key in reversed(path):
        value = {key: value}
    return value


def errors_of(config):
    """Return the errors of a configuration; none if it is accepted, and then usable."""
    try:
        study = read_study({"stacks": "stacks.csv"} | config, SCHEMAS, "resources", check=True)
    except InputError as error:
        lines = str(error).splitlines()
        assert max(map(len, lines)) <= 300
        assert len(lines) <= 102
        return lines
    for stage in SCHEMAS.stages["properties"]:
        study.arguments(stage, "a", "nuclei")
    return []


@pytest.fixture
def sheet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.tif").touch()
    path = tmp_path / "stacks.csv"
    path.write_text("stack,channel,image,diameter_um\na,nuclei,a.tif,5\n")
    return path


@pytest.mark.slow
def test_odd_values_at_each_key(sheet):
    assert len(KEYS) > 300
    for number, path in enumerate(KEYS):
        for step in (0, 17):
            value = ODD[(number + step) % len(ODD)]
            errors = errors_of(nested(path, value))
            if any(value is each for each in REFUSED):
                named = [path[0], "more than 10000 values", "does not exist"]
                assert any(name in line for name in named for line in errors), (path, errors)


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_each_value_that_no_key_takes(sheet, number):
    for path in (("diameter_um", "nuclei"), ("denoise", "method"), ("clean_mask", "steps")):
        assert errors_of(nested(path, REFUSED[number]))
    assert errors_of({"binarize": {"per_object": REFUSED[number]}})


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"denoise": {"method": ["median"]}}, "config.denoise.method: ['median'] is not text"),
        ({"correct_background": {"steps": [["x"]]}}, "config.correct_background.steps.0: ['x'] "),
        ({"clean_mask": {"steps": [{}]}}, "config.clean_mask.steps.0: {} has the wrong format"),
        ({3: 4}, "config: the key 3 is not text; correct it, or write it in quotes"),
        ({"denoise": {None: 1}}, "config.denoise: the key None is not text"),
        ({"presets": {"p": {"binarize": {1: 2}}}}, "config.presets.p.binarize: the key 1 is not"),
        ({"simulate_stack": {5: {}}}, "config.simulate_stack: the key 5 is not text"),
        ({"diameter_um": None}, "config.diameter_um: is empty; give the typical diameter"),
        ({"binarize": "otsu"}, "config.binarize: 'otsu' is not a block of keys; give the settings"),
        (
            {"diameter_um": {"nuclei": "12"}},
            "config.diameter_um.nuclei: '12' is text, not a number; ",
        ),
        ({"diameter_um": {"nuclei": "-1"}}, "config.diameter_um.nuclei: '-1' has the wrong format"),
        ({"binarize": {"factor": "1.1"}}, "config.binarize.factor: '1.1' is text, not a number; "),
        ({"diameter_um": {"nuclei": math.nan}}, "config.diameter_um.nuclei: nan is not a finite"),
        ({"diameter_um": {"cells": math.inf}}, "config.diameter_um.cells: inf is not a finite"),
    ],
)
def test_messages(sheet, config, expected):
    assert any(line.startswith(expected) for line in errors_of(config))


def test_values_that_contain_themselves_are_one_error(sheet):
    for value in (CYCLE, BOMB, DEEP):
        with pytest.raises(InputError) as error:
            read_study({"presets": value}, SCHEMAS, "resources", check=True)
        assert str(error.value).startswith("config: contains more than 10000 values")
        assert len(str(error.value)) < 200


def test_many_errors_are_cut(sheet):
    lines = errors_of({f"key{number}": 1 for number in range(1000)})
    assert lines[-1] == "and 900 more; fix these first"
    assert lines[0] == "1000 errors in the configuration or the sheet:"


def test_the_end_of_a_long_line_is_kept():
    (line,) = values.shorten(["x" * 1000 + "; correct it"])
    assert len(line) <= 300
    assert line.endswith("x; correct it")
    assert values.shorten(["two\nlines"]) == ["two lines"]


@pytest.mark.parametrize("cell", ["1e300", "1" + "0" * 400])
def test_a_number_of_the_sheet_that_is_too_large(sheet, cell):
    sheet.write_text(f"stack,channel,image,diameter_um\na,nuclei,a.tif,{cell}\n")
    assert any("stacks.csv row 2" in line for line in errors_of({}))


@pytest.mark.parametrize(
    "cell",
    [".nan", ".inf", "2024-13-45", "2024-01-02", "[" * 400, "[median]", "{1: 2}", "&a [*a]"],
)
def test_cells_of_a_sweep(sheet, cell):
    for key in ("denoise.method", "preset", "binarize.factor", "clean_mask.steps"):
        sheet.with_name("sweep.tsv").write_text(f"{key}\n{cell}\n")
        errors = errors_of({"sweep": "sweep.tsv"})
        assert any("sweep.tsv row 1" in line for line in errors), (key, errors)
