"""Classes of objects in runs of the workflow, found again from the tables."""

import csv
import json

import numpy as np
import pytest
from study import Study, jobs, write_pair

pytestmark = pytest.mark.slow

TABLES = ("results/objects.csv", "results/classes.csv", "results/columns.csv")
CONDITIONS = {  # in alphabetical order, in which the configuration is written
    "bright": "volume_um3 > p60 and mean_intensity_nuclei > otsu",
    "large": "volume_um3 > p60",
    "round": "sphericity >= 0.8 and not mean_intensity_nuclei > otsu",
}


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def numbers(rows, column):
    return np.array([float(row[column]) for row in rows])


def otsu(values):
    """Return the middle between the two values whose separation leaves the least variance."""
    values = np.sort(values)
    middles = (values[1:] + values[:-1])[np.diff(values) > 0] / 2
    parts = [(values[values <= each], values[values > each]) for each in middles]
    return middles[np.argmin([sum(len(part) * part.var() for part in each) for each in parts])]


def expected_classes(rows, reference):
    """Return the class of each row, with the thresholds of the rows of reference."""
    volume, light = numbers(rows, "volume_um3"), numbers(rows, "mean_intensity_nuclei")
    is_large = volume > np.percentile(numbers(reference, "volume_um3"), 60)
    is_bright = light > otsu(numbers(reference, "mean_intensity_nuclei"))
    is_round = numbers(rows, "sphericity") >= 0.8
    return [
        "bright"
        if large and bright
        else "large"
        if large
        else "round"
        if round_ and not bright
        else "other"
        for large, bright, round_ in zip(is_large, is_bright, is_round, strict=True)
    ]


@pytest.fixture
def study(tmp_path):
    """Two stacks with external labels, of which one has cells too."""
    study = Study(tmp_path)
    write_pair(study.folder, "one", count=9, shape=(16, 110, 110))
    write_pair(study.folder, "two", count=7, seed=8, shape=(16, 100, 110))
    study.add("one", image="one-nuclei.tif", labels="one-truth.tif", condition="control")
    study.add("one", "membrane", image="one-membrane.tif", labels="one-cells.tif")
    study.add("two", image="two-nuclei.tif", labels="two-truth.tif", condition="drug")
    study.config["select_objects"] = {"exclude_touching_faces": []}
    study.config["classify_objects"] = {"nuclei": CONDITIONS}
    return study


def test_conditions_with_thresholds_of_each_stack_and_of_the_study(study):
    process = study.run(*TABLES)
    assert process.returncode == 0, process.stderr[-4000:]
    started = jobs(process)
    assert (started["measure_unclassified"], started["classify_objects"]) == (2, 2)
    assert started["measure_objects"] == 1  # the cells, which have no classes
    assert "fit_classes" not in started
    objects = read(study.result("objects.csv"))
    header = list(objects[0])
    assert header[header.index("flags") + 1] == "class"
    nuclei = {
        stack: [row for row in objects if (row["object"], row["stack"]) == ("nuclei", stack)]
        for stack in ("one", "two")
    }
    counts = {}
    for stack, rows in nuclei.items():
        found = [row["class"] for row in rows]
        assert found == expected_classes(rows, rows)
        assert len(set(found)) > 2
        counts[stack] = {name: found.count(name) for name in (*CONDITIONS, "other")}
    assert {row["class"] for row in objects if row["object"] == "cells"} == {""}
    classes = read(study.result("classes.csv"))
    assert [(row["stack"], row["class"]) for row in classes] == [
        (stack, name) for stack, names in counts.items() for name in names
    ]
    for row in classes:
        total = len(nuclei[row["stack"]])
        count = counts[row["stack"]][row["class"]]
        assert (int(row["count_objects"]), int(row["count_classified"])) == (count, total)
        assert float(row["class_fraction"]) == pytest.approx(count / total)
        assert row["condition"] == {"one": "control", "two": "drug"}[row["stack"]]
    described = read(study.result("columns.csv"))
    for table, rows in (("classes.csv", classes), ("objects.csv", objects)):
        assert {row["column"] for row in described if row["table"] == table} == {*rows[0]}
    record = json.loads(study.result("one", "nuclei", "classes.json").read_text())
    found = {each["threshold"]: each["value"] for each in record["thresholds"]}
    assert found["otsu"] == pytest.approx(otsu(numbers(nuclei["one"], "mean_intensity_nuclei")))

    # those of the study: the objects are not measured again
    study.config["classify_objects"]["thresholds"] = "study"
    process = study.run(*TABLES)
    assert process.returncode == 0, process.stderr[-4000:]
    started = jobs(process)
    assert started.keys() & {"measure_unclassified", "measure_objects"} == set()
    assert (started["fit_classes"], started["classify_objects"]) == (1, 2)
    objects = [row for row in read(study.result("objects.csv")) if row["object"] == "nuclei"]
    assert [row["class"] for row in objects] == expected_classes(objects, objects)
    assert jobs(study.run("-n", *TABLES)) == {}


def test_objects_that_were_measured_before_they_had_classes(study):
    block = study.config.pop("classify_objects")
    assert study.run("results/objects.csv").returncode == 0
    study.config["classify_objects"] = block
    process = study.run(*TABLES, "results/class_distances.csv")
    assert process.returncode == 0, process.stderr[-4000:]
    assert jobs(process)["classify_objects"] == 2
    found = {row["class"] for row in read(study.result("objects.csv"))}
    assert found > {"", "large"}
    del study.config["classify_objects"]
    assert study.run("results/objects.csv").returncode == 0
    assert "class" not in read(study.result("objects.csv"))[0]


def test_a_classifier_fitted_to_examples(study):
    del study.config["classify_objects"]
    process = study.run("results/objects.csv")
    assert process.returncode == 0, process.stderr[-4000:]
    assert jobs(process)["measure_objects"] == 3
    nuclei = [row for row in read(study.result("objects.csv")) if row["object"] == "nuclei"]
    sizes = numbers(nuclei, "volume_um3")
    is_large = sizes > np.median(sizes)
    lines = ["stack,object,z_um,y_um,x_um,class"]
    for row, large in [*zip(nuclei, is_large, strict=True)][::2]:
        point = ",".join(row[f"centroid_{axis}_um"] for axis in "zyx")
        lines.append(f"{row['stack']},nuclei,{point},{'large' if large else 'small'}")
    lines.append("two,nuclei,-5,0,0,small")
    (study.folder / "examples.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    study.config["classify_objects"] = {"examples": "examples.csv", "columns": ["volume_um3"]}
    process = study.run(*TABLES)
    assert process.returncode == 0, process.stderr[-4000:]
    assert jobs(process)["fit_classes"] == 1
    objects = [row for row in read(study.result("objects.csv")) if row["object"] == "nuclei"]
    found = [row["class"] for row in objects]
    expected = ["large" if large else "small" for large in is_large]
    assert np.mean(np.array(found) == expected) > 0.8
    assert {*found} == {"large", "small"}
    assert all(0.5 <= float(row["class_probability"]) <= 1 for row in objects)
    # one number divides the classes
    assert max(sizes[np.array(found) == "small"]) < min(sizes[np.array(found) == "large"])
    fitted = json.loads(study.result("nuclei_classes.json").read_text())
    assert [each["reason"] for each in fitted["not_used"]] == ["there is no object"]
    assert fitted["fit"]["balanced_accuracy"] > 0.6
    by_class = {row["class"]: row for row in read(study.result("classes.csv"))}
    assert by_class["small"]["count_examples_not_used"] == "1"
    assert sum(int(row["count_examples"]) for row in by_class.values()) == len(lines) - 2
    before = study.result("nuclei_classes.json").read_bytes()
    study.result("nuclei_classes.json").unlink()
    assert study.run("results/nuclei_classes.json").returncode == 0
    assert study.result("nuclei_classes.json").read_bytes() == before
    (study.folder / "examples.csv").write_text("\n".join(lines[:-2]) + "\n", encoding="utf-8")
    assert jobs(study.run("-n", *TABLES))["fit_classes"] == 1


def test_errors_are_found_before_anything_runs(study):
    study.config["classify_objects"] = {
        "nuclei": {
            "a": "sphericty > 0.9",
            "b": "volume_um3 > p90 and",
            "c": "__import__('os').remove('stacks.tsv') > 1",
            "d": 5,
        },
        "threshold": "study",
    }
    text = study.run("-n").stdout
    assert "config.classify_objects.nuclei.d: 5 is not text; give a condition" in text
    assert "config.classify_objects: unknown key 'threshold'; did you mean 'thresholds'?" in text
    del study.config["classify_objects"]["threshold"]
    del study.config["classify_objects"]["nuclei"]["d"]
    process = study.run("-n")
    assert process.returncode != 0
    place = "config.classify_objects.nuclei"
    assert f"{place}.a: unknown column 'sphericty'; did you mean 'sphericity'?" in process.stdout
    assert f"{place}.b: the condition ends too early; add the name of a column" in process.stdout
    assert f"{place}.c: '(' at character 11 is not expected" in process.stdout
    assert not study.result().exists()
    study.config["classify_objects"] = {"examples": "none.csv"}
    message = "config.classify_objects.examples: 'none.csv' does not exist; correct the path"
    assert message in study.run("-n").stdout
