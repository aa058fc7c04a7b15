"""Corrections by hand in a study: what they change, what they re-run, and that they last."""

import csv
import json

import numpy as np
import pytest
import tifffile
from corrections import core, correction, derive_clicks, derive_drawings, write_table
from study import SPACING, Study, jobs, write_pair

from cellstack.evaluate.evaluate_labels import evaluate_labels
from cellstack.files.stacks import read_stack, write_stack
from cellstack.measure.collect import join_checks
from cellstack.segment.correct_objects import correct_objects

TARGETS = ("results/objects.csv", "results/stacks.csv", "results/stack_scores.csv")


def read_table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def row_of(rows, **cells):
    (row,) = [row for row in rows if cells.items() <= row.items()]
    return row


def labels_of(study, *parts):
    return read_stack(study.result(*parts, "segmentation.tif"))[0]


def place(labels, label):
    return core(labels == label, SPACING)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of two stacks without corrections, with its results before any."""
    study = Study(tmp_path_factory.mktemp("corrected"))
    write_pair(study.folder, "colony")
    study.add("colony", image="colony-nuclei.tif", ground_truth="colony-truth.tif")
    study.add("colony", "membrane", image="colony-membrane.tif")
    study.add("external", image="colony-nuclei.tif", labels="colony-truth.tif")
    files = ("colony/nuclei/objects.csv", "colony/cells/segmentation.tif")
    targets = [f"results/{file}" for file in (*files, "external/nuclei/segmentation.tif")]
    process = study.run(*targets, cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    assert not any("correct" in name for name in jobs(process))
    study.before = study.digest()
    return study


@pytest.fixture(scope="module")
def corrected(study):
    """The study after corrections of both kinds of object in both stacks."""
    nuclei, external = labels_of(study, "colony", "nuclei"), labels_of(study, "external", "nuclei")
    cells = labels_of(study, "colony", "cells")
    objects = read_table(study.result("colony", "nuclei", "objects.csv"))
    flagged = next(int(row["segmentation_label"]) for row in objects if row["flags"])
    others = [label for label in range(1, nuclei.max() + 1) if label != flagged]
    image = study.folder / "redrawn.tif"
    tifffile.imwrite(image, (nuclei == others[2]).astype("uint16"))
    nothing = [0.0, 0.0, 0.0]
    assert nuclei[0, 0, 0] == cells[0, 0, 0] == 0
    of_nuclei = [
        correction("accept", place(nuclei, flagged)),
        correction("merge", place(nuclei, others[0]), place(nuclei, others[1])),
        correction("redraw", place(nuclei, others[2]), image="redrawn.tif"),
        correction("delete", nothing),
        correction("delete", place(nuclei, others[3])),
        correction("add", place(nuclei, others[3])),
    ]
    paths = [study.folder / f"{name}.csv" for name in ("nuclei", "cells", "external")]
    write_table(paths[0], of_nuclei)
    write_table(paths[1], [correction("delete", place(cells, int(cells.max())))], kind="cells")
    write_table(paths[2], [correction("delete", place(external, 1))], stack="external")
    study.tables = [path.read_text().splitlines() for path in paths]
    save(study, *study.tables)
    study.config["corrections"] = "corrections.csv"
    study.flagged, study.others = flagged, others
    study.process = study.run(*TARGETS, cores=2)
    assert study.process.returncode == 0, study.process.stderr[-4000:]
    return study


def save(study, first, *others):
    lines = [*first, *(line for table in others for line in table[1:])]
    (study.folder / "corrections.csv").write_text("\n".join(lines) + "\n")


def test_each_table_counts_corrections(corrected):
    rows = read_table(corrected.result("colony", "nuclei", "corrections.csv"))
    assert [row["status"] for row in rows] == ["applied"] * 3 + ["not applied"] + ["applied"] * 2
    assert rows[3]["reason"] == "no object at 0, 0, 0 um"
    tables = [read_table(corrected.result(f"{name}.csv")) for name in ("stacks", "checks")]
    stacks = join_checks(*tables)
    nuclei = row_of(stacks, stack="colony", object="nuclei")
    assert nuclei["count_corrections"] == "6"
    assert nuclei["count_corrections_not_applied"] == "1"
    assert nuclei["flags"].startswith("corrections not applied: 1 of 6")
    (flag,) = [each for each in nuclei["flags"].split(";") if "corrections" in each]
    assert flag.endswith("(the objects do not fit them, see nuclei/corrections.csv)")
    assert "colony nuclei: corrections not applied: 1 of 6" in corrected.process.stderr
    assert "to look at colony in napari, and to correct it: python " in corrected.process.stderr
    assert row_of(stacks, stack="external")["count_corrections_not_applied"] == "0"
    objects = read_table(corrected.result("objects.csv"))
    of_nuclei = [row for row in objects if row["object"] == "nuclei" and row["stack"] == "colony"]
    accepted = row_of(of_nuclei, corrections="accept")
    assert accepted["flags"] == ""
    count = sum(bool(row["corrections"]) for row in of_nuclei)
    assert nuclei["count_corrected"] == str(count) != "0"


def test_corrected_nuclei_are_scored_and_seed_the_cells(corrected):
    before = read_stack(corrected.result("colony", "nuclei", "uncorrected.tif"))[0]
    after = labels_of(corrected, "colony", "nuclei")
    assert after.max() == before.max() - 1
    cells = labels_of(corrected, "colony", "cells")
    one, other = (cells[before == label] for label in corrected.others[:2])
    assert np.bincount(one[one > 0]).argmax() == np.bincount(other[other > 0]).argmax()
    scores = json.loads(corrected.result("colony", "scores.json").read_text())
    assert scores["objects"]["nuclei"]["summary"]["count_found"] == after.max()
    assert scores["uncorrected"]["nuclei"]["summary"]["count_found"] == before.max()
    (row,) = read_table(corrected.result("stack_scores.csv"))
    assert float(row["f1"]) < float(row["f1_uncorrected"])


def test_external_labels_are_corrected(corrected):
    before = read_stack(corrected.result("external", "nuclei", "uncorrected.tif"))[0]
    after = labels_of(corrected, "external", "nuclei")
    assert np.array_equal(after > 0, before > 1)


def test_only_stacks_whose_rows_changed_run_again(corrected):
    nuclei, cells, external = corrected.tables
    save(corrected, external, nuclei, cells)  # other rows, same corrections
    assert jobs(corrected.run(*TARGETS, cores=2)) == {}
    save(corrected, external[:1], nuclei, cells)
    process = corrected.run(*TARGETS, cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    run = [line.split(":")[1] for line in process.stdout.splitlines() if "wildcards:" in line]
    run += [line.split(":")[1] for line in process.stderr.splitlines() if "wildcards:" in line]
    assert set(run) == {" stack=external, object=nuclei"}
    assert "correct_objects" not in jobs(process)


def test_a_changed_image_of_a_correction_counts(corrected):
    image = corrected.folder / "redrawn.tif"
    tifffile.imwrite(image, np.roll(tifffile.imread(image), 1, axis=2))
    process = corrected.run("results/colony/nuclei/segmentation.tif")
    assert jobs(process) == {"correct_objects": 1}


def test_undo_is_deleting_the_rows(corrected):
    corrected.uncorrected = read_stack(corrected.result("colony", "nuclei", "uncorrected.tif"))[0]
    save(corrected, corrected.tables[0][:1])
    process = corrected.run("results/colony/nuclei/objects.csv", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    again = ("smooth_outlines", "select_objects", "measure_neighbors", "measure_objects")
    assert jobs(process) == dict.fromkeys(again, 1)
    names = [
        f"colony/nuclei/{name}" for name in ("segmentation.tif", "labels.ome.tif", "objects.csv")
    ]
    after = corrected.digest()
    assert [name for name in names if after[name] != corrected.before[name]] == []


def test_corrections_outlast_a_changed_setting(corrected):
    save(corrected, *corrected.tables)
    corrected.config["denoise"] = {"method": "median"}
    process = corrected.run("results/colony/nuclei/segmentation.tif", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    rows = read_table(corrected.result("colony", "nuclei", "corrections.csv"))
    assert [row["status"] for row in rows] == ["applied"] * 3 + ["not applied"] + ["applied"] * 2
    labels = read_stack(corrected.result("colony", "nuclei", "uncorrected.tif"))[0]
    assert not np.array_equal(labels, corrected.uncorrected)


def test_errors_stop_the_run_before_any_job(corrected):
    lines = [*corrected.tables[0][:2], corrected.tables[0][1].replace("accept", "acept")]
    save(corrected, lines)
    process = corrected.run(*TARGETS)
    assert process.returncode == 1
    assert "corrections.csv row 3: unknown action 'acept'; did you mean 'accept'?" in process.stderr


@pytest.fixture(scope="module")
def tutorial(data, tmp_path_factory):
    """The stack of the tutorial with its segmentation, before corrections."""
    study = Study(tmp_path_factory.mktemp("tutorial"))
    study.config["diameter_um"] = {"nuclei": 12}
    study.add("colony", image=data / "tutorial" / "nuclei.tif")
    assert study.run("results/colony/nuclei/segmentation.tif", cores=2).returncode == 0
    return study


def test_a_real_stack_reaches_an_f1_of_1(tutorial, data, tmp_path):
    labels, spacing = read_stack(tutorial.result("colony", "nuclei", "segmentation.tif"))
    truth = tifffile.imread(data / "tutorial" / "nuclei_reference_labels.tif").astype("uint16")
    denoised, _ = read_stack(tutorial.result("colony", "channels", "nuclei", "denoised.tif"))
    options = {"diameter_um": 12, "level": 0.45, "sigma_um": 3.6}
    options |= {"background_radius_um": 18, "max_radius_um": 14.4}
    clicks = derive_clicks(truth, labels, spacing)
    none = [None] * len(clicks)
    clicked, _ = correct_objects(labels, spacing, clicks, none, options, denoised)
    drawings = derive_drawings(truth, clicked, spacing, tmp_path)
    images = none + [each["image"] and read_stack(each["image"])[0] for each in drawings]
    corrections = clicks + drawings
    final, _ = correct_objects(labels, spacing, corrections, images, options, denoised)
    f1 = [evaluate_labels(truth, each, spacing)["summary"]["f1"] for each in (labels, final)]
    assert f1[0] < 1
    assert f1[1] == 1


def test_ten_corrections_of_a_real_stack_outlast_a_changed_setting(tutorial):
    folder = tutorial.folder
    labels, spacing = read_stack(tutorial.result("colony", "nuclei", "segmentation.tif"))
    sizes = np.bincount(labels.ravel())[1:]
    places = [core(labels == label, spacing) for label in np.argsort(-sizes) + 1]
    largest = labels == np.argmax(sizes) + 1
    write_stack(folder / "drawn.tif", largest.astype("uint16"), spacing)
    end = np.argwhere(labels == np.argsort(-sizes)[1] + 1)
    ends = [(end[index] * spacing).tolist() for index in (end[:, 2].argmin(), end[:, 2].argmax())]
    ends = [(np.array(each) + places[1]) / 2 for each in ends]  # halfway from its centre
    ten = [
        correction("redraw", places[0], image="drawn.tif"),
        correction("split", *ends),
        correction("merge", places[2], places[3]),
        correction("merge", places[4], places[5]),
        correction("delete", places[6]),
        correction("delete", places[7]),
        correction("add", places[7]),
        correction("accept", places[8]),
        correction("accept", places[9]),
        correction("delete", [0.0, 0.0, 0.0]),
    ]
    write_table(folder / "corrections.csv", ten)
    tutorial.config |= {"corrections": "corrections.csv", "denoise": {"method": "median"}}
    assert tutorial.run("results/colony/nuclei/corrections.csv", cores=2).returncode == 0
    before = read_stack(tutorial.result("colony", "nuclei", "uncorrected.tif"))[0]
    assert not np.array_equal(before, labels)
    rows = read_table(tutorial.result("colony", "nuclei", "corrections.csv"))
    assert [row["status"] for row in rows[:9]] == ["applied"] * 9
    assert rows[9]["status"] == "not applied"
    assert rows[9]["reason"] == "no object at 0, 0, 0 um"
    after = read_stack(tutorial.result("colony", "nuclei", "segmentation.tif"))[0]
    assert after.max() == before.max() + 1 - 1 - 1 - 2 + 1  # split, two merges, two deleted, added
