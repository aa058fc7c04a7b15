"""Page of the evaluation: curves of F1 over IoU, table of scores, worst objects of each stack."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from cellstack.evaluate.score_columns import BY_STACK, OUTLINES, POINTS
from cellstack.pages.charts import Point, line_chart, line_colors
from cellstack.pages.html import build_page, embed_png, escape, write_keys

Row: TypeAlias = Mapping[str, str]

TICKS = [at / 10 for at in range(11)]  # of F1 and of the IoU
HEADINGS = {  # of the columns in the table of the page
    "ground_truth": "kind of ground truth",
    "count_ground_truth": "ground truth",
    "count_found": "found",
    "f1": "F1",
    "f1_uncorrected": "F1 before corrections",  # only if there are any
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
td { white-space: nowrap; }
th { vertical-align: bottom; }
th:nth-child(-n + 2), td:nth-child(-n + 2) { text-align: left; }
tfoot td { font-weight: bold; border-top: 2px solid #888; }
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
    provenance: Mapping[str, Any] | None = None,
) -> str:
    """Return the page of the evaluation.

    Parameters
    ----------
    by_threshold, by_stack : list of dict of str to str
        Rows of scores.csv and of stack_scores.csv.
    pictures : dict of (str, str) to str
        By stack and kind of object, the figure of the worst objects as a PNG file in base64.
    provenance : dict, optional
        See :func:`cellstack.pages.html.build_page`.

    Returns
    -------
    str
        HTML. Charts are SVG; each curve shows the name of its stack when pointed at.

    Notes
    -----
    Names of stacks need no escaping, as the sheet allows letters, digits, hyphens and
    underscores only.
    """
    if any(row["f1_uncorrected"] for row in by_stack):
        by_stack = [  # without corrections, both are the same
            {**row, "f1_uncorrected": row["f1_uncorrected"] or row["f1"]} for row in by_stack
        ]
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
    return build_page("cellstack: evaluation", body, STYLE, provenance)


def _kinds(rows: Sequence[Row]) -> list[str]:
    """Return the kinds of objects in a table, in order."""
    return list(dict.fromkeys(row["object"] for row in rows))


def _chart(kind: str, rows: Sequence[Row]) -> str:
    """Return the curves of F1 over IoU, with the mean of the stacks if there are several."""
    curves: dict[str, list[Point]] = {}
    for row in rows:
        curves.setdefault(row["stack"], []).append((float(row["iou_threshold"]), float(row["f1"])))
    colors = line_colors(len(curves))
    if len(curves) > 1:
        curves["mean of the stacks"] = [
            (points[0][0], sum(f1 for _, f1 in points) / len(points))
            for points in zip(*curves.values(), strict=True)
        ]
        colors.append("black")
    chart = line_chart(
        curves,
        colors,
        x_label="IoU threshold",
        y_label="F1",
        x_ticks=TICKS,
        y_ticks=TICKS,
        description=f"F1 of {kind} over the IoU threshold",
    )
    keys = write_keys(list(zip(curves, colors, strict=True)))
    return f"<h2>{kind.capitalize()}: F1 over IoU</h2>\n{chart}\n{keys}"


def _table(rows: Sequence[Row]) -> str:
    columns = list(HEADINGS)
    if not any(row["f1_uncorrected"] for row in rows):
        columns.remove("f1_uncorrected")
    heads = []
    for column in columns:
        heads.append(f'<th title="{escape(BY_STACK[column][1])}">{HEADINGS[column]}</th>')
    body = []
    for row in rows:
        link = f'<a href="#{_anchor(row)}">{row["stack"]}</a>'
        body.append(f"<tr><td>{link}</td><td>{row['object']}</td>{_cells(row, columns)}</tr>\n")
    head = f"<thead><tr><th>stack</th><th>object</th>{''.join(heads)}</tr></thead>"
    return (
        f"<table>\n{head}\n<tbody>\n{''.join(body)}</tbody>\n{_table_foot(rows, columns)}</table>"
    )


def _table_foot(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Return a row per kind of objects of several stacks: counts are summed, scores averaged."""
    lines = []
    for kind in _kinds(rows):
        own = [row for row in rows if row["object"] == kind]
        if len(own) > 1:
            total = {column: _combine(column, own) for column in columns}
            lines.append(f"<tr><td>sum or mean</td><td>{kind}</td>{_cells(total, columns)}</tr>\n")
    return f"<tfoot>\n{''.join(lines)}</tfoot>\n" if lines else ""


def _combine(column: str, rows: Sequence[Row]) -> str:
    """Return the sum or the mean of the known values of a column."""
    if column == "ground_truth":
        return ", ".join(dict.fromkeys(row[column] for row in rows))
    values = [float(row[column]) for row in rows if row[column]]
    if not values:
        return ""
    return f"{sum(values):.0f}" if column.startswith("count_") else str(sum(values) / len(values))


def _cells(row: Row, columns: Sequence[str]) -> str:
    return "".join(f"<td>{_format(column, row[column])}</td>" for column in columns)


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
