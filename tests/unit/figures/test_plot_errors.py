import numpy as np
import pytest
from drawn import boxes_image, edges_of, outlines_of, panels, texts_of
from matplotlib.colors import to_hex
from PIL import Image

import plot_errors as script
from cellstack.errors import InputError
from cellstack.evaluate.evaluate_labels import evaluate_labels
from cellstack.figures.plot_errors import (
    FOUND_COLOR,
    GROUND_TRUTH_COLOR,
    MAX_OBJECTS,
    NEIGHBOUR_COLORS,
    choose_objects,
    plot_errors,
)
from cellstack.files.records import write_json
from cellstack.files.stacks import write_stack

SPACING = (2.0, 0.5, 0.5)
SHAPE = (12, 60, 80)
# one of each error: split, merged (two objects), missed, low IoU, and one correct object;
# the last label is spurious
TRUE_LABELS = boxes_image(
    SHAPE,
    ((2, 10), (2, 12), (2, 22)),
    ((2, 10), (2, 12), (30, 40)),
    ((2, 10), (2, 12), (40, 50)),
    ((2, 10), (20, 26), (2, 8)),
    ((2, 10), (20, 30), (30, 40)),
    ((2, 10), (40, 50), (30, 40)),
)
FOUND = boxes_image(
    SHAPE,
    ((2, 10), (2, 12), (2, 12)),
    ((2, 10), (2, 12), (12, 22)),
    ((2, 10), (2, 12), (30, 50)),
    ((2, 10), (20, 30), (36, 46)),
    ((2, 10), (40, 50), (31, 41)),
    ((2, 10), (50, 55), (70, 75)),
)
NOISE = np.random.default_rng(0).integers(0, 50, SHAPE).astype(np.uint8)
RAW = (NOISE + 100 * (TRUE_LABELS > 0)).astype(np.uint8)


def draw(raw, true_labels, found, **texts):
    scores = evaluate_labels(true_labels, found, SPACING)
    return plot_errors(raw, true_labels, found, SPACING, scores, **{"title": "x"} | texts)


def test_largest_errors_come_first_and_are_named():
    chosen = choose_objects(evaluate_labels(TRUE_LABELS, FOUND, SPACING))
    assert [(set(true_labels), set(labels)) for true_labels, labels, _ in chosen] == [
        ({5}, {4}),
        ({1}, {1, 2}),
        ({2, 3}, {3}),
        ({4}, set()),
        (set(), {6}),
        ({6}, {5}),
    ]
    assert [each.text for each in chosen] == [
        "low IoU, 0.25: true object 5, label 4",
        "split: true object 1 into labels 1, 2",
        "merged: true objects 2, 3 into label 3",
        "missed: true object 4",
        "spurious: label 6",
        "correct, IoU 0.82: true object 6, label 5",
    ]


def test_each_object_is_shown_in_three_planes_at_true_scale():
    figure = draw(RAW, TRUE_LABELS, FOUND, title="a stack", note="simulated data")
    shown = panels(figure)
    assert list(shown) == [f"{rank} {view}" for rank in range(1, 7) for view in ("xy", "xz", "yz")]
    for axes in shown.values():
        across, down = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
        assert axes.bbox.width / across == pytest.approx(axes.bbox.height / down)
    texts = set(texts_of(figure))
    assert {
        "6 objects found, 6 in the ground truth, F1 0.50 at IoU 0.5: "
        "1 split, 1 merged, 1 missed, 1 spurious, 1 low IoU",
        "planes at z = 10, y = 3, x = 5.5 µm",  # voxel 5 of 2 to 9, 6 of 2 to 11, 11 of 2 to 21
        "true 800 µm³, found 800 µm³",  # split: 20 x 10 x 8 voxels of 0.5 um3, in two parts
        "true 144 µm³",  # missed
        "found 100 µm³",  # spurious
        "simulated data",
    } <= texts


def test_outlines_of_both_images_are_drawn_in_their_colors():
    outlines = outlines_of(panels(draw(RAW, TRUE_LABELS, FOUND))["2 xy"])
    drawn = {}
    for color, line in outlines:
        drawn.setdefault(color, []).append(edges_of(line, (0.5, 0.5)))
    assert drawn[GROUND_TRUTH_COLOR] == [((2, 12), (2, 22))]
    assert drawn[FOUND_COLOR] == [((2, 12), (2, 12)), ((2, 12), (12, 22))]


def test_neighbours_are_darker():
    outlines = outlines_of(panels(draw(RAW, TRUE_LABELS, FOUND))["3 xy"])
    colors = [color for color, _ in outlines]
    assert colors.count(GROUND_TRUTH_COLOR) == 2
    assert NEIGHBOUR_COLORS[GROUND_TRUTH_COLOR] in colors
    assert NEIGHBOUR_COLORS[FOUND_COLOR] in colors


def test_missed_object_inside_of_a_much_larger_one_fills_its_panel():
    true_labels = boxes_image(SHAPE, ((1, 11), (2, 58), (2, 50)), ((4, 6), (20, 24), (50, 54)))
    found = boxes_image(SHAPE, ((1, 11), (2, 58), (2, 54)))
    chosen = choose_objects(evaluate_labels(true_labels, found, SPACING))[0]
    assert chosen == ([2], [], "missed: true object 2, touched by label 1")
    panel = draw(found, true_labels, found).axes[0]
    # 4 voxels of 0.5 um, and 0.8 times the height of 4 um, rounded up to voxels, on each side
    assert np.ptp(panel.get_xlim()) == pytest.approx(2 + 2 * 3.5)


def test_number_of_objects_is_limited_and_may_be_zero():
    many = np.kron(np.arange(1, 21).reshape(1, 4, 5), np.ones((4, 6, 6), int)).astype(np.uint16)
    none = np.zeros_like(many)
    raw = np.zeros(many.shape, np.uint8)
    assert len(draw(raw, many, none).axes) == 3 * MAX_OBJECTS
    empty = draw(raw, none, none)
    assert empty.axes == []
    assert "No objects to show" in texts_of(empty)


def test_single_plane():
    plane = TRUE_LABELS[5:6]
    assert len(draw(RAW[5:6], plane, plane).axes) == 18


def test_images_of_different_shapes_are_refused():
    with pytest.raises(InputError, match=r"x: images differ in shape \(raw \(11, 60, 80\)"):
        draw(RAW[1:], TRUE_LABELS, FOUND)


@pytest.mark.slow
def test_file_contains_the_colors(tmp_path):
    images = {"raw": RAW, "ground_truth": TRUE_LABELS, "segmentation": FOUND}
    inputs = {name: tmp_path / f"{name}.tif" for name in images}
    for name, stack in images.items():
        write_stack(inputs[name], stack, SPACING)
    inputs["scores"] = tmp_path / "scores.json"
    scores = evaluate_labels(TRUE_LABELS, FOUND, SPACING)
    write_json(inputs["scores"], {"stack": "x", "objects": {"nuclei": scores}})
    for name in ("a", "b"):
        figure = tmp_path / f"{name}.png"
        script.main(**inputs, figure=figure, object="nuclei", title="x", note="")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    counts = Image.open(tmp_path / "a.png").convert("RGB").getcolors(1 << 24)
    colors = {to_hex(np.array(color) / 255) for _, color in counts}
    assert {*NEIGHBOUR_COLORS, *NEIGHBOUR_COLORS.values()} <= colors
