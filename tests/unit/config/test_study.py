import re

import pytest

from cellstack.config.measurements import Measurements
from cellstack.errors import InputError

NUCLEI = {"stack": "a", "channel": "nuclei", "image": "a.tif"}
MEMBRANE = {"stack": "a", "channel": "membrane", "image": "m.tif"}
OTHER = {"stack": "b", "channel": "membrane", "image": "m.tif", "diameter_um": 12}


def test_objects_follow_from_the_channels(load_study):
    study = load_study([NUCLEI, MEMBRANE, OTHER, NUCLEI | {"stack": "c", "include": "no"}])
    assert study.objects("a") == ["nuclei", "cells"]
    assert study.objects("b") == ["cells"]
    assert study.complete_stacks == ["a", "b"]
    assert study.stacks_of("nuclei") == ["a"]
    assert study.stacks_of("cells") == ["a", "b"]
    assert study.of_each_object("{stack}/{object}") == ["a/nuclei", "a/cells", "b/cells"]
    assert study.channels_by_stack() == {"a": ["nuclei", "membrane"], "b": ["membrane"]}


def test_objects_may_be_left_out(load_study):
    study = load_study([NUCLEI, MEMBRANE], objects=["cells"])
    assert study.objects("a") == ["cells"]
    assert study.stacks_of("nuclei") == []


def test_a_column_is_looked_up_by_object(load_study):
    rows = [NUCLEI | {"ground_truth": "t.tif"}, MEMBRANE | {"labels": "l.tif"}, OTHER]
    study = load_study(rows)
    assert study.scored_objects("a") == ["nuclei"]
    assert study.stacks_with("ground_truth") == ["a"]
    assert study.scored_by_points("a") == [False]
    assert study.stacks_with("labels", "cells") == ["a"]
    assert study.stacks_with("labels", "nuclei") == []
    assert study.stacks_without("labels", "cells") == ["b"]
    assert study.swept_stacks() == []


def test_a_preset_overrides_the_configuration(load_study):
    presets = {"soft": {"denoise": {"gaussian": {"sigma_um": 2}}}}
    rows = [NUCLEI, NUCLEI | {"stack": "b", "preset": "soft"}]
    study = load_study(rows, presets=presets, denoise={"gaussian": {"sigma_um": 1}})
    assert study.arguments("denoise", "a", "nuclei")["options"] == {"sigma_um": 1}
    assert study.arguments("denoise", "b", "nuclei")["options"] == {"sigma_um": 2}
    assert study.argument("method", "denoise", "b", "nuclei") == "gaussian"


def test_sizes_follow_the_diameter(load_study):
    study = load_study([NUCLEI, NUCLEI | {"stack": "b", "diameter_um": 5}])
    assert study.arguments("denoise", "a", "nuclei")["options"] == {"sigma_um": pytest.approx(0.75)}
    assert study.arguments("denoise", "b", "nuclei")["options"] == {
        "sigma_um": pytest.approx(0.375)
    }
    assert study.object_diameter("b") == 5
    assert study.diameter_source("b", "nuclei") == "given"


def test_the_diameter_of_cells_follows_that_of_their_nuclei(load_study):
    study = load_study([NUCLEI, MEMBRANE, OTHER])
    assert study.diameter("a", "membrane") == pytest.approx(14)
    assert study.diameter_source("a", "membrane") == "from nuclei"
    assert study.diameter("b", "membrane") == 12
    assert study.diameter_source("b", "membrane") == "given"


def test_an_estimated_diameter_leaves_sizes_open(load_study):
    study = load_study([NUCLEI | {"diameter_um": "auto"}, MEMBRANE])
    assert study.diameter("a", "nuclei") == study.diameter("a", "membrane") == "auto"
    assert study.object_diameter("a") == "1 d"
    assert study.diameter_source("a", "nuclei") is None
    assert study.arguments("denoise", "a", "nuclei")["options"] == {"sigma_um": "0.075 d"}


def test_default_options_are_parts_of_the_diameter(load_study):
    changed = {"gaussian": {"sigma_um": 3}}
    options = load_study([NUCLEI], denoise=changed).default_options()
    assert options["denoise"] == {"sigma_um": 0.075}
    assert options["binarize"]["background_radius_um"] == 1.5
    assert options["binarize"]["level"] == 0.52
    assert options["find_seeds"] == {
        "smoothing_um": 0.05,
        "sigma_um": 0.3,
        "min_distance_um": 0.4,
        "weight": 0.5,
    }


def test_a_run_of_a_sweep_has_its_own_settings(load_study):
    presets = {"soft": {"denoise": {"gaussian": {"sigma_um": 2}}}}
    sweep = "denoise.method,diameter_um.nuclei,preset\nmedian,,\n,8,\n,,soft\n"
    study = load_study([NUCLEI, MEMBRANE], sweep, presets=presets)
    assert study.arguments("denoise", "sweep/1/a", "nuclei")["method"] == "median"
    assert study.diameter("sweep/2/a", "nuclei") == 8
    assert study.diameter("sweep/2/a", "membrane") == pytest.approx(11.2)
    assert study.arguments("denoise", "sweep/3/a", "nuclei")["options"] == {"sigma_um": 2}
    assert study.arguments("denoise", "a", "nuclei")["method"] == "gaussian"
    assert study.swept_keys() == ["denoise.method", "diameter_um.nuclei", "preset"]


def test_a_run_of_a_sweep_has_the_name_of_its_stack(load_study):
    study = load_study([NUCLEI], "denoise.method\nmedian\n")
    assert study.name("sweep/1/a") == study.name("a") == "a"


def test_the_presets_of_a_sweep_are_those_of_its_stacks(load_study):
    presets = {"soft": {"denoise": {"method": "median"}}}
    rows = [NUCLEI | {"ground_truth": "t.tif"}, OTHER | {"ground_truth": "t.tif", "preset": "soft"}]
    study = load_study(rows, "preset\nsoft\n", presets=presets)
    assert study.sweep_presets() == [{}, presets["soft"]]


def test_all_errors_in_one_message(load_study):
    rows = [NUCLEI | {"preset": "none"}, MEMBRANE | {"z_um": -1}]
    with pytest.raises(InputError) as error:
        load_study(rows, "binarize.method\nlee\n", group_by=3)
    lines = str(error.value).splitlines()
    assert lines[0] == "4 errors in the configuration or the sheet:"
    assert len(lines) == 5


def test_incomplete_stacks_are_left_out_but_named(load_study):
    study = load_study([NUCLEI | {"condition": "x"}, OTHER | {"condition": "y"}])
    some = study.without({"b": {"status": "failed", "flags": "why"}})
    assert some.complete_stacks == ["a"]
    assert some.stacks_of("cells") == []
    assert some.user_columns()["b/cells"] == {"condition": "y"}
    with pytest.raises(InputError, match="no stack is complete"):
        study.without({"a": {}, "b": {}})


def test_own_columns_are_taken_from_either_channel(load_study):
    study = load_study([NUCLEI | {"mouse": "7"}, MEMBRANE | {"dye": "red"}])
    assert study.user_columns() == {
        "a/nuclei": {"mouse": "7", "dye": "red"},
        "a/cells": {"mouse": "7", "dye": "red"},
    }


def test_groups_are_those_of_the_named_column(load_study):
    rows = [NUCLEI | {"mouse": "7"}, NUCLEI | {"stack": "b"}]
    assert load_study(rows, group_by="mouse").groups("nuclei") == {"a": "7"}


def test_simulated_stacks_are_noted(load_study):
    image = "resources/simulated/tiny/image.ome.tif"
    study = load_study([NUCLEI])
    assert (study.note("a"), study.note_of_all()) == ("", "")
    rows = [{"stack": "s", "channel": "nuclei", "image": image}]
    study = load_study(rows, simulate_stack={"tiny": {"shape": [4, 8, 8]}})
    assert (study.note("s"), study.note_of_all()) == ("simulated data", "simulated data")


@pytest.mark.parametrize("diameter", [12, 12.5, "auto"])
def test_a_diameter_without_a_kind_of_object_is_that_of_nuclei(load_study, diameter):
    rows = [{"stack": "a", "channel": "nuclei", "image": "a.tif"}]
    study = load_study(rows, diameter_um=diameter)
    assert study.diameter("a", "nuclei") == diameter
    assert study.config["diameter_um"] == {"nuclei": diameter}


@pytest.mark.parametrize("diameter", [True, "12 um", -3])
def test_other_diameters_without_a_kind_are_refused(load_study, diameter):
    rows = [{"stack": "a", "channel": "nuclei", "image": "a.tif"}]
    with pytest.raises(InputError, match=r"config\.diameter_um"):
        load_study(rows, diameter_um=diameter)


def test_a_column_of_groups_that_is_missing_is_refused(load_study):
    rows = [{"stack": "a", "channel": "nuclei", "image": "a.tif", "condition": "drug"}]
    message = "config.group_by: stacks.csv has no column 'conditon' of your own; did you mean 'cond"
    with pytest.raises(InputError, match=message):
        load_study(rows, group_by="conditon")
    assert load_study(rows, group_by="condition").groups("nuclei") == {"a": "drug"}
    del rows[0]["condition"]
    assert load_study(rows).groups("nuclei") == {}  # the default need not exist
    with pytest.raises(InputError, match="add it to the sheet"):
        load_study(rows, group_by="age")


@pytest.mark.parametrize("name", ["t.csv", "folder/T.TSV"])
def test_a_ground_truth_of_points_is_recognised_by_its_name(load_study, name):
    rows = [NUCLEI | {"ground_truth": name}, MEMBRANE | {"ground_truth": "t.tif"}]
    study = load_study(rows)
    assert study.scored_objects("a") == ["nuclei", "cells"]
    assert study.scored_by_points("a") == [True, False]


GROUPED = [
    {"stack": name, "channel": "nuclei", "image": "a.tif", "condition": group, "mouse": mouse}
    for name, group, mouse in (("a", "drug", "m1"), ("b", "control", "m2"), ("c", "drug", "m1"))
]


def test_stacks_that_are_compared(load_study):
    study = load_study(GROUPED, compare_groups={"unit": "mouse", "columns": ["volume_um3"]})
    assert Measurements(study).samples() == {
        "a/nuclei": {"group": "drug", "unit": "m1", "pair": ""},
        "b/nuclei": {"group": "control", "unit": "m2", "pair": ""},
        "c/nuclei": {"group": "drug", "unit": "m1", "pair": ""},
    }
    assert Measurements(study).compared_kinds() == ["nuclei"]
    assert Measurements(study).compared_columns() == ["volume_um3"]
    assert Measurements(study).comparison()["unit"] == "mouse"
    study = load_study(GROUPED, compare_groups={"pair_by": "mouse"})
    assert Measurements(study).samples()["c/nuclei"] == {"group": "drug", "unit": "c", "pair": "m1"}
    assert Measurements(study).compared_columns()[-1] == "mean_intensity_nuclei"
    alone = Measurements(load_study([row for row in GROUPED if row["condition"] == "drug"]))
    assert (alone.samples(), alone.compared_kinds(), alone.comparison()) == ({}, [], {})


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"unit": "mous"}, "compare_groups.unit: stacks.csv has no column 'mous' of your own; did"),
        ({"pair_by": "animal"}, "compare_groups.pair_by: stacks.csv has no column 'animal'"),
        ({"reference": "contrl"}, "there is no group 'contrl'; did you mean 'control'"),
        ({"columns": ["volume"]}, "'volume' is not a column of objects.csv or stacks.csv"),
        ({"columns": []}, "compare_groups.columns"),
        ({"correction": "bonferroni"}, "compare_groups.correction"),
        ({"units": "mouse"}, "compare_groups: unknown key 'units'"),
    ],
)
def test_errors_of_comparisons(load_study, block, message):
    with pytest.raises(InputError, match=re.escape(message)):
        load_study(GROUPED, compare_groups=block)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mouse": "M1"}, "row 4: mouse 'M1' differs from 'm1' only in case or spaces; write them"),
        ({"condition": "Drug"}, "row 4: condition 'Drug' differs from 'drug' only in case or"),
        (
            {"stack": "a", "channel": "membrane", "mouse": "m3", "diameter_um": 12},
            "row 4: mouse 'm3' differs from 'm1' in another row of stack 'a'; correct one of them",
        ),
        ({"mouse": "M1", "include": False}, None),
        ({"stack": "a", "channel": "dye", "mouse": "m3"}, None),
        ({"stack": "a", "channel": "membrane", "mouse": "m1", "diameter_um": 12}, None),
    ],
)
def test_groups_and_units_are_written_the_same_way(load_study, changes, message):
    rows = [*GROUPED[:2], GROUPED[2] | changes]
    if message is None:
        load_study(rows, compare_groups={"unit": "mouse"})
        return
    with pytest.raises(InputError, match=re.escape(message)):
        load_study(rows, compare_groups={"unit": "mouse"})


def test_each_stack_of_a_group_has_a_unit(load_study):
    rows = [{**row} for row in GROUPED]
    del rows[1]["mouse"]
    with pytest.raises(InputError, match=r"stacks\.csv has no 'mouse' for stack 'b'; fill in"):
        load_study(rows, compare_groups={"unit": "mouse"})
    del rows[1]["condition"]
    load_study(rows, compare_groups={"unit": "mouse"})
