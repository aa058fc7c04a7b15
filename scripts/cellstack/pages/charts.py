"""Line charts as SVG."""

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from cellstack.figures.colors import CURVE_COLORS
from cellstack.pages.html import escape

Point: TypeAlias = tuple[float, float]

WIDTH, HEIGHT = 600, 360  # pixels
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 16, 50  # pixels between the edges of the chart and its axes
MANY_CURVES_COLOR = "#9a9a9a"  # of all curves, if there are more than colours
MAX_DOTS = 40  # of a curve; a longer one is a line without dots


def line_colors(count: int) -> list[str]:
    """Return the colours of a number of curves: all grey if there are too many."""
    has_colors = count <= len(CURVE_COLORS)
    return list(CURVE_COLORS[:count]) if has_colors else [MANY_CURVES_COLOR] * count


def round_ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Return round values that cover a range, about `count` of them.

    Examples
    --------
    >>> round_ticks(0, 47)
    [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    >>> round_ticks(3, 3)[:3]
    [3.0, 3.2, 3.4]
    """
    if high <= low:
        high = low + 1
    rough = (high - low) / max(1, count - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def line_chart(
    curves: Mapping[str, Sequence[Point]],
    colors: Sequence[str],
    *,
    x_label: str,
    y_label: str,
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
    description: str,
) -> str:
    """Return a chart of curves; each shows its name when pointed at.

    Parameters
    ----------
    curves : dict of str to list of (float, float)
        Points by name of the curve, as plain text.
    colors : list of str
        One for each curve.
    x_label, y_label : str
        Names of the axes.
    x_ticks, y_ticks : list of float
        Ascending; the axes reach from the first to the last.
    description : str
        For readers who cannot see the chart.

    Returns
    -------
    str
        SVG.
    """
    (left, *_, right), (low, *_, high) = x_ticks, y_ticks

    def position(point: Point) -> Point:
        x = LEFT + (point[0] - left) / (right - left) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - (point[1] - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
        return x, y

    def tick(at: float, first: Point, last: Point, anchor: str) -> str:
        (x1, y1), (x2, y2) = position(first), position(last)
        x, y = (x1, y1 + 18) if anchor == "middle" else (x1 - 8, y1 + 4)
        line = f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="#ddd"/>'
        return f'{line}<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{at:g}</text>'

    def curve(name: str, points: Sequence[Point], color: str) -> str:
        places = [position(point) for point in points]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        line = f'<polyline points="{corners}" stroke="{color}"/>'
        dots = "".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in places
        )
        shown = dots if len(points) <= MAX_DOTS else ""
        return f'<g class="curve"><title>{escape(name)}</title>{line}{shown}</g>\n'

    ticks = [tick(at, (at, low), (at, high), "middle") for at in x_ticks]
    ticks += [tick(at, (left, at), (right, at), "end") for at in y_ticks]
    lines = [
        curve(name, points, color)
        for (name, points), color in zip(curves.items(), colors, strict=True)
    ]
    x, y = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f"""<svg {size} role="img" aria-label="{escape(description)}">
{"".join(ticks)}
<text x="{x:g}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>
<text transform="translate(16 {y:g}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>
{"".join(lines)}
</svg>"""
