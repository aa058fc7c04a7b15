"""The table of corrections: what it means, and a fix for each error."""

import pytest

from cellstack.config.corrections import read_corrections
from cellstack.config.inputs import Inputs
from cellstack.config.recipes import Recipes
from cellstack.errors import InputError

HEADER = "stack,object,action,z_um,y_um,x_um,id,diameter_um,image,note\n"
KINDS = {"a": ["nuclei"], "b_2": ["nuclei", "cells"]}
ROWS = [
    {"stack": "a", "channel": "nuclei", "image": "a.tif", "ground_truth": "t.tif"},
    {"stack": "a", "channel": "membrane", "image": "m.tif"},
]
ADD = "a,nuclei,add,1,2,3,,,,\n"


def read(path, text):
    path.write_text(text, encoding="utf-8")
    return read_corrections(str(path), KINDS, check=True)


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.tif").touch()
    return tmp_path / "corrections.csv"


def test_rows_with_the_same_id_are_one_correction(table):
    corrections, rows, errors = read(
        table,
        HEADER
        + "a,nuclei,merge,1,2,3,7,,,\n"
        + "b_2,cells,add,0,0,0,7,8.5,,a cell\n"
        + 'a,nuclei,redraw,"1,5",2,3,,,new.tif,\n'
        + "a,nuclei,merge,4,5,6,7,,,\n",
    )
    assert errors == []
    merge, redraw = corrections["a"]["nuclei"]
    assert merge["points"] == [[1, 2, 3], [4, 5, 6]]
    assert redraw["points"] == [[1.5, 2, 3]]
    assert (redraw["image"], redraw["image_position_um"]) == ("new.tif", None)
    assert corrections["b_2"]["cells"][0]["diameter_um"] == 8.5
    assert rows == {"a": {"nuclei": [[2, 5], [4]]}, "b_2": {"cells": [[3]]}}


def test_empty_rows_count(table):
    corrections, rows, errors = read(table, HEADER + ",,,,,,,,,\n\n" + ADD + "\n")
    assert errors == []
    assert len(corrections["a"]["nuclei"]) == 1
    assert rows == {"a": {"nuclei": [[4]]}}


CASES = {  # the text of the message, the row with the error, and the row after the fix
    "stack": ("unknown stack 'A'; known: a, b_2", "A,nuclei,add,1,2,3,,,,", ADD),
    "object": (
        "unknown object 'nucleus'; did you mean 'nuclei'?",
        "a,nucleus,add,1,2,3,,,,",
        ADD,
    ),
    "no channel": (
        "stack 'a' has no channel 'membrane', which shows cells; correct the object",
        "a,cells,add,1,2,3,,,,",
        ADD,
    ),
    "action": ("unknown action 'ad'; did you mean 'add'?", "a,nuclei,ad,1,2,3,,,,", ADD),
    "missing": ("y_um is missing; fill it in", "a,nuclei,add,1,,3,,,,", ADD),
    "number": (
        "x_um '3 um' is not valid; give a number of um, with a decimal point",
        "a,nuclei,add,1,2,3 um,,,,",
        ADD,
    ),
    "not finite": ("z_um 'inf' is not valid; give a number", "a,nuclei,add,inf,2,3,,,,", ADD),
    "diameter": (
        "diameter_um '0' is not valid; give a diameter in um, above 0",
        "a,nuclei,add,1,2,3,,0,,",
        "a,nuclei,add,1,2,3,,9,,",
    ),
    "no effect": (
        "diameter_um has no effect with delete; remove it, or use add",
        "a,nuclei,delete,1,2,3,,9,,",
        "a,nuclei,delete,1,2,3,,,,",
    ),
    "no image": (
        "image is missing; give the label image that has the new outline",
        "a,nuclei,redraw,1,2,3,,,,",
        "a,nuclei,redraw,1,2,3,,,new.tif,",
    ),
    "lost image": (
        "image 'old.tif' does not exist; correct the path",
        "a,nuclei,redraw,1,2,3,,,old.tif,",
        "a,nuclei,redraw,1,2,3,,,new.tif,",
    ),
    "one point": (
        "merge has one point; give it two or more rows with the same id",
        "a,nuclei,merge,1,2,3,1,,,",
        "a,nuclei,merge,1,2,3,1,,,\na,nuclei,merge,1,2,4,1,,,",
    ),
    "two points": (
        "delete has 2 points with the same id 1; give each of these rows another id",
        "a,nuclei,delete,1,2,3,1,,,\na,nuclei,delete,1,2,4,1,,,",
        "a,nuclei,delete,1,2,3,1,,,\na,nuclei,delete,1,2,4,2,,,",
    ),
    "two actions": (
        "action 'split' differs from 'merge' in row 2, which has the same id 1",
        "a,nuclei,merge,1,2,3,1,,,\na,nuclei,split,1,2,4,1,,,\na,nuclei,merge,1,2,4,1,,,",
        "a,nuclei,merge,1,2,3,1,,,\na,nuclei,merge,1,2,4,1,,,",
    ),
}


@pytest.mark.parametrize(("message", "wrong", "right"), CASES.values(), ids=CASES)
def test_each_error_names_row_value_and_fix(table, message, wrong, right):
    _, _, errors = read(table, f"{HEADER}{wrong}\n")
    assert len(errors) == 1, errors
    assert errors[0].startswith(f"{table} row ")
    assert message in errors[0]
    corrections, _, errors = read(table, f"{HEADER}{right}\n")
    assert errors == []
    assert corrections["a"]["nuclei"]


def test_all_errors_at_once(table):
    wrong = [row for name, (_, row, _) in CASES.items() if name not in ("one point", "two actions")]
    _, _, errors = read(table, HEADER + "\n".join(wrong) + "\n")
    assert len(errors) == len(wrong)
    corrections, _, errors = read(table, HEADER.replace("note", "remark") + ADD)
    assert (corrections, len(errors)) == ({}, 1)
    assert "unknown column 'remark'" in errors[0]
    assert "remarks belong in the column note" in errors[0]


def test_a_missing_column_and_a_missing_file(table, load_study):
    _, _, errors = read(table, "stack,object,action,z,y,x\na,nuclei,delete,1,2,3\n")
    assert "has no column z_um or y_um or x_um" in errors[0]
    with pytest.raises(InputError, match=r"config\.corrections: 'none\.csv' does not exist"):
        load_study(ROWS, corrections="none.csv")


def study_with(load_study, table, text, **config):
    table.write_text(HEADER + text, encoding="utf-8")
    return load_study(ROWS, corrections="corrections.csv", **config)


def test_what_jobs_see_of_a_correction_does_not_depend_on_other_rows(load_study, table):
    other = "a,cells,delete,1,1,1,,,,\n"
    alone = study_with(load_study, table, ADD)
    after = study_with(load_study, table, other + ADD)
    assert alone.corrections_of("a", "nuclei") == after.corrections_of("a", "nuclei") != []
    assert alone.corrected_stacks("cells") == []
    assert after.corrected_stacks("cells") == ["a"]
    assert load_study(ROWS).corrections_of("a", "nuclei") == []
    assert load_study(ROWS, corrections=None).corrections_of("a", "nuclei") == []


def test_a_sweep_leaves_corrections_out(load_study, table):
    text = ADD + "a,cells,accept,1,1,1,,,,\n"
    table.write_text(HEADER + text, encoding="utf-8")
    study = load_study(ROWS, "binarize.method\nli\n", corrections="corrections.csv")
    inputs = Inputs(study, Recipes(study))
    corrected = "<results>/a/nuclei/segmentation.tif"
    assert inputs.scored_segmentations("a") == [corrected]
    assert inputs.segmented_nuclei("a") == [corrected, "<results>/a/nuclei/corrections.csv"]
    assert inputs.uncorrected_segmentations("a") == ["<results>/a/nuclei/uncorrected.tif"]
    of_run = ["<results>/sweep/1/a/nuclei/segmentation.tif"]
    assert inputs.scored_segmentations("sweep/1/a") == of_run
    assert inputs.uncorrected_segmentations("sweep/1/a") == []
    same = load_study(ROWS, "detect_edges.method\nsobel_2d\n", corrections="corrections.csv")
    inputs, recipes = Inputs(same, Recipes(same)), Recipes(same)
    assert inputs.segmented_nuclei("sweep/1/a") == ["<results>/a/nuclei/uncorrected.tif"]
    assert recipes.maker("find_cell_seeds", "sweep/1/a", "membrane").run == 1


def test_growth_depends_on_added_objects_only(load_study, table):
    study = study_with(load_study, table, ADD)
    inputs = Inputs(study, Recipes(study))
    assert study.growth_options("a", "nuclei") == {
        "diameter_um": 10,
        "level": 0.52,
        "sigma_um": 3,
        "background_radius_um": 15,
        "max_radius_um": 12,
    }
    assert inputs.growth_image("a", "nuclei") == ["<results>/a/channels/nuclei/denoised.tif"]
    study = study_with(load_study, table, "a,nuclei,delete,1,2,3,,,,\n")
    inputs = Inputs(study, Recipes(study))
    assert study.growth_options("a", "nuclei") == {}
    assert inputs.growth_image("a", "nuclei") == inputs.growth_diameter("a", "nuclei") == []
    study = study_with(load_study, table, ADD, diameter_um={"nuclei": "auto"})
    assert study.growth_options("a", "nuclei")["sigma_um"] == "0.3 d"
    assert Inputs(study, Recipes(study)).growth_diameter("a", "nuclei")
