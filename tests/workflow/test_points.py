"""A ground truth of points through the workflow: scores, page, sweep, and errors by row."""

import csv
import json

import numpy as np
import pytest
import yaml
from scipy.ndimage import center_of_mass
from study import Study, jobs, write_pair

from cellstack.files.stacks import read_stack

SPACING = (1.0, 0.5, 0.4)  # differs on all axes
DOWNSAMPLE = [1, 2, 1]


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def centres(labels):
    """Return the voxel of each object that is nearest to its centroid."""
    found = []
    for label in range(1, int(labels.max()) + 1):
        places = np.argwhere(labels == label)
        middle = center_of_mass(labels == label)
        found.append(places[np.argmin(((places - middle) ** 2).sum(axis=1))])
    return np.array(found)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A colony scored by outlines, by points in voxels, and downsampled by points in um."""
    study = Study(tmp_path_factory.mktemp("points"))
    colony = write_pair(study.folder, "colony", spacing=SPACING)
    study.centres = centres(colony.nuclei_labels)
    napari = [f"{i},{z}.0,{y}.0,{x}.0" for i, (z, y, x) in enumerate(study.centres)]
    (study.folder / "napari.csv").write_text(
        "\n".join(["index,axis-0,axis-1,axis-2", *napari]) + "\n"
    )
    in_um = ["\t".join(map(str, each)) for each in study.centres * SPACING]
    (study.folder / "um.tsv").write_text("\n".join(["z_um\ty_um\tx_um", *in_um]) + "\n")
    study.config["presets"] = {"coarse": {"import_stack": {"downsample": DOWNSAMPLE}}}
    image = {"image": "colony-nuclei.tif"}
    study.add("points", **image, ground_truth="napari.csv")
    study.add("outlines", **image, ground_truth="colony-truth.tif")
    study.add("coarse", **image, ground_truth="um.tsv", preset="coarse")
    study.config["sweep"] = "sweep.csv"
    (study.folder / "sweep.csv").write_text("binarize.per_object.level\n0.25\n0.65\n")
    study.process = study.run("evaluate", "sweep", cores=2)
    assert study.process.returncode == 0, study.process.stderr[-4000:]
    return study


def test_points_are_in_the_voxels_of_the_table(study):
    labels, spacing = read_stack(study.result("points", "nuclei", "ground_truth.tif"))
    assert spacing == SPACING
    for number, place in enumerate(study.centres, 1):
        assert labels[tuple(place)] == number
    coarse, _ = read_stack(study.result("coarse", "nuclei", "ground_truth.tif"))
    for number, place in enumerate(study.centres, 1):
        assert coarse[tuple(place // DOWNSAMPLE)] == number


def test_scores_by_points(study):
    rows = {row["stack"]: row for row in read_csv(study.result("stack_scores.csv"))}
    for stack in ("points", "coarse"):
        labels, _ = read_stack(study.result(stack, "nuclei", "segmentation.tif"))
        factors = DOWNSAMPLE if stack == "coarse" else (1, 1, 1)
        within = labels[tuple((study.centres // factors).T)]
        correct = len(set(within.tolist()) - {0})
        row = rows[stack]
        assert row["ground_truth"] == "points"
        assert int(row["count_found"]) == labels.max()
        assert int(row["count_missed"]) == (within == 0).sum()
        assert int(row["count_spurious"]) == labels.max() - correct
        assert float(row["f1"]) == pytest.approx(2 * correct / (labels.max() + len(within)))
        assert float(row["f1"]) >= 0.8
        assert row["panoptic_quality"] == row["volume_bias_percent"] == row["seg"] == ""
    assert rows["outlines"]["ground_truth"] == "outlines"
    assert float(rows["outlines"]["panoptic_quality"]) > 0.5
    thresholds = read_csv(study.result("scores.csv"))
    assert [row["iou_threshold"] for row in thresholds if row["stack"] == "points"] == [""]


def test_the_page_shows_both_kinds(study):
    page = study.result("evaluation.html").read_text(encoding="utf-8")
    assert "points (nuclei), coarse (nuclei): the ground truth is points" in page
    assert page.count("<svg") == 1
    assert study.result("points", "figures", "nuclei_errors.png").stat().st_size > 5000


def test_a_sweep_ranks_by_points_too(study):
    rows = read_csv(study.result("sweep", "scores.csv"))
    by_run = {run: [float(row["f1"]) for row in rows if row["run"] == run] for run in "012"}
    best = max(by_run, key=lambda run: sum(by_run[run]))
    ranks = {row["run"]: row["rank"] for row in read_csv(study.result("sweep", "runs.csv"))}
    assert ranks[best] == "1"
    text = study.result("sweep", "best.yaml").read_text()
    assert "at IoU 0.5 or by points, mean over points, outlines, coarse" in text
    # simulated nuclei have the right volume at the default level; points have no volumes
    unbiased = yaml.safe_load(text)["presets"]["unbiased"]
    assert 0.35 < unbiased["binarize"]["per_object"]["level"] < 0.6


def test_a_changed_table_is_imported_again(study):
    table = study.folder / "napari.csv"
    text = table.read_text()
    assert "Nothing to be done" in study.run("evaluate").stderr
    table.write_text(text.rsplit("\n", 2)[0] + "\n")
    process = study.run("results/points/scores.json")
    assert process.returncode == 0, process.stderr[-3000:]
    counts = jobs(process)
    assert counts.pop("import_ground_truth") == counts.pop("evaluate_labels") == 1
    assert not counts.keys() & {"import_stack", "binarize"}
    scores = json.loads(study.result("points", "scores.json").read_text())
    summary = scores["objects"]["nuclei"]["summary"]
    assert summary["count_ground_truth"] == len(study.centres) - 1
    table.write_text(text)


def test_a_point_outside_the_stack_is_an_error_with_its_row(study):
    (study.folder / "outside.csv").write_text("z,y,x\n1,2,3\n1,200,3\n")
    study.rows.append(
        {"stack": "bad", "channel": "nuclei", "image": "colony-nuclei.tif"}
        | {"ground_truth": "outside.csv"}
    )
    process = study.run("results/bad/scores.json")
    study.rows.pop()
    assert process.returncode != 0
    message = "import_ground_truth bad nuclei: outside.csv: 1 of 2 points lie outside"
    assert message in process.stderr
    assert "the first in row 3 at 1, 200, 3: correct these rows" in process.stderr
    assert "Traceback" not in process.stderr


def test_real_points(data, tmp_path):
    """29 nuclei of a worm embryo, at a ratio of plane distance to pixel size of 4.5."""
    study = Study(tmp_path)
    worm = data / "celegans" / "t060"
    study.add(
        "worm",
        image=worm / "nuclei.tif",
        ground_truth=worm / "nuclei_points.csv",
        diameter_um=3.5,
        z_um=1,
        y_um=0.22,
        x_um=0.22,
    )
    process = study.run("results/stack_scores.csv", "results/worm/figures/nuclei_errors.png")
    assert process.returncode == 0, process.stderr[-4000:]
    (row,) = read_csv(study.result("stack_scores.csv"))
    assert row["count_ground_truth"] == "29"
    assert float(row["f1"]) >= 0.9
