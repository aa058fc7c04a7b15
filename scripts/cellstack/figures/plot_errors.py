"""Figure of the worst objects of a stack with their ground truth, in three planes each."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cellstack.config.marks import Mark
from cellstack.core.counting import significant
from cellstack.core.labels import find_boxes
from cellstack.core.planes import Stack
from cellstack.core.types import Box, Boxes, Spacing
from cellstack.evaluate.score_columns import POINTS
from cellstack.figures import drawing, marking, outlines
from cellstack.figures.colors import ORANGE, SECONDARY, SKY_BLUE
from cellstack.figures.views import VIEWS

MAX_OBJECTS = 8
GROUND_TRUTH_COLOR, FOUND_COLOR = SKY_BLUE, ORANGE
NEIGHBOUR_COLORS = {GROUND_TRUTH_COLOR: "#2f6380", FOUND_COLOR: "#80580a"}  # darker
FOUND_DASHES = (0, (3, 3))  # the ground truth shows in the gaps where both lines coincide
COLUMNS = 4
PANELS_SIZE, CAPTION, GAP = 410, 64, 8  # pixels of all views, above them, between them
CELL = (PANELS_SIZE + 24, CAPTION + PANELS_SIZE + 46)  # pixels from one object to the next
MARKER, MARKER_SIZE = "+", 12  # of points
CONTEXT, CONTEXT_OF_SINGLE = 0.3, 0.8  # margin on each side, relative to the size of the object
LENGTH_WITHOUT_OBJECTS = 10  # margin around a point, in voxels, if no objects were found


class ChosenObject(NamedTuple):
    """An error or a matched pair, with labels of the objects concerned and a description."""

    true_labels: list[int]
    labels: list[int]
    text: str


def choose_objects(scores: Mapping[str, Any]) -> list[ChosenObject]:
    """Choose what to show: the largest errors first, then the matched pairs of lowest IoU.

    Parameters
    ----------
    scores : dict
        See :func:`cellstack.evaluate.evaluate_labels.evaluate_labels` and
        :func:`cellstack.evaluate.evaluate_points.evaluate_points`.

    Returns
    -------
    list of ChosenObject
        :data:`MAX_OBJECTS` at most. Errors are ranked by the number of wrong voxels. That is not
        known for points, of which the worst errors of each kind are chosen in turn.
    """
    by_points = scores["ground_truth"] == POINTS
    noun = "point" if by_points else "true object"
    by_kind = [[(kind, error) for error in listed] for kind, listed in scores["errors"].items()]
    if by_points:
        errors = [each for rank in zip_longest(*by_kind) for each in rank if each is not None]
    else:
        errors = [each for listed in by_kind for each in listed]
        errors.sort(key=lambda each: -each[1]["wrong_voxels"])
    chosen = [_describe(kind, error, noun) for kind, error in errors[:MAX_OBJECTS]]
    shown_true = {label for each in chosen for label in each.true_labels}
    shown = {label for each in chosen for label in each.labels}
    for match in sorted(scores["matches"], key=lambda match: match.get("iou", 0)):
        true_label, label = match["true_label"], match["label"]
        if len(chosen) < MAX_OBJECTS and true_label not in shown_true and label not in shown:
            iou = "" if by_points else f", IoU {match['iou']:.2f}"
            text = f"correct{iou}: {noun} {true_label}, label {label}"
            chosen.append(ChosenObject([true_label], [label], text))
    return chosen


def _describe(kind: str, error: Mapping[str, Any], noun: str) -> ChosenObject:
    true_label, label = error.get("true_label"), error.get("label")
    true_labels, labels = error.get("true_labels", [true_label]), error.get("labels", [label])
    if kind == "split":
        text = f"split: true object {true_label} into labels {_join(labels)}"
    elif kind == "merged":
        text = f"merged: {noun}s {_join(true_labels)} into label {label}"
    elif kind == "low_iou":
        text = f"low IoU, {error['iou']:.2f}: true object {true_label}, label {label}"
    # an object that touches a missed or spurious one may be far larger, so it does not count as
    # part of the error
    elif kind == "missed":
        text = f"missed: {noun} {true_label}"
        text += "" if label is None else f", touched by label {label}"
        labels = []
    else:
        text = f"spurious: label {label}"
        text += "" if true_label is None else f", touched by true object {true_label}"
        true_labels = []
    return ChosenObject(true_labels, labels, text)


def _join(labels: list[int]) -> str:
    return ", ".join(map(str, labels[:4])) + (" ..." if len(labels) > 4 else "")


@drawing.default_style()
def plot_errors(
    raw: Stack,
    ground_truth: Stack,
    segmentation: Stack,
    spacing: Spacing,
    scores: Mapping[str, Any],
    *,
    title: str,
    note: str = "",
    marks: Sequence[Mark] = (),
) -> Figure:
    """Draw the worst objects of a stack: the ground truth and the outlines of the objects found.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack
        Intensities. The grey range is that of the 0.5 to 99.5 percentiles around each object, so
        that dim objects can be judged too.
    ground_truth, segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        True objects, or a voxel for each of the points; and all objects found.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    scores : dict
        See :func:`choose_objects`.
    title : str
        Name of the stack.
    note : str
        A warning shown in the header; may be empty.
    marks : list of Mark
        Marks of the user.

    Returns
    -------
    matplotlib.figure.Figure
        For each object the planes xy, xz and yz through its middle, at true scale with a scale
        bar. The axes are labelled ``1 xy``, ``1 xz`` ... by rank and view. Points of the object
        are crosses, even if they lie on another plane; those of neighbours are shown up to one
        plane away.

    Raises
    ------
    InputError
        The images differ in shape.
    """
    images = {"raw": raw, "ground truth": ground_truth, "segmentation": segmentation}
    drawing.check_shapes(title, images)
    chosen = choose_objects(scores)
    by_points = scores["ground_truth"] == POINTS
    boxes = (find_boxes(ground_truth), find_boxes(segmentation))
    # a point has no size
    alone_um = _typical_length(boxes[1], spacing) if by_points else 0.0
    rows = -(-len(chosen) // COLUMNS)
    top = drawing.header_height(note) + 26
    figure = drawing.new_figure(
        2 * drawing.MARGIN + COLUMNS * CELL[0], top + max(rows * CELL[1], 40)
    )
    summary = scores["summary"]
    count, text = summary["count_found"], _summarize(summary, by_points)
    drawing.add_header(figure, title, count, text, raw.shape, spacing, note)
    _add_legend(figure, by_points)
    text = "No objects to show"
    if chosen and by_points:
        text = "Errors of each kind in turn, the worst first, then objects with one point"
    elif chosen:
        text = "Largest errors first, then the matched objects with the lowest IoU"
    drawing.add_text(figure, drawing.MARGIN, top - 26, text, color=SECONDARY)
    for i, each in enumerate(chosen):
        box, middle = _find_middle(ground_truth, segmentation, each, boxes, spacing, alone_um)
        left, down = drawing.MARGIN + i % COLUMNS * CELL[0], top + i // COLUMNS * CELL[1]
        drawing.add_text(figure, left, down, each.text, weight="bold")
        depths = [
            f"{axis} = {index * step:.4g}"
            for axis, index, step in zip("zyx", middle, spacing, strict=True)
        ]
        text = f"planes at {', '.join(depths)} µm"
        drawing.add_text(figure, left, down + 20, text, color=SECONDARY)
        volumes = []
        for name, stack, labels in (
            ("true", ground_truth, each.true_labels),
            ("found", segmentation, each.labels),
        ):
            if labels and not (by_points and name == "true"):
                volume = np.isin(stack[box], labels).sum() * np.prod(spacing)
                volumes.append(f"{name} {significant(volume, 4)} µm³")
        drawing.add_text(figure, left, down + 38, ", ".join(volumes), color=SECONDARY)
        stacks = (raw, ground_truth, segmentation)
        place = (left, down + CAPTION)
        panels = _draw_object(figure, i + 1, place, stacks, each, box, middle, spacing, by_points)
        for view, axes in panels.items():
            marking.draw_marks(axes, marks, spacing, view, middle[VIEWS[view][0]])
    return figure


def _summarize(summary: Mapping[str, Any], by_points: bool) -> str:
    """Return the numbers of objects and errors in words, to follow "12 objects"."""
    counts = [
        f"{summary[f'count_{kind}']} {kind.replace('_iou', ' IoU')}"
        for kind in ("split", "merged", "missed", "spurious", "low_iou")
        if summary[f"count_{kind}"]
    ]
    noun, threshold = (" points", "by points") if by_points else ("", "at IoU 0.5")
    return (
        f" found, {summary['count_ground_truth']}{noun} in the ground truth, "
        f"F1 {summary['f1']:.2f} {threshold}: {', '.join(counts) or 'no errors'}"
    )


def _typical_length(boxes: Boxes, spacing: Spacing) -> float:
    """Return the median of the longest sides of the boxes of objects in um."""
    lengths = [
        max((side.stop - side.start) * step for side, step in zip(box, spacing, strict=True))
        for box in boxes.values()
    ]
    return float(np.median(lengths)) if lengths else LENGTH_WITHOUT_OBJECTS * max(spacing)


def _find_middle(
    ground_truth: Stack,
    segmentation: Stack,
    chosen: ChosenObject,
    boxes: tuple[Boxes, Boxes],
    spacing: Spacing,
    alone_um: float,
) -> tuple[Box, list[int]]:
    """Return a box around objects, with a margin, and their voxel nearest to their centroid.

    The margin is at least `alone_um` if there is no object found.
    """
    objects = [boxes[0][label] for label in chosen.true_labels]
    objects += [boxes[1][label] for label in chosen.labels]
    limits = np.array([[(side.start, side.stop) for side in each] for each in objects])
    start, stop = limits[..., 0].min(axis=0), limits[..., 1].max(axis=0)
    relative = CONTEXT if chosen.true_labels and chosen.labels else CONTEXT_OF_SINGLE
    context_um = max(relative * np.max((stop - start) * spacing), 0 if chosen.labels else alone_um)
    margin = np.ceil(context_um / np.asarray(spacing)).astype(int)
    box = tuple(
        slice(int(max(first - more, 0)), int(min(last + more, size)))
        for first, last, more, size in zip(start, stop, margin, ground_truth.shape, strict=True)
    )
    mask = np.isin(ground_truth[box], chosen.true_labels) | np.isin(
        segmentation[box], chosen.labels
    )
    points = np.argwhere(mask)
    nearest = np.argmin(np.sum(((points - points.mean(axis=0)) * spacing) ** 2, axis=1))
    return box, [int(index) + side.start for index, side in zip(points[nearest], box, strict=True)]


def _draw_object(
    figure: Figure,
    number: int,
    place: tuple[float, float],
    stacks: tuple[Stack, Stack, Stack],
    chosen: ChosenObject,
    box: Box,
    middle: Sequence[int],
    spacing: Spacing,
    by_points: bool,
) -> dict[str, Axes]:
    """Draw the three views of an object into a square, and return them; neighbours are darker."""
    panels: dict[str, Axes] = {}
    depth, height, width = (
        (side.stop - side.start) * step for side, step in zip(box, spacing, strict=True)
    )
    scale = (PANELS_SIZE - GAP) / max(width + depth, height + depth)
    offsets = {"xy": (0, 0), "xz": (0, height * scale + GAP), "yz": (width * scale + GAP, 0)}
    limits = drawing.display_range(stacks[0][box])
    edges = [
        ((side.start - 0.5) * step, (side.stop - 0.5) * step)
        for side, step in zip(box, spacing, strict=True)
    ]
    for view, (through, down, across) in VIEWS.items():
        plane = tuple(middle[through] if axis == through else side for axis, side in enumerate(box))
        image, true_labels, labels = (
            stack[plane] if down < across else stack[plane].T for stack in stacks
        )
        left, top = place[0] + offsets[view][0], place[1] + offsets[view][1]
        extent = (*edges[across], *edges[down][::-1])
        axes = drawing.add_panel(figure, left, top, extent, scale)
        axes.set_label(f"{number} {view}")
        panels[view] = axes
        drawing.show_image(axes, image, limits)
        if by_points:
            _draw_points(axes, stacks[1], chosen.true_labels, box, middle, view, spacing)
        start, steps = (box[down].start, box[across].start), (spacing[down], spacing[across])
        layers = [
            (true_labels, chosen.true_labels, GROUND_TRUTH_COLOR, None),
            (labels, chosen.labels, FOUND_COLOR, FOUND_DASHES),
        ]
        for plane_labels, shown, color, dashes in layers[by_points:]:
            lines: list[outlines.Line] = []
            colors: list[str] = []
            present = set(np.unique(plane_labels).tolist()) - {0}
            for label in sorted(present, key=lambda label: (label in shown, label)):
                traced = outlines.trace_outlines(plane_labels == label, start, steps)
                lines += traced
                colors += [color if label in shown else NEIGHBOUR_COLORS[color]] * len(traced)
            outlines.draw_outlines(axes, lines, colors, dashes)
    length = drawing.round_length(max(width, height) / 3)
    drawing.scale_bar(figure, place[0] + PANELS_SIZE, place[1] + PANELS_SIZE + 6, scale, length)
    return panels


def _draw_points(
    axes: Axes,
    ground_truth: Stack,
    shown: list[int],
    box: Box,
    middle: Sequence[int],
    view: str,
    spacing: Spacing,
) -> None:
    """Draw the points of an object, and those of its neighbours on this plane or next to it."""
    through, down, across = VIEWS[view]
    points = ground_truth[box]
    for index in np.argwhere(points):
        place = index + [side.start for side in box]
        is_shown = points[tuple(index)] in shown
        if is_shown or abs(place[through] - middle[through]) <= 1:
            color = GROUND_TRUTH_COLOR if is_shown else NEIGHBOUR_COLORS[GROUND_TRUTH_COLOR]
            axes.plot(
                place[across] * spacing[across],
                place[down] * spacing[down],
                MARKER,
                color=color,
                markersize=MARKER_SIZE,
                markeredgewidth=2 * drawing.PIXEL,
            )


def _add_legend(figure: Figure, by_points: bool) -> None:
    width = 2 * drawing.PIXEL
    handles = {
        "ground truth": Line2D(
            [],
            [],
            color=GROUND_TRUTH_COLOR,
            linewidth=width,
            markersize=MARKER_SIZE,
            markeredgewidth=width,
            linestyle="none" if by_points else "-",
            marker=MARKER if by_points else None,
        ),
        "found": Line2D([], [], color=FOUND_COLOR, linestyle=FOUND_DASHES, linewidth=width),
    }
    drawing.add_legend(figure, handles, handlelength=5)
