"""The page of `snakemake evaluate`: curves of F1 over IoU, the table of scores, and for each stack its worst objects; one file of HTML."""

import html

from cellstack.score_columns import BY_STACK

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito's that show on white
GREY = "#9a9a9a"
CHART = (600, 360)  # pixels
LEFT, RIGHT, TOP, BOTTOM = 56, 20, 16, 50  # pixels between the chart's edges and its axes
HEADINGS = {  # columns that the table shows, and what it calls them
    "count_truth": "truth",
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
:root { color-scheme: light; }
body { margin: 0 auto; padding: 1rem 1.5rem 4rem; max-width: 112rem;
  font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.7rem; margin: .4rem 0; }
h2 { font-size: 1.3rem; margin: 2.4rem 0 .3rem; padding-top: .6rem; border-top: 1px solid #ccc; }
p { max-width: 80ch; margin: .3rem 0 .8rem; }
a { color: #0b5394; }
img { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
th { border-bottom: 2px solid #888; }
th[title] { cursor: help; }
th:nth-child(-n + 2), td:nth-child(-n + 2) { text-align: left; }
tfoot td { font-weight: bold; border-top: 2px solid #888; }
svg { max-width: 100%; height: auto; }
svg text { font: 13px system-ui, sans-serif; fill: #1a1a1a; }
.curve polyline { fill: none; stroke-width: 2; }
.curve:hover polyline { stroke-width: 5; }
.keys { list-style: none; padding: 0; columns: 14rem; max-width: 100ch; }
.keys span { display: inline-block; width: 1.6rem; height: 4px; margin-right: .5rem; vertical-align: middle; }
"""
HOW_TO = (
    "F1 is 1 where all objects are right and none is missed. An object is right at a threshold if it shares at least that part of the "
    "voxels that it and an object of the truth cover together (IoU). A curve that is high and falls at the right: objects are found, but "
    "their outlines differ. A curve that is low at the left too: objects are missed, spurious, split or merged."
)
FILES = (
    'All numbers: <a href="scores.csv">scores.csv</a>, <a href="stack_scores.csv">stack_scores.csv</a>; '
    '<a href="score_columns.csv">score_columns.csv</a> says what each column means. What is wrong with which object: '
    "<code>scores.json</code> in the folder of each stack."
)


def write_evaluation(by_threshold, by_stack, pictures):
    """Write the page.

    Parameters
    ----------
    by_threshold, by_stack : list of dict of str to str
        The rows of scores.csv and of stack_scores.csv.
    pictures : dict of (str, str) to str
        Stack and kind of object: the picture of its worst objects, as a PNG in base64.

    Returns
    -------
    str
        HTML that needs no other file. The charts are SVG with the stack's name behind each curve.

    Notes
    -----
    Names of stacks are written as they are: the sheet allows letters, digits and hyphens alone.
    """
    kinds = list(dict.fromkeys(row["object"] for row in by_stack))
    charts = "\n".join(_chart(kind, [row for row in by_threshold if row["object"] == kind]) for kind in kinds)
    sections = "\n".join(_section(row, pictures[row["stack"], row["object"]]) for row in by_stack)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>cellstack: evaluation</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Evaluation against the truth</h1>
<p>{HOW_TO}</p>
{charts}
<h2>Scores</h2>
<p>At IoU 0.5 unless the heading says otherwise; point at a heading for its definition. {FILES}</p>
<div class="wide">{_table(by_stack)}</div>
{sections}
</body>
</html>
"""


def _chart(kind, rows):
    """Draw F1 over IoU: a colour per stack where colours suffice, else grey curves; their mean in black where there are several."""
    curves = {}
    for row in rows:
        curves.setdefault(row["stack"], []).append((float(row["iou_threshold"]), float(row["f1"])))
    colors = dict(zip(curves, COLORS if len(curves) <= len(COLORS) else [GREY] * len(curves), strict=False))
    lines = [_curve(stack, points, colors[stack]) for stack, points in curves.items()]
    keys = [f'<li><span style="background: {colors[stack]}"></span>{stack}</li>' for stack in curves]
    if len(curves) > 1:
        mean = [(points[0][0], sum(value for _, value in points) / len(points)) for points in zip(*curves.values(), strict=True)]
        lines.append(_curve("mean of the stacks", mean, "black"))
        keys.append('<li><span style="background: black"></span>mean of the stacks</li>')
    width, height = CHART
    ticks = [_tick(at / 10, is_across) for at in range(11) for is_across in (True, False)]
    middle = (LEFT + width - RIGHT) / 2
    return f"""<h2>{kind.capitalize()}: F1 over IoU</h2>
<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="F1 of {kind} over the IoU threshold">
{"".join(ticks)}
<text x="{middle:g}" y="{height - 8}" text-anchor="middle">IoU threshold</text>
<text transform="translate(16 {(TOP + height - BOTTOM) / 2:g}) rotate(-90)" text-anchor="middle">F1</text>
{"".join(lines)}
</svg>
<ul class="keys">{"".join(keys)}</ul>"""


def _place(iou, f1):
    width, height = CHART
    return LEFT + iou * (width - LEFT - RIGHT), height - BOTTOM - f1 * (height - TOP - BOTTOM)


def _tick(at, is_across):
    ends = (_place(at, 0), _place(at, 1)) if is_across else (_place(0, at), _place(1, at))
    (x1, y1), (x2, y2) = ends
    label = f'x="{x1:g}" y="{y1 + 18:g}" text-anchor="middle"' if is_across else f'x="{x1 - 8:g}" y="{y1 + 4:g}" text-anchor="end"'
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="#ddd"/><text {label}>{at:g}</text>'


def _curve(name, points, color):
    places = [_place(*point) for point in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in places)
    return f'<g class="curve"><title>{name}</title><polyline points="{line}" stroke="{color}"/>{dots}</g>\n'


def _table(rows):
    heads = "".join(f'<th title="{html.escape(BY_STACK[column][1])}">{name}</th>' for column, name in HEADINGS.items())
    body = "".join(f'<tr><td><a href="#{_anchor(row)}">{row["stack"]}</a></td><td>{row["object"]}</td>{_cells(row)}</tr>\n' for row in rows)
    return f"<table>\n<thead><tr><th>stack</th><th>object</th>{heads}</tr></thead>\n<tbody>\n{body}</tbody>\n{_foot(rows)}</table>"


def _cells(row):
    return "".join(f"<td>{_shown(column, row[column])}</td>" for column in HEADINGS)


def _shown(column, cell):
    if not cell:
        return "–"
    return cell if column.startswith("count_") else f"{float(cell):.1f}" if column.endswith("_percent") else f"{float(cell):.3f}"


def _foot(rows):
    """Sum counts and average all else over the stacks, for each kind of object that has several."""
    kinds = list(dict.fromkeys(row["object"] for row in rows))
    lines = []
    for kind in kinds:
        own = [row for row in rows if row["object"] == kind]
        cells = {column: [float(row[column]) for row in own if row[column]] for column in HEADINGS}
        total = {
            column: "" if not values else f"{sum(values):g}" if column.startswith("count_") else str(sum(values) / len(values))
            for column, values in cells.items()
        }
        if len(own) > 1:
            lines.append(f"<tr><td>sum or mean</td><td>{kind}</td>{_cells(total)}</tr>\n")
    return f"<tfoot>\n{''.join(lines)}</tfoot>\n" if lines else ""


def _anchor(row):
    return f"{row['stack']}-{row['object']}"


def _section(row, picture):
    stack, kind = row["stack"], row["object"]
    alt = f"The worst {kind} of {stack} in three planes each, with outlines of the truth and of what was found"
    return (
        f'<section id="{_anchor(row)}">\n<h2>{stack}: {kind}</h2>\n'
        f'<img loading="lazy" alt="{alt}" src="data:image/png;base64,{picture}">\n</section>'
    )
