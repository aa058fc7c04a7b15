"""Complete runs on small stacks: the results, what a later run repeats, and reproducibility."""

import csv
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import yaml
from study import (
    ROOT,
    SNAKEMAKE,
    SPACING,
    Study,
    constant,
    copy_workflow,
    environment,
    jobs,
    run_snakemake,
    write_pair,
)

from cellstack.files.stacks import read_stack, write_stack
from cellstack.measure.collect import join_checks

IMAGES = (  # of nuclei, memory-mappable
    "channels/nuclei/raw.tif",
    "channels/nuclei/contrast.tif",
    "channels/nuclei/denoised.tif",
    "nuclei/mask.tif",
    "nuclei/mask_clean.tif",
    "nuclei/components.tif",
    "nuclei/distance.tif",
    "nuclei/seeds.tif",
)
OTHER_FILES = (
    "channels/nuclei/import.json",
    "channels/membrane/raw.tif",
    "channels/membrane/import.json",
    "nuclei/threshold.json",
    "nuclei/watershed.tif",
    "nuclei/merged.tif",
    "nuclei/segmentation.tif",
    "nuclei/ground_truth.tif",
    "nuclei/labels.ome.tif",
    "nuclei/selection.csv",
    "nuclei/objects.csv",
    "nuclei/summary.csv",
    "nuclei/statistics.csv",
    "cells/membrane_smooth.tif",
    "cells/membrane_ridges.tif",
    "cells/membrane_ridges.json",
    "cells/seeds.tif",
    "cells/background.tif",
    "cells/regions.tif",
    "cells/segmentation.tif",
    "cells/labels.ome.tif",
    "cells/contacts.csv",
    "cells/pairs.csv",
    "cells/objects.csv",
    "cells/summary.csv",
    "cells/statistics.csv",
    "scores.json",
)
TABLES = ("objects", "stacks", "statistics", "columns", "scores", "stack_scores")
WITH_LOCKED_PACKAGES = """
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

lock = sys.argv.pop(1)
locked = set(re.findall(r"^([a-z0-9-]+)==", Path(lock).read_text(), re.MULTILINE))
for module, names in packages_distributions().items():
    names = {name.lower().replace("_", "-") for name in names}
    if not module.startswith("snakemake") and not names & locked:  # it imports all its plugins
        sys.modules[module] = None  # importing it is an ImportError

from snakemake.cli import main

main()
"""
OTHER_SETTINGS = {
    "correct_background": {"steps": ["depth_attenuation"]},
    "adjust_contrast": {"steps": ["equalize_histogram"]},
    "denoise": {"method": "median"},
    "binarize": {"method": "li"},
    "clean_mask": {"steps": ["fill_holes"]},
    "label_components": {"connectivity": 6},
    "find_seeds": {"method": "peaks"},
    "split_objects": {"method": "intensity"},
    "merge_objects": {"method": "none"},
    "smooth_outlines": {"method": "none"},
    "select_objects": {"min_volume_um3": 1},
}
STACKS_WITH_NUCLEI = (
    "colony",
    "external",
    "by-tutorial",
    "empty",
    "constant",
    "noise-free-plane",
    "full",
)
STACKS_WITH_CELLS = ("colony", "walls", "external", "constant")
NEW_METHOD = """

@METHODS
def darken(stack, spacing, *, share):
    return stack * np.float32(share)
"""
USED_AS_A_MODULE = """\
configfile: "config.yaml"

module cellstack:
    snakefile: "{snakefile}"
    config: config

use rule * from cellstack as cellstack_*

rule mine:
    default_target: True
    input: "results/objects.csv"
    output: "count.txt"
    shell: "wc -l < {{input}} > {{output}}"
"""


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_labels(study, stack, kind, name="segmentation.tif"):
    return read_stack(study.result(stack, kind, name))[0]


def read_scores(study, stack):
    return json.loads(study.result(stack, "scores.json").read_text())["objects"]


def write_odd_stacks(folder):
    """Write stacks without normal objects, and return their names."""
    rng = np.random.default_rng(0)
    bright_square = np.full((1, 20, 20), 200, np.uint8)
    stacks = {
        "empty": constant(0),
        "constant": constant(77),
        "noise-free-plane": np.pad(bright_square, ((0, 0), (30, 30), (30, 30))),
        "full": rng.integers(200, 210, (6, 40, 40)).astype(np.uint8),
    }
    for name, stack in stacks.items():
        write_stack(folder / f"{name}.tif", stack, SPACING)
    return list(stacks)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of a copy of the workflow: a colony with two channels, and odd stacks."""
    folder = tmp_path_factory.mktemp("finished")
    study = Study(folder, copy_workflow(folder / "workflow"))
    write_pair(folder, "colony")
    nuclei = {"image": "colony-nuclei.tif", "ground_truth": "colony-truth.tif"}
    membrane = {"image": "colony-membrane.tif", "ground_truth": "colony-cells.tif"}
    study.add("colony", **nuclei, condition="=1+1", mouse="7")
    study.add("colony", "membrane", **membrane, mouse="8")
    study.add("walls", "membrane", image="colony-membrane.tif", diameter_um=11)
    study.add("external", **nuclei, labels="colony-truth.tif")
    study.add("external", "membrane", **membrane, labels="colony-cells.tif")
    study.add("by-tutorial", image="colony-nuclei.tif", preset="tutorial")
    study.add("not-included", image="nowhere.tif", include="false")
    for name in write_odd_stacks(folder):
        preset = "all-foreground" if name == "full" else ""
        study.add(name, image=f"{name}.tif", preset=preset)
    study.add("constant", "membrane", image="constant.tif")
    merge_all = {
        "min_convexity": 0,
        "min_border_intensity_ratio": 0,
        "max_volume_um3": 1e6,
        "max_relative_volume": 1e6,
    }
    study.config["presets"] = {
        "all-foreground": {
            "adjust_contrast": {"steps": ["none"]},
            "binarize": {"method": "fixed", "fixed": {"value": 0.1}},
            "merge_objects": {"convexity": merge_all},
        }
    }
    process = study.run(cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return study


def test_all_documented_files_exist(finished):
    for name in IMAGES:
        path = finished.result("colony", name)
        stack, spacing = read_stack(path)
        assert stack.shape == (16, 96, 96)
        assert spacing == SPACING
        assert tifffile.memmap(path, mode="r").shape == stack.shape
    for name in OTHER_FILES:
        assert finished.result("colony", name).exists(), name
    for name in (*(f"{table}.csv" for table in TABLES), "config.yaml"):
        assert finished.result(name).exists(), name
    figures = {path.name for path in finished.result("colony", "figures").iterdir()}
    assert figures == {
        f"{kind}_{figure}.png"
        for kind in ("nuclei", "cells")
        for figure in ("segmentation", "planes")
    }
    assert not list(finished.folder.rglob("*.partial*"))
    assert not finished.result("not-included").exists()


def test_logs_are_in_folders_like_those_of_the_results(finished):
    for name in ("channels/nuclei/import_stack", "nuclei/find_seeds", "cells/merge_cells"):
        assert finished.log("colony", f"{name}.log").exists()


def test_tables_contain_objects_stacks_and_the_users_columns(finished):
    objects = read_csv(finished.result("objects.csv"))
    labels = read_labels(finished, "colony", "nuclei", "labels.ome.tif")
    colony = [row for row in objects if row["stack"] == "colony"]
    cells = [row for row in colony if row["object"] == "cells"]
    assert cells
    # a cell of the sheet that is empty in the row of the membrane is taken from that of the nuclei
    assert {(row["condition"], row["mouse"]) for row in cells} == {("'=1+1", "8")}
    nuclei = [row for row in colony if row["object"] == "nuclei"]
    assert [int(row["label"]) for row in nuclei] == list(range(1, int(labels.max()) + 1))
    assert {row["condition"] for row in nuclei} == {"'=1+1"}  # not a formula for spreadsheets
    assert {row["mouse"] for row in nuclei} == {"7"}
    raw, _ = read_stack(finished.result("colony", "channels", "membrane", "raw.tif"))
    first = nuclei[0]
    voxels = (labels == 1).sum()
    assert float(first["max_intensity_membrane"]) == raw[labels == 1].max()
    assert int(first["volume_voxels"]) == voxels
    assert float(first["volume_um3"]) == pytest.approx(voxels * np.prod(SPACING))
    segmentation = read_labels(finished, "colony", "nuclei")
    for row in nuclei:
        in_segmentation = segmentation[labels == int(row["label"])]
        assert (in_segmentation == int(row["segmentation_label"])).all()
    columns = read_csv(finished.result("columns.csv"))
    for table in ("objects", "stacks", "statistics", "scores", "stack_scores"):
        described = {row["column"] for row in columns if row["table"] == f"{table}.csv"}
        assert described == read_csv(finished.result(f"{table}.csv"))[0].keys()


def test_the_table_of_stacks_has_the_order_of_the_sheet(finished):
    stacks = read_csv(finished.result("stacks.csv"))
    for kind, expected in (("nuclei", STACKS_WITH_NUCLEI), ("cells", STACKS_WITH_CELLS)):
        assert tuple(row["stack"] for row in stacks if row["object"] == kind) == expected


def test_cells_contain_their_nuclei(finished):
    nuclei, cells = (read_labels(finished, "colony", kind) for kind in ("nuclei", "cells"))
    np.testing.assert_array_equal(cells[nuclei > 0], nuclei[nuclei > 0])
    assert read_scores(finished, "colony")["cells"]["summary"]["f1"] >= 0.9
    assert not finished.result("walls", "nuclei").exists()


def test_stacks_without_objects_have_results(finished):
    tables = [read_csv(finished.result(f"{name}.csv")) for name in ("stacks", "checks")]
    rows = {(row["stack"], row["object"]): row for row in join_checks(*tables)}
    assert rows["constant", "cells"]["status"] == "no objects"
    assert "no walls" in finished.log("constant", "cells", "find_cell_seeds.log").read_text()
    for name in ("empty", "constant"):
        assert rows[name, "nuclei"]["status"] == "no objects"
        assert rows[name, "nuclei"]["count_found"] == "0"
        labels, spacing = read_stack(finished.result(name, "nuclei", "labels.ome.tif"))
        assert not labels.any()
        assert spacing == SPACING
        assert finished.result(name, "figures", "nuclei_segmentation.png").stat().st_size > 5000
        assert len(read_csv(finished.result(name, "nuclei", "objects.csv"))) == 0
    assert rows["noise-free-plane", "nuclei"]["count_measured"] == "1"
    full = rows["full", "nuclei"]
    assert read_labels(finished, "full", "nuclei", "mask.tif").all()
    assert (full["count_found"], full["count_dropped_lateral_face"]) == ("1", "1")
    assert full["status"] == "no objects"


def test_ground_truth_and_external_labels(finished):
    scores = read_scores(finished, "colony")["nuclei"]
    assert scores["thresholds"][4]["iou_threshold"] == 0.5
    assert scores["thresholds"][4]["f1"] == scores["summary"]["f1"] >= 0.9
    external = read_scores(finished, "external")["nuclei"]
    assert [row["f1"] for row in external["thresholds"]] == [1.0] * 9
    assert not any(external["errors"].values())
    assert not finished.result("external", "nuclei", "mask.tif").exists()  # is not needed


def test_external_labels_are_treated_like_our_segmentation(finished, tmp_path):
    other = Study(tmp_path)
    for part in ("nuclei", "membrane", "truth", "cells"):
        shutil.copy(finished.folder / f"colony-{part}.tif", tmp_path)
    shutil.copy(finished.result("colony", "nuclei", "segmentation.tif"), tmp_path / "labels.tif")
    nuclei, membrane = (row for row in finished.rows if row["stack"] == "colony")
    other.rows = [nuclei | {"labels": "labels.tif"}, membrane]
    figure = "results/colony/figures/nuclei_segmentation.png"
    process = other.run("results/objects.csv", "evaluate", figure, cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    ours, theirs = finished.digest(), other.digest()
    of_stack = {name for name in theirs if name.startswith("colony/")}
    assert {
        "colony/scores.json",
        "colony/nuclei/objects.csv",
        "colony/nuclei/labels.ome.tif",
        "colony/nuclei/selection.csv",
        "colony/figures/nuclei_errors.png",
        "colony/figures/nuclei_segmentation.png",
    } <= of_stack
    assert [name for name in of_stack & ours.keys() if ours[name] != theirs[name]] == []
    assert b"colony" in theirs["evaluation.html"]


def test_the_resolved_configuration_has_all_settings(finished):
    resolved = yaml.safe_load(finished.result("config.yaml").read_text())
    assert resolved["denoise"]["gaussian"]["sigma_um"] == "0.075 d"
    default = next(entry for entry in resolved["resolved"] if entry["preset"] == "default")
    assert default["stages"]["denoise"] == {"method": "gaussian", "options": {"sigma_um": 0.6}}
    tutorial = next(entry for entry in resolved["resolved"] if entry["preset"] == "tutorial")
    assert tutorial["stacks"] == ["by-tutorial"]
    assert tutorial["stages"]["binarize"] == {"factor": 1, "method": "li", "options": {}}


def test_a_second_run_does_nothing_even_with_touched_sources(finished):
    assert "Nothing to be done" in finished.run().stderr
    for pattern in ("*.py", "*.smk", "Snakefile"):
        for path in finished.workflow.rglob(pattern):
            path.touch()
    assert "Nothing to be done" in finished.run().stderr


def test_a_changed_setting_repeats_only_what_depends_on_it(finished):
    finished.config["find_seeds"] = {"distance_and_blobs": {"min_distance_um": 4.1}}
    changed = jobs(finished.run("--dry-run"))
    finished.config["find_seeds"] = {}
    finished.config["merge_cells"] = {"min_wall_strength": 0.4}
    of_cells = jobs(finished.run("--dry-run"))
    del finished.config["merge_cells"]
    finished.config["find_seeds"] = {"peaks": {"min_distance_um": 3.3}}  # a method that is not used
    unchanged = jobs(finished.run("--dry-run"))
    del finished.config["find_seeds"]
    # of seven stacks, one has external labels, and one has a preset in which seeds are peaks
    assert changed["find_seeds"] == changed["split_objects"] == 5
    assert changed["write_config"] == 1
    before_seeds = {"import_stack", "adjust_contrast", "denoise", "binarize", "clean_mask"}
    assert not changed.keys() & (before_seeds | {"label_components"})
    assert set(unchanged) == {"write_config", "all"}
    assert of_cells["merge_cells"] == 3  # of four stacks, one has external labels
    before_merging = {"enhance_membrane", "find_cell_seeds", "segment_cells"}
    assert not of_cells.keys() & (before_merging | {"split_objects"})


@pytest.mark.parametrize("stage", OTHER_SETTINGS)
def test_a_changed_stage_is_repeated_with_all_that_follow(finished, stage):
    schema = ROOT / "config" / "schemas" / "stages.schema.yaml"
    order = list(yaml.safe_load(schema.read_text())["properties"])
    finished.config[stage] = OTHER_SETTINGS[stage]
    changed = jobs(finished.run("--dry-run", "results/colony/nuclei/objects.csv"))
    del finished.config[stage]
    assert changed[stage] == 1
    assert not changed.keys() & set(order[: order.index(stage)])
    assert changed["measure_objects"] == 1


def test_a_changed_module_repeats_the_rules_that_import_it(finished):
    module = finished.workflow / "scripts" / "cellstack" / "core" / "surface_area.py"
    source = module.read_text()
    module.write_text(source + "\n# changed\n")
    changed = jobs(finished.run("--dry-run"))
    module.write_text(source)
    assert changed["measure_objects"] == len(STACKS_WITH_NUCLEI) + len(STACKS_WITH_CELLS)
    others = {"import_stack", "split_objects", "select_objects", "plot_diameter"}
    assert not changed.keys() & (others | {"evaluate_labels"})


def test_files_do_not_depend_on_cores_order_of_the_sheet_or_working_directory(finished, tmp_path):
    other = Study(tmp_path / "a folder, with 'quotes'")
    other.folder.mkdir()
    for path in finished.folder.glob("*.tif"):
        shutil.copy(path, other.folder)
    chosen = ("colony", "empty")
    other.rows = [row for row in reversed(finished.rows) if row["stack"] in chosen]
    tables = ("objects.csv", "stacks.csv", "scores.csv", "colony/cells/contacts.csv")
    figures = ("colony/figures/nuclei_segmentation.png", "colony/figures/cells_planes.png")
    targets = [f"results/{name}" for name in (*tables, *figures)]
    process = other.run(*targets, cores=1, cwd=tmp_path)
    assert process.returncode == 0, process.stderr[-4000:]
    ours, theirs = finished.digest(), other.digest()
    # the columns of these tables have the order of the channels
    ordered = ("objects.csv", "pairs.csv", "statistics.csv")
    of_all_stacks = {name for name in theirs if "/" not in name or name.startswith("figures/")}
    compared = [name for name in theirs.keys() - of_all_stacks if not name.endswith(ordered)]
    assert len(compared) > 30
    assert [name for name in compared if ours[name] != theirs[name]] == []
    rows = [
        {
            json.dumps(row, sort_keys=True)
            for row in read_csv(study.result("colony", "nuclei", "objects.csv"))
        }
        for study in (finished, other)
    ]
    assert rows[0] == rows[1]


def test_a_method_is_one_function_and_one_schema_entry(tmp_path):
    study = Study(tmp_path, copy_workflow(tmp_path / "workflow"))
    write_pair(tmp_path, "colony")
    study.add("colony", image="colony-nuclei.tif")
    study.config["denoise"] = {"method": "darken", "darken": {"share": 0.25}}
    target = "results/colony/channels/nuclei/denoised.tif"
    before = study.run(target)
    assert "config.denoise.method: unknown method 'darken'" in before.stderr
    module = study.workflow / "scripts" / "cellstack" / "enhance" / "denoise.py"
    module.write_text(module.read_text() + NEW_METHOD)
    schema = study.workflow / "config" / "schemas" / "stages.schema.yaml"
    content = yaml.safe_load(schema.read_text())
    content["properties"]["denoise"]["properties"]["darken"] = {
        "type": "object",
        "additionalProperties": False,
        "default": {},
        "properties": {"share": {"type": "number", "default": 0.5}},
    }
    schema.write_text(yaml.safe_dump(content))
    after = study.run(target)
    assert after.returncode == 0, after.stderr[-4000:]
    channel = study.result("colony", "channels", "nuclei")
    contrast, _ = read_stack(channel / "contrast.tif")
    denoised, _ = read_stack(channel / "denoised.tif")
    np.testing.assert_array_equal(denoised, contrast * np.float32(0.25))


def test_used_as_a_module_of_another_workflow(tmp_path):
    write_pair(tmp_path, "colony")
    study = Study(tmp_path)
    study.add("colony", image="colony-nuclei.tif")
    snakefile = USED_AS_A_MODULE.format(snakefile=ROOT / "Snakefile")
    (tmp_path / "Snakefile").write_text(snakefile)
    study.workflow = tmp_path
    process = study.run()
    assert process.returncode == 0, process.stderr[-4000:]
    count = int((tmp_path / "count.txt").read_text())
    assert count == 1 + len(read_csv(study.result("objects.csv")))


def test_a_report_needs_only_the_locked_packages_of_a_run(finished):
    lock = ROOT / "envs" / "requirements" / "run.txt"
    command = finished.command("--report", "report.zip")[len(SNAKEMAKE) :]
    process = subprocess.run(
        [sys.executable, "-c", WITH_LOCKED_PACKAGES, lock, *command],
        cwd=finished.folder,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    assert (finished.folder / "report.zip").stat().st_size > 100_000


def test_the_output_is_short_and_the_log_complete(tmp_path):
    write_stack(tmp_path / "a.tif", constant(0), SPACING)
    study = Study(tmp_path)
    for i in range(4):
        study.add(f"a{i}", image="a.tif")
    study.write()

    def run(*options):
        process = run_snakemake(*study.arguments(), "--cores", "2", *options, cwd=tmp_path)
        assert process.returncode == 0, process.stderr[-2000:]
        return process.stdout + process.stderr

    dry = run("-n")
    assert "rule import_stack:" not in dry
    assert "import_stack             4" in dry
    assert len(dry.splitlines()) < 60
    assert dry.count("Job stats:") == dry.count("Reasons:") == 1
    assert "output files have to be generated:\n        adjust_contrast, binarize" in dry
    assert "This was a dry-run (flag -n)." in dry.splitlines()
    assert run("-n", "-p").count("rule import_stack:") == 4
    target = "results/stacks.csv"
    printed = run(target)
    assert "rule import_stack:" not in printed
    assert "cellstack: 4 of 4 stacks done" in printed
    assert "cellstack: look at 4 of 4 stacks" in printed
    assert len(printed.splitlines()) < 30
    (log,) = (tmp_path / ".snakemake" / "log").glob("*.log")
    assert log.read_text().count("rule import_stack:") == 4
    (tmp_path / target).unlink()
    assert "cellstack: 4 of 4 stacks done" in run("--quiet", "all", "--", target)
