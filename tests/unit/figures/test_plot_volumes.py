import numpy as np
import pytest
from drawn import panels, texts_of
from matplotlib.colors import to_hex

from cellstack.config.paging import STACKS_PER_PAGE
from cellstack.figures import drawing, pdf, png
from cellstack.figures.colors import COLORS
from cellstack.figures.plot_volumes import PLOT_WIDTH, ROW_HEIGHT, plot_volumes
from cellstack.files.tables import write_rows
from plot_volumes import main


def row_names(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_one_row_per_stack_and_one_per_group():
    volumes = {"a": [100.0, 200.0, 300.0], "b": [], "c": [400.0], "d": [50.0, 60.0]}
    groups = {"a": "control", "b": "control", "c": "drug"}
    shown = panels(plot_volumes(volumes, groups, kind="cells", group_by="condition"))
    assert row_names(shown["groups"]) == ["control", "drug", "(none)"]
    assert row_names(shown["stacks"]) == ["a", "b", "c", "d"]
    medians = [line for line in shown["groups"].lines if line.get_marker() == "D"]
    assert medians[0].get_xdata().tolist() == [200.0]
    dots = [line.get_xdata().tolist() for line in shown["stacks"].lines if line.get_marker() == "."]
    assert dots == [volumes["a"], volumes["c"], volumes["d"]]
    assert shown["stacks"].get_xlim() == shown["groups"].get_xlim()
    assert shown["stacks"].get_xlim()[0] == 0


def test_bar_median_and_dots_of_each_row():
    volumes = {"b": [10.0, 20.0, 40.0, 70.0], "a": [5.0], "c": [90.0, 110.0]}
    groups = {"a": "drug", "b": "drug", "c": "control"}
    shown = panels(plot_volumes(volumes, groups, kind="cells", group_by="condition"))
    expected = {  # name: values, quartiles, group's number
        "groups": [("control", [90, 110], 0), ("drug", [10, 20, 40, 70, 5], 1)],
        "stacks": [("c", [90, 110], 0), ("b", [10, 20, 40, 70], 1), ("a", [5], 1)],
    }
    for block, rows in expected.items():
        axes = shown[block]
        assert row_names(axes) == [name for name, *_ in rows]
        bars = axes.patches
        medians = [line for line in axes.lines if line.get_color() == "black"]
        dots = [line for line in axes.lines if line.get_marker() == "."]
        for place, (_, values, group) in enumerate(rows):
            first, middle, third = np.percentile(values, (25, 50, 75))
            box = bars[place].get_bbox()
            assert (box.x0, box.x1) == pytest.approx((first, third))
            assert (box.y0, box.y1) == pytest.approx((place - 0.31, place + 0.31))
            assert medians[place].get_xdata() == pytest.approx([middle, middle])
            assert medians[place].get_ydata() == pytest.approx([place - 0.36, place + 0.36])
            assert sorted(dots[place].get_xdata()) == sorted(values)
            heights = np.subtract(dots[place].get_ydata(), place)
            assert np.abs(heights).max() < 0.31 and (heights != 0).all()
            assert dots[place].get_color() == COLORS[group]
            assert to_hex(bars[place].get_facecolor()) == COLORS[group]
        assert axes.get_ylim() == (len(rows) - 0.5, -0.5)  # the first row is at the top
        assert list(axes.get_yticks()) == list(range(len(rows)))
        assert axes.get_xlim() == pytest.approx((0, 1.03 * 110))
    diamonds = [line for line in shown["groups"].lines if line.get_marker() == "D"]
    assert [list(line.get_xdata()) for line in diamonds] == [[100], [30, 5]]
    assert [list(line.get_ydata()) for line in diamonds] == [[0], [1, 1]]
    counts = [text.get_text() for text in shown["groups"].texts]
    assert counts == ["2 cells, 1 stack", "5 cells, 2 stacks"]
    assert [text.get_text() for text in shown["stacks"].texts] == ["2 cells", "4 cells", "1 cell"]


def test_groups_are_in_natural_order():
    doses = ["10 µM", "0.5 µM", "5 µM", "0.25 µM", "control", ""]
    volumes = {f"s{i}": [1.0] for i in range(len(doses))}
    groups = dict(zip(volumes, doses, strict=True))
    shown = panels(plot_volumes(volumes, groups, kind="cells", group_by="dose"))
    assert row_names(shown["groups"]) == [*doses[3:0:-2], "5 µM", "10 µM", "control", "(none)"]


def test_the_header_explains_bars_lines_and_diamonds():
    volumes = {"a": [100.0], "b": [200.0]}
    key = "Dots: cells. Bars: first to third quartile. Black lines: medians."
    for groups, more in (({}, ""), ({"a": "x"}, " Diamonds: medians of the stacks of a group.")):
        figure = plot_volumes(volumes, groups, kind="cells", group_by="g", note="simulated")
        assert key + more in texts_of(figure)
        boxes = [text.get_window_extent() for text in figure.texts]
        assert not any(a.overlaps(b) for a in boxes for b in boxes if a is not b)


def test_rows_are_as_high_in_both_blocks_and_blocks_are_apart():
    volumes = {f"s{i}": [1.0] for i in range(7)}
    groups = {"s1": "a", "s2": "b"}
    figure = plot_volumes(volumes, groups, kind="cells", group_by="condition", note="simulated")
    upper, lower = (panels(figure)[name].bbox for name in ("groups", "stacks"))
    assert upper.height / 3 == pytest.approx(lower.height / 7) == pytest.approx(ROW_HEIGHT)
    assert upper.width == pytest.approx(PLOT_WIDTH)
    assert (upper.x0, upper.x1) == (lower.x0, lower.x1)
    assert figure.bbox.y0 < lower.y0 < lower.y1 < upper.y0 < upper.y1 < figure.bbox.y1
    without = plot_volumes(volumes, groups, kind="cells", group_by="condition")
    assert figure.bbox.height - without.bbox.height == pytest.approx(24)
    note = next(text for text in figure.texts if text.get_text() == "simulated")
    boxes = [text.get_window_extent() for text in figure.texts if text is not note]
    assert not any(note.get_window_extent().overlaps(box) for box in boxes)


def test_more_groups_than_colors():
    volumes = {f"s{i}": [1.0 + i] for i in range(len(COLORS) + 2)}
    figure = plot_volumes(volumes, {s: s for s in volumes}, kind="cells", group_by="condition")
    dots = [line for line in panels(figure)["stacks"].lines if line.get_marker() == "."]
    assert [line.get_color() for line in dots] == [*COLORS, *COLORS[:2]]


def test_names_of_the_user_are_plain_text_beside_the_plot():
    names = {
        r"$\foo$": r"$\foo$",
        "_a_{b}^c 100 %": "_a_{b}^c 100 %",
        "<b>&amp;": "<b>&amp;",
        "two\nlines\tand a tab": "two lines and a tab",
        "対照": "U+5BFEU+7167",
    }
    volumes = {f"s{i}": [1.0, 2.0] for i in range(len(names) + 2)}
    groups = dict(zip(volumes, [*names, "W" * 3000, "対" * 100], strict=True))
    figure = plot_volumes(volumes, groups, kind="cells", group_by="$\\x_" + "y" * 500)
    figure.canvas.draw()  # a formula with an unknown command would be an error
    shown = row_names(panels(figure)["groups"])
    assert set(names.values()) < set(shown)
    left = panels(figure)["groups"].bbox.x0
    for label in panels(figure)["groups"].get_yticklabels():
        box = label.get_window_extent()
        assert 0 <= box.x0 < box.x1 < left
        assert not label.get_parse_math()
    (title,) = [text for text in figure.texts if text.get_text().startswith("By $\\x_yyy")]
    assert title.get_text().endswith("…")
    assert title.get_window_extent().x1 <= figure.bbox.x1 - drawing.MARGIN


def test_one_block_without_groups():
    figure = plot_volumes({"a": [1.0]}, {}, kind="nuclei", group_by="condition")
    assert set(panels(figure)) == {"stacks"}


def test_stack_without_objects():
    figure = plot_volumes({"a": []}, {}, kind="cells", group_by="condition")
    assert "no measured cells" in texts_of(figure)


def test_many_stacks_are_shown_on_pages():
    count = STACKS_PER_PAGE + 5
    volumes = {f"s{i}": np.arange(5.0) for i in range(count)}
    shown = []
    for page in (1, 2):
        figure = plot_volumes(volumes, {}, kind="cells", group_by="condition", page=page)
        names = row_names(panels(figure)["stacks"])
        assert f"By stack: page {page} of 2, {len(names)} of {count} stacks" in texts_of(figure)
        shown.append(names)
    assert [len(names) for names in shown] == [STACKS_PER_PAGE, 5]
    assert shown[0] + shown[1] == list(volumes)


@pytest.mark.parametrize(("largest", "scale"), [(200.0, "linear"), (2100.0, "log")])
def test_the_axis_is_logarithmic_if_outliers_would_hide_the_others(largest, scale):
    volumes = {"a": [90.0, 100.0, 110.0, 20.0], "b": [95.0, 105.0, largest]}
    figure = plot_volumes(volumes, {}, kind="nuclei", group_by="condition")
    (axes,) = panels(figure).values()
    assert axes.get_xscale() == scale
    left, right = axes.get_xlim()
    assert left < 20 and right > largest and (left == 0) == (scale == "linear")
    figure.canvas.draw()
    assert all(float(name.get_text()) >= 0 for name in axes.get_xticklabels())
    assert ("logarithmic" in axes.get_xlabel()) == (scale == "log")


@pytest.mark.slow
def test_the_script_draws_the_objects_of_one_kind_by_stack(tmp_path):
    rows = [("b", "cells", 3), ("b", "nuclei", 900), ("a", "cells", 4), ("b", "cells", 5)]
    table = [{"stack": s, "object": o, "volume_um3": v} for s, o, v in rows]
    write_rows(tmp_path / "objects.csv", list(table[0]), table)
    main(
        objects=tmp_path / "objects.csv",
        figure=tmp_path / "written.png",
        vector=tmp_path / "written.pdf",
        stacks=["a", "b", "empty"],
        groups={"a": "drug", "b": "control"},
        object="cells",
        group_by="condition",
        note="simulated data",
    )
    volumes = {"a": [4.0], "b": [3.0, 5.0], "empty": []}
    groups = {"a": "drug", "b": "control"}
    expected = plot_volumes(
        volumes, groups, kind="cells", group_by="condition", note="simulated data"
    )
    png.save(expected, tmp_path / "expected.png")
    pdf.save(expected, tmp_path / "expected.pdf")
    for end in ("png", "pdf"):
        written = (tmp_path / f"written.{end}").read_bytes()
        assert written == (tmp_path / f"expected.{end}").read_bytes()
