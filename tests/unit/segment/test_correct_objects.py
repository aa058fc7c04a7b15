"""Corrections by hand, on drawn labels and on a simulated stack."""

from tempfile import TemporaryDirectory

import numpy as np
import pytest
from corrections import core, correction, derive_clicks, derive_drawings
from hypothesis import given
from hypothesis import strategies as st
from labels import LABELS, line
from shapes import row_of_balls, spacing_of
from study import DIAMETER_UM, SPACING, simulated

from cellstack.config.corrections import ACTIONS
from cellstack.core.planes import ComputedStack
from cellstack.evaluate.evaluate_labels import evaluate_labels
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import read_stack
from cellstack.segment.correct_objects import correct_objects

ROW = line((1, 3), (2, 2), (0, 2), (3, 3))
STEPS = (2.0, 0.5, 0.25)


def at(column):
    """Return the place of a voxel of the row in um."""
    return [0.0, 0.0, column * STEPS[2]]


def in_parts(stack):
    return None if stack is None else ComputedStack(stack.shape, stack.dtype, stack.__getitem__)


def correct(labels, *corrections, images=None, spacing=STEPS, **options):
    """Correct labels in memory, and again in a file of which parts are read and written."""
    images = images or [None] * len(corrections)
    before = labels.copy()
    corrected, outcomes = correct_objects(labels, spacing, corrections, images, **options)
    assert np.array_equal(labels, before)
    for name in ("intensities", "no_data"):
        options[name] = in_parts(options.get(name))
    with TemporaryDirectory() as folder, scratch_stacks(folder) as allocate:
        parts, same = correct_objects(
            in_parts(labels),
            spacing,
            corrections,
            map(in_parts, images),
            **options,
            allocate=allocate,
        )
        assert not isinstance(parts, np.ndarray)
        assert parts.dtype == corrected.dtype
        assert np.array_equal(parts[:], corrected)
    assert same == outcomes
    assert set(np.unique(corrected)) | {0} == set(range(corrected.max() + 1))
    return corrected.ravel().tolist(), outcomes


def growth(diameter_um, level=0.5):
    fractions = {"diameter_um": 1, "sigma_um": 0.3, "background_radius_um": 1.5}
    fractions["max_radius_um"] = 1.2
    return {key: part * diameter_um for key, part in fractions.items()} | {"level": level}


def test_merge():
    row, outcomes = correct(ROW, correction("merge", at(0), at(8), at(1)), options={})
    assert row == [1, 1, 1, 2, 2, 0, 0, 1, 1, 1]
    assert outcomes[0].labels == [1]


def test_split_and_the_order_of_labels():
    row, outcomes = correct(ROW, correction("split", at(9), at(7)), options={})
    assert row[:7] == ROW.ravel().tolist()[:7]
    assert row[9] == 3
    assert row[7] == 4
    assert outcomes[0].labels == [3, 4]


def test_delete_and_accept():
    row, outcomes = correct(
        ROW, correction("accept", at(8)), correction("delete", at(1)), options={}
    )
    assert row == [0, 0, 0, 1, 1, 0, 0, 2, 2, 2]
    assert [outcome.labels for outcome in outcomes] == [[2], []]


def test_the_corrections_of_an_object_follow_it():
    split, merge = correction("split", at(0), at(2)), correction("merge", at(0), at(4))
    _, (accepted, first, second) = correct(
        ROW, correction("accept", at(0)), split, merge, options={}
    )
    assert accepted.labels == []  # it was changed later
    assert first.labels == [1, 3]
    assert second.labels == [1]


def test_redraw_covers_other_objects():
    image = np.uint16([[[7, 7, 0, 9]]])
    redraw = correction("redraw", at(8), image="x", image_position_um=at(4))
    row, outcomes = correct(ROW, redraw, images=[image], options={})
    assert row == [1, 1, 1, 2, 3, 3, 0, 4, 0, 0]
    assert outcomes[0].labels == [3, 4]


def test_an_object_that_is_drawn_is_added():
    add = correction("add", at(5), image="x", image_position_um=at(5))
    row, _ = correct(ROW, add, images=[np.uint16([[[1, 1]]])], options={})
    assert row == [1, 1, 1, 2, 2, 4, 4, 3, 3, 3]
    add = correction("add", at(5), image="x")
    drawn = (np.arange(10) == 5).astype("uint16").reshape(1, 1, 10)
    assert correct(ROW, add, images=[drawn], options={})[0][5] == 4


FAILURES = {
    "no object": (correction("delete", at(5)), None, "no object at 0, 0, 1.25 um"),
    "outside": (correction("accept", at(10)), None, "0, 0, 2.5 um lies outside the stack"),
    "merged already": (correction("merge", at(0), at(2)), None, "all points lie in one object"),
    "one of three": (correction("merge", at(0), at(5), at(8)), None, "no object at 0, 0, 1.25 um"),
    "split already": (correction("split", at(0), at(3)), None, "the points lie in 2 objects"),
    "one voxel": (correction("split", at(0), at(0.2)), None, "two points lie in the same voxel"),
    "not missing": (correction("add", at(0)), None, "there is already an object at 0, 0, 0 um"),
    "another shape": (
        correction("redraw", at(0), image="x"),
        np.ones((1, 1, 2), np.uint16),
        "the image has shape (1, 1, 2), the stack (1, 1, 10); give the position",
    ),
    "too far": (
        correction("redraw", at(0), image="x", image_position_um=at(9)),
        np.ones((1, 1, 2), np.uint16),
        "the image extends beyond the stack",
    ),
    "nothing drawn": (
        correction("redraw", at(0), image="x", image_position_um=at(0)),
        np.zeros((1, 1, 2), np.uint16),
        "the image has no object",
    ),
}


@pytest.mark.parametrize(("wrong", "image", "reason"), FAILURES.values(), ids=FAILURES)
def test_a_correction_that_does_not_fit_changes_nothing(wrong, image, reason):
    row, (outcome, deleted) = correct(
        ROW, wrong, correction("delete", at(4)), images=[image, None], options={}
    )
    assert outcome.reason.startswith(reason)
    assert outcome.labels == []
    assert row == correct(ROW, correction("delete", at(4)), options={})[0]
    assert deleted.reason == ""


@pytest.mark.parametrize("ratio", [1, 4, 8])
def test_split_at_the_neck_whatever_the_spacing(ratio):
    spacing = spacing_of(ratio)
    shape = np.round(np.array([14, 14, 24]) / spacing).astype(int)
    grid = np.indices(shape) * np.reshape(spacing, (3, 1, 1, 1))
    centres, radii = np.array([[7, 7, 7], [7, 7, 16]]), [5, 4.5]
    distances = [np.linalg.norm(grid - c.reshape(3, 1, 1, 1), axis=0) for c in centres]
    inside = [distance < radius for distance, radius in zip(distances, radii, strict=True)]
    touching = (inside[0] | inside[1]).astype("uint16")
    off_centre = centres + np.array([[1, 2, -2], [0, -1.5, 2]])  # nobody clicks at the exact centre
    corrected, _ = correct_objects(
        touching, spacing, [correction("split", *off_centre.tolist())], [None], {}
    )
    for number, (mine, other) in enumerate([inside, inside[::-1]], 1):
        only = mine & ~other
        assert np.mean(corrected[only] == number) > 0.97


def test_points_that_are_close_split_an_object_between_them():
    spacing = (1.0, 0.5, 0.25)
    z, y, x = np.indices((13, 26, 52)) * np.reshape(spacing, (3, 1, 1, 1))
    ball = (np.sqrt((z - 6) ** 2 + (y - 6) ** 2 + (x - 6) ** 2) < 5).astype("uint16")
    points = [[6.0, 6.0, 5.0], [6.0, 6.0, 7.0]]
    parts, _ = correct_objects(ball, spacing, [correction("split", *points)], [None], {})
    assert np.bincount(parts.ravel())[1:] == pytest.approx([ball.sum() / 2] * 2, rel=0.1)


@pytest.mark.parametrize("ratio", [1, 4])
def test_an_added_object_is_outlined_at_the_level(ratio):
    spacing = spacing_of(ratio)
    stack, truth = row_of_balls(spacing, [0.3, 0.6, 0.9])
    labels = np.where(truth == 3, 1, 0).astype("uint16")
    click = [length + 1 for length in core(truth == 2, spacing)]
    corrected, outcomes = correct_objects(
        labels, spacing, [correction("add", click)], [None], growth(8), stack
    )
    assert outcomes[0].labels == [2]
    assert np.array_equal(corrected == 1, labels == 1)
    added = np.count_nonzero(corrected == 2) / np.count_nonzero(truth == 2)
    assert added == pytest.approx(1, abs=0.1)
    smaller = correction("add", click, diameter_um=3)
    cut, _ = correct_objects(labels, spacing, [smaller], [None], growth(8), stack)
    assert 0 < np.count_nonzero(cut == 2) < np.count_nonzero(corrected == 2)


def test_an_object_is_not_added_where_nothing_is():
    dark = np.zeros(ROW.shape, np.float32)
    row, (outcome,) = correct(ROW, correction("add", at(5)), options=growth(1), intensities=dark)
    assert row == ROW.ravel().tolist()
    assert "nothing there is brighter than its surroundings; draw the object" in outcome.reason
    no_data = ROW == 0
    _, (outcome,) = correct(
        ROW, correction("add", at(5)), options=growth(1), intensities=dark, no_data=no_data
    )
    assert outcome.reason == "there are no data at this point"


@pytest.mark.parametrize("ratio", [1, 4])
def test_noise_is_not_an_object(ratio):
    spacing = spacing_of(ratio)
    _, truth = row_of_balls(spacing, [0.3, 0.6, 0.9])
    noise = np.random.default_rng(0).normal(0.1, 0.02, truth.shape).astype("float32")
    labels = np.zeros(truth.shape, np.uint16)
    click = core(truth == 2, spacing)
    added = correction("add", click)
    corrected, (outcome,) = correct_objects(labels, spacing, [added], [None], growth(8), noise)
    assert outcome.reason.startswith("what is brighter than its surroundings there has no outline")
    assert not corrected.any()
    cut = correction("add", click, diameter_um=8)
    _, (outcome,) = correct_objects(labels, spacing, [cut], [None], growth(8), noise)
    assert outcome.labels == [1]


def test_an_added_cell_ends_at_its_walls():
    spacing = (1.0, 0.5, 0.5)
    z, y, x = np.indices((15, 40, 40)) * np.reshape(spacing, (3, 1, 1, 1))
    off_wall = np.maximum(np.maximum(abs(z - 7), abs(y - 10)), abs(x - 10)) - 5
    walls = np.exp(-(off_wall**2)).astype("float32")
    labels = (x < 4).astype("uint16")
    corrected, _ = correct_objects(
        labels,
        spacing,
        [correction("add", [7.0, 10.0, 10.0])],
        [None],
        {"diameter_um": 12.0},
        walls,
    )
    assert np.array_equal(corrected == 1, labels == 1)
    assert (corrected[off_wall < -0.6] == 2).all()
    assert not (corrected[off_wall > 0.6] == 2).any()


def spoiled(truth):
    """Return labels with every kind of error, from a ground truth."""
    labels = truth.astype("uint16")
    labels[labels == 2] = 1
    halves = np.indices(labels.shape)[2] > np.mean(np.nonzero(labels == 3)[2])
    labels[(labels == 3) & halves] = labels.max() + 1
    labels[labels == 4] = 0
    shifted = np.roll(labels == 5, 12, axis=1) & (labels == 0)
    labels[labels == 5] = 0
    labels[shifted] = 5
    labels[:2, :6, :6] = np.where(labels[:2, :6, :6] == 0, labels.max() + 1, labels[:2, :6, :6])
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype("uint16")


def test_corrections_alone_reach_an_f1_of_1(tmp_path):
    colony = simulated(shape=(16, 96, 96), count=9)
    truth = colony.nuclei_labels.astype("uint16")
    labels = spoiled(truth)
    assert evaluate_labels(truth, labels, SPACING)["summary"]["f1"] < 0.75
    stack = (colony.nuclei_image / colony.nuclei_image.max()).astype("float32")
    clicks = derive_clicks(truth, labels, SPACING)
    assert {"merge", "split", "delete"} <= {each["action"] for each in clicks}
    found = correct_objects(
        labels, SPACING, clicks, [None] * len(clicks), growth(DIAMETER_UM), stack
    )[0]
    drawings = derive_drawings(truth, found, SPACING, tmp_path)
    corrections = clicks + drawings
    images = [each["image"] and read_stack(each["image"])[0] for each in corrections]
    options = {"options": growth(DIAMETER_UM), "intensities": stack}
    found, outcomes = correct(labels, *corrections, images=images, spacing=SPACING, **options)
    found = np.reshape(found, labels.shape)
    assert [outcome.reason for outcome in outcomes] == [""] * len(corrections)
    assert evaluate_labels(truth, found, SPACING)["summary"]["f1"] == 1


@given(
    labels=LABELS,
    actions=st.lists(
        st.tuples(st.sampled_from(ACTIONS), st.lists(st.integers(0, 29), min_size=2, max_size=3)),
        max_size=4,
    ),
)
def test_any_corrections_leave_labels_without_gaps(labels, actions):
    corrections, images = [], []
    for action, places in actions:
        points = [np.unravel_index(place, labels.shape) * np.array(STEPS) for place in places]
        if action not in ("merge", "split"):
            points = points[:1]
        corrections.append(correction(action, *(point.tolist() for point in points)))
        images.append(labels[::-1].copy() if action in ("redraw", "add") else None)
    row, outcomes = correct(labels, *corrections, images=images, options={})
    made = {label for outcome in outcomes for label in outcome.labels}
    assert made <= set(row)
    if all(outcome.reason for outcome in outcomes):
        assert row == labels.ravel().tolist()
