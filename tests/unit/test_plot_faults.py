import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from PIL import Image

import plot_faults as script
from cellstack import io, whole_files
from cellstack.errors import InputError
from cellstack.evaluate_labels import evaluate_labels
from cellstack.plot_faults import DIM, FOUND_COLOR, MOST_OBJECTS, TRUTH_COLOR, choose_objects, plot_faults

SPACING = (2.0, 0.5, 0.5)


def boxes_image(*boxes):
    labels = np.zeros((12, 60, 80), np.uint16)
    for number, box in enumerate(boxes, 1):
        labels[tuple(slice(*side) for side in box)] = number
    return labels


# one of each fault: split, merged (two), missed, low IoU, and one that is right; the last label is spurious
TRUTH = boxes_image(
    ((2, 10), (2, 12), (2, 22)),
    ((2, 10), (2, 12), (30, 40)),
    ((2, 10), (2, 12), (40, 50)),
    ((2, 10), (20, 26), (2, 8)),
    ((2, 10), (20, 30), (30, 40)),
    ((2, 10), (40, 50), (30, 40)),
)
FOUND = boxes_image(
    ((2, 10), (2, 12), (2, 12)),
    ((2, 10), (2, 12), (12, 22)),
    ((2, 10), (2, 12), (30, 50)),
    ((2, 10), (20, 30), (36, 46)),
    ((2, 10), (40, 50), (31, 41)),
    ((2, 10), (50, 55), (70, 75)),
)
RAW = np.random.default_rng(0).integers(0, 50, TRUTH.shape).astype(np.uint8) + 100 * (TRUTH > 0)


def test_the_worst_come_first_and_are_named():
    chosen = choose_objects(evaluate_labels(TRUTH, FOUND, SPACING))
    assert [(set(truths), set(labels)) for truths, labels, _ in chosen] == [
        ({5}, {4}),
        ({1}, {1, 2}),
        ({2, 3}, {3}),
        ({4}, set()),
        (set(), {6}),
        ({6}, {5}),
    ]
    words = [words for _, _, words in chosen]
    assert words == [
        "low IoU, 0.25: truth 5, label 4",
        "split: truth 1 into labels 1, 2",
        "merged: truths 2, 3 into label 3",
        "missed: truth 4",
        "spurious: label 6",
        "right, IoU 0.82: truth 6, label 5",
    ]


def test_each_object_is_shown_in_three_planes_at_true_scale_with_both_outlines():
    figure = plot_faults(RAW, TRUTH, FOUND, SPACING, evaluate_labels(TRUTH, FOUND, SPACING), title="a stack", note="simulated data")
    panels = {axes.get_label(): axes for axes in figure.axes}
    assert list(panels) == [f"{number} {view}" for number in range(1, 7) for view in ("xy", "xz", "yz")]
    for axes in panels.values():
        across, down = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
        assert axes.bbox.width / across == pytest.approx(axes.bbox.height / down)
    split = panels["2 xy"]
    colors = {to_hex(color) for each in split.collections if isinstance(each, LineCollection) for color in each.get_colors()}
    assert {TRUTH_COLOR, FOUND_COLOR} <= colors
    truth = next(each for each in split.collections if to_hex(each.get_colors()[-1]) == TRUTH_COLOR)
    outline = truth.get_paths()[-1].vertices
    assert np.ptp(outline, axis=0) == pytest.approx((10, 5), abs=0.7)  # 20 x 10 voxels of 0.5 um
    texts = [text.get_text() for text in figure.texts]
    assert "6 objects found, 6 in the truth, F1 0.50 at IoU 0.5: 1 split, 1 merged, 1 missed, 1 spurious, 1 low IoU" in texts
    assert "planes at z = 10, y = 3, x = 5.5 µm" in texts  # voxel 5 of 2 to 9, 6 of 2 to 11, 11 of 2 to 21
    assert "truth 800 µm³, found 800 µm³" in texts  # split: 20 x 10 x 8 voxels of 0.5 um3, all of it in two parts
    assert {"truth 144 µm³", "found 100 µm³"} <= set(texts)  # missed, spurious
    assert "simulated data" in texts


def test_what_is_missed_within_a_far_larger_object_fills_its_panel():
    truth, found = boxes_image(((1, 11), (2, 58), (2, 50)), ((4, 6), (20, 24), (50, 54))), boxes_image(((1, 11), (2, 58), (2, 54)))
    scores = evaluate_labels(truth, found, SPACING)
    truths, labels, words = choose_objects(scores)[0]
    assert (truths, labels, words) == ([2], [], "missed: truth 2, touched by label 1")
    panel = plot_faults(found, truth, found, SPACING, scores, title="x").axes[0]
    assert np.ptp(panel.get_xlim()) == pytest.approx(2 + 2 * 3.5)  # 4 voxels of 0.5 um, 0.8 times the height of 4 um on each side


def test_no_more_than_fit_and_nothing_at_all():
    many = np.kron(np.arange(1, 21).reshape(1, 4, 5), np.ones((4, 6, 6), int)).astype(np.uint16)
    none = np.zeros_like(many)
    raw = np.zeros(many.shape, np.uint8)
    figure = plot_faults(raw, many, none, SPACING, evaluate_labels(many, none, SPACING), title="x")
    assert len(figure.axes) == 3 * MOST_OBJECTS
    empty = plot_faults(raw, none, none, SPACING, evaluate_labels(none, none, SPACING), title="x")
    assert empty.axes == []
    assert "There is nothing to show" in [text.get_text() for text in empty.texts]


def test_a_plane_is_shown_as_it_is():
    plane = TRUTH[5:6]
    figure = plot_faults(RAW[5:6], plane, plane, SPACING, evaluate_labels(plane, plane, SPACING), title="x")
    assert len(figure.axes) == 18


def test_shapes_must_agree():
    with pytest.raises(InputError, match="differ in shape"):
        plot_faults(RAW[1:], TRUTH, FOUND, SPACING, evaluate_labels(TRUTH, FOUND, SPACING), title="x")


def test_the_file_holds_the_colours(tmp_path):
    for name, stack in {"raw": RAW.astype(np.uint8), "truth": TRUTH, "split": FOUND}.items():
        io.write_stack(tmp_path / f"{name}.tif", stack, SPACING)
    whole_files.write_json(tmp_path / "scores.json", {"stack": "x", "objects": {"nuclei": evaluate_labels(TRUTH, FOUND, SPACING)}})
    inputs = {name: tmp_path / f"{name}.tif" for name in ("raw", "truth", "split")} | {"scores": tmp_path / "scores.json"}
    for name in ("a", "b"):
        script.main(**inputs, faults=tmp_path / f"{name}.png", object="nuclei", title="x", note="")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    colors = {to_hex(np.array(color) / 255) for _, color in Image.open(tmp_path / "a.png").convert("RGB").getcolors(1 << 24)}
    assert {*DIM, *DIM.values()} <= colors
