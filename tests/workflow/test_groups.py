"""A run of stacks in groups: table, figures and methods, against boxes of known volume."""

import csv

import numpy as np
import pytest
from drawn import boxes_image
from scipy import stats
from study import Study, jobs

from cellstack.files.stacks import write_stack

pytestmark = pytest.mark.slow

SPACING = (1.5, 0.5, 0.4)
SHAPE = (8, 40, 60)
VOXEL = 1.5 * 0.5 * 0.4
WIDTHS = {  # of the boxes of each stack, in voxels along x; the name begins with the animal
    "drug, 5 µM": {"m4-a": (8, 9), "m5-a": (9, 9), "m6-a": (11, 12), "m6-b": (13, 12)},
    "control": {"m1-a": (5, 6), "m1-b": (7, 6), "m2-a": (6, 6), "m3-a": (7, 7)},
}
TARGETS = (  # without the figures of each stack
    "results/groups.csv",
    "results/figures/nuclei_groups.png",
    "results/columns.csv",
    "results/methods.md",
)


def write_stacks(folder, study, widths, **cells):
    for group, stacks in widths.items():
        for name, sides in stacks.items():
            boxes = [((2, 6), (5 + 15 * i, 13 + 15 * i), (9, 9 + w)) for i, w in enumerate(sides)]
            labels = boxes_image(SHAPE, *boxes)
            image = (20 + 100 * (labels > 0)).astype(np.uint8)
            image[:, ::3, ::2] += 3  # so that noise is not 0
            write_stack(folder / f"{name}.tif", image, SPACING)
            write_stack(folder / f"{name}-labels.tif", labels, SPACING)
            study.add(
                name,
                image=f"{name}.tif",
                labels=f"{name}-labels.tif",
                condition=group,
                mouse=name.partition("-")[0],
                **cells,
            )


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_groups_are_compared_by_animal(tmp_path):
    study = Study(tmp_path)
    write_stacks(tmp_path, study, WIDTHS)
    study.config["compare_groups"] = {"unit": "mouse", "correction": "holm"}
    process = study.run(*TARGETS)
    assert process.returncode == 0, process.stderr
    rows = read(study.result("groups.csv"))
    columns = ["density_per_mm3", "volume_um3", "sphericity", "mean_intensity_nuclei"]
    assert [row["column"] for row in rows] == columns
    row = rows[1]
    assert (row["group_1"], row["group_2"], row["unit"]) == ("control", "drug, 5 µM", "um3")
    # means of two boxes of 4 x 8 x width voxels in each stack, then of the stacks of an animal
    first = np.array([6, 6, 7]) * 4 * 8 * VOXEL
    second = np.array([8.5, 9, 12]) * 4 * 8 * VOXEL
    assert float(row["mean_1"]) == pytest.approx(first.mean())
    assert float(row["sd_2"]) == pytest.approx(second.std(ddof=1))
    expected = stats.ttest_ind(second, first, equal_var=False)
    assert float(row["p_value"]) == pytest.approx(expected.pvalue)
    counts = {name: row[f"count_{name}_1"] for name in ("units", "stacks", "objects")}
    assert counts == {"units": "3", "stacks": "4", "objects": "8"}
    tests = [row for row in rows if row["p_value"]]
    assert {row["count_tests"] for row in rows} == {str(len(tests))}
    units = [row for row in read(study.result("group_units.csv")) if row["column"] == "volume_um3"]
    assert {row["unit_name"]: float(row["mean"]) for row in units} == pytest.approx(
        dict(zip(["m1", "m2", "m3", "m4", "m5", "m6"], [*first, *second], strict=True))
    )
    for name in ("nuclei_groups.png", "nuclei_groups.pdf"):
        assert study.result("figures", name).stat().st_size > 5000
    methods = study.result("methods.md").read_text(encoding="utf-8")
    assert "The experimental unit was given by the column mouse of the sheet" in methods
    assert "n = 3 per group" in methods and "[@holm1979]" in methods
    listed = {
        row["column"] for row in read(study.result("columns.csv")) if row["table"] == "groups.csv"
    }
    assert listed == set(rows[0])
    constant = next(row for row in rows if row["column"] == "density_per_mm3")
    assert constant["warnings"] == "the units of each group have the same value: no test"
    assert "cellstack: doubt" in process.stderr
    assert "WARNING" in study.log("compare_groups.log").read_text(encoding="utf-8")
    # another correction compares again and measures nothing
    study.config["compare_groups"]["correction"] = "benjamini_hochberg"
    done = jobs(study.run("--dry-run"))  # also of the default target
    assert done["compare_groups"] == done["plot_groups"] == 1
    assert "measure_objects" not in done
    done = jobs(study.run(*TARGETS))
    assert done["compare_groups"] == done["plot_groups"] == 1
    assert "measure_objects" not in done
    assert jobs(study.run(*TARGETS)) == {}


def test_one_group_is_not_compared(tmp_path):
    study = Study(tmp_path)
    write_stacks(tmp_path, study, {"control": WIDTHS["control"]})
    process = study.run("--dry-run")
    assert process.returncode == 0, process.stderr
    assert "collect_objects" in jobs(process)
    assert "compare_groups" not in jobs(process)
