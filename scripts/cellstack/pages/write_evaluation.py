"""Page of the evaluation: curves of F1 over IoU, table of scores, worst objects of each stack."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from cellstack.evaluate.score_columns import BY_STACK, OUTLINES, POINTS
from cellstack.figures.colors import CURVE_COLORS
from cellstack.pages.html import build_page, embed_png, escape

Row: TypeAlias = Mapping[str, str]
Point: TypeAlias = tuple[float, float]

MANY_CURVES_COLOR = "#9a9a9a"  # of all curves, if there are more than colours
CHART_WIDTH, CHART_HEIGHT = 600, 360  # pixels
LEFT, RIGHT, TOP, BOTTOM = 56, 20, 16, 50  # pixels between the edges of the chart and its axes
HEADINGS = {  # of the columns in the table of the page
    "ground_truth": "kind of ground truth",
    "count_ground_truth": "ground truth",
    "count_found": "found",
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "panoptic_quality": "PQ",
    "seg": "SEG",
    "det": "DET",
    "aggregated_jaccard_index": "AJI",
    "count_split": "split",
    "count_merged": "merged",
    "count_missed": "missed",
    "count_spurious": "spurious",
    "count_low_iou": "low IoU",
    "volume_bias_percent": "volume bias, %",
    "mean_surface_distance_um": "surface distance, µm",
}
STYLE = """
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ddd;
  white-space: nowrap; }
th { border-bottom: 2px solid #888; }
th[title] { cursor: help; }
th:nth-child(-n + 2), td:nth-child(-n + 2) { text-align: left; }
tfoot td { font-weight: bold; border-top: 2px solid #888; }
svg text { font: 13px system-ui, sans-serif; fill: #1a1a1a; }
.curve polyline { fill: none; stroke-width: 2; }
.curve:hover polyline { stroke-width: 5; }
.keys { list-style: none; padding: 0; columns: 14rem; max-width: 100ch; }
.keys span { display: inline-block; width: 1.6rem; height: 4px; margin-right: .5rem;
  vertical-align: middle; }
"""
INTRODUCTION = (
    "An object is correct at an IoU threshold if its intersection over union (IoU) with an object "
    "of the ground truth is at least the threshold. F1 is 1 if all objects are correct and none is "
    "missed. A curve that is high and falls at the right: objects are found, but their outlines "
    "differ. A curve that is low at the left too: objects are missed, spurious, split or merged."
)
POINTS_INTRODUCTION = (
    "{stacks}: the ground truth is points, one in each object, and not outlines. An object that "
    "contains a point is correct; further points in it count as missed (the object is merged), as "
    "do points in no object, and an object without a point is spurious. Scores that need outlines, "
    "such as the IoU and the bias of volumes, are empty."
)
FILES = (
    'All numbers: <a href="scores.csv">scores.csv</a>, '
    '<a href="stack_scores.csv">stack_scores.csv</a>; definitions of the columns: '
    '<a href="columns.csv">columns.csv</a>. The errors of each object are listed in '
    "<code>scores.json</code> in the folder of each stack."
)


def write_evaluation(
    by_threshold: Sequence[Row],
    by_stack: Sequence[Row],
    pictures: Mapping[tuple[str, str], str],
) -> str:
    """Return the page of the evaluation.

    Parameters
    ----------
    by_threshold, by_stack : list of dict of str to str
        Rows of scores.csv and of stack_scores.csv.
    pictures : dict of (str, str) to str
        By stack and object kind, the figure of the worst objects as a PNG file in base64.

    Returns
    -------
    str
        HTML. Charts are SVG; each curve shows the name of its stack when pointed at.

    Notes
    -----
    Names of stacks need no escaping, as the sheet allows letters, digits, hyphens and
    underscores only.
    """
    parts = ["<h1>Evaluation against the ground truth</h1>"]
    with_outlines = [row for row in by_threshold if row["ground_truth"] == OUTLINES]
    if with_outlines:
        parts.append(f"<p>{INTRODUCTION}</p>")
    if by_points := [row for row in by_stack if row["ground_truth"] == POINTS]:
        named = ", ".join(f"{row['stack']} ({row['object']})" for row in by_points)
        parts.append(f"<p>{POINTS_INTRODUCTION.format(stacks=named)}</p>")
    for kind in _kinds(with_outlines):
        parts.append(_chart(kind, [row for row in with_outlines if row["object"] == kind]))
    note = (
        "At IoU 0.5, or for points, unless the heading says otherwise; point at a heading for its "
        "definition."
    )
    parts += ["<h2>Scores</h2>", f"<p>{note} {FILES}</p>"]
    parts.append(f'<div class="wide">{_table(by_stack)}</div>')
    parts += [_section(row, pictures[row["stack"], row["object"]]) for row in by_stack]
    body = "\n".join(parts)
    return build_page("cellstack: evaluation", body, STYLE)


def _kinds(rows: Sequence[Row]) -> list[str]:
    """Return the kinds of objects in a table, in order."""
    return list(dict.fromkeys(row["object"] for row in rows))


def _chart(kind: str, rows: Sequence[Row]) -> str:
    """Return the curves of F1 over IoU, with the mean of the stacks if there are several."""
    curves: dict[str, list[Point]] = {}
    for row in rows:
        curves.setdefault(row["stack"], []).append((float(row["iou_threshold"]), float(row["f1"])))
    has_colors = len(curves) <= len(CURVE_COLORS)
    colors = CURVE_COLORS[: len(curves)] if has_colors else [MANY_CURVES_COLOR] * len(curves)
    lines, keys = [], []
    for (stack, points), color in zip(curves.items(), colors, strict=True):
        lines.append(_curve(stack, points, color))
        keys.append(_key(stack, color))
    if len(curves) > 1:
        mean = [
            (points[0][0], sum(f1 for _, f1 in points) / len(points))
            for points in zip(*curves.values(), strict=True)
        ]
        lines.append(_curve("mean of the stacks", mean, "black"))
        keys.append(_key("mean of the stacks", "black"))
    ticks = [_tick(at / 10, is_across) for at in range(11) for is_across in (True, False)]
    x, y = (LEFT + CHART_WIDTH - RIGHT) / 2, (TOP + CHART_HEIGHT - BOTTOM) / 2
    size = f'viewBox="0 0 {CHART_WIDTH} {CHART_HEIGHT}" width="{CHART_WIDTH}"'
    label = f"F1 of {kind} over the IoU threshold"
    return f"""<h2>{kind.capitalize()}: F1 over IoU</h2>
<svg {size} height="{CHART_HEIGHT}" role="img" aria-label="{label}">
{"".join(ticks)}
<text x="{x:g}" y="{CHART_HEIGHT - 8}" text-anchor="middle">IoU threshold</text>
<text transform="translate(16 {y:g}) rotate(-90)" text-anchor="middle">F1</text>
{"".join(lines)}
</svg>
<ul class="keys">{"".join(keys)}</ul>"""


def _key(name: str, color: str) -> str:
    return f'<li><span style="background: {color}"></span>{name}</li>'


def _position(iou: float, f1: float) -> Point:
    """Return the position of a point of the chart in pixels."""
    x = LEFT + iou * (CHART_WIDTH - LEFT - RIGHT)
    y = CHART_HEIGHT - BOTTOM - f1 * (CHART_HEIGHT - TOP - BOTTOM)
    return x, y


def _tick(at: float, is_across: bool) -> str:
    """Return a grid line with its label, at an IoU threshold or at a value of F1."""
    if is_across:
        (x1, y1), (x2, y2) = _position(at, 0), _position(at, 1)
        label = f'x="{x1:g}" y="{y1 + 18:g}" text-anchor="middle"'
    else:
        (x1, y1), (x2, y2) = _position(0, at), _position(1, at)
        label = f'x="{x1 - 8:g}" y="{y1 + 4:g}" text-anchor="end"'
    line = f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="#ddd"/>'
    return f"{line}<text {label}>{at:g}</text>"


def _curve(name: str, points: Sequence[Point], color: str) -> str:
    places = [_position(*point) for point in points]
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    line = f'<polyline points="{corners}" stroke="{color}"/>'
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in places)
    return f'<g class="curve"><title>{name}</title>{line}{dots}</g>\n'


def _table(rows: Sequence[Row]) -> str:
    heads = []
    for column, name in HEADINGS.items():
        heads.append(f'<th title="{escape(BY_STACK[column][1])}">{name}</th>')
    body = []
    for row in rows:
        link = f'<a href="#{_anchor(row)}">{row["stack"]}</a>'
        body.append(f"<tr><td>{link}</td><td>{row['object']}</td>{_cells(row)}</tr>\n")
    head = f"<thead><tr><th>stack</th><th>object</th>{''.join(heads)}</tr></thead>"
    return f"<table>\n{head}\n<tbody>\n{''.join(body)}</tbody>\n{_table_foot(rows)}</table>"


def _table_foot(rows: Sequence[Row]) -> str:
    """Return a row per kind of objects of several stacks: counts are summed, scores averaged."""
    lines = []
    for kind in _kinds(rows):
        own = [row for row in rows if row["object"] == kind]
        if len(own) > 1:
            total = {column: _combine(column, own) for column in HEADINGS}
            lines.append(f"<tr><td>sum or mean</td><td>{kind}</td>{_cells(total)}</tr>\n")
    return f"<tfoot>\n{''.join(lines)}</tfoot>\n" if lines else ""


def _combine(column: str, rows: Sequence[Row]) -> str:
    """Return the sum or the mean of the known values of a column."""
    if column == "ground_truth":
        return ", ".join(dict.fromkeys(row[column] for row in rows))
    values = [float(row[column]) for row in rows if row[column]]
    if not values:
        return ""
    return f"{sum(values):g}" if column.startswith("count_") else str(sum(values) / len(values))


def _cells(row: Row) -> str:
    return "".join(f"<td>{_format(column, row[column])}</td>" for column in HEADINGS)


def _format(column: str, cell: str) -> str:
    if not cell:
        return "–"
    if column.startswith("count_") or column == "ground_truth":
        return cell
    return f"{float(cell):.1f}" if column.endswith("_percent") else f"{float(cell):.3f}"


def _anchor(row: Row) -> str:
    return f"{row['stack']}-{row['object']}"


def _section(row: Row, picture: str) -> str:
    stack, kind = row["stack"], row["object"]
    alt = (
        f"The worst {kind} of {stack} in three planes each, with {row['ground_truth']} of the "
        "ground truth and outlines of the objects found"
    )
    image = embed_png(picture, alt)
    return f'<section id="{_anchor(row)}">\n<h2>{stack}: {kind}</h2>\n{image}\n</section>'
