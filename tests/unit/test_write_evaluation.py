import base64
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pytest

import write_evaluation as script
from cellstack import table_io
from cellstack.evaluate_labels import THRESHOLDS
from cellstack.score_columns import BY_STACK, BY_THRESHOLD
from cellstack.write_evaluation import COLORS, HEADINGS, write_evaluation

VOID = {"meta", "link", "img"}


class Tags(HTMLParser):
    """Checks that tags are closed, and lists them."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def rows(stacks, kinds=("nuclei",)):
    keys = [{"stack": stack, "object": kind} for stack in stacks for kind in kinds]
    by_threshold = [
        dict.fromkeys(BY_THRESHOLD, "") | key | {"iou_threshold": str(iou), "f1": str(1 - iou)} for key in keys for iou in THRESHOLDS
    ]
    by_stack = [dict.fromkeys(BY_STACK, "3") | key | {"f1": "0.25", "volume_bias_percent": ""} for key in keys]
    return by_threshold, by_stack, {(key["stack"], key["object"]): "QUJD" for key in keys}


@pytest.mark.parametrize("count", [1, 3, 40])
def test_page(count):
    stacks = [f"mouse{number}" for number in range(count)]
    page = write_evaluation(*rows(stacks, ("nuclei", "cells")))
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    named = [value for _, attributes in tags.seen for key, value in attributes.items() if key in ("src", "href")]
    assert all(value.startswith(("data:", "#")) or value in ("scores.csv", "stack_scores.csv", "score_columns.csv") for value in named)
    anchors = {attributes["id"] for _, attributes in tags.seen if "id" in attributes}
    assert {value[1:] for value in named if value.startswith("#")} == anchors
    charts = [ElementTree.fromstring(chart) for chart in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    assert len(charts) == 2
    for chart in charts:
        titles = [title.text for title in chart.iter("title")]
        assert titles == stacks + ["mean of the stacks"] * (count > 1)
        for line in chart.iter("polyline"):
            points = np.array([[float(part) for part in point.split(",")] for point in line.get("points").split()])
            assert len(points) == 9
            np.testing.assert_allclose(np.diff(points, axis=0), np.diff(points, axis=0)[:1].repeat(8, 0), atol=0.2)  # 1 - IoU is straight
            assert np.diff(points[:, 1]).min() > 0  # F1 falls, rows count downwards
    assert page.count("<td>–</td>") == 2 * count + 2 * (count > 1)  # what is not known
    assert ("<tfoot>" in page) == (count > 1)
    if count > 1:
        assert page.count(f"<td>{3 * count}</td>") == 2 * sum(name.startswith("count_") for name in HEADINGS)
    assert (COLORS[0] in page) == (count <= len(COLORS))


def test_script_takes_figures_in_the_order_of_the_rows(tmp_path):
    by_threshold, by_stack, _ = rows(["a", "b"])
    table_io.write_rows(tmp_path / "scores.csv", list(BY_THRESHOLD), by_threshold)
    table_io.write_rows(tmp_path / "stack_scores.csv", list(BY_STACK), by_stack)
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(name.encode() * 30)
    tables = {"scores": tmp_path / "scores.csv", "stack_scores": tmp_path / "stack_scores.csv"}
    script.main(**tables, faults=[tmp_path / "a.png", tmp_path / "b.png"], evaluation=tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.index(base64.b64encode(b"a" * 30).decode()) < page.index('id="b-nuclei"') < page.index(base64.b64encode(b"b" * 30).decode())
