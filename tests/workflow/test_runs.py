"""Whole runs on small stacks: results, exact re-runs, the same bytes by any way."""

import csv
import json
import shutil

import numpy as np
import pytest
import tifffile
import yaml
from study import ROOT, SPACING, Study, constant, copy_workflow, jobs, write_pair

from cellstack import io

OTHER_SETTINGS = {
    "correct_background": {"steps": ["depth"]},
    "adjust_contrast": {"steps": ["equalize"]},
    "denoise": {"method": "median"},
    "binarize": {"method": "li"},
    "clean_mask": {"steps": ["fill_holes"]},
    "label_components": {"connectivity": 6},
    "find_seeds": {"method": "peaks"},
    "split_objects": {"method": "intensity"},
    "merge_objects": {"method": "none"},
    "outline_objects": {"method": "none"},
    "select_objects": {"min_volume_um3": 1},
}


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of a copy of the workflow: a colony with two channels, and the stacks that hold no proper object."""
    folder = tmp_path_factory.mktemp("finished")
    study = Study(folder, copy_workflow(folder / "workflow"))
    write_pair(folder, "colony")
    rng = np.random.default_rng(0)
    odd = {
        "empty": constant(0),
        "flat": constant(77),
        "noise-free-plane": np.pad(np.full((1, 20, 20), 200, np.uint8), ((0, 0), (30, 30), (30, 30))),
        "full": rng.integers(200, 210, (6, 40, 40)).astype(np.uint8),
    }
    study.add("colony", image="colony-nuclei.tif", truth="colony-truth.tif", condition="=1+1", mouse="7")
    study.add("colony", "membrane", image="colony-membrane.tif", truth="colony-cells.tif", mouse="8")
    study.add("walls", "membrane", image="colony-membrane.tif", diameter_um=11)
    study.add("brought", image="colony-nuclei.tif", labels="colony-truth.tif", truth="colony-truth.tif")
    study.add("brought", "membrane", image="colony-membrane.tif", labels="colony-cells.tif", truth="colony-cells.tif")
    study.add("by-tutorial", image="colony-nuclei.tif", preset="tutorial")
    study.add("unused", image="nowhere.tif", use="false")
    for name, stack in odd.items():
        io.write_stack(folder / f"{name}.tif", stack, SPACING)
        study.add(name, image=f"{name}.tif", preset="whole" if name == "full" else "")
    study.add("flat", "membrane", image="flat.tif")
    whole = {"adjust_contrast": {"steps": ["none"]}, "binarize": {"method": "fixed", "fixed": {"value": 0.1}}}
    whole["merge_objects"] = {"convexity": {"min_convexity": 0, "min_border": 0, "max_volume_um3": 1e6}}
    study.config["presets"] = {"whole": whole}
    process = study.run(cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return study


def test_every_file_of_the_contract_is_there(finished):
    for name in ("raw.tif", "contrast.tif", "denoised.tif", "mask.tif", "clean.tif", "components.tif", "distance.tif", "seeds.tif"):
        stack, spacing = io.read_stack(finished.result("colony", "nuclei", name))
        assert stack.shape == (16, 96, 96)
        assert spacing == SPACING
        assert tifffile.memmap(finished.result("colony", "nuclei", name), mode="r").shape == stack.shape
    for name in ("split.tif", "labels.ome.tif", "objects.csv", "threshold.json", "import.json"):
        assert finished.result("colony", "nuclei", name).exists()
    tables = ("objects", "stacks", "columns", "scores", "stack_scores", "score_columns")
    for name in (*(f"{table}.csv" for table in tables), "config.yaml", "colony/scores.json"):
        assert finished.result(name).exists()
    for name in ("seeds.tif", "background.tif", "compartments.tif", "split.tif", "labels.ome.tif", "objects.csv", "summary.csv"):
        assert finished.result("colony", "cells", name).exists()
    figures = {path.name for path in finished.result("colony", "figures").iterdir()}
    assert figures == {f"{kind}_{figure}.png" for kind in ("nuclei", "cells") for figure in ("segmentation", "planes")}
    assert not list(finished.folder.rglob("*.partial*"))
    assert not finished.result("unused").exists()


def test_tables_tell_objects_stacks_and_the_users_columns(finished):
    objects = read_csv(finished.result("objects.csv"))
    labels, _ = io.read_stack(finished.result("colony", "nuclei", "labels.ome.tif"))
    cells = [row for row in objects if row["stack"] == "colony" and row["object"] == "cells"]
    assert cells
    assert {(row["condition"], row["mouse"]) for row in cells} == {
        ("'=1+1", "8")
    }  # what the row of membrane leaves empty that of nuclei gives
    colony = [row for row in objects if row["stack"] == "colony" and row["object"] == "nuclei"]
    assert [int(row["label"]) for row in colony] == list(range(1, int(labels.max()) + 1))
    assert {row["condition"] for row in colony} == {"'=1+1"}  # no spreadsheet computes it
    assert {row["mouse"] for row in colony} == {"7"}
    raw, _ = io.read_stack(finished.result("colony", "membrane", "raw.tif"))
    assert float(colony[0]["max_intensity_membrane"]) == raw[labels == 1].max()
    assert int(colony[0]["volume_voxels"]) == (labels == 1).sum()
    assert float(colony[0]["volume_um3"]) == pytest.approx((labels == 1).sum() * np.prod(SPACING))
    split, _ = io.read_stack(finished.result("colony", "nuclei", "split.tif"))
    assert all((split[labels == int(row["label"])] == int(row["split_label"])).all() for row in colony)
    stacks = read_csv(finished.result("stacks.csv"))
    nuclei, cells = ([row["stack"] for row in stacks if row["object"] == kind] for kind in ("nuclei", "cells"))
    assert nuclei == ["colony", "brought", "by-tutorial", "empty", "flat", "noise-free-plane", "full"]
    assert cells == ["colony", "walls", "brought", "flat"]
    assert {row["column"] for row in read_csv(finished.result("columns.csv"))} == objects[0].keys()


def test_cells_hold_their_nuclei(finished):
    nuclei, cells = (io.read_stack(finished.result("colony", kind, "split.tif"))[0] for kind in ("nuclei", "cells"))
    np.testing.assert_array_equal(cells[nuclei > 0], nuclei[nuclei > 0])
    scores = json.loads(finished.result("colony", "scores.json").read_text())["objects"]
    assert scores["cells"]["summary"]["f1"] >= 0.9
    assert not finished.result("walls", "nuclei").exists()


def test_stacks_without_objects_have_honest_results(finished):
    kinds = {(row["stack"], row["object"]): row for row in read_csv(finished.result("stacks.csv"))}
    assert kinds["flat", "cells"]["status"] == "no objects"
    assert "no walls" in (finished.folder / "logs" / "flat" / "cells" / "find_cell_seeds.log").read_text()
    stacks = {stack: row for (stack, kind), row in kinds.items() if kind == "nuclei"}
    for name in ("empty", "flat"):
        assert stacks[name]["status"] == "no objects"
        assert stacks[name]["count_found"] == "0"
        labels, spacing = io.read_stack(finished.result(name, "nuclei", "labels.ome.tif"))
        assert not labels.any()
        assert spacing == SPACING
        assert finished.result(name, "figures", "nuclei_segmentation.png").stat().st_size > 5000
        assert len(read_csv(finished.result(name, "nuclei", "objects.csv"))) == 0
    assert stacks["noise-free-plane"]["count_measured"] == "1"
    mask, _ = io.read_stack(finished.result("full", "nuclei", "mask.tif"))
    assert mask.all()
    assert (stacks["full"]["count_found"], stacks["full"]["count_dropped_lateral_face"]) == ("1", "1")
    assert stacks["full"]["status"] == "no objects"


def test_truth_and_labels_made_elsewhere(finished):
    scores = json.loads(finished.result("colony", "scores.json").read_text())["objects"]["nuclei"]
    assert scores["thresholds"][4]["iou_threshold"] == 0.5
    assert scores["thresholds"][4]["f1"] == scores["summary"]["f1"] >= 0.9
    brought = json.loads(finished.result("brought", "scores.json").read_text())["objects"]["nuclei"]
    assert [row["f1"] for row in brought["thresholds"]] == [1.0] * 9
    assert not any(brought["faults"].values())
    assert not finished.result("brought", "nuclei", "mask.tif").exists()  # nothing is computed that nobody reads


def test_labels_made_elsewhere_go_through_all_like_ours(finished, tmp_path):
    elsewhere = Study(tmp_path)
    for name in ("colony-nuclei.tif", "colony-membrane.tif", "colony-truth.tif", "colony-cells.tif"):
        shutil.copy(finished.folder / name, tmp_path)
    shutil.copy(finished.result("colony", "nuclei", "split.tif"), tmp_path / "labels.tif")
    elsewhere.add("colony", image="colony-nuclei.tif", truth="colony-truth.tif", labels="labels.tif", condition="=1+1", mouse="7")
    elsewhere.add("colony", "membrane", image="colony-membrane.tif", truth="colony-cells.tif", mouse="8")
    process = elsewhere.run("all", "evaluate", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    ours, theirs = finished.digest(), elsewhere.digest()
    same = [name for name in theirs if name.startswith("colony/")]
    assert {"colony/scores.json", "colony/nuclei/objects.csv", "colony/nuclei/labels.ome.tif", "colony/nuclei/selection.csv"} <= set(same)
    assert {"colony/figures/nuclei_faults.png", "colony/figures/nuclei_segmentation.png"} <= set(same)
    assert [name for name in same if name in ours and ours[name] != theirs[name]] == []
    assert b"colony" in theirs["evaluation.html"]


def test_resolved_configuration_says_what_was_done(finished):
    resolved = yaml.safe_load(finished.result("config.yaml").read_text())
    assert resolved["denoise"]["gaussian"]["sigma_um"] == "0.06 d"
    default = next(entry for entry in resolved["resolved"] if entry["preset"] == "default")
    assert default["stages"]["denoise"] == {"method": "gaussian", "options": {"sigma_um": 0.48}}
    tutorial = next(entry for entry in resolved["resolved"] if entry["preset"] == "tutorial")
    assert tutorial["stacks"] == ["by-tutorial"]
    assert tutorial["stages"]["binarize"] == {"factor": 0.9, "method": "li", "options": {}}


def test_a_second_run_and_touched_sources_do_nothing(finished):
    assert "Nothing to be done" in finished.run().stderr
    for path in (*finished.workflow.rglob("*.py"), *finished.workflow.rglob("*.smk"), finished.workflow / "Snakefile"):
        path.touch()
    assert "Nothing to be done" in finished.run().stderr


def test_a_changed_setting_reruns_what_depends_on_it_and_nothing_else(finished):
    finished.config["find_seeds"] = {"combined": {"min_distance_um": 4.1}}
    changed = jobs(finished.run("--dry-run"))
    finished.config["find_seeds"] = {}
    finished.config["merge_cells"] = {"min_wall": 0.4}
    of_cells = jobs(finished.run("--dry-run"))
    del finished.config["merge_cells"]
    finished.config["find_seeds"] = {"peaks": {"min_distance_um": 3.3}}  # a method that is not in use
    unchanged = jobs(finished.run("--dry-run"))
    del finished.config["find_seeds"]
    computed = 6  # seven stacks, of which one brought its labels and one stands under another preset, whose seeds are peaks
    assert changed["find_seeds"] == computed - 1
    assert changed["split_objects"] == computed - 1
    assert changed["write_config"] == 1
    assert not changed.keys() & {"import_stack", "adjust_contrast", "denoise", "binarize", "clean_mask", "label_components"}
    assert set(unchanged) == {"write_config", "all"}
    assert of_cells["merge_cells"] == 3  # of four, one brought its cells
    assert not of_cells.keys() & {"split_objects", "enhance_membrane", "find_cell_seeds", "segment_cells"}


@pytest.mark.parametrize("stage", OTHER_SETTINGS)
def test_each_stage_reruns_with_what_follows_it(finished, stage):
    order = list(yaml.safe_load((ROOT / "config" / "schemas" / "stages.schema.yaml").read_text())["properties"])
    finished.config[stage] = OTHER_SETTINGS[stage]
    changed = jobs(finished.run("--dry-run", "results/colony/nuclei/objects.csv"))
    del finished.config[stage]
    assert changed[stage] == 1
    assert not changed.keys() & set(order[: order.index(stage)])
    assert changed["measure_objects"] == 1


def test_a_changed_library_module_reruns_what_imports_it(finished):
    module = finished.workflow / "scripts" / "cellstack" / "surface_area.py"
    source = module.read_text()
    module.write_text(source + "\n# changed\n")
    changed = jobs(finished.run("--dry-run"))
    module.write_text(source)
    assert changed["measure_objects"] == 7 + 4
    assert not changed.keys() & {"import_stack", "split_objects", "select_objects", "plot_segmentation", "evaluate_labels"}


def test_the_same_bytes_by_cores_order_and_working_directory(finished, tmp_path):
    other = Study(tmp_path / "a folder, with 'quotes'")
    other.folder.mkdir()
    for path in finished.folder.glob("*.tif"):
        shutil.copy(path, other.folder)
    other.rows = [row for row in reversed(finished.rows) if row["stack"] in ("colony", "brought", "empty")]
    process = other.run(cores=1, cwd=tmp_path)
    assert process.returncode == 0, process.stderr[-4000:]
    ours, theirs = finished.digest(), other.digest()
    ordered = ("objects.csv", "pairs.csv", "summary.csv")  # whose columns follow the order of the channels
    compared = [name for name in theirs if "/" in name and not name.endswith(ordered) and not name.startswith("figures/")]
    assert len(compared) > 30
    assert [name for name in compared if ours[name] != theirs[name]] == []
    rows = {json.dumps(row, sort_keys=True) for row in read_csv(finished.result("colony", "nuclei", "objects.csv"))}
    assert rows == {json.dumps(row, sort_keys=True) for row in read_csv(other.result("colony", "nuclei", "objects.csv"))}


def test_a_method_is_one_function_and_one_schema_entry(tmp_path):
    study = Study(tmp_path, copy_workflow(tmp_path / "workflow"))
    write_pair(tmp_path, "colony")
    study.add("colony", image="colony-nuclei.tif")
    study.config["denoise"] = {"method": "darken", "darken": {"share": 0.25}}
    before = study.run("results/colony/nuclei/denoised.tif")
    assert "config.denoise.method: unknown method 'darken'" in before.stderr
    module = study.workflow / "scripts" / "cellstack" / "denoise.py"
    module.write_text(module.read_text() + "\n\n@METHODS\ndef darken(stack, spacing, *, share):\n    return stack * np.float32(share)\n")
    schema = study.workflow / "config" / "schemas" / "stages.schema.yaml"
    content = yaml.safe_load(schema.read_text())
    option = {"type": "number", "default": 0.5}
    entry = {"type": "object", "additionalProperties": False, "default": {}, "properties": {"share": option}}
    content["properties"]["denoise"]["properties"]["darken"] = entry
    schema.write_text(yaml.safe_dump(content))
    after = study.run("results/colony/nuclei/denoised.tif")
    assert after.returncode == 0, after.stderr[-4000:]
    contrast, _ = io.read_stack(study.result("colony", "nuclei", "contrast.tif"))
    denoised, _ = io.read_stack(study.result("colony", "nuclei", "denoised.tif"))
    np.testing.assert_array_equal(denoised, contrast * np.float32(0.25))


def test_used_as_a_module_of_another_workflow(tmp_path):
    write_pair(tmp_path, "colony")
    study = Study(tmp_path)
    study.add("colony", image="colony-nuclei.tif")
    study.write()
    snakefile = tmp_path / "Snakefile"
    snakefile.write_text(
        f'configfile: "config.yaml"\n\nmodule cellstack:\n    snakefile: "{ROOT / "Snakefile"}"\n    config: config\n\n'
        "use rule * from cellstack as cellstack_*\n\nrule mine:\n    default_target: True\n"
        '    input: "results/objects.csv"\n    output: "count.txt"\n    shell: "wc -l < {input} > {output}"\n'
    )
    study.workflow = tmp_path
    process = study.run()
    assert process.returncode == 0, process.stderr[-4000:]
    assert int((tmp_path / "count.txt").read_text()) == 1 + len(read_csv(study.result("objects.csv")))


def test_report_is_written(finished):
    process = finished.run("--report", "report.zip")
    assert process.returncode == 0, process.stderr[-2000:]
    assert (finished.folder / "report.zip").stat().st_size > 100_000
