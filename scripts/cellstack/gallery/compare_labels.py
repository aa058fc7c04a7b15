"""Section of the gallery: the nuclei that result from other methods of each stage."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellstack.core import overlaps
from cellstack.core.counting import counted
from cellstack.core.labels import count_voxels
from cellstack.core.planes import Stack
from cellstack.core.types import Labels, Spacing
from cellstack.evaluate import label_errors, scores
from cellstack.evaluate.evaluate_points import evaluate_points
from cellstack.figures import drawing, outlines
from cellstack.figures.colors import ALERT, COLORS, SECONDARY, SKY_BLUE, VERMILLION
from cellstack.gallery import panel_figures, views
from cellstack.gallery.sections import DrawnPanel, Panel, Section
from cellstack.gallery.views import View

TITLE = "Final labels"
TEXT = (
    "The nuclei before selection that result if one stage has other settings and all other stages "
    "are as configured. The outlines are those in the plane; the numbers below each picture, and "
    "the table, are those of the whole stack."
)
SCORED = (
    " Blue: a match in the ground truth (IoU of at least 0.5). Vermillion: no match. Dashed white: "
    "objects of the ground truth without a match."
)
SCORED_BY_POINTS = " Blue: objects with one point of the ground truth. Vermillion: others."
NONE_CHOSEN = (
    " No stage is compared: name some in compare_labels.stages in the configuration, such as "
    "[binarize, find_seeds]."
)
NO_EFFECT = "No other setting of this stage changes the nuclei of this stack."
OWN = "as configured"
GROUND_TRUTH = "ground truth"
MATCHED_COLOR, UNMATCHED_COLOR = SKY_BLUE, VERMILLION
MIN_IOU = label_errors.MIN_IOU_CORRECT
TILE_WIDTH, COLUMNS = 290, 5  # pixels of a picture; pictures beside each other
TOP, LINE = 3, 18  # pixels above all, and of a line of text
LETTERS = 36  # of a line in a tile without a picture
ERRORS = ("split", "merged", "missed", "spurious", "low_iou")
FIELDS = (
    "stage", "settings", "count", "median_volume_um3", "f1", *ERRORS, "failure", "configuration",
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """The labels that result from some settings, or the reason why there are none."""

    labels: Stack | None
    failure: str = ""


class _Outcome(NamedTuple):
    """The part of a result that is shown."""

    labels: Labels | None  # in the plane
    matched: set[int]  # labels with a match in the ground truth
    missed: list[int]  # labels of the ground truth without a match
    numbers: dict[str, Any]  # of the table
    failure: str


def compare_labels(
    raw: Stack,
    spacing: Spacing,
    view: View,
    own: Stack,
    alternatives: Sequence[Panel],
    results: Iterator[Result],
    stages: Sequence[str],
    ground_truth: Stack | None = None,
    *,
    by_points: bool = False,
) -> Section:
    """Compare the nuclei of a stack with those that result from other settings of each stage.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
        Intensities.
    spacing, view
        See :mod:`cellstack.gallery.sections`.
    own : (Z, Y, X) ndarray or stack of uint16 or uint32
        The nuclei with the settings of the stack, numbered 1..n.
    alternatives : list of Panel
        Other settings, each with its ``stage``.
    results : iterator of Result
        Their labels, in the same order; each is read when it is needed.
    stages : list of str
        The stages that are compared, each in one picture.
    ground_truth : (Z, Y, X) ndarray or stack of uint16 or uint32, optional
        True objects, or a voxel for each of the points, numbered 1..m.
    by_points : bool
        Whether they are points.

    Returns
    -------
    Section
        With a ``table``, whose columns are :data:`FIELDS`. Without a ground truth, its scores are
        None.
    """

    def judge(result: Result) -> _Outcome:
        return _judge(result, spacing, view, ground_truth, by_points)

    configured = judge(Result(own))
    outcomes = [judge(result) for result in results]
    rows = [{"stage": "", "settings": OWN, **configured.numbers, "configuration": None}]
    for panel, outcome in zip(alternatives, outcomes, strict=True):
        described = {"stage": panel["stage"], "settings": panel["title"]}
        rows.append({**described, **outcome.numbers, "configuration": panel["snippet"]})
    image = views.read_plane(raw, view)
    truth = None
    if ground_truth is not None and not by_points:
        truth = views.read_plane(ground_truth, view)

    def draw(panel: Panel) -> panel_figures.Picture:
        shown = {OWN: configured} | {
            each["title"]: outcome
            for each, outcome in zip(alternatives, outcomes, strict=True)
            if each["stage"] == panel["title"]
        }
        figure = _draw_stage(image, spacing[1:], truth, shown)
        alt = f"Outlines of the nuclei with each method of {panel['title']}"
        return figure, COLORS, alt, NO_EFFECT if len(shown) == 1 else ""

    panels: list[Panel] = [{"title": stage} for stage in stages]
    explained = "" if ground_truth is None else SCORED_BY_POINTS if by_points else SCORED
    text = TEXT + explained + ("" if stages else NONE_CHOSEN)
    drawn: list[DrawnPanel] = panel_figures.draw_panels(panels, draw)
    return {"title": TITLE, "text": text, "panels": drawn, "table": rows}


def _judge(
    result: Result,
    spacing: Spacing,
    view: View,
    ground_truth: Stack | None,
    by_points: bool,
) -> _Outcome:
    """Return the part of a result that is shown, with its scores."""
    numbers: dict[str, Any] = dict.fromkeys(FIELDS[2:-1])
    if result.labels is None:
        return _Outcome(None, set(), [], numbers | {"failure": result.failure}, result.failure)
    labels = result.labels
    voxels = count_voxels(labels)[1:]
    numbers["count"] = len(voxels)
    if len(voxels):
        numbers["median_volume_um3"] = float(np.median(voxels) * np.prod(spacing))
    plane = views.read_plane(labels, view)
    if ground_truth is None:
        return _Outcome(plane, set(), [], numbers, "")
    if by_points:
        evaluation = evaluate_points(ground_truth, labels)
        numbers["f1"] = evaluation["summary"]["f1"]
        numbers |= {kind: len(found) for kind, found in evaluation["errors"].items()}
        matched = {match["label"] or 0 for match in evaluation["matches"]}
        return _Outcome(plane, matched, [], numbers, "")
    table = overlaps.count_overlaps(ground_truth, labels)
    pairs = overlaps.pair_up(table)
    found = overlaps.match_objects(pairs, MIN_IOU)
    total = table.n_true + table.n_pred
    numbers["f1"] = scores.ratio_or_default(2 * len(found.iou), total, scores.default_score(table))
    errors = label_errors.find_errors(table, pairs)
    numbers |= {kind: len(listed) for kind, listed in errors.items()}
    missed = sorted(set(range(1, table.n_true + 1)) - set(found.true_label.tolist()))
    return _Outcome(plane, set(found.label.tolist()), missed, numbers, "")


def _draw_stage(
    image: np.ndarray,
    spacing: Sequence[float],
    truth: Labels | None,
    shown: dict[str, _Outcome],
) -> Figure:
    """Return a figure with the ground truth, and a tile for each result."""
    scale = panel_figures.choose_scale(image.shape, spacing, TILE_WIDTH)
    extent = drawing.image_extent(image.shape, spacing)
    width, height = (extent[1] - extent[0]) * scale, (extent[2] - extent[3]) * scale
    count = len(shown) + (truth is not None)
    columns = min(count, COLUMNS)
    cell = (max(width, TILE_WIDTH) + panel_figures.GAP, height + 2 * LINE + panel_figures.GAP)
    rows = -(-count // columns)
    figure = drawing.new_figure(columns * cell[0], TOP + rows * cell[1] + panel_figures.BAR)
    limits = drawing.display_range(image)
    names = ([GROUND_TRUTH] if truth is not None else []) + list(shown)
    for number, name in enumerate(names):
        left = 1 + number % columns * cell[0]
        top = TOP + number // columns * cell[1]
        weight = "bold" if name in (OWN, GROUND_TRUTH) else "normal"
        title = drawing.shorten(figure, name, cell[0] - panel_figures.GAP, weight=weight)
        drawing.add_text(figure, left, top, title, weight=weight)
        axes = drawing.add_panel(figure, left, top + LINE, extent, scale)
        below = top + LINE + height + 3
        if name == GROUND_TRUTH and truth is not None:
            drawing.show_image(axes, image, limits)
            lines, _ = panel_figures.trace(truth, spacing)
            outlines.draw_outlines(axes, lines, [outlines.NEUTRAL_COLOR] * len(lines))
            continue
        outcome = shown[name]
        style = {"color": SECONDARY}
        if outcome.failure or not outcome.numbers["count"]:
            style = {"color": ALERT, "weight": "bold"}
        drawing.add_text(figure, left, below, _summarize(outcome.numbers), **style)
        if outcome.labels is None:
            _show_failure(axes, outcome.failure)
            continue
        drawing.show_image(axes, image, limits)
        _draw_labels(axes, outcome, truth, spacing)
    length = drawing.round_length(width / scale / 4)
    bottom = TOP + rows * cell[1] + panel_figures.BAR - 6
    drawing.scale_bar(figure, 1 + width, bottom, scale, length)
    return figure


def _summarize(numbers: dict[str, Any]) -> str:
    """Return the line of text below a picture."""
    if numbers["failure"]:
        return "failed"
    found = counted(numbers["count"], "objects") if numbers["count"] else "no objects found"
    return found if numbers["f1"] is None else f"{found}, F1 {numbers['f1']:.2f}"


def _draw_labels(
    axes: Axes, outcome: _Outcome, truth: Labels | None, spacing: Sequence[float]
) -> None:
    """Draw the outlines of a result, and of the objects of the ground truth that it lacks."""
    assert outcome.labels is not None
    if truth is not None:
        lacking = np.where(np.isin(truth, outcome.missed), truth, 0)
        outlines.draw_outlines(axes, panel_figures.trace(lacking, spacing)[0])
    lines, labels = panel_figures.trace(outcome.labels, spacing)
    is_scored = outcome.numbers["f1"] is not None
    colors = [
        UNMATCHED_COLOR if is_scored and label not in outcome.matched else MATCHED_COLOR
        for label in labels
    ]
    outlines.draw_outlines(axes, lines, colors)


def _show_failure(axes: Axes, reason: str) -> None:
    """Write the reason of a failure instead of a picture."""
    axes.set_facecolor("white")
    axes.text(
        0.03,
        0.97,
        textwrap.fill(reason, LETTERS),
        transform=axes.transAxes,
        va="top",
        fontsize=panel_figures.SMALL_TEXT_SIZE,
        color=ALERT,
        clip_on=True,
    )
