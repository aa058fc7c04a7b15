"""Each rule alone on cached inputs: the command in the log of a job makes the same files."""

import importlib
import re
import runpy
import shlex
import subprocess
import sys

import pytest
from study import ROOT, SCRIPTS, Study, environment, jobs, write_pair
from test_rules import BLOCKS, part_of

NEEDS_NETWORK = ("fetch_cells3d",)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study in which every rule has run."""
    study = Study(tmp_path_factory.mktemp("entries"))
    write_pair(study.folder, "colony")
    study.config["simulate_stack"] = {
        "tiny": {
            "shape": [12, 64, 64],
            "spacing": [1, 0.5, 0.5],
            "nuclei_count": 5,
            "diameter_um": 8,
        }
    }
    study.add(
        "colony",
        image="colony-nuclei.tif",
        ground_truth="colony-truth.tif",
        regions="colony-truth.tif",
        condition="control",
        preset="tissue",
    )
    study.add("colony", "membrane", image="colony-membrane.tif")
    study.config["simulate_spots"] = {"tiny": {"count": 5, "diameter_um": 1.5}}
    study.config["detect_spots"] = {"channels": {"FISH": {"diameter_um": 1.5}}}
    external = {"image": "colony-nuclei.tif", "labels": "colony-truth.tif"}
    study.add("external", **external, condition="drug")
    study.add("estimated", image="colony-nuclei.tif", diameter_um="auto")
    study.add("estimated", "membrane", image="colony-membrane.tif")
    study.add(
        "simulated",
        image="resources/simulated/tiny/image.ome.tif",
        channel_index="nuclei",
        ground_truth="resources/simulated/tiny/nuclei.ome.tif",
    )
    study.add(
        "simulated",
        "FISH",
        image="resources/simulated/tiny/spots.ome.tif",
        ground_truth="resources/simulated/tiny/spots.csv",
    )
    (study.folder / "corrections.csv").write_text(
        "stack,object,action,z_um,y_um,x_um\ncolony,nuclei,add,1,1,1\ncolony,nuclei,delete,1,1,1\n"
    )
    study.config["corrections"] = "corrections.csv"
    copy = (
        f"'{sys.executable}' -c 'import shutil, sys; shutil.copy(*sys.argv[1:])' colony-truth.tif"
    )
    command = {"method": "command", "command": {"command": copy + " {output}"}}
    tissue = {"segment_tissue": {"channel": "nuclei"}}
    study.config["presets"] = {"command": {"run_segmenter": command}, "tissue": tissue}
    study.add("command", image="colony-nuclei.tif", preset="command")
    # a larger stack, in blocks
    write_pair(study.folder, "large", shape=(20, 120, 120), count=12)
    study.config["split_into_blocks"] = {"max_voxels": 200_000, "overlap_um": 4}
    study.config["presets"]["plain"] = {"correct_background": {"steps": []}}
    study.add("large", image="large-nuclei.tif", preset="plain")
    study.add("large", "membrane", image="large-membrane.tif")
    study.config["measure_objects"] = {"columns": ["hull", "intensity", "neighbors", "correlation"]}
    study.config["classify_objects"] = {
        "cells": {"large": "volume_um3 > p50"},
        "thresholds": "study",
    }
    study.config["correct_background"] = {"steps": ["depth_attenuation"]}
    study.config["compare_labels"] = {"stages": ["smooth_outlines"]}
    study.config["figures"] = {"color_map": "magma", "marks": "marks.csv"}
    (study.folder / "marks.csv").write_text(
        "stack,kind,z_um,y_um,x_um,size_um,text\ncolony,arrow,2,5,6,3,here\n"
    )
    study.config["sweep"] = "sweep.tsv"
    (study.folder / "sweep.tsv").write_text(
        "find_seeds.distance_and_blobs.min_distance_um\n5\n", encoding="utf-8"
    )
    files = (
        "index.html",
        "config.yaml",
        "objects.csv",
        "classes.csv",
        "class_distances.csv",
        "neighbors.csv",
        "regions.csv",
        "colony/figures/tissue.png",
        "stacks.csv",
        "provenance.json",
        "methods.md",
        "archive.zip",
        "objects.parquet",
        "cells.h5ad",
        "colony/image.ome.zarr",
        "figures/nuclei_volumes.png",
        "figures/nuclei_groups.png",
        "colony/channels/nuclei/edges.tif",
        "colony/nuclei/crops",
        "colony/cells/contacts.csv",
        "colony/gallery/index.html",
        "colony/explore.html",
        "colony/nuclei/meshes.glb",
        "colony/figures/nuclei_planes.png",
        "colony/figures/cells_segmentation.png",
        "colony/figures/cells_surfaces.png",
        "colony/figures/composite.png",
        "colony/figures/nuclei_channels.png",
        "estimated/cells/diameter.json",
        "estimated/figures/nuclei_diameter.png",
        "external/nuclei/segmentation.tif",
        "command/nuclei/segmentation.tif",
        "large/nuclei/objects.csv",
        "large/cells/contacts.csv",
        "simulated/channels/nuclei/raw.tif",
        "spots.csv",
        "spot_scores.csv",
        "simulated/figures/spots_FISH.png",
    )
    # the same blocks with other thresholds and seeds, before their files are those of the commands
    plain = study.config["presets"]["plain"]
    for stage, settings, name in (
        ("binarize", {"method": "otsu"}, "measured_threshold.json"),
        ("binarize", {"method": "hysteresis"}, "connected.tif"),
        ("find_seeds", {"planes": "middle"}, "allowed_planes.json"),
    ):
        study.config["presets"]["plain"] = plain | {stage: settings}
        process = study.run(f"results/large/nuclei/{name}")
        assert process.returncode == 0, process.stderr[-4000:]
    study.config["presets"]["plain"] = plain
    targets = [f"results/{name}" for name in files]
    process = study.run(*targets, "evaluate", "sweep", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return study


def command_of(log):
    """Return the words of the command that a job wrote to its log."""
    match = re.search(r"^INFO command: (.*)$", log.read_text(encoding="utf-8"), re.MULTILINE)
    return shlex.split(match[1])


def contents(path):
    """Return the bytes of a file, or those of all files of a folder by name."""
    if path.is_dir():
        files = (file for file in path.rglob("[!.]*") if file.is_file())
        return {file.relative_to(path): file.read_bytes() for file in files}
    return path.read_bytes()


@pytest.mark.parametrize("rule", [name for name in SCRIPTS if name not in NEEDS_NETWORK])
def test_the_command_in_the_log_makes_the_same_files(study, rule, tmp_path):
    logs = sorted((study.folder / "logs").rglob(f"*{rule}.log"))
    log = next(path for path in logs if "alternatives" not in path.parts)
    words = command_of(log)
    assert words[:2] == ["python", str(ROOT / "scripts" / f"{rule}.py")]
    expected = {}
    for name in re.findall(r"^        (\w+)=", part_of(BLOCKS[rule], "output"), re.MULTILINE):
        place = words.index(f"--{name.replace('_', '-')}") + 1
        made = study.folder / words[place]
        expected[tmp_path / made.name] = contents(made)
        words[place] = str(tmp_path / made.name)
    assert expected
    process = run_script(words[1:], study.folder)
    assert process.returncode == 0, process.stderr
    assert {path: contents(path) for path in expected} == expected


def run_script(words, folder):
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment(), capture_output=True, text=True
    )


@pytest.mark.parametrize("rule", SCRIPTS)
def test_help_describes_every_argument(rule, monkeypatch, capsys):
    script = ROOT / "scripts" / f"{rule}.py"
    monkeypatch.setattr(sys, "argv", [str(script), "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name="__main__")
    assert ended.value.code == 0
    output = capsys.readouterr().out
    main = importlib.import_module(rule).main
    for name in main.__annotations__.keys() - {"return"}:
        assert f"--{name.replace('_', '-')}" in output
    assert main.__doc__.split()[0] in output


def test_the_page_shows_the_comparison_of_groups(study):
    page = study.result("index.html").read_text(encoding="utf-8")
    assert '<h2 id="groups">Groups</h2>' in page and "figures/nuclei_groups.png" in page


def test_an_error_ends_in_one_line(tmp_path):
    image = tmp_path / "stack.tif"
    write_pair(tmp_path, "flat", shape=(4, 20, 20), spacing=(1, 0.5, 0.4), count=1)
    (tmp_path / "flat-nuclei.tif").rename(image)
    words = ["--contrast", image, "--denoised", tmp_path / "out.tif", "--method", "bilateral"]
    options = '{"sigma_um": 1, "sigma_intensity": 0.1, "implementation": "opencv"}'
    process = run_script([ROOT / "scripts/denoise.py", *words, "--options", options], tmp_path)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert line.startswith("denoise: denoise method bilateral needs square pixels")
    assert not (tmp_path / "out.tif").exists()


def test_edges_and_points_are_used_only_where_the_settings_ask_for_them(tmp_path):
    study = Study(tmp_path)
    write_pair(study.folder, "colony")
    study.config["presets"] = {
        method: {"split_objects": {"method": method}} for method in ("intensity", "edges", "blend")
    }
    study.config["presets"]["points"] = {"find_seeds": {"method": "points"}}
    for preset in ("default", *study.config["presets"]):
        study.add(f"by-{preset}", image="colony-nuclei.tif", preset=preset)
    table = tmp_path / "seeds" / "by-points.csv"
    table.parent.mkdir()
    table.write_text("index,axis-0,axis-1,axis-2\n0,8,48,48\n")
    process = study.run("-n")
    assert process.returncode == 0, process.stderr
    assert jobs(process)["detect_edges"] == 2
    table.unlink()
    process = study.run("results/by-points/nuclei/seeds.tif")
    assert process.returncode != 0
    message = "find_seeds by-points: find_seeds.points.path: there is no file seeds/by-points.csv"
    assert message in process.stderr
    table.write_text("index,axis-0,axis-1,axis-2\n0,8,48,48\n")
    process = study.run("results/by-points/nuclei/seeds.tif")
    assert process.returncode == 0, process.stderr
    assert jobs(process) == {"find_seeds": 1}
    log = (study.folder / "logs/by-points/nuclei/find_seeds.log").read_text()
    assert "--points seeds/by-points.csv" in log
    assert "{stack}" not in log
    table.write_text("index,axis-0,axis-1,axis-2\n0,8,48,47\n")
    assert jobs(study.run("results/by-points/nuclei/seeds.tif")) == {"find_seeds": 1}
