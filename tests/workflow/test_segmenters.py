"""Another program as the segmenter of a study: what follows it, and what runs it again."""

import csv
import sys

import numpy as np
import pytest
from corrections import core, correction, write_table
from study import SPACING, Study, jobs, write_pair

from cellstack.files.stacks import read_stack

PROGRAM = """
import sys, numpy as np, tifffile
from scipy import ndimage
image, output, level = sys.argv[1], sys.argv[2], float(sys.argv[3])
stack = ndimage.gaussian_filter(tifffile.imread(image).astype(float), 1)
labels, count = ndimage.label(stack > level * stack.max())
print(count, "objects of", sys.argv[4:])
tifffile.imwrite(output, labels.astype("int32"))
"""
TABLE = "results/colony/nuclei/summary.csv"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study whose nuclei are segmented by a program in its folder."""
    study = Study(tmp_path_factory.mktemp("segmenters"))
    write_pair(study.folder, "colony")
    (study.folder / "my segmenter.py").write_text(PROGRAM)
    study.add("colony", image="colony-nuclei.tif")
    words = (
        f"'{sys.executable}' 'my segmenter.py' {{image}} {{output}} 0.4 {{spacing}} {{diameter}}"
    )
    options = {"command": words, "files": ["my segmenter.py"]}
    study.config["run_segmenter"] = {"method": "command", "command": options}
    process = study.run(TABLE, cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    study.first = jobs(process)
    return study


def found(study, name="segmentation"):
    return read_stack(study.result("colony", "nuclei", f"{name}.tif"))


def test_the_labels_go_through_all_later_stages(study):
    assert study.first.keys() & {"binarize", "find_seeds", "smooth_outlines"} == set()
    labels, spacing = found(study)
    assert spacing == SPACING
    with study.result("colony", "nuclei", "summary.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert int(row["count_found"]) == labels.max() > 2
    log = study.log("colony", "nuclei", "run_segmenter.log").read_text()
    assert "objects of ['1,0.4,0.4', '8']" in log


def test_its_objects_are_corrected(study):
    labels, spacing = found(study)
    place = core(labels == 1, spacing)
    write_table(study.folder / "corrections.csv", [correction("delete", place)])
    study.config["corrections"] = "corrections.csv"
    process = study.run("results/colony/nuclei/labels.ome.tif")
    assert process.returncode == 0, process.stderr[-4000:]
    expected = {"run_segmenter_uncorrected": 1, "correct_objects": 1, "select_objects": 1}
    assert jobs(process) == expected
    assert np.array_equal(found(study)[0] > 0, labels > 1)
    del study.config["corrections"]


def test_a_changed_program_runs_again(study):
    target = "results/colony/nuclei/segmentation.tif"
    assert jobs(study.run(target)) == {"run_segmenter": 1}  # without the correction again
    (study.folder / "my segmenter.py").write_text(PROGRAM + "\n# changed")
    assert jobs(study.run(target)) == {"run_segmenter": 1}


def test_a_program_that_fails_is_reported_with_its_stack(study):
    options = study.config["run_segmenter"]["command"]
    options["command"] = options["command"].replace(" 0.4 ", " half ")
    process = study.run("results/colony/nuclei/segmentation.tif")
    assert process.returncode == 1
    assert "failed: colony: run_segmenter: " in process.stderr
    assert "could not convert string to float: 'half'" in process.stderr
    assert not list(study.result("colony", "nuclei").glob(".run_segmenter*"))


def test_each_kind_of_object_can_come_from_any_source(tmp_path):
    """Stages, programs and external labels make nuclei and cells, with and without corrections."""
    study = Study(tmp_path)
    write_pair(study.folder, "colony", shape=(6, 24, 24), count=1)
    command = {"method": "command", "command": {"command": "run {output}"}}
    study.config["presets"] = {"run": {"run_segmenter": command | {"objects": ["nuclei", "cells"]}}}
    sources = {
        "stages": {},
        "run": {"preset": "run"},
        "labels": {"labels": "colony-truth.tif"},
    }
    rows = ["stack,object,action,z_um,y_um,x_um"]
    for name, cells in sources.items():
        for suffix in ("", "-corrected"):
            study.add(name + suffix, image="colony-nuclei.tif", **cells)
            study.add(name + suffix, "membrane", image="colony-membrane.tif", **cells)
        rows += [f"{name}-corrected,{kind},delete,1,2,3" for kind in ("nuclei", "cells")]
    (study.folder / "corrections.csv").write_text("\n".join(rows) + "\n")
    study.config["corrections"] = "corrections.csv"
    process = study.run("-n")
    assert process.returncode == 0, process.stderr[-4000:]
    makers = {
        "smooth_outlines": 1,
        "smooth_uncorrected": 1,
        "merge_cells": 1,
        "merge_uncorrected": 1,
        "run_segmenter": 1,
        "run_segmenter_uncorrected": 1,
        "run_cell_segmenter": 1,
        "run_cell_segmenter_uncorrected": 1,
        "import_labels": 1,
        "import_uncorrected": 1,
        "import_cells": 1,
        "import_uncorrected_cells": 1,
        "correct_objects": 3,
        "correct_cells": 3,
    }
    planned = jobs(process)
    assert {name: planned.get(name) for name in makers} == makers
