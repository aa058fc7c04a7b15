"""Corrections while a stack is looked at: each round trip through the table, and undo."""

import numpy as np
import pytest
from corrections import core
from hypothesis import given
from labels import LABELS
from study import SPACING, simulated

from cellstack.config.corrections import read_corrections
from cellstack.files.stacks import read_stack
from cellstack.segment.correct_objects import correct_objects
from cellstack.view.editor import Editor

GROWTH = {"diameter_um": 8, "level": 0.45, "sigma_um": 2.4}
GROWTH |= {"background_radius_um": 12, "max_radius_um": 9.6}


@pytest.fixture(scope="module")
def colony():
    return simulated()


@pytest.fixture
def editor(colony, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    image = (colony.nuclei_image / colony.nuclei_image.max()).astype("float32")
    labels = colony.nuclei_labels.astype("uint16")
    return Editor("a", "nuclei", labels, SPACING, "corrections.csv", GROWTH, image)


def rerun(editor, before):
    """Return the labels that the workflow makes with the table of an editor."""
    corrections, _, errors = read_corrections(str(editor.table), {"a": ["nuclei"]}, check=True)
    assert errors == []
    own = corrections["a"]["nuclei"]
    images = [each["image"] and read_stack(each["image"])[0] for each in own]
    labels, outcomes = correct_objects(before, SPACING, own, images, GROWTH, editor._intensities)
    assert [outcome.reason for outcome in outcomes] == [""] * len(own)
    return labels


def test_every_action_survives_the_round_trip(editor):
    before = editor.labels.copy()
    places = [core(before == label, SPACING) for label in range(1, before.max() + 1)]
    assert editor.merge(places[:2]) == "done: 1 x merge"
    assert editor.split(places[:2]) == "done: 1 x split"
    assert editor.delete(places[2:4]) == "done: 2 x delete"
    assert editor.add([places[2]]) == "done: 1 x add"
    assert editor.add([places[3]], diameter_um=6.5) == "done: 1 x add"
    assert editor.accept([editor.place(1)]) == "done: 1 x accept"
    painted = editor.labels.copy()
    painted[:, :, 1:][painted[:, :, :-1] == 1] = 1
    painted[0, 0, 0] = painted.max() + 1
    assert editor.redraw(painted).startswith("done: ")
    assert editor.count >= 9
    assert not editor.table.exists()
    after = editor.labels
    assert editor.save() == f"{editor_count(editor)} corrections added to corrections.csv"
    assert editor.count == 0
    assert np.array_equal(rerun(editor, before), after)


def editor_count(editor):
    corrections, _, _ = read_corrections(str(editor.table), {"a": ["nuclei"]}, check=True)
    return len(corrections["a"]["nuclei"])


def test_what_is_not_possible_changes_nothing(editor, colony):
    before = editor.labels
    nothing = [0.0, 0.0, 0.0]
    assert editor.delete([nothing]) == "not possible: no object at 0, 0, 0 um"
    assert editor.delete([editor.place(1), nothing]).startswith("not possible")
    assert editor.merge([nothing]).startswith("merge needs a point in each of two")
    assert editor.split([nothing]).startswith("split needs two or more points")
    assert editor.accept([]).startswith("add points first")
    assert editor.redraw(before) == "nothing was painted"
    assert editor.save() == "there is nothing to save"
    assert editor.labels is before
    other = Editor("a", "nuclei", before, SPACING, editor.table)
    assert other.add([nothing]).startswith("an object cannot be added without a denoised image")


def test_undo(editor):
    before = editor.labels
    assert editor.undo() == "there is no correction to undo"
    editor.delete([editor.place(1)])
    between = editor.labels
    editor.delete([editor.place(1)])
    assert editor.undo() == "undone: 1 x delete"
    assert editor.labels is between
    editor.save()
    editor.accept([editor.place(1)])
    assert editor.undo() == "undone: 1 x accept"
    assert editor.undo().startswith("removed from corrections.csv: delete; run the workflow again")
    assert editor.undo() == "there is no correction to undo"
    assert between.max() == before.max() - 1


@given(LABELS, LABELS)
def test_painted_labels_become_corrections(labels, painted):
    editor = Editor("a", "nuclei", labels, SPACING, "unused.csv")
    text = editor.redraw(painted)
    if np.array_equal(labels, painted):
        assert text == "nothing was painted"
        return
    assert text.startswith("done: ")
    assert np.array_equal(editor.labels > 0, painted > 0)
    pairs = {*zip(editor.labels.ravel().tolist(), painted.ravel().tolist(), strict=True)}
    assert len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs})


def test_the_redrawn_objects_are_named_after_the_stack(editor, tmp_path):
    painted = editor.labels.copy()
    painted[:, :, 1:][painted[:, :, :-1] == 1] = 1
    editor.redraw(painted)
    editor.save()
    first = sorted(path.name for path in (tmp_path / "corrections").iterdir())
    assert first[0] == "a-nuclei-1.tif"
    assert "corrections/a-nuclei-1.tif" in editor.table.read_text()
    painted = editor.labels.copy()
    painted[painted == 2] = 0
    painted[:, :, 1:][painted[:, :, :-1] == 3] = 3
    editor.redraw(painted)
    editor.save()
    assert len(list((tmp_path / "corrections").iterdir())) > len(first)
