import base64
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from pages import SOFTWARE, Reader, write_imported

import write_evaluation as script
from cellstack import __version__
from cellstack.evaluate.evaluate_labels import THRESHOLDS
from cellstack.evaluate.score_columns import BY_STACK, BY_THRESHOLD
from cellstack.figures.colors import CURVE_COLORS
from cellstack.files.tables import write_rows
from cellstack.pages import html
from cellstack.pages.charts import BOTTOM, HEIGHT, LEFT, MANY_CURVES_COLOR, RIGHT, TOP, WIDTH
from cellstack.pages.write_evaluation import HEADINGS, write_evaluation

TABLES = ("scores.csv", "stack_scores.csv", "columns.csv")


def rows(stacks, kinds=("nuclei",)):
    keys = [
        {"stack": stack, "object": kind, "ground_truth": "outlines"}
        for stack in stacks
        for kind in kinds
    ]
    by_threshold = [
        dict.fromkeys(BY_THRESHOLD, "") | key | {"iou_threshold": str(iou), "f1": str(1 - iou)}
        for key in keys
        for iou in THRESHOLDS
    ]
    by_stack = [
        dict.fromkeys(BY_STACK, "3") | key | {"f1": "0.25", "volume_bias_percent": ""}
        for key in keys
    ]
    return by_threshold, by_stack, {(key["stack"], key["object"]): "QUJD" for key in keys}


def points_of(line):
    return np.array([[float(n) for n in point.split(",")] for point in line.get("points").split()])


@pytest.mark.parametrize("count", [1, 3, 40])
def test_page(count):
    stacks = [f"mouse{number}" for number in range(count)]
    page = write_evaluation(*rows(stacks, ("nuclei", "cells")))
    reader = Reader(page)
    assert all(link.startswith(("data:", "#")) or link in TABLES for link in reader.links)
    assert {link[1:] for link in reader.links if link.startswith("#")} == set(reader.ids)
    assert f"<footer>cellstack {__version__}" in page
    charts = [ElementTree.fromstring(svg) for svg in re.findall("<svg.*?</svg>", page, re.DOTALL)]
    assert len(charts) == 2
    for chart in charts:
        titles = [title.text for title in chart.iter("title")]
        assert titles == stacks + ["mean of the stacks"] * (count > 1)
        for line in chart.iter("polyline"):
            points = points_of(line)
            assert len(points) == 9
            steps = np.diff(points, axis=0)
            np.testing.assert_allclose(steps, steps[:1].repeat(8, 0), atol=0.2)  # 1 - IoU
            assert steps[:, 1].min() > 0  # F1 falls; y points downwards
    assert page.count("<td>–</td>") == 2 * count + 2 * (count > 1)  # unknown scores
    assert ("<tfoot>" in page) == (count > 1)
    if count > 1:
        counted = [column for column in HEADINGS if column.startswith("count_")]
        assert page.count(f"<td>{3 * count}</td>") == 2 * len(counted)
    assert (CURVE_COLORS[0] in page) == (count <= len(CURVE_COLORS))


def test_script_takes_figures_in_the_order_of_the_rows(tmp_path):
    by_threshold, by_stack, _ = rows(["a", "b"])
    tables = {name: tmp_path / f"{name}.csv" for name in ("scores", "stack_scores")}
    write_rows(tables["scores"], list(BY_THRESHOLD), by_threshold)
    write_rows(tables["stack_scores"], list(BY_STACK), by_stack)
    figures = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in figures:
        path.write_bytes(path.stem.encode() * 30)
    imported = write_imported(tmp_path, ["a", "b"])
    script.main(**tables, figures=figures, evaluation=tmp_path / "page.html", **imported)
    page = (tmp_path / "page.html").read_text()
    first, second = (base64.b64encode(name * 30).decode() for name in (b"a", b"b"))
    assert page.index(first) < page.index('id="b-nuclei"') < page.index(second)
    footer = page.partition("<footer>")[2]
    assert SOFTWARE["commit"] in footer
    assert "Python 3.99.1, numpy 9.8.7" in footer
    listed = re.findall(r"<tr>(<td>.*?)</tr>", footer)
    assert [re.findall("<td>(.*?)</td>", row) for row in listed] == [
        [stack, "nuclei", f"&lt;{stack}&gt;.tif", f"f00d-{stack}"] for stack in ("a", "b")
    ]


def charts_of(page):
    return [ElementTree.fromstring(svg) for svg in re.findall("<svg.*?</svg>", page, re.DOTALL)]


def place(iou, f1):
    """Return the position of a point of a chart in pixels; y points downwards."""
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    return [LEFT + iou * width, TOP + (1 - f1) * height]


def test_curves_are_those_of_each_kind_and_their_mean():
    by_threshold, by_stack, pictures = rows(["a", "b"], ("nuclei", "cells"))
    f1 = {("a", "nuclei"): 0.9, ("b", "nuclei"): 0.5, ("a", "cells"): 0.2, ("b", "cells"): 0.0}
    for row in by_threshold:
        row["f1"] = str(f1[row["stack"], row["object"]])
    page = write_evaluation(by_threshold, by_stack, pictures)
    for chart, kind, mean in zip(charts_of(page), ("nuclei", "cells"), (0.7, 0.1), strict=True):
        assert chart.get("aria-label") == f"F1 of {kind} over the IoU threshold"
        curves = [each for each in chart.iter("g") if each.get("class") == "curve"]
        heights = (f1["a", kind], f1["b", kind], mean)
        colors = (*CURVE_COLORS[:2], "black")
        for curve, height, color in zip(curves, heights, colors, strict=True):
            line, dots = curve.find("polyline"), curve.findall("circle")
            expected = [place(iou, height) for iou in THRESHOLDS]
            np.testing.assert_allclose(points_of(line), expected, atol=0.06)
            centres = [[float(dot.get("cx")), float(dot.get("cy"))] for dot in dots]
            np.testing.assert_allclose(centres, expected, atol=0.06)
            assert {line.get("stroke"), *(dot.get("fill") for dot in dots)} == {color}
    keys = re.findall(r'<li><span style="background: (.*?)"></span>(.*?)</li>', page)
    names = ("a", "b", "mean of the stacks")
    assert keys == list(zip((*CURVE_COLORS[:2], "black"), names, strict=True)) * 2


@pytest.mark.parametrize("surplus", [0, 1])
def test_more_curves_than_colors_are_grey(surplus):
    count = len(CURVE_COLORS) + surplus
    page = write_evaluation(*rows([f"s{i}" for i in range(count)]))
    colors = [line.get("stroke") for line in charts_of(page)[0].iter("polyline")]
    expected = [MANY_CURVES_COLOR] * count if surplus else list(CURVE_COLORS)
    assert colors == [*expected, "black"]


def test_the_axes_of_a_chart_go_from_0_to_1():
    (chart,) = charts_of(write_evaluation(*rows(["a"])))
    assert chart.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}"
    assert (chart.get("width"), chart.get("height")) == (str(WIDTH), str(HEIGHT))
    lines = [
        [float(line.get(key)) for key in ("x1", "y1", "x2", "y2")] for line in chart.iter("line")
    ]
    ticks = [i / 10 for i in range(11)]
    expected = [[*place(t, 0), *place(t, 1)] for t in ticks]
    expected += [[*place(0, t), *place(1, t)] for t in ticks]
    np.testing.assert_allclose(sorted(lines), sorted(expected), atol=0.01)
    texts = [each for each in chart.iter("text") if each.get("transform") is None]
    below = [each for each in texts if each.get("text-anchor") == "middle"]
    beside = [each for each in texts if each.get("text-anchor") == "end"]
    assert [float(each.text) for each in beside] == ticks
    for label, t in zip(beside, ticks, strict=True):
        x, y = place(0, t)
        assert 0 < float(label.get("x")) < x
        assert float(label.get("y")) == pytest.approx(y + 4, abs=0.01)  # its middle is on its line
    assert [each.text for each in below] == [*(f"{t:g}" for t in ticks), "IoU threshold"]
    for label, t in zip(below, ticks, strict=False):
        x, y = place(t, 0)
        assert float(label.get("x")) == pytest.approx(x, abs=0.01)
        assert y + 10 < float(label.get("y")) < HEIGHT - 20
    middle = place(0.5, 0.5)
    assert float(below[-1].get("x")) == pytest.approx(middle[0])
    assert HEIGHT - 15 < float(below[-1].get("y")) < HEIGHT
    (name,) = [each for each in chart.iter("text") if each.get("transform")]
    assert name.get("transform") == f"translate(16 {middle[1]:g}) rotate(-90)"


def cells_of(page):
    """Return the cells of each row of the table, without the head."""
    lines = re.findall(r"<tr>(<td>.*?)</tr>", page)
    return [re.findall(r"<td>(.*?)</td>", line) for line in lines]


def test_scores_are_rounded_and_summed_up_by_kind():
    by_threshold, by_stack, pictures = rows(["a", "b"], ("nuclei", "cells"))
    for row, f1, bias, missed in zip(
        by_stack, (0.12345, 0.9, 0.2, 0.5), ("-12.34", "", "4", "8"), "1234", strict=True
    ):
        row |= {"f1": str(f1), "volume_bias_percent": bias, "count_missed": missed, "seg": ""}
    shown = [
        dict(zip(("stack", "object", *HEADINGS), cells, strict=True))
        for cells in cells_of(write_evaluation(by_threshold, by_stack, pictures))
    ]
    columns = ("stack", "object", "f1", "volume_bias_percent", "count_missed", "seg")
    assert [[row[column] for column in columns] for row in shown] == [
        ['<a href="#a-nuclei">a</a>', "nuclei", "0.123", "-12.3", "1", "–"],
        ['<a href="#a-cells">a</a>', "cells", "0.900", "–", "2", "–"],
        ['<a href="#b-nuclei">b</a>', "nuclei", "0.200", "4.0", "3", "–"],
        ['<a href="#b-cells">b</a>', "cells", "0.500", "8.0", "4", "–"],
        ["sum or mean", "nuclei", "0.162", "-4.2", "4", "–"],
        ["sum or mean", "cells", "0.700", "8.0", "6", "–"],
    ]


def test_each_section_has_its_picture_and_heading():
    reader = Reader(write_evaluation(*rows(["a"], ("nuclei", "cells"))))
    for image, kind in zip(reader.attributes_of("img"), ("nuclei", "cells"), strict=True):
        assert image["src"] == "data:image/png;base64,QUJD"
        assert image["alt"].startswith(f"The worst {kind} of a in three planes")
    assert {"a: nuclei", "a: cells", "Nuclei: F1 over IoU"} <= set(reader.texts)


def test_definitions_of_columns_and_titles_of_pages_are_escaped(monkeypatch):
    hostile = """<b>&amp;"'"""
    monkeypatch.setitem(BY_STACK, "f1", ("", hostile))
    reader = Reader(write_evaluation(*rows(["a"])))
    titles = {each["title"] for each in reader.attributes_of("th") if "title" in each}
    assert titles == {BY_STACK[column][1] for column in HEADINGS}
    assert hostile in titles
    page = Reader(html.build_page(hostile, html.embed_png("QUJD", hostile), "p { color: red; }"))
    assert page.texts.count(hostile) == 1
    assert page.attributes_of("img")[0]["alt"] == hostile
    assert any(text.endswith("p { color: red; }") for text in page.texts)


def test_the_page_says_which_ground_truths_are_points():
    by_threshold, by_stack, pictures = rows(["worm", "mouse"])
    empty = {"panoptic_quality": "", "seg": ""}
    kind = {"ground_truth": "points"}
    by_threshold = [by_threshold[0] | kind | {"iou_threshold": ""}, *by_threshold[9:]]
    by_stack = [by_stack[0] | kind | empty, by_stack[1]]
    page = write_evaluation(by_threshold, by_stack, pictures)
    assert "worm (nuclei): the ground truth is points, one in each object" in page
    (chart,) = charts_of(page)
    assert [title.text for title in chart.iter("title")] == ["mouse"]  # points have no IoU
    lines = [
        dict(zip(("stack", "object", *HEADINGS), line, strict=True)) for line in cells_of(page)
    ]
    assert [line["ground_truth"] for line in lines] == ["points", "outlines", "points, outlines"]
    assert [line["seg"] for line in lines] == ["–", "3.000", "3.000"]
    reader = Reader(page)
    alternatives = [image["alt"] for image in reader.attributes_of("img")]
    assert ["points of the" in text for text in alternatives] == [True, False]
    only_points = write_evaluation(by_threshold[:1], by_stack[:1], pictures)
    assert charts_of(only_points) == []
    assert "IoU threshold if" not in only_points


def test_f1_before_corrections_is_shown_if_there_are_any():
    by_threshold, by_stack, pictures = rows(["a", "b"])
    by_stack = [row | {"f1_uncorrected": ""} for row in by_stack]
    assert "F1 before corrections" not in write_evaluation(by_threshold, by_stack, pictures)
    by_stack[0]["f1_uncorrected"] = "0.125"
    page = write_evaluation(by_threshold, by_stack, pictures)
    assert "F1 before corrections" in page
    assert page.count("<td>0.250</td><td>0.125</td>") == 1
    assert page.count("<td>0.250</td><td>0.250</td>") == 1  # of b, which was not corrected
    assert page.count("<td>0.250</td><td>0.188</td>") == 1  # the means
