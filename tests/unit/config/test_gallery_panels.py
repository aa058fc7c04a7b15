import re

import pytest
import yaml
from gallery_cases import COMPARED, block, load, panels_of, stages_schema
from study import DIAMETER_UM

from cellstack.config import gallery_panels, settings
from cellstack.gallery.write_gallery import as_yaml

STAGES = stages_schema()
CONFIG = settings.join_schemas(load("schemas/config.schema"), STAGES)
GALLERY, PRESETS = load("gallery"), load("presets")


def test_comparisons_of_the_gallery_are_known():
    assert GALLERY.keys() <= COMPARED.keys()


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("comparison", COMPARED)
def test_snippet_pasted_into_the_configuration_gives_its_panel(comparison, preset):
    stage = COMPARED[comparison]
    given = {
        "stacks": "stacks.tsv",
        "diameter_um": {"nuclei": DIAMETER_UM},
        "binarize": {"factor": 0.9},
        stage: {},
    } | PRESETS[preset]
    config, _ = settings.complete(given, CONFIG, STAGES, check=True)
    listed = GALLERY.get(comparison, {})
    for panel in gallery_panels.list_panels(stage, listed, config[stage], DIAMETER_UM, STAGES):
        pasted = given | yaml.safe_load(as_yaml(panel["snippet"]))
        completed, errors = settings.complete(pasted, CONFIG, STAGES, check=True)
        assert errors == []
        arguments = settings.stage_arguments(stage, completed[stage], DIAMETER_UM, STAGES)
        assert arguments == panel["arguments"]


def test_a_snippet_has_the_options_of_the_chosen_method_only():
    own = block("binarize", method="local")
    assert gallery_panels.snippet("binarize", own, STAGES) == {
        "binarize": {"method": "local", "factor": own["factor"], "local": own["local"]}
    }


@pytest.mark.parametrize("stage", sorted(set(COMPARED.values())))
def test_every_method_has_a_panel(stage):
    comparisons = [name for name, compared in COMPARED.items() if compared == stage]
    shown = str([panel["arguments"] for name in comparisons for panel in panels_of(name)])
    methods = settings.method_blocks(STAGES["properties"][stage], STAGES)
    missing = [name for name in methods if f"'{name}'" not in shown]
    assert missing == (["points"] if stage == "find_seeds" else [])


@pytest.mark.parametrize("comparison", COMPARED)
def test_one_panel_has_the_settings_of_the_stack(comparison):
    listed = panels_of(comparison)
    assert [panel["is_own"] for panel in listed].count(True) == 1
    assert len({panel["title"] for panel in listed}) == len(listed)


def test_methods_of_a_stage_that_is_compared_twice_are_not_repeated():
    assert [panel["title"] for panel in panels_of("contrast")] == list(GALLERY["contrast"])
    first, *others = panels_of("grey_morphology")
    assert first["title"] == "adjust_contrast as configured"
    assert [panel["title"] for panel in others] == list(GALLERY["grey_morphology"])


def test_settings_without_a_panel_get_an_additional_one():
    first, *others = panels_of("denoising", method="median", median={"radius_um": 3})
    assert not first["is_own"]
    assert [panel["title"] for panel in others if panel["is_own"]] == ["median"]
    steps = ["equalize_histogram", "percentile_stretch"]
    first, *others = panels_of("contrast", steps=steps)
    assert first["is_own"]
    assert first["title"] == "adjust_contrast as configured"
    assert first["snippet"]["adjust_contrast"]["steps"] == [
        {"equalize_histogram": {"nbins": 256}},
        {"percentile_stretch": {"low": 0.5, "high": 99.5}},
    ]
    assert not any(panel["is_own"] for panel in others)


def test_presets_come_last_and_their_methods_have_their_own_panel_too():
    preset = {"preset mine": {"method": "bilateral", "bilateral": {"sigma_um": 0.26}}}
    own = block("denoise")
    listed = gallery_panels.list_panels("denoise", {}, own, DIAMETER_UM, STAGES, further=preset)
    assert "bilateral" in [panel["title"] for panel in listed]
    assert listed[-1]["title"] == "preset mine"
    assert listed[-1]["arguments"]["options"] == own["bilateral"] | {"sigma_um": 0.26}


def test_new_method_gets_a_panel_from_its_schema_alone():
    method = {"soften": {"$ref": "#/$defs/no_options"}}
    schema = settings.merge(STAGES, {"properties": {"denoise": {"properties": method}}})
    own = settings.fill_defaults({}, schema)["denoise"]
    listed = gallery_panels.list_panels("denoise", {}, own, DIAMETER_UM, schema)
    assert listed[-1]["title"] == "soften"
    assert listed[-1]["arguments"] == {"method": "soften", "options": {}}


def test_seed_points_of_the_user_are_shown_only_if_configured():
    assert "points" not in [panel["title"] for panel in panels_of("seeds")]
    listed = panels_of("seeds", method="points")
    assert [panel["title"] for panel in listed if panel["is_own"]] == ["points"]


@pytest.mark.parametrize("stage", gallery_panels.COMPARISONS)
def test_alternatives_are_the_panels_of_the_gallery(stage):
    found = gallery_panels.list_alternatives(stage, block(stage), GALLERY, PRESETS, STAGES)
    titles = {title for title, _ in found.values()}
    for comparison in gallery_panels.COMPARISONS[stage]:
        assert {panel["title"] for panel in panels_of(comparison)} <= {
            *titles,
            f"{stage} as configured",
        }
    methods = {"points", *settings.method_blocks(STAGES["properties"][stage], STAGES)} - {"points"}
    shown = str([changes for _, changes in found.values()])
    assert [name for name in methods if f"'{name}'" not in shown] in ([], ["points"])
    assert "preset-tutorial" in found or stage == "detect_edges"


def test_names_of_alternatives_are_unique_and_can_be_folders():
    for stage, comparisons in gallery_panels.COMPARISONS.items():
        found = gallery_panels.list_alternatives(stage, block(stage), GALLERY, PRESETS, STAGES)
        listed = {title for comparison in comparisons for title in GALLERY.get(comparison, {})}
        assert listed <= {title for title, _ in found.values()}
        assert all(re.fullmatch("[A-Za-z0-9._-]+", name) for name in found)
