import pytest
import yaml
from study import ROOT

from cellstack.config import settings, sweep_table


def load(name):
    return yaml.safe_load(
        (ROOT / "config" / "schemas" / f"{name}.schema.yaml").read_text(encoding="utf-8")
    )


STAGES = load("stages")
CONFIG = settings.join_schemas(load("config"), STAGES)


def read(tmp_path, text, **options):
    path = tmp_path / "sweep.csv"
    path.write_text(text, encoding="utf-8")
    return sweep_table.read_sweep(
        str(path), CONFIG, STAGES, ["default", "tutorial"], **{"check": True} | options
    )


def test_empty_rows_are_no_runs(tmp_path):
    runs, errors = read(tmp_path, "binarize.factor,preset\n1.1,\n,\n\n1.2,\n")
    assert errors == []
    assert runs == [{"binarize.factor": 1.1}, {"binarize.factor": 1.2}]


def test_cells_are_read_as_yaml_and_empty_ones_are_ignored(tmp_path):
    runs, errors = read(
        tmp_path,
        "find_seeds.h_maxima.h_um,binarize.factor,adjust_contrast.steps,"
        "denoise.median.slice_by_slice,preset,diameter_um.nuclei\n"
        '0.06 d,,"[percentile_stretch, gamma]",,,\n0.4,1.1,,true,tutorial,7.5\n',
    )
    assert errors == []
    assert runs == [
        {
            "find_seeds.h_maxima.h_um": "0.06 d",
            "adjust_contrast.steps": ["percentile_stretch", "gamma"],
        },
        {
            "find_seeds.h_maxima.h_um": 0.4,
            "binarize.factor": 1.1,
            "denoise.median.slice_by_slice": True,
            "preset": "tutorial",
            "diameter_um.nuclei": 7.5,
        },
    ]
    assert sweep_table.nest(runs[0]) == {
        "find_seeds": {"h_maxima": {"h_um": "0.06 d"}},
        "adjust_contrast": {"steps": ["percentile_stretch", "gamma"]},
    }


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "find_seeds.h_um\n3\n",
            "column 'find_seeds.h_um' is not a key of the configuration; "
            "did you mean 'find_seeds.h_maxima.h_um'?",
        ),
        (
            "find_seeds\n3\n",
            "column 'find_seeds' is not a key of the configuration; "
            "did you mean 'find_seeds.smoothing_um' or",
        ),
        ("binarise.factor\n3\n", "did you mean 'binarize.factor'?"),
        (
            "import_stack.downsample\n2\n",
            "column 'import_stack.downsample' cannot be swept, because it changes the voxel",
        ),
        ("select_objects.min_volume_um3\n2\n", "cannot be swept, because it changes which objects"),
        (
            "binarize.factor\n1\n-2\n",
            "sweep.csv row 2.binarize.factor: -2 is not above 0; give the factor by which",
        ),
        ("binarize.method\nlee\n", "sweep.csv row 1.binarize.method: unknown method 'lee'"),
        (
            "find_seeds.h_maxima.h_um\n3 v\n",
            "row 1.find_seeds.h_maxima.h_um: '3 v' has the wrong format or is out of range; give",
        ),
        ("preset\nmine\n", "row 1.preset: unknown preset 'mine'; known: default, tutorial"),
        ("diameter_um.nuclei\n0\n", "row 1.diameter_um.nuclei: 0 is not above 0"),
        (
            "binarize.factor\n[1\n",
            "row 1.binarize.factor: '[1' is not a value in YAML; write it as in the configuration",
        ),
        (
            "binarize.factor,binarize.factor\n1,2\n",
            "column 'binarize.factor' occurs 2 times; remove all but one",
        ),
        (
            "binarize.half_height.surround_um\n1\n",
            "column 'binarize.half_height.surround_um' was renamed; "
            "use 'binarize.per_object.background_radius_um'",
        ),
        (
            "outline_objects.smooth.sigma_um\n1\n",
            "column 'outline_objects.smooth.sigma_um' was renamed; "
            "use 'smooth_outlines.smooth.sigma_um'",
        ),
        (
            "binarize.method\nhalf_height\n",
            "sweep.csv row 1.binarize.method: 'half_height' was renamed; use 'per_object'",
        ),
        (
            'adjust_contrast.steps\n"[stretch, gamma]"\n',
            "sweep.csv row 1.adjust_contrast.steps: 'stretch' was renamed; "
            "use 'percentile_stretch'",
        ),
        ("binarize.factor\n", "contains no run; add a row for each set of settings"),
    ],
)
def test_errors_name_row_key_value_and_fix(tmp_path, text, error):
    _, errors = read(tmp_path, text)
    assert len(errors) == 1
    assert error in errors[0]


def test_all_errors_are_listed_and_a_missing_table_is_refused(tmp_path):
    _, errors = read(tmp_path, "binarize.factor,binarize.metod\n-1,x\nbig,y\n")
    assert len(errors) == 3
    _, errors = sweep_table.read_sweep(str(tmp_path / "none.csv"), CONFIG, STAGES, [], check=True)
    assert errors == [
        f"config.sweep: '{tmp_path}/none.csv' does not exist; "
        "correct the path, which is relative to the working directory"
    ]


def test_the_example_in_the_documentation_is_valid(tmp_path):
    example = (
        (ROOT / "config" / "README.md")
        .read_text(encoding="utf-8")
        .split("```csv\n")[1]
        .split("```")[0]
    )
    runs, errors = read(tmp_path, example)
    assert errors == []
    assert len(runs) == 3


def test_every_key_of_the_swept_stages_can_be_swept():
    keys = sweep_table.key_names(STAGES)
    assert {
        "denoise.method",
        "denoise.gaussian.sigma_um",
        "binarize.hysteresis.scale",
        "clean_mask.opening.shape",
    } <= set(keys)
    assert not [key for key in keys if key.split(".")[0] in sweep_table.NOT_SWEPT]
    completed, _ = settings.complete({}, CONFIG, STAGES, check=False)
    for key in keys:
        if key in sweep_table.KEYS_WITHOUT_STAGE:
            continue
        block = completed
        for name in key.split("."):
            block = block[name]
        assert not isinstance(block, dict)
