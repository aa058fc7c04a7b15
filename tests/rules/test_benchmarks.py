"""The numbers of the accuracy benchmark: diameters, slivers, scores and flags of small stacks."""

from pathlib import Path

import accuracy_scores
import accuracy_stacks
import accuracy_variants
import cells
import numpy as np
import pytest
import yaml
from accuracy_scores import Flags, compare, count_flags
from accuracy_stacks import CHECK, TUNING, RealStack, measure
from drawn import boxes_image

from cellstack.files.stacks import write_stack
from cellstack.files.tables import write_rows

SPACING = (2.0, 0.5, 0.25)
SHAPE = (8, 20, 30)
# two complete objects of 72 and 96 voxels, one cut by the first row, and a sliver at the last plane
TRUE = boxes_image(
    SHAPE,
    ((1, 4), (2, 6), (2, 8)),
    ((1, 5), (10, 14), (2, 8)),
    ((1, 5), (0, 6), (12, 20)),
    ((7, 8), (12, 14), (20, 23)),
)


def test_the_diameter_is_that_of_complete_objects():
    known = measure(TRUE, SPACING)
    assert known.diameter_um**3 * np.pi / 6 == pytest.approx(84 * 0.25)
    assert (known.count, known.slivers) == (4, 1)  # 6 voxels; the median of all is 84
    assert known.max_f1 == pytest.approx(2 * 3 / (3 + 4))
    only_cut = np.where(TRUE == 3, 3, 0)
    assert measure(only_cut, SPACING).diameter_um ** 3 * np.pi / 6 == pytest.approx(192 * 0.25)


def test_groups_have_goals_and_both_uses():
    stacks = accuracy_stacks.NUCLEI
    groups = {stack.group for stack in stacks.values()} | {"simulated"}
    assert groups == accuracy_variants.GOALS.keys()
    assert cells.GOALS.keys() <= {stack.group for stack in accuracy_stacks.CELLS.values()}
    for group in ("embryos", "worms", "glands"):
        every = {**stacks, **accuracy_stacks.CELLS}.values()
        assert {stack.use for stack in every if stack.group == group} == {TUNING, CHECK}
    images = [stack.image for stack in stacks.values()]
    assert len(set(images)) == len(images)


def test_keys_of_the_parts_can_be_swept():
    from study import ROOT

    from cellstack.config.schemas import Schemas
    from cellstack.config.sweep_table import key_names

    known = key_names(Schemas.read(ROOT / "config").stages)
    assert {key for part in accuracy_variants.PARTS.values() for key in part} <= set(known)


@pytest.mark.parametrize("method", accuracy_variants.SEGMENTERS)
def test_another_segmenter_is_scored_with_a_model(tmp_path, monkeypatch, method):
    from study import ROOT

    monkeypatch.setattr(accuracy_variants, "VARIANTS", accuracy_variants.VARIANTS.copy())
    number = len(accuracy_variants.VARIANTS)
    (tmp_path / "my_nuclei").touch()
    accuracy_variants.add_segmenter(method, "env/bin/python", str(tmp_path / "my_nuclei"))
    settings, factor = accuracy_variants.VARIANTS[f"{method}, model my_nuclei"]
    assert factor == 1
    options = settings["run_segmenter"][method]
    assert Path(options["python"]).is_absolute()
    assert options["model"] == str(tmp_path / "my_nuclei")
    schema = yaml.safe_load((ROOT / "config/schemas/stages.schema.yaml").read_text())
    known = schema["properties"]["run_segmenter"]["properties"][method]["properties"]
    assert options.keys() == known.keys()
    rows, _ = accuracy_variants.list_scored()
    assert f"variant-{number}" in {row["preset"] for row in rows}


def test_points_in_a_table_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(accuracy_stacks, "DATA", tmp_path)
    (tmp_path / "a.csv").write_text("z,y,x\n1,2,3\n\n4,5,6\n")
    stack = RealStack("worms", TUNING, "a.tif", "a.csv", SPACING, 3.5)
    assert accuracy_stacks.describe(stack) == (3.5, 2, 0)
    assert accuracy_stacks.available({"a": stack}) == {}


def test_scores_of_outlines():
    found = TRUE.copy()
    found[TRUE == 2] = 1  # merged with the first, and with gaps in the labels
    found[TRUE == 3] = 9
    found[:, :, 19] = 0  # an eighth of the third object is missing
    scores = compare(TRUE, found, by_points=False)
    assert (scores.n_pred, scores.n_true, scores.merged) == (3, 4, 1)
    assert scores.f1 == pytest.approx(2 * 3 / 7)
    assert scores.mean_iou == pytest.approx((96 / 168 + 7 / 8 + 1) / 3)
    assert scores.volume_ratio == pytest.approx(1)


def test_flags_of_right_and_wrong_objects(tmp_path):
    found = np.where(TRUE == 4, 0, TRUE)
    found[0, 18, 25:29] = 4  # spurious
    write_stack(tmp_path / "ground_truth.tif", TRUE, SPACING)
    write_stack(tmp_path / "segmentation.tif", found, SPACING)
    flags = {1: "", 2: "large for its stack", 4: "low contrast"}  # 3 is cut, and not measured
    rows = [{"segmentation_label": str(label), "flags": flag} for label, flag in flags.items()]
    write_rows(tmp_path / "objects.csv", ["segmentation_label", "flags"], rows)
    counted = count_flags(tmp_path, by_points=False)
    assert counted == Flags(wrong=1, wrong_flagged=1, right=2, right_flagged=1)
    points = np.zeros_like(TRUE)
    points[2, 3, 3], points[2, 4, 5], points[2, 12, 4] = 1, 2, 3
    write_stack(tmp_path / "ground_truth.tif", points, SPACING)
    by_points = count_flags(tmp_path, by_points=True)  # the first object holds two points
    assert by_points == Flags(wrong=2, wrong_flagged=1, right=1, right_flagged=1)
    table = accuracy_scores.flag_table({"a": [counted, by_points], "b": [Flags()]})
    assert "| a | 3 | 2 (67%) | 3 | 2 (67%) |" in table
    assert "| b | 0 | - | 0 | - |" in table
    assert "| all | 3 | 2 (67%) | 3 | 2 (67%) |" in table
