import pytest
from drawn import panels, texts_of

from cellstack.figures.colors import CURVE_COLORS
from cellstack.figures.plot_scores import GREY, plot_scores


def rows_of(*stacks, kind="nuclei", ground_truth="outlines", best=1.0):
    return [
        {
            "stack": stack,
            "object": kind,
            "ground_truth": ground_truth,
            "iou_threshold": str(threshold),
            "f1": str(f1),
        }
        for number, stack in enumerate(stacks)
        for threshold, f1 in ((0.1, best), (0.5, best - 0.2 - 0.1 * number), (0.9, 0.2))
    ]


def test_a_curve_per_stack_and_their_mean():
    rows = (
        rows_of("s", "t")
        + rows_of("s", kind="cells", best=0.6)
        + rows_of("u", ground_truth="points")
    )
    figure = plot_scores(rows, "nuclei")
    axes = panels(figure)["nuclei"]
    s, t, mean = axes.lines
    assert [list(line.get_xdata()) for line in (s, t, mean)] == [[0.1, 0.5, 0.9]] * 3
    assert list(s.get_ydata()) == [1, 0.8, 0.2]
    assert list(t.get_ydata()) == pytest.approx([1, 0.7, 0.2])
    assert list(mean.get_ydata()) == pytest.approx([1, 0.75, 0.2])
    assert [line.get_color() for line in (s, t, mean)] == [*CURVE_COLORS[:2], "black"]
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["s", "t", "mean"]
    assert "2 stacks with outlines as ground truth" in texts_of(figure)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("IoU threshold", "F1")


def test_many_stacks_are_grey():
    stacks = [f"s{i}" for i in range(len(CURVE_COLORS) + 1)]
    axes = panels(plot_scores(rows_of(*stacks), "nuclei"))["nuclei"]
    assert [line.get_color() for line in axes.lines] == [GREY] * len(stacks) + ["black"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one stack", "mean"]


def test_one_stack_has_no_mean():
    assert len(panels(plot_scores(rows_of("s"), "nuclei"))["nuclei"].lines) == 1


def test_no_scores():
    figure = plot_scores([], "cells")
    assert "0 stacks with outlines as ground truth" in texts_of(figure)
    figure.canvas.draw()
