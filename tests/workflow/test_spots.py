"""Spots through the workflow: detection, owners, counts, scores and the second run."""

import csv
from collections import Counter

import numpy as np
import pytest
from study import Study, constant, jobs, write_pair

from cellstack.files.stacks import read_stack, write_stack
from cellstack.prepare.simulate_spots import simulate_spots

SPACING = (1.0, 0.5, 0.4)  # differs on all axes
DIAMETERS = {"diameter_um": 1.2, "diameter_z_um": 2.0}
TABLES = ("spots", "spot_scores", "objects", "stacks", "columns")
TARGETS = (
    *(f"results/{name}.csv" for name in TABLES),
    *(f"results/{stack}/figures/spots_FISH.png" for stack in ("full", "empty")),
)


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A colony with spots in its cells, one with an empty channel, and one without spots."""
    study = Study(tmp_path_factory.mktemp("spots"))
    colony = write_pair(study.folder, "colony", spacing=SPACING)
    spots = simulate_spots(
        colony.cell_labels.shape, SPACING, count=30, signal_to_noise=12, seed=1,
        inside=colony.cell_labels, **DIAMETERS,
    )  # fmt: skip
    write_stack(study.folder / "spots.tif", spots.image, SPACING)
    points = ["z_um,y_um,x_um", *(",".join(map(str, each)) for each in spots.positions_um)]
    (study.folder / "points.csv").write_text("\n".join(points) + "\n")
    write_stack(study.folder / "empty.tif", constant(7, colony.cell_labels.shape), SPACING)
    for stack in ("full", "empty", "without"):
        for channel in ("nuclei", "membrane"):
            study.add(stack, channel, image=f"colony-{channel}.tif")
    study.add("full", "FISH", image="spots.tif", ground_truth="points.csv")
    study.add("empty", "FISH", image="empty.tif")
    study.config["detect_spots"] = {"channels": {"FISH": DIAMETERS}}
    process = study.run(*TARGETS, cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return study


def test_spots_are_scored(study):
    (row,) = read_csv(study.result("spot_scores.csv"))
    assert (row["stack"], row["channel"], row["count_ground_truth"]) == ("full", "FISH", "30")
    assert float(row["f1"]) > 0.9
    assert float(row["mean_position_error_um"]) < 0.5


def test_each_spot_is_in_the_objects_at_its_centre(study):
    spots = read_csv(study.result("spots.csv"))
    assert {row["stack"] for row in spots} == {"full"}  # the empty channel has none
    for kind, column in (("nuclei", "nucleus"), ("cells", "cell")):
        labels, _ = read_stack(study.result("full", kind, "segmentation.tif"))
        for row in spots:
            place = [
                float(row[f"{axis}_um"]) / step for axis, step in zip("zyx", SPACING, strict=True)
            ]
            voxel = np.clip(
                np.floor(np.array(place) + 0.5).astype(int), 0, np.subtract(labels.shape, 1)
            )
            assert labels[tuple(voxel)] == int(row[f"{column}_segmentation_label"] or 0)


@pytest.mark.parametrize(("kind", "column"), [("nuclei", "nucleus"), ("cells", "cell")])
def test_objects_have_their_spots(study, kind, column):
    spots = read_csv(study.result("spots.csv"))
    counts = Counter(row[f"{column}_segmentation_label"] for row in spots)
    objects = [row for row in read_csv(study.result("objects.csv")) if row["object"] == kind]
    by_stack = {stack: [r for r in objects if r["stack"] == stack] for stack in ("full", "empty")}
    assert by_stack["full"]
    for row in by_stack["full"]:
        own = [s for s in spots if s[f"{column}_segmentation_label"] == row["segmentation_label"]]
        assert int(row["count_spots_FISH"]) == counts[row["segmentation_label"]] == len(own)
        if own:
            mean = np.mean([float(spot["intensity"]) for spot in own])
            assert float(row["mean_spot_intensity_FISH"]) == pytest.approx(mean)
        regions = [row["count_spots_nucleus_FISH"], row["count_spots_cytoplasm_FISH"]]
        assert sum(map(int, regions)) == len(own) if kind == "cells" else regions == ["", ""]
    assert {row["count_spots_FISH"] for row in by_stack["empty"]} == {"0"}
    assert {row["count_spots_FISH"] for row in objects if row["stack"] == "without"} == {""}


def test_tables_figures_and_flags(study):
    described = {row["column"] for row in read_csv(study.result("columns.csv"))}
    for table in ("spots.csv", "spot_scores.csv", "objects.csv"):
        assert set(read_csv(study.result(table))[0]) <= described
    for stack in ("full", "empty"):
        assert study.result(stack, "figures", "spots_FISH.png").is_file()
    assert not any("FISH: low" in row["flags"] for row in read_csv(study.result("stacks.csv")))


def test_only_what_depends_on_a_setting_runs_again(study):
    assert not jobs(study.run(*TARGETS))
    study.config["detect_spots"] = {"channels": {"FISH": DIAMETERS | {"threshold": 8}}}
    ran = jobs(study.run("--dry-run"))
    assert ran["detect_spots"] == ran["assign_spots"] == ran["plot_spots"] == 2
    assert "split_objects" not in ran
    study.config["detect_spots"] = {}
    assert not jobs(study.run("--dry-run")).keys() & {"detect_spots", "assign_spots", "plot_spots"}
