import numpy as np
import pytest
from drawn import panels, texts_of
from matplotlib.colors import to_hex

from cellstack.figures import drawing
from cellstack.figures.colors import CURVE_COLORS
from cellstack.figures.plot_sweep import (
    AS_CONFIGURED,
    COLUMNS,
    GREY,
    MAX_UPRIGHT_TICKS,
    PANEL_HEIGHT,
    PANEL_WIDTH,
    plot_sweep,
    sort_values,
)


def test_values_are_sorted_as_numbers_where_possible():
    values = {"0.1 d", AS_CONFIGURED, "0.02 d", "li"}
    assert sort_values(values) == [AS_CONFIGURED, "0.02 d", "0.1 d", "li"]
    assert sort_values({"10", "9", "1e1"}) == ["9", "10", "1e1"]


def test_plot_shows_runs_stacks_and_means_over_each_key():
    rows = [
        {"run": str(run), "stack": stack, "object": "nuclei", "ground_truth": "outlines"}
        | {"f1": str(f1), "a": a, "b": b}
        for run, a, b, scores in (
            (0, "", "", (0.5, 0.7)),
            (1, "2", "x", (0.6, 1.0)),
            (2, "2", "", (0.4, 0.4)),
        )
        for stack, f1 in zip(("s", "t"), scores, strict=True)
    ]
    figure = plot_sweep(rows, ["a", "b"])
    shown = panels(figure)
    assert list(shown) == ["a", "b"]
    solid = [line for line in shown["a"].lines if line.get_linestyle() == "-"]
    runs, *of_values = (line.get_ydata() for line in shown["a"].lines)
    np.testing.assert_allclose(runs, [0.6, 0.8, 0.4])
    # the stacks and the mean, with a gap between the configuration and the values
    for drawn, f1 in zip(of_values, (0.5, 0.7, 0.6), strict=True):
        np.testing.assert_allclose(drawn, [f1, np.nan, f1])
    for line in solid:
        np.testing.assert_array_equal(line.get_xdata(), [0, np.nan, 1])
    assert [text.get_text() for text in shown["b"].get_xticklabels()] == [AS_CONFIGURED, "x"]
    text = "2 runs; run 1 is the best with 0.800, the configuration itself has 0.600"
    assert text in texts_of(figure)


def table(values, stacks=("s",), kinds=("nuclei",), keys=("a",), f1=0.5):
    """Return a row per run, stack and kind; run 0 is the configuration, and others set the keys."""
    return [
        {"run": str(run), "stack": stack, "object": kind, "ground_truth": "outlines"}
        | {"f1": str(f1)}
        | dict.fromkeys(keys, value)
        for run, value in enumerate(["", *values])
        for stack in stacks
        for kind in kinds
    ]


def tick_labels(axes):
    return [label.get_text() for label in axes.get_xticklabels()]


def legend_of(figure):
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def test_series_are_named_by_stack_and_by_kind_if_there_are_several():
    assert legend_of(plot_sweep(table(["1"], "st"), ["a"])) == ["one run", "s", "t", "mean"]
    figure = plot_sweep(table(["1"], "s", ("nuclei", "cells")), ["a"])
    assert legend_of(figure) == ["one run", "s nuclei", "s cells", "mean"]
    colors = [to_hex(line.get_color()) for line in panels(figure)["a"].lines]
    assert colors == [to_hex(GREY), *CURVE_COLORS[:2], "#000000"]


@pytest.mark.parametrize("surplus", [0, 1])
def test_more_series_than_colors_are_grey(surplus):
    stacks = [f"s{i}" for i in range(len(CURVE_COLORS) + surplus)]
    lines = panels(plot_sweep(table(["1"], stacks), ["a"]))["a"].lines[1:-1]
    expected = [GREY] * len(stacks) if surplus else list(CURVE_COLORS)
    assert [line.get_color() for line in lines] == expected
    names = ["one stack"] if surplus else stacks
    assert legend_of(plot_sweep(table(["1"], stacks), ["a"])) == ["one run", *names, "mean"]


@pytest.mark.parametrize("count", [1, 2, COLUMNS])
@pytest.mark.parametrize("stacks", [1, 3, len(CURVE_COLORS)])
def test_the_legend_covers_nothing(count, stacks):
    keys = [f"stage.key{i}" for i in range(count)]
    figure = plot_sweep(table(["1"], [f"{i}{'W' * 100}" for i in range(stacks)], keys=keys), keys)
    figure.canvas.draw()
    legend = figure.legends[0].get_window_extent()
    others = [*(text.get_window_extent() for text in figure.texts)]
    others += [axes.get_tightbbox() for axes in figure.axes]
    assert not any(legend.overlaps(other) for other in others)
    assert figure.bbox.x0 < legend.x0 and legend.x1 < figure.bbox.x1


@pytest.mark.parametrize(("f1", "lowest"), [(0.3, 0.27), (0.99, 0.87)])
def test_axes_show_all_values_and_scores(f1, lowest):
    axes = panels(plot_sweep(table(["1", "2"], f1=f1), ["a"]))["a"]
    assert axes.get_ylim() == pytest.approx((lowest, 1.02))
    assert axes.get_xlim() == (-0.5, 2.5)
    assert list(axes.get_xticks()) == [0, 1, 2]
    assert tick_labels(axes) == [AS_CONFIGURED, "1", "2"]
    assert (axes.get_title(), axes.get_ylabel()) == ("a", "F1")


@pytest.mark.parametrize(("count", "rotation"), [(3, 0), (4, 30)])
def test_many_tick_labels_are_rotated(count, rotation):
    assert MAX_UPRIGHT_TICKS == 4
    axes = panels(plot_sweep(table([str(i) for i in range(count)]), ["a"]))["a"]
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {rotation}


@pytest.mark.parametrize("count", [1, 2, COLUMNS, COLUMNS + 2])
def test_panels_have_their_size_and_are_apart(count):
    keys = [f"stage.key{i}" for i in range(count)]
    figure = plot_sweep(table(["1", "2"], keys=keys), keys)
    boxes = [axes.bbox for axes in figure.axes]
    for box in boxes:
        assert (box.width, box.height) == pytest.approx((PANEL_WIDTH, PANEL_HEIGHT))
        assert figure.bbox.x0 < box.x0 < box.x1 < figure.bbox.x1
        assert figure.bbox.y0 < box.y0 < box.y1 < figure.bbox.y1
    figure.canvas.draw()
    wide = [axes.get_tightbbox() for axes in figure.axes]
    assert not any(a.overlaps(b) for a in wide for b in wide if a is not b)
    rows = sorted({round(box.y0) for box in boxes})
    assert len(rows) == -(-count // COLUMNS)
    assert [round(box.y0) for box in boxes] == sorted((round(b.y0) for b in boxes), reverse=True)
    texts = [text.get_window_extent() for text in figure.texts]
    assert not any(
        text.overlaps(box) for text in texts for box in [*wide, *texts] if text is not box
    )


def test_values_of_the_user_are_plain_text_that_fits():
    values = [r"$\foo$", "_a^b", "対", "points/" * 60]
    keys = ["find_seeds.points.path"]
    for shown in (values, [*values, "1"]):
        figure = plot_sweep(table(shown, keys=keys, stacks=["W" * 100]), keys)
        figure.canvas.draw()  # a formula with an unknown command would be an error
        (axes,) = figure.axes
        assert {r"$\foo$", "_a^b", "U+5BFE"} <= set(tick_labels(axes))
        for label in axes.get_xticklabels():
            box = label.get_window_extent()
            assert figure.bbox.y0 <= box.y0 and figure.bbox.x0 <= box.x0
        boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
        if len(shown) < MAX_UPRIGHT_TICKS:
            assert not any(a.overlaps(b) for a in boxes for b in boxes if a is not b)
        legend = figure.legends[0].get_window_extent()
        assert legend.x0 == pytest.approx(figure.bbox.x0 + drawing.MARGIN, abs=10)
        assert legend.x1 < figure.bbox.x1


def test_no_keys():
    figure = plot_sweep(table([]), [])
    assert figure.axes == figure.legends == []
    assert "0 runs; none is better than the configuration itself, which has 0.500" in texts_of(
        figure
    )


def test_a_run_is_shown_at_its_value_with_its_mean():
    rows = table(["2", "1", "2"], stacks="st")
    for row, f1 in zip(rows, (0.1, 0.3, 0.5, 0.9, 0.2, 0.4, 0.6, 1.0), strict=True):
        row["f1"] = str(f1)
    runs, s, t, mean = panels(plot_sweep(rows, ["a"]))["a"].lines
    np.testing.assert_allclose(runs.get_xydata(), [(0, 0.2), (2, 0.7), (1, 0.3), (2, 0.8)])
    gap = (np.nan, np.nan)
    np.testing.assert_allclose(s.get_xydata(), [(0, 0.1), gap, (1, 0.2), (2, 0.55)])
    np.testing.assert_allclose(t.get_xydata(), [(0, 0.3), gap, (1, 0.4), (2, 0.95)])
    np.testing.assert_allclose(mean.get_xydata(), [(0, 0.2), gap, (1, 0.3), (2, 0.75)])


@pytest.mark.parametrize(
    ("kinds", "threshold"),
    [
        (("outlines", "outlines"), "at IoU 0.5"),
        (("points", "points"), "by points"),
        (("points", "outlines"), "at IoU 0.5 or by points"),
    ],
)
def test_the_title_says_what_f1_refers_to(kinds, threshold):
    rows = table(["1"], stacks=("s", "t"))
    for row in rows:
        row["ground_truth"] = kinds[row["stack"] == "t"]
    assert f"Sweep: F1 {threshold}" in texts_of(plot_sweep(rows, ["a"]))
