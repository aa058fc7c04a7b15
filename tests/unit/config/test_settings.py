"""The errors of a configuration, among them keys and methods under their former names."""

import copy

import pytest
import yaml
from study import ROOT

from cellstack.config import renamed, settings, sweep_table


def load(name):
    return yaml.safe_load(
        (ROOT / "config" / "schemas" / f"{name}.schema.yaml").read_text(encoding="utf-8")
    )


STAGES = load("stages")
CONFIG = settings.join_schemas(load("config"), STAGES)
SHEET = load("stacks")


def errors_of(config):
    return settings.complete(config, CONFIG, STAGES, check=True)[1]


def schema_of(key):
    """Return the schema of a key such as ``binarize.per_object``; None for an unknown key."""
    schema = CONFIG
    for part in key.split("."):
        schema = settings.follow(schema, CONFIG).get("properties", {}).get(part)
        if schema is None:
            return None
    return settings.follow(schema, CONFIG)


def test_the_defaults_are_valid_and_complete():
    completed, errors = settings.complete({}, CONFIG, STAGES, check=True)
    assert errors == []
    assert completed["stacks"] == "config/stacks.csv"
    assert settings.complete(completed, CONFIG, STAGES, check=True) == (completed, [])


@pytest.mark.parametrize("former", renamed.KEYS)
def test_renamed_keys_are_unknown_and_their_present_names_are_known(former):
    assert schema_of(former) is None
    assert schema_of(renamed.KEYS[former]) is not None
    assert renamed.current_key(renamed.KEYS[former]) == renamed.KEYS[former]


def test_renamed_columns_are_unknown_and_their_present_names_are_known():
    assert not renamed.COLUMNS.keys() & SHEET["properties"].keys()
    assert set(renamed.COLUMNS.values()) <= SHEET["properties"].keys()


@pytest.mark.parametrize(
    ("former", "in_preset"),
    [(key, False) for key in renamed.KEYS]
    + [(key, True) for key in renamed.KEYS if key != "partial"],
)
def test_a_renamed_key_is_refused_with_its_present_name(former, in_preset):
    schema = schema_of(renamed.KEYS[former])
    value = settings.fill_defaults(copy.deepcopy(schema.get("default", 1)), schema, CONFIG)
    config = sweep_table.nest({former: value})
    *outer, last = former.split(".")
    place = ".".join(["config", *(["presets", "mine"] if in_preset else []), *outer])
    present = renamed.KEYS[former].split(".")[-1]
    assert errors_of({"presets": {"mine": config}} if in_preset else config) == [
        f"{place}: {last!r} was renamed; use {present!r}"
    ]


@pytest.mark.parametrize(
    ("config", "errors"),
    [
        (
            {"binarize": {"method": "half_height"}},
            ["config.binarize.method: 'half_height' was renamed; use 'per_object'"],
        ),
        (
            {"presets": {"mine": {"find_seeds": {"method": "combined"}}}},
            [
                "config.presets.mine.find_seeds.method: 'combined' was renamed; "
                "use 'distance_and_blobs'"
            ],
        ),
        (
            {"adjust_contrast": {"steps": ["gamma", "equalize"]}},
            [
                "config.adjust_contrast.steps: 'equalize' was renamed; use 'equalize_histogram'",
            ],
        ),
        (
            {"adjust_contrast": {"steps": [{"stretch": {"low": 300}}]}},
            [
                "config.adjust_contrast.steps: 'stretch' was renamed; use 'percentile_stretch'",
                "config.adjust_contrast.steps.stretch.low: 300 is above 100; give ",
            ],
        ),
        (
            {"binarize": {"half_height": {"surround_um": 2, "level": 0.5, "reach": 1}}},
            [
                "config.binarize: 'half_height' was renamed; use 'per_object'",
                "config.binarize.half_height: 'surround_um' was renamed; "
                "use 'background_radius_um'",
                "config.binarize.half_height: unknown key 'reach'; known: level, sigma_um",
            ],
        ),
        (
            {"outline_objects": {"method": "smoothly"}},
            [
                "config: 'outline_objects' was renamed; use 'smooth_outlines'",
                "config.outline_objects.method: unknown method 'smoothly'; did you mean 'smooth'?",
            ],
        ),
    ],
)
def test_renamed_methods_and_all_errors_in_their_options_are_listed(config, errors):
    found = errors_of(config)
    assert len(found) == len(errors)
    for message, expected in zip(found, errors, strict=True):
        assert message.startswith(expected)


@pytest.mark.parametrize("name", ["partial", "percentile_stretch", "x.stretch", ""])
def test_names_that_are_not_renamed_in_this_place_stay(name):
    key = f"denoise.{name}"
    assert renamed.current_key(key) == key


@pytest.mark.parametrize(
    "config",
    [
        {"binarize": {"method": ["li"]}},
        {"binarize": {"method": None}},
        {"clean_mask": {"steps": [{}]}},
        {"clean_mask": {"steps": [["smooth"], 3]}},
        {"clean_mask": {"steps": "smooth"}},
        {"presets": {"mine": 3}},
        {"presets": []},
        {3: 4, "binarize": {5: 6}},
    ],
)
def test_values_of_the_wrong_type_are_refused(config):
    errors = errors_of(config)
    assert errors
    assert all(error.startswith("config") and "\n" not in error for error in errors)


def test_each_missing_key_is_listed_once():
    schema = {"type": "object", "required": ["a", "b", "c"]}
    errors = settings.find_errors({"b": 1}, schema, "table row 3")
    assert errors == [
        "table row 3: a is missing; fill it in",
        "table row 3: c is missing; fill it in",
    ]


def changes_of(config):
    """Return what `list_changes` finds in a configuration, for all stages."""
    completed, errors = settings.complete(config, CONFIG, STAGES, check=True)
    assert errors == []
    return {
        key: pair
        for stage in STAGES["properties"]
        for key, pair in settings.list_changes(stage, completed[stage], STAGES).items()
    }


def test_no_setting_differs_from_the_default():
    assert changes_of({}) == {}
    default = STAGES["properties"]["select_objects"]["properties"]["min_volume_um3"]["default"]
    given = {"denoise": {"method": "gaussian"}, "select_objects": {"min_volume_um3": default}}
    assert changes_of(given) == {}


def test_settings_that_differ_from_the_default():
    changed = {
        "denoise": {"method": "median", "median": {"radius_um": 0.7}, "gaussian": {"sigma_um": 9}},
        "adjust_contrast": {"steps": ["gamma"], "gamma": {"gamma": 0.7}},
        "find_seeds": {"smoothing_um": 0.4},
    }
    found = changes_of(changed)
    assert found.keys() == {
        "denoise.method",
        "denoise.median.radius_um",  # the sigma of the other method has no effect
        "adjust_contrast.steps",
        "adjust_contrast.gamma.gamma",
        "find_seeds.smoothing_um",
    }
    assert list(changes_of(dict(reversed(changed.items())))) == list(found)
    changed["find_seeds"] = {"peaks": {"min_distance_um": 1}, "smoothing_um": 0.4}
    assert changes_of(changed) == found
    assert found["denoise.method"] == ("median", "gaussian")
    assert found["denoise.median.radius_um"][0] == 0.7
    default = schema_of("denoise.median")["properties"]["radius_um"]["default"]
    assert found["denoise.median.radius_um"][1] == default
