import pytest

from cellstack.config.gallery import Gallery
from cellstack.config.inputs import Inputs
from cellstack.config.recipes import Recipes
from cellstack.config.units import Unit
from cellstack.errors import InputError

ROWS = [
    {"stack": "a", "channel": "nuclei", "image": "a.tif", "ground_truth": "t.tif"},
    {"stack": "a", "channel": "membrane", "image": "m.tif"},
]


def makers(recipes, stage, runs, channel="nuclei"):
    return [recipes.maker(stage, Unit("a", run).path, channel).run for run in range(runs + 1)]


def test_what_equals_an_earlier_run_is_made_once(load_study):
    sweep = "find_seeds.h_maxima.h_um,binarize.method\n0.9,\n0.9,li\n0.02,li\n"
    recipes = Recipes(load_study(ROWS, sweep, find_seeds={"method": "h_maxima"}))
    assert makers(recipes, "denoise", 3) == [0, 0, 0, 0]
    assert makers(recipes, "binarize", 3) == [0, 0, 2, 2]
    assert makers(recipes, "label_components", 3) == [0, 0, 2, 2]
    assert makers(recipes, "find_seeds", 3) == [0, 1, 2, 3]
    assert makers(recipes, "smooth_outlines", 3) == [0, 1, 2, 3]
    assert makers(recipes, "evaluate_labels", 3) == [0, 1, 2, 3]


def test_settings_without_an_effect_share_everything(load_study):
    sweep = "denoise.median.radius_um,detect_edges.method\n3,sobel_2d\n"
    recipes = Recipes(load_study(ROWS, sweep))
    assert makers(recipes, "detect_edges", 1) == [0, 1]  # made only if split_objects needs it
    assert makers(recipes, "evaluate_labels", 1) == [0, 0]


def test_edges_count_where_they_are_used(load_study):
    split = {"method": "edges"}
    recipes = Recipes(load_study(ROWS, "detect_edges.method\nsobel_2d\n", split_objects=split))
    assert makers(recipes, "split_objects", 1) == [0, 1]


def test_a_diameter_changes_what_depends_on_it(load_study):
    recipes = Recipes(load_study(ROWS, "diameter_um.nuclei\n8\n"))
    assert makers(recipes, "import_stack", 1) == [0, 0]
    assert makers(recipes, "adjust_contrast", 1) == [0, 0]  # percentiles have no size
    assert makers(recipes, "denoise", 1) == [0, 1]


def test_cells_depend_on_their_nuclei(load_study):
    recipes = Recipes(load_study(ROWS, "find_seeds.method\npeaks\n"))
    assert makers(recipes, "enhance_membrane", 1, "membrane") == [0, 0]
    assert makers(recipes, "find_cell_seeds", 1, "membrane") == [0, 1]
    assert makers(recipes, "merge_cells", 1, "membrane") == [0, 1]


def test_an_estimated_diameter_is_estimated_once(load_study):
    rows = [ROWS[0] | {"diameter_um": "auto"}]
    study = load_study(rows, "binarize.method\nli\n")
    inputs = Inputs(study, Recipes(study))
    expected = ["<results>/a/nuclei/diameter.json"]
    assert inputs.diameter_for("denoise", "sweep/1/a", "nuclei") == expected
    assert inputs.diameter_for("detect_edges", "sweep/1/a", "nuclei") == []


def test_paths_lie_in_the_folder_of_the_unit_that_makes_them(load_study):
    recipes = Recipes(load_study(ROWS, "binarize.method\nli\nli\n"))
    path = recipes.path_of("binarize", "nuclei/mask.tif", "sweep/2/a", "nuclei")
    assert path == "<results>/sweep/1/a/nuclei/mask.tif"
    path = recipes.path_of("denoise", "channels/nuclei/denoised.tif", "sweep/2/a", "nuclei")
    assert path == "<results>/a/channels/nuclei/denoised.tif"


def test_scores_of_a_sweep_name_each_run(load_study, make_targets):
    study = load_study(ROWS, "binarize.method\nli\nli\n")
    assert make_targets(study).sweep_scores() == [
        "<results>/a/scores.json",
        "<results>/sweep/1/a/scores.json",
        "<results>/sweep/1/a/scores.json",
    ]


def test_a_sweep_needs_a_table_and_a_ground_truth(load_study, make_targets):
    study = load_study(ROWS)
    with pytest.raises(InputError, match=r"config\.sweep is missing"):
        make_targets(study).sweep_scores()
    study = load_study([ROWS[1] | {"diameter_um": 9}], "binarize.method\nli\n")
    with pytest.raises(InputError, match="no row to sweep"):
        make_targets(study).sweep_scores()


def test_stacks_that_share_all_settings_are_a_group(load_study):
    rows = [
        *ROWS,
        ROWS[0] | {"stack": "b", "diameter_um": "9"},
        ROWS[0] | {"stack": "c", "labels": "l.tif"},
        ROWS[0] | {"stack": "d", "preset": "tutorial"},
        ROWS[0] | {"stack": "e", "diameter_um": "auto"},
    ]
    recipes = Recipes(load_study(rows, split_objects={"method": "edges"}))
    groups = recipes.groups_of_settings()
    assert [(group["object"], group["stacks"]) for group in groups] == [
        ("nuclei", ["a", "b", "e"]),
        ("nuclei", ["c"]),
        ("nuclei", ["d"]),
        ("cells", ["a"]),
    ]
    first, external, tutorial, cells = (group["stages"] for group in groups)
    assert "detect_edges" in first and "detect_edges" not in tutorial  # another landscape
    assert first["denoise"]["options"] == {"sigma_um": "0.075 d"}
    assert list(external) == ["import_stack", "select_objects"]
    assert "correct_background" not in first  # it has no steps
    assert {"merge_cells", "enhance_membrane"} <= cells.keys() and "binarize" not in cells


def test_another_segmenter_replaces_the_stages(load_study):
    command = {"method": "command", "command": {"command": "run {output}"}}
    rows = [ROWS[0], ROWS[1] | {"preset": "own"}, {**ROWS[0], "stack": "b", "labels": "l.tif"}]
    presets = {"own": {"run_segmenter": command | {"objects": ["cells"]}}}
    sweep = "binarize.method\nli\n"
    study = load_study(rows, sweep, presets=presets)
    recipes = Recipes(study)
    assert recipes.segmenter("a", "nuclei") == ("smooth_outlines", "nuclei")
    assert recipes.segmenter("a", "cells") == ("run_segmenter", "membrane")
    assert set(recipes.stages_of("a", "cells")) == {
        "import_stack",
        "run_segmenter",
        "select_objects",
    }
    assert study.units_with_segmenter("cells") == ["a", "sweep/1/a"]
    assert recipes.segmentation("sweep/1/a", "cells") == "<results>/a/cells/segmentation.tif"
    sweep = "diameter_um.nuclei,binarize.method\n8,\n,li\n"
    study = load_study([ROWS[0], *rows[2:]], sweep, run_segmenter=command)
    recipes, inputs = Recipes(study), Inputs(study, Recipes(study))
    assert study.units_with_segmenter("nuclei") == ["a", "sweep/1/a", "sweep/2/a"]
    assert study.units_with_segmenter("cells") == []
    assert makers(recipes, "run_segmenter", 2) == [0, 1, 0]
    assert inputs.mask_records("a", "nuclei") == inputs.seeds_of_object("a", "nuclei") == []


def labels_of(recipes, stack="a"):
    return [unit.alternative for unit in recipes.alternatives(stack)]


def test_alternatives_are_other_settings_of_the_chosen_stages(load_study):
    stages = {"stages": ["merge_objects", "detect_edges", "smooth_outlines"]}
    recipes = Recipes(load_study(ROWS, compare_labels=stages))
    # edges are not used; `preset-tutorial` has the same settings as `none`
    assert labels_of(recipes) == ["merge_objects/none", "smooth_outlines/none"]
    split = {"method": "edges"}
    recipes = Recipes(load_study(ROWS, compare_labels=stages, split_objects=split))
    assert labels_of(recipes)[1] == "detect_edges/sobel_2d"
    recipes = Recipes(load_study(ROWS, compare_labels={"stages": []}))
    assert labels_of(recipes) == []


def test_external_labels_have_no_alternatives(load_study):
    recipes = Recipes(load_study([ROWS[0] | {"labels": "l.tif"}]))
    assert labels_of(recipes) == []


def test_an_alternative_shares_the_stages_before_it(load_study):
    study = load_study(ROWS, compare_labels={"stages": ["binarize"]})
    recipes = Recipes(study)
    stack = "alternatives/binarize/li/a"
    assert recipes.maker("denoise", stack, "nuclei") == Unit("a")
    assert recipes.maker("binarize", stack, "nuclei") == Unit.parse(stack)
    assert study.arguments("binarize", stack, "nuclei")["method"] == "li"
    assert study.arguments("clean_mask", stack, "nuclei") == study.arguments(
        "clean_mask", "a", "nuclei"
    )
    # the threshold of the tutorial is li too
    same = recipes.maker("binarize", "alternatives/binarize/preset-tutorial/a", "nuclei")
    assert same == Unit.parse(stack)
    assert study.objects(stack) == ["nuclei"]


def test_alternatives_of_a_stack_start_from_its_preset(load_study):
    rows = [ROWS[0] | {"preset": "tutorial"}]
    study = load_study(rows, compare_labels={"stages": ["denoise"]})
    found = labels_of(Recipes(study))
    assert "denoise/gaussian" in found
    assert "denoise/bilateral" not in found  # that of the preset
    assert study.arguments("binarize", "alternatives/denoise/none/a", "nuclei")["method"] == "li"


def test_segmentations_of_alternatives_follow_that_of_the_stack(load_study):
    study = load_study(ROWS, compare_labels={"stages": ["smooth_outlines"]})
    inputs = Inputs(study, Recipes(study))
    assert inputs.compared_segmentations("a") == [
        "<results>/a/nuclei/segmentation.tif",
        "<results>/alternatives/smooth_outlines/none/a/nuclei/segmentation.tif",
    ]
    assert inputs.true_nuclei("a") == ["<results>/a/nuclei/ground_truth.tif"]


def test_panels_of_alternatives(load_study):
    study = load_study(ROWS, compare_labels={"stages": ["smooth_outlines"]})
    assert Gallery(study, Recipes(study)).alternatives("a") == [
        {
            "stage": "smooth_outlines",
            "title": "none",
            "snippet": {"smooth_outlines": {"method": "none"}},
        }
    ]
