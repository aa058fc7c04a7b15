"""Images with unusual characters in their names, in a run."""

import csv

import numpy as np
import pytest
from study import SPACING, Study, write_pair

from cellstack.files.records import read_json
from cellstack.files.stacks import read_stack, write_stack

NAMES = [
    "a{1}.tif",
    "a{b}.tif",
    "a{stack}.tif",
    "a{.tif",
    "a}}.tif",
    "a[1].tif",
    "a b.tif",
    "a'b.tif",
    'a"b".tif',
    "a%20b%s.tif",
    "a#1.tif",
    "a&b;c$d.tif",
    "a*?.tif",
    "a<b>.tif",
    "a\\b.tif",
    "a,b.tif",
    "ä-µm-核.tif",
    "~a.tif",
    "-a.tif",
    "{image.tif",
    "a:b@c.tif",
]


def quoted(cell):
    return '"' + cell.replace('"', '""') + '"'


@pytest.mark.slow
def test_any_file_name_is_read(tmp_path):
    study = Study(tmp_path)
    stacks = {}
    for number, name in enumerate(NAMES):
        stack = np.random.default_rng(number).integers(0, 200, (3, 9, 11)).astype("uint8")
        write_stack(tmp_path / name, stack, SPACING)
        study.add(f"s{number}", image=quoted(name))
        stacks[f"s{number}"] = stack
    targets = [f"results/{stack}/channels/nuclei/raw.tif" for stack in stacks]
    process = study.run(*targets, cores=2)
    assert process.returncode == 0, process.stderr
    for (stack, expected), name in zip(stacks.items(), NAMES, strict=True):
        raw = study.result(stack, "channels", "nuclei", "raw.tif")
        np.testing.assert_array_equal(read_stack(raw)[0], expected)
        assert read_json(raw.with_name("import.json"))["files"] == [name]
    assert "Nothing to be done" in study.run(*targets).stderr


@pytest.mark.slow
def test_braces_in_names_of_images_labels_and_ground_truth(tmp_path):
    write_pair(tmp_path, "colony")
    for part in ("nuclei", "truth"):
        (tmp_path / f"colony-{part}.tif").rename(tmp_path / f"{part}{{1}} [x].tif")
    write_pair(tmp_path, "good")
    study = Study(tmp_path)
    study.add("braces", image="nuclei{1} [x].tif", ground_truth="truth{1} [x].tif")
    study.add("labels", image="nuclei{1} [x].tif", labels="truth{1} [x].tif")
    study.add("good", image="good-nuclei.tif", ground_truth="good-truth.tif")
    tables = ("results/objects.csv", "results/stacks.csv", "results/scores.csv")
    process = study.run(*tables, cores=2)
    assert process.returncode == 0, process.stderr
    with study.result("stacks.csv").open(newline="") as file:
        assert {row["stack"]: row["status"] for row in csv.DictReader(file)} == {
            "braces": "ok",
            "labels": "ok",
            "good": "ok",
        }
