"""What the figure of groups shows, read from the drawn artists."""

from itertools import pairwise

import numpy as np
import pytest
from drawn import panels, texts_of

from cellstack.compare.compare_groups import compare_groups
from cellstack.compare.group_columns import GROUPS
from cellstack.compare.unit_means import UnitMean
from cellstack.figures import drawing
from cellstack.figures.plot_groups import MAX_DOTS, plot_groups
from cellstack.figures.png import to_png
from cellstack.files.tables import as_text


def draw(values, column="volume_um3", dots=20, pairs=False, reference="control", **options):
    """Draw means of units by group, and a number of objects around each mean."""
    rng = np.random.default_rng(0)
    units, objects = [], {}
    for group, means in values.items():
        for i, mean in enumerate(means):
            pair, name = (f"m{i}", f"m{i}") if pairs else ("", f"{group}{i}")
            units.append(UnitMean("nuclei", column, group, pair, name, 1, dots, float(mean)))
            objects[group, pair, name] = list(rng.normal(mean, 1, dots))
    rows = compare_groups(units, {"nuclei": list(values)}, reference=reference)
    texts = [as_text(dict.fromkeys(GROUPS) | row) for row in rows]
    settings = {"kind": "nuclei", "group_by": "condition", "unit": "mouse"} | options
    return plot_groups(units, texts, {column: objects}, **settings), rows


def markers(axes):
    """Return position, colour and marker of the large markers."""
    return [
        (
            float(line.get_xdata()[0]),
            float(line.get_ydata()[0]),
            line.get_color(),
            line.get_marker(),
        )
        for line in axes.lines
        if line.get_zorder() == 4
    ]


def dots_of(axes):
    return [line for line in axes.lines if line.get_marker() == "."]


def test_means_of_units_and_their_mean():
    figure, (row,) = draw({"drug": [8, 9, 13], "control": [4, 5, 5.5]})
    axes = panels(figure)["volume_um3"]
    found = markers(axes)
    assert [round(x) for x, _, _, _ in found] == [0, 0, 0, 1, 1, 1]  # the reference comes first
    assert [y for _, y, _, _ in found] == [4, 5, 5.5, 8, 9, 13]
    assert len({(color, marker) for _, _, color, marker in found}) == 6  # units are not paired
    lines = [line for line in axes.lines if line.get_zorder() == 3]
    heights = {round(float(y), 6) for line in lines for y in line.get_ydata()}
    for mean, sd in ((row["mean_1"], row["sd_1"]), (row["mean_2"], row["sd_2"])):
        assert {round(mean, 6), round(mean - sd, 6), round(mean + sd, 6)} <= heights
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["control\nn = 3\n60 nuclei", "drug\nn = 3\n60 nuclei"]
    texts = texts_of(figure)
    assert "volume" in texts and axes.get_ylabel() == "µm³"
    assert f"p = {row['p_value']:.2g}, corrected p = {row['p_value']:.2g}" in texts


def test_a_unit_has_the_same_color_in_all_panels():
    units = [
        UnitMean("nuclei", column, name[0], "", name, 1, 5, 1.0)
        for column, names in {"all": ("a1", "a2", "b1"), "some": ("a2", "b1")}.items()
        for name in names
    ]
    shown = panels(plot_groups(units, [], {}, kind="nuclei", group_by="g", unit="mouse"))
    first, second = (markers(shown[column]) for column in ("all", "some"))
    assert [each[2:] for each in second] == [each[2:] for each in first[1:]]


def test_a_group_without_values_is_named():
    units = [UnitMean("nuclei", "x", "a", "", "a1", 1, 5, 1.0)]
    row = as_text(dict.fromkeys(GROUPS) | {"column": "x", "group_1": "a", "group_2": "b"})
    figure = plot_groups(units, [row], {}, kind="nuclei", group_by="g", unit="mouse")
    labels = [label.get_text() for label in panels(figure)["x"].get_xticklabels()]
    assert labels == ["a\nn = 1\n5 nuclei", "b\nn = 0\nno values"]


def test_many_objects_are_drawn_in_part_and_always_the_same():
    values = {"a": [8, 9, 13], "b": [4, 5, 6]}
    figure, _ = draw(values, dots=2000)
    drawn = dots_of(panels(figure)["volume_um3"])
    assert len(drawn) == 6
    assert [sum(len(line.get_xdata()) for line in part) for part in (drawn[:3], drawn[3:])] == [
        MAX_DOTS,
        MAX_DOTS,
    ]
    assert to_png(draw(values, dots=2000)[0]) == to_png(figure)
    few = dots_of(panels(draw(values, dots=7)[0])["volume_um3"])
    assert [len(line.get_xdata()) for line in few] == [7] * 6


def test_an_axis_covers_all_units():
    figure, _ = draw({"a": [1, 2, 3, 400], "b": [1, 2, 3]})
    low, high = panels(figure)["volume_um3"].get_ylim()
    assert low < 1 and high > 400


def test_paired_units_are_joined():
    figure, _ = draw({"before": [1, 5, 9], "after": [2, 7, 12]}, pairs=True)
    axes = panels(figure)["volume_um3"]
    joined = [list(line.get_ydata()) for line in axes.lines if line.get_zorder() == 2]
    assert joined == [[1, 2], [5, 7], [9, 12]]
    colors = [color for _, _, color, _ in markers(axes)]
    assert colors[:3] == colors[3:] and len(set(colors)) == 3


def test_p_values_against_a_reference_are_above_the_groups():
    values = {"low": [5, 6, 7], "control": [1, 2, 3], "high": [10, 11, 15]}
    figure, rows = draw(values)
    shown = {round(t.get_position()[0]): t.get_text() for t in panels(figure)["volume_um3"].texts}
    assert shown == {i: f"p = {row['p_corrected']:.2g}" for i, row in enumerate(rows, 1)}
    figure, rows = draw(values, reference=None)
    assert len(panels(figure)["volume_um3"].texts) == 0
    best = min(rows, key=lambda row: row["p_corrected"])
    (text,) = [text for text in texts_of(figure) if "smallest of pairs" in text]
    assert text.startswith(f"all groups: p = {best['p_all_groups']:.2g}; smallest")


@pytest.mark.parametrize("second", [[], [3], [3, 4]])
def test_small_groups(second):
    figure, _ = draw({"a": [1, 2, 3], "b": second})
    axes = panels(figure)["volume_um3"]
    assert ("fewer than three units in b" if second else "no values in b") in texts_of(figure)
    assert axes.get_xticklabels()[1].get_text().startswith(f"b\nn = {len(second)}\n")
    assert len(markers(axes)) == 3 + len(second)


def test_six_groups_of_many_units_fit():
    values = {f"group {i}, 対照 $x_{i}$ {'y' * 80}": np.arange(9) + i for i in range(6)}
    figure, _ = draw(values, note="simulated data")
    axes = panels(figure)["volume_um3"]
    colors = [color for _, _, color, _ in markers(axes)]
    assert len(set(colors)) == 6 and len(set(colors[:9])) == 1
    width, height = drawing.figure_size(figure)
    figure.canvas.draw()
    for label in [*axes.get_xticklabels(), *figure.texts]:
        box = label.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height
    boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    assert "simulated data" in texts_of(figure)


def test_nothing_to_compare():
    figure = plot_groups([], [], {}, kind="cells", group_by="condition", unit="stacks")
    assert "no values to compare" in texts_of(figure)
