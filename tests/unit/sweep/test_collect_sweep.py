import numpy as np
import pytest
import yaml
from study import ROOT

import collect_sweep as script
from cellstack.config import settings
from cellstack.evaluate.evaluate_labels import evaluate_labels
from cellstack.files.records import write_json
from cellstack.files.tables import read_rows
from cellstack.sweep.collect_sweep import (
    find_unbiased_level,
    rank_runs,
    volume_biases,
    write_preset,
)


def load(name):
    return yaml.safe_load(
        (ROOT / "config" / "schemas" / f"{name}.schema.yaml").read_text(encoding="utf-8")
    )


STAGES = load("stages")
CONFIG = settings.join_schemas(load("config"), STAGES)


def summary(f1, quality=0.5, missed=1, bias=None):
    return {
        "f1": f1,
        "panoptic_quality": quality,
        "count_missed": missed,
        "volume_bias_percent": bias,
    }


def test_runs_are_ranked_by_mean_f1_then_panoptic_quality_then_order():
    ranked = rank_runs(
        [
            [summary(0.6), summary(0.8, bias=3.0)],
            [summary(0.9), summary(0.5, 0.7)],
            [summary(0.7), summary(0.7)],
            [summary(1.0), summary(0.9, missed=4)],
        ]
    )
    assert [row["rank"] for row in ranked] == [3, 2, 4, 1]
    assert ranked[3]["f1"] == pytest.approx(0.95)
    assert ranked[3]["count_missed"] == 5
    assert [row["volume_bias_percent"] for row in ranked] == [3.0, None, None, None]


def test_best_run_is_a_valid_preset_on_top_of_its_own():
    settings_of_run = {
        "find_seeds.h_maxima.h_um": "0.06 d",
        "denoise.method": "median",
        "preset": "mine",
        "diameter_um.nuclei": 7.5,
    }
    preset = {"denoise": {"method": "gaussian", "median": {"slice_by_slice": True}}}
    ranked = rank_runs([[summary(0.6)], [summary(0.8)]])
    text = write_preset(ranked, [{}, settings_of_run], [{}, preset], ["a", "b"])
    config = yaml.safe_load(text)
    best = {
        "denoise": {"method": "median", "median": {"slice_by_slice": True}},
        "find_seeds": {"h_maxima": {"h_um": "0.06 d"}},
    }
    assert config == {"presets": {"best": best}}
    assert settings.complete(config, CONFIG, STAGES, check=True)[1] == []
    assert "F1 0.800 at IoU 0.5, mean over a, b" in text
    assert "The configuration itself (run 0): F1 0.600" in text
    assert "set diameter_um.nuclei to 7.5" in text


def test_configuration_itself_may_be_the_best_run():
    text = write_preset(rank_runs([[summary(0.6)]]), [{}], [{}], ["a"])
    assert "# This is the configuration itself." in text
    assert yaml.safe_load(text) == {"presets": {"best": {}}}


def write_scores(folder):
    """Write scores of two runs on two stacks; only the second run finds the objects."""
    labels = np.repeat(np.arange(3, dtype="uint16"), 4).reshape(1, 3, 4)
    files = []
    for run, found in enumerate((labels * 0, labels)):
        for stack in "ab":
            scored = {"nuclei": evaluate_labels(labels, found, (1, 1, 1))}
            files.append(folder / f"{run}{stack}.json")
            write_json(files[-1], {"stack": stack, "objects": scored})
    return files


def test_tables(tmp_path):
    files = write_scores(tmp_path)
    outputs = {name: tmp_path / name for name in ("scores", "runs", "best")}
    params = {"settings": [{"binarize.factor": 0.9}], "presets": [{}, {}], "stacks": ["a", "b"]}
    script.main(stack_scores=files, **outputs, **params)
    columns = ("run", "binarize.factor", "stack", "object", "ground_truth", "f1")
    assert [[row[name] for name in columns] for row in read_rows(outputs["scores"])] == [
        ["0", "", "a", "nuclei", "outlines", "0"],
        ["0", "", "b", "nuclei", "outlines", "0"],
        ["1", "0.9", "a", "nuclei", "outlines", "1"],
        ["1", "0.9", "b", "nuclei", "outlines", "1"],
    ]
    columns = ("run", "binarize.factor", "same_as", "rank", "count_missed")
    assert [[row[name] for name in columns] for row in read_rows(outputs["runs"])] == [
        ["0", "", "", "2", "4"],
        ["1", "0.9", "", "1", "0"],
    ]
    preset = {"presets": {"best": {"binarize": {"factor": 0.9}}}}
    assert yaml.safe_load(outputs["best"].read_text()) == preset


def test_run_with_the_files_of_another_one_is_named(tmp_path, caplog):
    files = write_scores(tmp_path)
    outputs = {name: tmp_path / name for name in ("scores", "runs", "best")}
    runs = [{"binarize.factor": 0.9}, {"binarize.factor": 0.90}]
    params = {"settings": runs, "presets": [{}, {}, {}], "stacks": ["a", "b"]}
    script.main(stack_scores=[*files, *files[2:]], **outputs, **params)
    assert [row["same_as"] for row in read_rows(outputs["runs"])] == ["", "", "1"]
    assert "run 2 is the same as run 1" in caplog.text


LEVEL = "binarize.per_object.level"


def levels_preset(runs, biases, best=1):
    """Return the text of the presets for runs with these settings and biases."""
    ranked = rank_runs([[summary(0.9 if run == best else 0.5)] for run in range(len(runs))])
    presets = [{"denoise": {"method": "median"}}] * len(runs)
    return write_preset(ranked, runs, presets, ["a"], biases=biases)


def test_the_unbiased_level_is_interpolated():
    other = {"merge_objects.method": "none"}
    runs = [{}, {LEVEL: 0.5} | other, {LEVEL: 0.3} | other, {LEVEL: 0.4} | other, {LEVEL: 0.35}]
    text = levels_preset(runs, [0.0, -20.0, 6.0, -2.0, 0.0])  # run 4 has other settings
    presets = yaml.safe_load(text)["presets"]
    base = {"denoise": {"method": "median"}, "merge_objects": {"method": "none"}}
    assert presets["best"] == base | {"binarize": {"per_object": {"level": 0.5}}}
    assert presets["unbiased"] == base | {"binarize": {"per_object": {"level": 0.375}}}
    assert settings.complete({"presets": presets}, CONFIG, STAGES, check=True)[1] == []
    assert "is zero, 0.375: it is +6.0 % at 0.3 and -2.0 % at 0.4, mean over" in text


@pytest.mark.parametrize(
    ("biases", "advice"),
    [
        ((-40.0, -20.0), "-20.0 % at 0.3, -40.0 % at 0.4; add lower levels"),
        ((20.0, 40.0), "40.0 % at 0.3, +20.0 % at 0.4; add higher levels"),
        ((20.0, -10.0), "it does not decrease with the level"),
    ],
)
def test_levels_on_one_side_have_no_unbiased_preset(biases, advice):
    text = levels_preset([{}, {LEVEL: 0.4}, {LEVEL: 0.3}], [None, *biases])
    assert f"{advice}." in text
    assert yaml.safe_load(text)["presets"].keys() == {"best"}


def test_without_levels_or_volumes_nothing_is_said_about_bias():
    assert "bias" not in levels_preset([{}, {"binarize.factor": 0.9}], [1.0, -1.0])
    assert "bias" not in levels_preset([{}, {LEVEL: 0.4}], [None, None])


def test_the_level_is_found_between_the_nearest_levels_of_different_sign():
    assert find_unbiased_level({0.2: 30.0, 0.3: 10.0, 0.4: 0.0, 0.5: -5.0}) == (0.4, 0.3, 0.4)
    assert find_unbiased_level({0.2: 30.0}) is None
    assert find_unbiased_level({}) is None


def test_the_bias_of_a_run_is_the_mean_over_stacks_with_nuclei_and_outlines():
    def scored(**biases):
        return {
            kind: {"summary": {"volume_bias_median_percent": bias}} for kind, bias in biases.items()
        }

    run = [scored(nuclei=4.0, cells=90.0), scored(nuclei=None), scored(nuclei=8.0), scored(cells=1)]
    assert volume_biases([run, run[1:2]]) == [6.0, None]
