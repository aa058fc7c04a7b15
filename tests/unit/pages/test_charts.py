import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest

from cellstack.figures.colors import CURVE_COLORS
from cellstack.pages.charts import (
    MANY_CURVES_COLOR,
    MAX_DOTS,
    line_chart,
    line_colors,
    round_ticks,
)


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0, 47), (3.2, 3.3), (-5, 12), (0, 65535), (1e-7, 3e-7), (5, 5)]
)
def test_ticks_are_round_and_cover_the_range(low, high):
    ticks = round_ticks(low, high)
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 2 <= len(ticks) <= 9
    steps = {f"{b - a:.6e}" for a, b in pairwise(ticks)}
    assert len(steps) == 1
    assert steps.pop()[:4] in ("1.00", "2.00", "2.50", "5.00")


@pytest.mark.parametrize("count", [MAX_DOTS, MAX_DOTS + 1])
def test_a_chart_has_text_of_the_user_as_text_and_dots_on_short_curves(count):
    hostile = "<b>&amp;\"'"
    points = [(float(x), 2.0 * x) for x in range(count)]
    svg = line_chart(
        {hostile: points},
        ["black"],
        x_label="x",
        y_label=hostile,
        x_ticks=[0, 50],
        y_ticks=[0, 100],
        description=hostile,
    )
    chart = ElementTree.fromstring(svg)
    assert chart.get("aria-label") == hostile
    assert [each.text for each in chart.iter("title")] == [hostile]
    assert hostile in [each.text for each in chart.iter("text")]
    assert len(list(chart.iter("circle"))) == (count if count <= MAX_DOTS else 0)


def test_many_curves_have_one_color():
    assert line_colors(2) == list(CURVE_COLORS[:2])
    assert set(line_colors(len(CURVE_COLORS) + 1)) == {MANY_CURVES_COLOR}
