"""Each rule alone on cached inputs: by Snakemake, from the command line and by a plain call, with the same bytes."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from study import ROOT, Study, environment, jobs, write_pair

from cellstack import gallery_panels, settings

SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("entries"))
    write_pair(study.folder, "colony")
    study.config["simulate_stack"] = {"tiny": {"shape": [12, 64, 64], "spacing": [1, 0.5, 0.5], "nuclei_count": 5, "diameter_um": 8}}
    study.add("colony", image="colony-nuclei.tif", truth="colony-truth.tif", condition="control")
    study.add("colony", "membrane", image="colony-membrane.tif")
    study.add("brought", image="colony-nuclei.tif", labels="colony-truth.tif")
    study.add("simulated", image="resources/simulated/tiny/image.ome.tif", index="nuclei", truth="resources/simulated/tiny/nuclei.ome.tif")
    study.config["correct_background"] = {"steps": ["depth"]}
    study.config["sweep"] = "sweep.tsv"
    (study.folder / "sweep.tsv").write_text("find_seeds.combined.min_distance_um\n5\n", encoding="utf-8")
    more = [f"results/colony/{name}" for name in ("nuclei/edges.tif", "nuclei/crops", "gallery/index.html")]
    more += ["results/colony/membrane/diameter.json", "results/colony/figures/nuclei_diameter.png"]  # as where the diameter is auto
    process = study.run("all", "evaluate", "sweep", *more, cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return study


def arguments(study, rule):
    """Give the inputs, outputs and params of a rule, as Snakemake handed them over; paths count from the study's folder."""
    nuclei, membrane = Path("results/colony/nuclei"), Path("results/colony/membrane")
    config = yaml.safe_load((study.folder / "results/config.yaml").read_text())
    resolved = config.pop("resolved")
    stages = resolved[1]["stages"] | resolved[0]["stages"]  # of cells and of nuclei
    cells = Path("results/colony/cells")
    seen = {"smooth": membrane / "smooth.tif", "walls": membrane / "walls.tif"}
    of_nuclei = {"nuclei": [nuclei / "split.tif"]}
    simulated = Path("resources/simulated/tiny")
    label = {"stack": "colony", "object": "nuclei"}
    tables = [Path("results", *each.split("/")) for each in ("colony/nuclei", "colony/cells", "brought/nuclei", "simulated/nuclei")]
    own = {"/".join(folder.parts[1:]): {"condition": "control"} if "colony" in folder.parts else {} for folder in tables}
    raw, split = {"raw": nuclei / "raw.tif"}, {"split": nuclei / "split.tif"}
    title = {"title": "colony", "note": ""}
    score_tables = ("scores", "stack_scores", "score_columns")
    runs = ("colony", "simulated", "sweep/1/colony", "sweep/1/simulated")
    no_sheet = {"index": None, "z_um": None, "y_um": None, "x_um": None}
    given = {
        "simulate_stack": ({}, {part: simulated / f"{part}.ome.tif" for part in ("image", "nuclei", "cells")}),
        "import_stack": ({"image": [Path("colony-nuclei.tif")]}, raw | {"record": nuclei / "import.json"}),
        "import_labels": ({"image": [Path("colony-truth.tif")]} | raw, {"labels": nuclei / "truth.tif"}),
        "estimate_diameter": (raw, {"record": nuclei / "diameter.json"}),
        "derive_diameter": ({"nuclei": nuclei / "diameter.json"}, {"record": membrane / "diameter.json"}),
        "plot_diameter": (raw | {"record": nuclei / "diameter.json"}, {"figure": Path("results/colony/figures/nuclei_diameter.png")}),
        "write_config": ({}, {"resolved": Path("results/config.yaml")}),
        "correct_background": (raw, {"corrected": nuclei / "corrected.tif"}),
        "adjust_contrast": ({"image": nuclei / "corrected.tif"}, {"contrast": nuclei / "contrast.tif"}),
        "denoise": ({"contrast": nuclei / "contrast.tif"}, {"denoised": nuclei / "denoised.tif"}),
        "detect_edges": ({"denoised": nuclei / "denoised.tif"}, {"edges": nuclei / "edges.tif"}),
        "binarize": (
            {"denoised": nuclei / "denoised.tif", "contrast": [nuclei / "contrast.tif"]},
            {"mask": nuclei / "mask.tif", "threshold": nuclei / "threshold.json"},
        ),
        "clean_mask": ({"mask": nuclei / "mask.tif"}, {"clean": nuclei / "clean.tif"}),
        "label_components": ({"clean": nuclei / "clean.tif"}, {"components": nuclei / "components.tif"}),
        "find_seeds": (
            {name: nuclei / f"{name}.tif" for name in ("clean", "components", "denoised")},
            {"distance": nuclei / "distance.tif", "seeds": nuclei / "seeds.tif"},
        ),
        "split_objects": (
            {name: nuclei / f"{name}.tif" for name in ("seeds", "clean", "distance")} | {"stack": nuclei / "denoised.tif"},
            {"parts": nuclei / "parts.tif"},
        ),
        "merge_objects": ({name: nuclei / f"{name}.tif" for name in ("parts", "denoised")}, {"merged": nuclei / "merged.tif"}),
        "outline_objects": ({"merged": nuclei / "merged.tif"}, split),
        "enhance_membrane": ({"contrast": membrane / "contrast.tif"}, seen | {"record": membrane / "walls.json"}),
        "find_cell_seeds": (
            seen | of_nuclei | {"record": membrane / "walls.json"},
            {"seeds": cells / "seeds.tif", "background": cells / "background.tif"},
        ),
        "segment_cells": (
            seen | of_nuclei | {"seeds": cells / "seeds.tif", "background": cells / "background.tif"},
            {"compartments": cells / "compartments.tif"},
        ),
        "merge_cells": (seen | of_nuclei | {"compartments": cells / "compartments.tif"}, {"split": cells / "split.tif"}),
        "measure_contacts": (
            {"split": cells / "split.tif", "walls": membrane / "walls.tif", "selection": cells / "selection.csv"},
            {"contacts": cells / "contacts.csv"},
        ),
        "measure_pairs": (
            {"labels": cells / "labels.ome.tif", "selection": cells / "selection.csv", "contacts": cells / "contacts.csv"}
            | {"nuclei": nuclei / "split.tif", "raw": [raw["raw"], membrane / "raw.tif"]},
            {"pairs": cells / "pairs.csv"},
        ),
        "select_objects": (split, {"labels": nuclei / "labels.ome.tif", "selection": nuclei / "selection.csv"}),
        "measure_objects": (
            {"labels": nuclei / "labels.ome.tif", "selection": nuclei / "selection.csv", "raw": [raw["raw"], membrane / "raw.tif"]}
            | split
            | {"seeds": [nuclei / "seeds.tif"]},
            {"objects": nuclei / "objects.csv"},
        ),
        "crop_objects": ({"labels": nuclei / "labels.ome.tif", "raw": [raw["raw"], membrane / "raw.tif"]}, {"crops": nuclei / "crops"}),
        "summarize_stack": (
            {"objects": nuclei / "objects.csv", "selection": nuclei / "selection.csv"},
            {"summary": nuclei / "summary.csv"},
        ),
        "collect_objects": (
            {"tables": [folder / "objects.csv" for folder in tables]},
            {"objects": Path("results/objects.csv"), "columns": Path("results/columns.csv")},
        ),
        "collect_stacks": ({"tables": [folder / "summary.csv" for folder in tables]}, {"stacks": Path("results/stacks.csv")}),
        "evaluate_labels": (
            {"truths": [nuclei / "truth.tif"], "splits": [nuclei / "split.tif"]},
            {"scores": Path("results/colony/scores.json")},
        ),
        "collect_scores": (
            {"stack_scores": [Path("results/colony/scores.json"), Path("results/simulated/scores.json")]},
            {name: Path("results", f"{table}.csv") for name, table in zip(("scores", "stacks", "columns"), score_tables, strict=True)},
        ),
        "plot_faults": (
            raw | split | {"truth": nuclei / "truth.tif", "scores": Path("results/colony/scores.json")},
            {"faults": Path("results/colony/figures/nuclei_faults.png")},
        ),
        "write_evaluation": (
            {name: Path("results", f"{name}.csv") for name in ("scores", "stack_scores")}
            | {"faults": [Path("results", stack, "figures", "nuclei_faults.png") for stack in ("colony", "simulated")]},
            {"evaluation": Path("results/evaluation.html")},
        ),
        "collect_sweep": (
            {"stack_scores": [Path("results", place, "scores.json") for place in runs]},
            {name: Path("results/sweep", f"{name}.{ending}") for name, ending in (("scores", "csv"), ("runs", "csv"), ("best", "yaml"))},
        ),
        "plot_sweep": ({"scores": Path("results/sweep/scores.csv")}, {"figure": Path("results/sweep/sweep.png")}),
        "plot_segmentation": (
            raw | split | {"labels": nuclei / "labels.ome.tif"},
            {"segmentation": Path("results/colony/figures/nuclei_segmentation.png")},
        ),
        "plot_volumes": (
            {"tables": [folder / "objects.csv" for folder in tables if folder.name == "nuclei"]},
            {"volumes": Path("results/figures/nuclei_volumes.png")},
        ),
        "plot_planes": (raw | split, {"planes": Path("results/colony/figures/nuclei_planes.png")}),
    }
    of_gallery = arguments_of_gallery(config)
    given |= {name: (inputs, outputs) for name, (inputs, outputs, _) in of_gallery.items()}
    params = {
        "simulate_stack": config["simulate_stack"]["tiny"],
        "import_stack": stages["import_stack"] | {"channel": "nuclei"} | no_sheet,
        "import_labels": stages["import_stack"],
        "write_config": {"config": config, "stages": resolved},
        "estimate_diameter": config["estimate_diameter"],
        "derive_diameter": {"factor": 1.4},
        "plot_diameter": title,
        "measure_objects": label | {"channels": ["nuclei", "membrane"]},
        "crop_objects": stages["crop_objects"] | label | {"channels": ["nuclei", "membrane"]},
        "measure_contacts": {"stack": "colony", "object": "cells"}
        | {key: stages["merge_cells"][key] for key in ("min_wall", "min_contact")},
        "measure_pairs": {"channels": ["nuclei", "membrane"]},
        "summarize_stack": label | {"diameter_um": 8.0, "diameter_source": "given"},
        "collect_objects": {"user_columns": own},
        "collect_stacks": {"user_columns": own},
        "evaluate_labels": {"stack": "colony", "objects": ["nuclei"]},
        "collect_sweep": {"settings": [{"find_seeds.combined.min_distance_um": 5}], "presets": [{}, {}], "stacks": ["colony", "simulated"]},
        "plot_sweep": {"varied": ["find_seeds.combined.min_distance_um"]},
        "plot_faults": title | {"object": "nuclei"},
        "plot_segmentation": title,
        "plot_planes": title,
        "plot_volumes": {
            "stacks": [folder.parent.name for folder in tables if folder.name == "nuclei"],
            "groups": {"colony": "control"},
            "object": "nuclei",
            "group_by": "condition",
            "note": "",
        },
    }
    params |= {name: named for name, (_, _, named) in of_gallery.items()}
    inputs, outputs = given[rule]
    return inputs, outputs, params.get(rule, stages.get(rule, {}))


def contents(path):
    """Give the bytes of a file, or of each file in a folder but that which Snakemake adds."""
    if path.is_file():
        return path.read_bytes()
    return {each.name: each.read_bytes() for each in path.iterdir() if each.name != ".snakemake_timestamp"}


def arguments_of_gallery(config):
    """Give inputs, outputs and params of the rules of the gallery."""
    gallery, nuclei, membrane = Path("results/colony/gallery"), Path("results/colony/nuclei"), Path("results/colony/membrane")
    schema, compared = (yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()) for name in ("schemas/stages.schema", "gallery"))
    presets = yaml.safe_load((ROOT / "config" / "presets.yaml").read_text()) | config["presets"]
    view, diameter = {"view": gallery / "view.json"}, {"diameter_um": 8}

    def stacks(*names):
        return {name: nuclei / f"{name}.tif" for name in names}

    def panels(comparison, stage, beside=None):
        listed, elsewhere = (compared.get(name, {}) for name in (comparison, beside))
        is_grey = comparison == "grey_morphology"
        further = {f"preset {name}": preset[stage] for name, preset in presets.items() if stage in preset and not is_grey}
        return {"panels": gallery_panels.list_panels(stage, listed, config[stage], 8, schema, elsewhere, further)}

    def settings_of(stage):
        return settings.stage_arguments(stage, config[stage], 8, schema)

    images = {"import_stack": "raw", "correct_background": "corrected", "adjust_contrast": "contrast", "denoise": "denoised"}
    images |= {"binarize": "mask", "clean_mask": "clean", "find_seeds": "distance", "split_objects": "parts"}
    images |= {"merge_objects": "merged", "outline_objects": "split", "select_objects": "labels"}
    shown = [
        {"title": name, "image": image, "snippet": gallery_panels.snippet(name, config[name], schema)} for name, image in images.items()
    ]
    made = stacks("raw", "contrast", "denoised", "mask", "clean", "distance", "seeds", "parts", "merged", "split") | {
        "labels": nuclei / "labels.ome.tif"
    }
    sections = {
        "show_stages": ("stages", made | {"corrected": [nuclei / "corrected.tif"]} | view, {"panels": shown} | diameter),
        "compare_background": ("background", stacks("raw") | view, panels("background", "correct_background")),
        "compare_contrast": (
            "contrast",
            {"image": nuclei / "corrected.tif"} | view,
            panels("contrast", "adjust_contrast", "grey_morphology"),
        ),
        "compare_denoising": ("denoising", stacks("contrast") | view, panels("denoising", "denoise") | diameter),
        "compare_edges": ("edges", stacks("denoised") | view, panels("edges", "detect_edges")),
        "compare_thresholds": ("thresholds", stacks("contrast", "denoised") | view, panels("thresholds", "binarize")),
        "compare_morphology": (
            "morphology",
            {"image": nuclei / "corrected.tif"} | stacks("mask") | view,
            panels("morphology", "clean_mask") | {"grey_panels": panels("grey_morphology", "adjust_contrast", "contrast")["panels"]},
        ),
        "compare_seeds": (
            "seeds",
            stacks("clean", "components", "denoised")
            | {"stack": nuclei / f"{'contrast' if config['split_objects']['method'] == 'contrast' else 'denoised'}.tif"}
            | view,
            panels("seeds", "find_seeds") | diameter | {"split": settings_of("split_objects")},
        ),
        "compare_surface_area": ("surface_area", {"labels": nuclei / "labels.ome.tif"}, {}),
        "plot_shapes": ("shapes", {"objects": nuclei / "objects.csv"}, {"channel": "nuclei"}),
        "plot_profile": (
            "profile",
            {"raw": [nuclei / "raw.tif", membrane / "raw.tif"]} | view,
            {"channels": ["nuclei", "membrane"]},
        ),
    }
    given = {rule: (inputs, {name: gallery / f"{name}.json"}, named) for rule, (name, inputs, named) in sections.items()}
    files = [gallery / f"{name}.json" for name, _, _ in sections.values()]
    texts = {"stack": "colony", "note": "", "preset": "default"} | diameter
    return given | {
        "choose_view": (stacks("raw"), view, settings_of("choose_view") | diameter),
        "write_gallery": ({"sections": files} | view, {"page": gallery / "index.html"}, texts),
    }


def by_command_line(rule, folder, named):
    command = [sys.executable, ROOT / "scripts" / f"{rule}.py"]
    for name, value in named.items():
        if value is None:
            continue
        values = value if isinstance(value, list) and value and isinstance(value[0], Path) else [value]
        plain = isinstance(value, (str, Path)) or values is value
        command += [f"--{name.replace('_', '-')}", *map(str, values)] if plain else [f"--{name.replace('_', '-')}", json.dumps(value)]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)


@pytest.mark.parametrize("rule", [name for name in SCRIPTS if name != "fetch_cells3d"])  # which needs the network
def test_three_ways_give_the_same_bytes(study, rule, tmp_path, monkeypatch):
    inputs, outputs, params = arguments(study, rule)
    expected = {name: contents(study.folder / path) for name, path in outputs.items()}
    by_hand = {name: tmp_path / "by-hand" / path.name for name, path in outputs.items()}
    process = by_command_line(rule, study.folder, inputs | by_hand | params)
    assert process.returncode == 0, process.stderr
    assert {name: contents(path) for name, path in by_hand.items()} == expected
    called = {name: tmp_path / "called" / path.name for name, path in outputs.items()}
    monkeypatch.chdir(study.folder)
    importlib.import_module(rule).main(**inputs, **called, **params)
    assert {name: contents(path) for name, path in called.items()} == expected


@pytest.mark.parametrize("rule", SCRIPTS)
def test_help_tells_every_argument(rule):
    process = subprocess.run([sys.executable, ROOT / "scripts" / f"{rule}.py", "--help"], env=environment(), capture_output=True, text=True)
    assert process.returncode == 0
    for name in importlib.import_module(rule).main.__kwdefaults__ or {}:
        assert f"--{name.replace('_', '-')}" in process.stdout
    assert importlib.import_module(rule).main.__doc__.split()[0] in process.stdout


def test_a_fault_ends_in_one_line(tmp_path):
    named = {"contrast": tmp_path / "none.tif", "denoised": tmp_path / "out.tif", "method": "bilateral", "options": {}}
    process = by_command_line("denoise", tmp_path, named)
    assert process.returncode == 1
    assert "none.tif" in process.stderr
    assert not (tmp_path / "out.tif").exists()


def test_edges_and_points_are_inputs_only_where_the_settings_ask_for_them(tmp_path):
    study = Study(tmp_path)
    write_pair(study.folder, "colony")
    study.config["presets"] = {method: {"split_objects": {"method": method}} for method in ("intensity", "edges", "blend")}
    study.config["presets"]["points"] = {"find_seeds": {"method": "points"}}
    for preset in ("default", *study.config["presets"]):
        study.add(f"by-{preset}", image="colony-nuclei.tif", preset=preset)
    table = tmp_path / "seeds" / "by-points.csv"
    table.parent.mkdir()
    table.write_text("index,axis-0,axis-1,axis-2\n0,8,48,48\n")
    process = study.run("-n")
    assert process.returncode == 0, process.stderr
    assert jobs(process)["detect_edges"] == 2
    (reader,) = [line for line in process.stdout.splitlines() if "seeds/by-points.csv" in line]
    assert "results/by-points/nuclei/denoised.tif, seeds/by-points.csv" in reader
    table.unlink()
    process = study.run("results/by-points/nuclei/seeds.tif")
    assert process.returncode != 0
    assert "find_seeds by-points: find_seeds.points.path: there is no file seeds/{stack}.csv: save the seed points" in process.stderr
    table.write_text("index,axis-0,axis-1,axis-2\n0,8,48,48\n")
    process = study.run("results/by-points/nuclei/seeds.tif")
    assert process.returncode == 0, process.stderr
    assert jobs(process) == {"find_seeds": 1}
    table.write_text("index,axis-0,axis-1,axis-2\n0,8,48,47\n")
    assert jobs(study.run("results/by-points/nuclei/seeds.tif")) == {"find_seeds": 1}
