import base64
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from pages import Reader

import write_evaluation as script
from cellstack import __version__
from cellstack.evaluate.evaluate_labels import THRESHOLDS
from cellstack.evaluate.score_columns import BY_STACK, BY_THRESHOLD
from cellstack.figures.colors import CURVE_COLORS
from cellstack.files.tables import write_rows
from cellstack.pages.write_evaluation import HEADINGS, write_evaluation

TABLES = ("scores.csv", "stack_scores.csv", "score_columns.csv")


def rows(stacks, kinds=("nuclei",)):
    keys = [{"stack": stack, "object": kind} for stack in stacks for kind in kinds]
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
    assert f"<footer>cellstack {__version__}</footer>" in page
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
    script.main(**tables, figures=figures, evaluation=tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    first, second = (base64.b64encode(name * 30).decode() for name in (b"a", b"b"))
    assert page.index(first) < page.index('id="b-nuclei"') < page.index(second)
