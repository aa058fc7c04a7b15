import numpy as np
import pytest
from drawn import boxes_image, edges_of, outlines_of, panels, pixels_per_um, scale_bars, texts_of
from matplotlib.colors import to_hex
from PIL import Image

import plot_errors as script
from cellstack.errors import InputError
from cellstack.evaluate.evaluate_labels import evaluate_labels
from cellstack.evaluate.evaluate_points import evaluate_points
from cellstack.figures.plot_errors import (
    COLUMNS,
    FOUND_COLOR,
    GROUND_TRUTH_COLOR,
    MAX_OBJECTS,
    NEIGHBOUR_COLORS,
    PANELS_SIZE,
    choose_objects,
    plot_errors,
)
from cellstack.files.records import write_json
from cellstack.files.stacks import write_stack

SPACING = (2.0, 0.5, 0.4)
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


def scores_of(**errors):
    return {"ground_truth": "outlines", "errors": errors, "matches": []}


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
        "planes at z = 10, y = 3, x = 4.4 µm",  # voxel 5 of 2 to 9, 6 of 2 to 11, 11 of 2 to 21
        "true 640 µm³, found 640 µm³",  # split: 20 x 10 x 8 voxels of 0.4 um3, in two parts
        "true 115.2 µm³",  # missed
        "found 80 µm³",  # spurious
        "simulated data",
    } <= texts


def test_outlines_of_both_images_are_drawn_in_their_colors():
    outlines = outlines_of(panels(draw(RAW, TRUE_LABELS, FOUND))["2 xy"])
    drawn = {}
    for color, line in outlines:
        drawn.setdefault(color, []).append(edges_of(line, SPACING[1:]))
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
    # 4 x 4 voxels and 0.8 times the height of 4 um, rounded up to voxels, on each side
    assert np.ptp(panel.get_xlim()) == pytest.approx(4 * 0.4 + 2 * 8 * 0.4)
    assert np.ptp(panel.get_ylim()) == pytest.approx(4 * 0.5 + 2 * 7 * 0.5)


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


def test_views_have_one_scale_and_lie_like_those_of_an_orthogonal_viewer():
    figure = draw(RAW, TRUE_LABELS, FOUND)
    shown, bars = panels(figure), scale_bars(figure)
    assert len(bars) == 6
    for rank, (pixels, length) in enumerate(bars, 1):
        xy, xz, yz = (shown[f"{rank} {view}"] for view in ("xy", "xz", "yz"))
        scale = pixels_per_um(xy)[0]
        for axes in (xy, xz, yz):
            assert pixels_per_um(axes) == pytest.approx((scale, scale))
        assert pixels == pytest.approx(length * scale)
        assert length <= max(np.ptp(xy.get_xlim()), np.ptp(xy.get_ylim())) / 3 < 2.5 * length
        assert (xz.bbox.x0, xz.bbox.x1) == pytest.approx((xy.bbox.x0, xy.bbox.x1))
        assert (yz.bbox.y0, yz.bbox.y1) == pytest.approx((xy.bbox.y0, xy.bbox.y1))
        assert xy.bbox.y0 - xz.bbox.y1 == pytest.approx(8)
        assert yz.bbox.x0 - xy.bbox.x1 == pytest.approx(8)
        across = yz.bbox.x1 - xy.bbox.x0, xy.bbox.y1 - xz.bbox.y0
        assert max(across) == pytest.approx(PANELS_SIZE)
    boxes = [axes.bbox for axes in figure.axes]
    assert not any(a.overlaps(b) for a in boxes for b in boxes if a is not b)
    assert all(box.x0 > 0 and box.x1 < figure.bbox.x1 and box.y0 > 0 for box in boxes)
    columns = sorted({round(shown[f"{rank} xy"].bbox.x0) for rank in range(1, 7)})
    assert len(columns) == COLUMNS == 4
    assert round(shown["5 xy"].bbox.x0) == columns[0]


def test_views_show_the_planes_through_the_middle_with_a_margin():
    shown = panels(draw(RAW, TRUE_LABELS, FOUND))
    # split: voxels 2 to 9, 2 to 11 and 2 to 21; a margin of 0.3 times 16 um, the largest side
    box = np.s_[0:12, 0:22, 0:34]
    for view, plane in (
        ("xy", RAW[box][5]),
        ("xz", RAW[box][:, 6]),
        ("yz", RAW[box][:, :, 11].T),
    ):
        axes = shown[f"2 {view}"]
        np.testing.assert_array_equal(axes.images[0].get_array(), plane)
        limits = np.percentile(RAW[box], (0.5, 99.5))
        assert axes.images[0].get_clim() == pytest.approx(tuple(limits))
    assert shown["2 xy"].get_xlim() == pytest.approx((-0.2, 33.5 * 0.4))
    assert shown["2 xy"].get_ylim() == pytest.approx((21.5 * 0.5, -0.25))
    assert shown["2 yz"].get_xlim() == pytest.approx((-1, 23))
    # missed: voxels 2 to 9, 20 to 25 and 2 to 7, with a margin of 0.8 times 16 um
    assert shown["4 xy"].get_xlim() == pytest.approx((-0.2, (8 + 32 - 0.5) * 0.4))
    assert shown["4 xy"].get_ylim() == pytest.approx(((26 + 26 - 0.5) * 0.5, -0.25))


def test_outlines_are_in_place_in_each_view():
    shown = panels(draw(RAW, TRUE_LABELS, FOUND))
    for view, down, across in (("xy", 1, 2), ("xz", 0, 2), ("yz", 1, 0)):
        sides = [(2, 10), (20, 26), (2, 8)]
        lines = [
            line for color, line in outlines_of(shown[f"4 {view}"]) if color == GROUND_TRUTH_COLOR
        ]
        (line,) = lines
        steps = (SPACING[down], SPACING[across])
        assert edges_of(line, steps) == (sides[down], sides[across])


def test_what_is_found_is_dashed_and_drawn_over_the_ground_truth():
    axes = panels(draw(RAW, TRUE_LABELS, FOUND))["6 xy"]
    colors = [color for color, _ in outlines_of(axes)]
    assert colors.index(GROUND_TRUTH_COLOR) < colors.index(FOUND_COLOR)
    solid, dashed = (each for each in axes.collections if each.get_alpha() is None)
    assert solid.get_linestyle()[0][1] is None
    assert dashed.get_linestyle()[0][1] is not None
    legend = draw(RAW, TRUE_LABELS, FOUND).legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["ground truth", "found"]
    assert [line.get_color() for line in legend.get_lines()] == [GROUND_TRUTH_COLOR, FOUND_COLOR]


def test_correct_objects_fill_the_figure_worst_first_and_only_once():
    scores = {
        "ground_truth": "outlines",
        "errors": {
            "split": [{"true_label": 1, "labels": [1, 2], "wrong_voxels": 5}],
            "merged": [],
            "missed": [],
            "spurious": [],
            "low_iou": [{"true_label": 3, "label": 4, "iou": 0.4, "wrong_voxels": 9}],
        },
        "matches": [
            {"true_label": label, "label": label + 1, "iou": 1 - label / 100}
            for label in range(1, 15)
        ],
    }
    chosen = choose_objects(scores)
    # 1 and 2 are shown already, as are the labels 1, 2 and 4
    assert [each.true_labels[0] for each in chosen] == [3, 1, 14, 13, 12, 11, 10, 9]
    assert chosen[2].text == "correct, IoU 0.86: true object 14, label 15"
    assert len(chosen) == MAX_OBJECTS


def test_many_parts_are_cut_in_the_text():
    for count, listed in ((4, "1, 2, 3, 4"), (5, "1, 2, 3, 4 ...")):
        labels = list(range(1, count + 1))
        error = {"true_label": 7, "labels": labels, "wrong_voxels": 5}
        (chosen,) = choose_objects(scores_of(split=[error]))
        assert chosen.text == f"split: true object 7 into labels {listed}"
        assert chosen.labels == labels


def test_spurious_object_that_touches_a_true_one_is_shown_alone():
    error = {"true_label": 7, "label": 3, "wrong_voxels": 5}
    (chosen,) = choose_objects(scores_of(spurious=[error]))
    assert chosen == ([], [3], "spurious: label 3, touched by true object 7")


def test_without_errors_the_header_says_so():
    texts = texts_of(draw(RAW, TRUE_LABELS, TRUE_LABELS))
    assert "6 objects found, 6 in the ground truth, F1 1.00 at IoU 0.5: no errors" in texts
    assert "Largest errors first, then the matched objects with the lowest IoU" in texts


POINTS = np.zeros_like(TRUE_LABELS)
PLACES = ((4, 5, 5), (5, 6, 33), (6, 7, 47), (6, 45, 36), (8, 52, 10))
for number, place in enumerate(PLACES, 1):
    POINTS[place] = number


def crosses_of(axes):
    """Return colour and position in voxels of the points on a panel of the plane xy."""
    found = []
    for mark in axes.lines:
        if mark.get_marker() == "+":
            (x,), (y,) = mark.get_data()
            found.append((to_hex(mark.get_color()), round(y / SPACING[1]), round(x / SPACING[2])))
    return found


def draw_points(points=POINTS):
    scores = evaluate_points(points, FOUND)
    return plot_errors(RAW, points, FOUND, SPACING, scores, title="x")


def test_errors_of_points_of_each_kind_come_in_turn():
    chosen = choose_objects(evaluate_points(POINTS, FOUND))
    assert [each.text for each in chosen] == [
        "merged: points 2, 3 into label 3",
        "missed: point 5",
        "spurious: label 2",
        "spurious: label 4",
        "spurious: label 6",
        "correct: point 1, label 1",
        "correct: point 4, label 5",
    ]


def test_points_are_crosses_and_objects_have_outlines():
    figure = draw_points()
    shown = panels(figure)
    # the plane through the merged object is that of point 2 or 3, which are both shown
    assert crosses_of(shown["1 xy"]) == [
        (to_hex(GROUND_TRUTH_COLOR), 6, 33),
        (to_hex(GROUND_TRUTH_COLOR), 7, 47),
    ]
    assert {color for color, _ in outlines_of(shown["1 xy"])} == {
        FOUND_COLOR,
        NEIGHBOUR_COLORS[FOUND_COLOR],
    }
    texts = set(texts_of(figure))
    assert "6 objects found, 5 points in the ground truth, F1 0.55 by points: " in " ".join(texts)
    assert "found 640 µm³" in texts  # merged: no volume of points
    (legend,) = figure.legends
    markers = {
        text.get_text(): line.get_marker()
        for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)
    }
    assert markers == {"ground truth": "+", "found": "None"}


def test_a_missed_point_is_shown_with_its_surroundings():
    """The margin is the typical longest side of an object: 16 um, the height of a box."""
    axes = panels(draw_points())["2 xy"]
    left, right = axes.get_xlim()
    assert (left / SPACING[2], right / SPACING[2]) == pytest.approx((-0.5, 10 + 40 + 0.5))
    assert crosses_of(axes) == [(to_hex(GROUND_TRUTH_COLOR), 52, 10)]


def test_points_of_neighbours_are_darker_and_near_the_plane():
    points = POINTS.copy()
    points[5, 5, 40] = points[9, 5, 41] = 0
    points[5, 5, 51], points[10, 6, 52] = 6, 7  # beside the merged object, near and far in z
    crosses = crosses_of(panels(draw_points(points))["1 xy"])
    assert (NEIGHBOUR_COLORS[GROUND_TRUTH_COLOR], 5, 51) in crosses
    assert len(crosses) == 3


def test_points_without_objects():
    scores = evaluate_points(POINTS, FOUND * 0)
    figure = plot_errors(RAW, POINTS, FOUND * 0, SPACING, scores, title="x")
    assert len(panels(figure)) == 3 * len(PLACES)
