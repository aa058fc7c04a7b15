import numpy as np
import pytest
import yaml
from conftest import ROOT

import collect_sweep as script
from cellstack import settings, sweep, table_io, whole_files
from cellstack.collect_sweep import rank_runs, write_preset
from cellstack.evaluate_labels import evaluate_labels
from cellstack.plot_sweep import AS_IT_STANDS, plot_sweep, sort_values


def load(name):
    return yaml.safe_load((ROOT / "config" / "schemas" / f"{name}.schema.yaml").read_text(encoding="utf-8"))


STAGES = load("stages")
CONFIG = settings.join_schemas(load("config"), STAGES)


def read(tmp_path, text, **options):
    path = tmp_path / "sweep.csv"
    path.write_text(text, encoding="utf-8")
    return sweep.read_sweep(str(path), CONFIG, STAGES, ["default", "tutorial"], **{"check": True} | options)


def test_cells_are_values_of_yaml_and_empty_ones_set_nothing(tmp_path):
    runs, faults = read(
        tmp_path,
        "find_seeds.h_maxima.h_um,binarize.factor,adjust_contrast.steps,denoise.median.planes,preset,diameter_um.nuclei\n"
        '0.06 d,,"[stretch, gamma]",,,\n0.4,1.1,,true,tutorial,7.5\n',
    )
    assert faults == []
    assert runs == [
        {"find_seeds.h_maxima.h_um": "0.06 d", "adjust_contrast.steps": ["stretch", "gamma"]},
        {
            "find_seeds.h_maxima.h_um": 0.4,
            "binarize.factor": 1.1,
            "denoise.median.planes": True,
            "preset": "tutorial",
            "diameter_um.nuclei": 7.5,
        },
    ]
    assert sweep.nest(runs[0]) == {"find_seeds": {"h_maxima": {"h_um": "0.06 d"}}, "adjust_contrast": {"steps": ["stretch", "gamma"]}}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("find_seeds.h_um\n3\n", "column 'find_seeds.h_um' is no key of the configuration; did you mean 'find_seeds.h_maxima.h_um'?"),
        ("find_seeds\n3\n", "column 'find_seeds' is no key of the configuration; did you mean 'find_seeds.smoothing_um' or"),
        ("binarise.factor\n3\n", "did you mean 'binarize.factor'?"),
        ("import_stack.downsample\n2\n", "column 'import_stack.downsample' cannot be swept, as it changes the grid"),
        ("select_objects.min_volume_um3\n2\n", "cannot be swept, as it changes what is measured"),
        ("binarize.factor\n1\n-2\n", "sweep.csv row 2.binarize.factor: -2 is not above 0; give what the value"),
        ("binarize.method\nlee\n", "sweep.csv row 1.binarize.method: unknown method 'lee'"),
        ("find_seeds.h_maxima.h_um\n3 v\n", "row 1.find_seeds.h_maxima.h_um: '3 v' is not of the right form or range; give a length in um"),
        ("preset\nmine\n", "row 1.preset: unknown preset 'mine'; known: default, tutorial"),
        ("diameter_um.nuclei\n0\n", "row 1.diameter_um.nuclei: 0 is not above 0"),
        ("binarize.factor\n[1\n", "row 1.binarize.factor: '[1' is no value; write it as in the configuration"),
        ("binarize.factor,binarize.factor\n1,2\n", "column 'binarize.factor' stands twice; remove one"),
        ("binarize.factor\n", "holds no run; add a row for each set of settings"),
    ],
)
def test_faults_name_row_key_value_and_cure(tmp_path, text, fault):
    _, faults = read(tmp_path, text)
    assert len(faults) == 1
    assert fault in faults[0]


def test_all_faults_at_once_and_a_missing_table(tmp_path):
    _, faults = read(tmp_path, "binarize.factor,binarize.metod\n-1,x\nbig,y\n")
    assert len(faults) == 3
    _, faults = sweep.read_sweep(str(tmp_path / "none.csv"), CONFIG, STAGES, [], check=True)
    assert faults == [f"config.sweep: '{tmp_path}/none.csv' does not exist; correct the path, which counts from the working directory"]


def test_the_example_of_the_documents_is_sound(tmp_path):
    example = (ROOT / "config" / "README.md").read_text(encoding="utf-8").split("```csv\n")[1].split("```")[0]
    runs, faults = read(tmp_path, example)
    assert faults == []
    assert len(runs) == 3


def test_every_key_of_the_swept_stages_can_be_swept():
    keys = sweep.key_names(STAGES)
    assert {"denoise.method", "denoise.gaussian.sigma_um", "binarize.hysteresis.scale", "clean_mask.opening.shape"} <= set(keys)
    assert not [key for key in keys if key.split(".")[0] in sweep.NOT_SWEPT]
    completed, _ = settings.complete({}, CONFIG, STAGES, check=False)
    for key in keys:
        if key in sweep.NO_STAGE:
            continue
        block = completed
        for name in key.split("."):
            block = block[name]
        assert not isinstance(block, dict)


def test_places_of_runs():
    assert sweep.place(0, "a") == "a"
    assert sweep.place(3, "a") == "sweep/3/a"
    files = ["results/sweep/3/a/nuclei/x.tif", "seeds/sweep/3/a.csv"]
    assert sweep.without_place(files, 3, "a") == ["results/a/nuclei/x.tif", "seeds/a.csv"]
    assert sweep.without_place("results/a/x.tif", 0, "a") == "results/a/x.tif"
    assert sweep.with_place("/data/a/a/nuclei/a/x.tif", 3, "a", "/data/a") == "/data/a/sweep/3/a/nuclei/a/x.tif"
    assert sweep.with_place("results/a/x.tif", 0, "a", "results") == "results/a/x.tif"
    assert sweep.pattern_of_runs("results/{stack}/{channel}/x.tif") == "results/sweep/{run}/{stack}/{channel}/x.tif"
    assert sweep.pattern_of_runs("results/{stack,a|b{1,2}}/nuclei/x.tif") == "results/sweep/{run}/{stack}/nuclei/x.tif"


def summary(f1, quality=0.5, missed=1, bias=None):
    return {"f1": f1, "panoptic_quality": quality, "count_missed": missed, "volume_bias_percent": bias}


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


def test_the_best_run_is_a_sound_preset_on_top_of_its_own():
    ranked = rank_runs([[summary(0.6)], [summary(0.8)]])
    tried = [{}, {"find_seeds.h_maxima.h_um": "0.06 d", "denoise.method": "median", "preset": "mine", "diameter_um.nuclei": 7.5}]
    text = write_preset(ranked, tried, [{}, {"denoise": {"method": "gaussian", "median": {"planes": True}}}], ["a", "b"])
    config = yaml.safe_load(text)
    expected = {"denoise": {"method": "median", "median": {"planes": True}}, "find_seeds": {"h_maxima": {"h_um": "0.06 d"}}}
    assert config == {"presets": {"best": expected}}
    assert settings.complete(config, CONFIG, STAGES, check=True)[1] == []
    assert "F1 0.800 at IoU 0.5, mean over a, b" in text
    assert "set diameter_um.nuclei to 7.5" in text
    assert "# It is the configuration as it stands." in write_preset(rank_runs([[summary(0.6)]]), [{}], [{}], ["a"])


def test_tables(tmp_path):
    labels = np.repeat(np.arange(3, dtype="uint16"), 4).reshape(1, 3, 4)
    for run, found in enumerate((labels * 0, labels)):
        for stack in "ab":
            scored = {"nuclei": evaluate_labels(labels, found, (1, 1, 1))}
            whole_files.write_json(tmp_path / f"{run}{stack}.json", {"stack": stack, "objects": scored})
    outputs = {name: tmp_path / f"{name}.out" for name in ("scores", "runs", "best")}
    files = [tmp_path / f"{run}{stack}.json" for run in "01" for stack in "ab"]
    script.main(stack_scores=files, **outputs, settings=[{"binarize.factor": 0.9}], presets=[{}, {}], stacks=["a", "b"])
    assert [row["same_as"] for row in table_io.read_rows(outputs["runs"])] == ["", ""]
    rows = list(table_io.read_rows(outputs["scores"]))
    assert [(row["run"], row["binarize.factor"], row["stack"], row["f1"]) for row in rows] == [
        ("0", "", "a", "0"),
        ("0", "", "b", "0"),
        ("1", "0.9", "a", "1"),
        ("1", "0.9", "b", "1"),
    ]
    runs = list(table_io.read_rows(outputs["runs"]))
    assert [(row["run"], row["binarize.factor"], row["rank"], row["count_missed"]) for row in runs] == [
        ("0", "", "2", "4"),
        ("1", "0.9", "1", "0"),
    ]
    again = {"settings": [{"binarize.factor": 0.9}, {"binarize.factor": 0.90}], "presets": [{}, {}, {}], "stacks": ["a", "b"]}
    script.main(stack_scores=[*files, *files[2:]], **outputs, **again)
    assert [row["same_as"] for row in table_io.read_rows(outputs["runs"])] == ["", "", "1"]
    assert yaml.safe_load(outputs["best"].read_text()) == {"presets": {"best": {"binarize": {"factor": 0.9}}}}


def test_values_stand_in_their_order():
    assert sort_values({"0.1 d", AS_IT_STANDS, "0.02 d", "li"}) == [AS_IT_STANDS, "0.02 d", "0.1 d", "li"]
    assert sort_values({"10", "9", "1e1"}) == ["9", "10", "1e1"]


def test_plot_shows_runs_stacks_and_means_over_each_key():
    rows = [
        {"run": str(run), "stack": stack, "object": "nuclei", "f1": str(f1), "a": a, "b": b}
        for run, a, b, scores in ((0, "", "", (0.5, 0.7)), (1, "2", "x", (0.6, 1.0)), (2, "2", "", (0.4, 0.4)))
        for stack, f1 in zip(("s", "t"), scores, strict=True)
    ]
    figure = plot_sweep(rows, ["a", "b"])
    panels = {axes.get_label(): axes for axes in figure.axes}
    assert list(panels) == ["a", "b"]
    lines = {tuple(map(float, line.get_xdata())): line for line in panels["a"].lines if line.get_linestyle() == "-"}
    assert len(lines) == 1  # all at the same places
    drawn = [[round(float(y), 6) for y in line.get_ydata()] for line in panels["a"].lines]
    assert drawn == [[0.6, 0.8, 0.4], [0.5, 0.5], [0.7, 0.7], [0.6, 0.6]]  # runs, then each stack, then the mean
    assert [text.get_text() for text in panels["b"].get_xticklabels()] == [AS_IT_STANDS, "x"]
    assert "2 runs; run 1 is best with 0.800, the configuration as it stands has 0.600" in [text.get_text() for text in figure.texts]
