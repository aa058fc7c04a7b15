"""Show the worst objects of a stack beside their truth: each in three planes through its middle, and what is wrong with it in words."""

import numpy as np
from matplotlib.lines import Line2D

from cellstack import figures, relabel
from cellstack.errors import InputError

MOST_OBJECTS = 8
TRUTH_COLOR, FOUND_COLOR = "#56b4e9", "#e69f00"
DIM = {TRUTH_COLOR: "#2f6380", FOUND_COLOR: "#80580a"}  # the same for objects that are not meant
FOUND_DASHES = (0, (3, 3))  # lets the truth's line show where both run together
COLUMNS = 4
PANELS, CAPTION, GAP = 410, 64, 8  # pixels of the three views of an object together, of the text above them, between them
CELL = (PANELS + 24, CAPTION + PANELS + 46)  # pixels from one object to the next
SURROUNDINGS, SURROUNDINGS_ALONE = 0.3, 0.8  # of the size of what is shown, on each side; where it has no counterpart
VIEWS = {"xy": (0, 1, 2), "xz": (1, 0, 2), "yz": (2, 1, 0)}  # the axis one looks along, the one that runs down, the one that runs across


def choose_objects(scores):
    """Choose what to show: the faults with the most wrong voxels first, then the matched objects with the least IoU.

    Parameters
    ----------
    scores : dict
        As of :func:`cellstack.evaluate_labels.evaluate_labels`.

    Returns
    -------
    list of (list of int, list of int, str)
        Labels of the truth, labels found, and what is said of them; :data:`MOST_OBJECTS` at most.
    """
    faults = [(each["wrong_voxels"], kind, each) for kind, named in scores["faults"].items() for each in named]
    chosen = [_describe(kind, fault) for _, kind, fault in sorted(faults, key=lambda fault: -fault[0])[:MOST_OBJECTS]]
    shown = [{label for each in chosen for label in each[side]} for side in (0, 1)]
    for match in sorted(scores["matches"], key=lambda match: match["iou"]):
        if len(chosen) < MOST_OBJECTS and match["truth"] not in shown[0] and match["label"] not in shown[1]:
            chosen.append(
                ([match["truth"]], [match["label"]], f"right, IoU {match['iou']:.2f}: truth {match['truth']}, label {match['label']}")
            )
    return chosen


def _describe(kind, fault):
    truth, label = fault.get("truth"), fault.get("label")
    if kind == "split":
        return [truth], fault["labels"], f"split: truth {truth} into labels {_listed(fault['labels'])}"
    if kind == "merged":
        return fault["truths"], [label], f"merged: truths {_listed(fault['truths'])} into label {label}"
    if kind == "low_iou":
        return [truth], [label], f"low IoU, {fault['iou']:.2f}: truth {truth}, label {label}"
    own, other, name = (truth, label, "label") if kind == "missed" else (label, truth, "truth")
    beside = "" if other is None else f", touched by {name} {other}"
    sides = ([truth], []) if kind == "missed" else ([], [label])  # what touches it may be far larger, and is drawn dim
    return *sides, f"{kind}: {'truth' if kind == 'missed' else 'label'} {own}{beside}"


def _listed(labels):
    return ", ".join(map(str, labels[:4])) + (" ..." if len(labels) > 4 else "")


@figures.default_style()
def plot_faults(raw, truth, split, spacing, scores, *, title, note=""):
    """Draw the worst objects of a stack over the raw data: outlines of the truth and of what was found.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray
        The channel. Each object is shown between the 0.5 and 99.5 percentiles of its surroundings, so that dim ones can be judged too.
    truth, split : (Z, Y, X) ndarray of uint16 or uint32
        The truth and all objects found, 1..n.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    scores : dict
        As of :func:`cellstack.evaluate_labels.evaluate_labels`.
    title : str
        The stack.
    note : str
        A warning to print, or nothing.

    Returns
    -------
    matplotlib.figure.Figure
        For each object the planes xy, xz and yz through its middle, at true scale, with a scale bar of its own. Panels are labelled
        ``1 xy``, ``1 xz`` ... by the place of the object.

    Raises
    ------
    InputError
        Where the three images differ in shape.
    """
    if not raw.shape == truth.shape == split.shape:
        raise InputError(f"{title}: raw, truth and split differ in shape ({raw.shape}, {truth.shape}, {split.shape}): make them anew")
    chosen = choose_objects(scores)
    boxes = [relabel.find_boxes(labels) for labels in (truth, split)]
    rows = -(-len(chosen) // COLUMNS)
    top = figures.header_height(note) + 26
    figure = figures.new_figure(2 * figures.MARGIN + COLUMNS * CELL[0], top + max(rows * CELL[1], 40))
    figures.add_header(figure, title, scores["summary"]["count_found"], _sum_up(scores["summary"]), raw.shape, spacing, note)
    _add_legend(figure)
    said = "Largest faults first, then the matched objects with the least IoU" if chosen else "There is nothing to show"
    figures.add_text(figure, figures.MARGIN, top - 26, said, color=figures.SHADE)
    for i, (truths, labels, words) in enumerate(chosen):
        box, middle = _find_middle(truth, split, truths, labels, boxes, spacing)
        place = figures.MARGIN + i % COLUMNS * CELL[0], top + i // COLUMNS * CELL[1]
        figures.add_text(figure, *place, words, weight="bold")
        sides = (("truth", truth, truths), ("found", split, labels))
        volumes = [f"{name} {np.isin(stack[box], own).sum() * np.prod(spacing):.4g} µm³" for name, stack, own in sides if own]
        at = ", ".join(f"{axis} = {index * step:.4g}" for axis, index, step in zip("zyx", middle, spacing, strict=True))
        figures.add_text(figure, place[0], place[1] + 20, f"planes at {at} µm", color=figures.SHADE)
        figures.add_text(figure, place[0], place[1] + 38, ", ".join(volumes), color=figures.SHADE)
        _draw_object(figure, i + 1, (place[0], place[1] + CAPTION), (raw, truth, split), (truths, labels), box, middle, spacing)
    return figure


def _sum_up(summary):
    kinds = {kind: summary[f"count_{kind}"] for kind in ("split", "merged", "missed", "spurious", "low_iou")}
    counts = [f"{count} {kind.replace('_iou', ' IoU')}" for kind, count in kinds.items() if count]
    return f" found, {summary['count_truth']} in the truth, F1 {summary['f1']:.2f} at IoU 0.5: {', '.join(counts) or 'no faults'}"


def _find_middle(truth, split, truths, labels, boxes, spacing):
    """Return the box around objects, with surroundings, and the voxel of theirs that is nearest to their centroid."""
    objects = [boxes[0][label] for label in truths] + [boxes[1][label] for label in labels]
    limits = np.array([[(side.start, side.stop) for side in each] for each in objects])
    start, stop = limits[..., 0].min(axis=0), limits[..., 1].max(axis=0)
    share = SURROUNDINGS if truths and labels else SURROUNDINGS_ALONE
    margin = np.ceil(share * np.max((stop - start) * spacing) / spacing).astype(int)
    box = tuple(slice(int(max(a - m, 0)), int(min(b + m, n))) for a, b, m, n in zip(start, stop, margin, truth.shape, strict=True))
    inside = np.isin(truth[box], truths) | np.isin(split[box], labels)
    points = np.argwhere(inside)
    nearest = np.argmin(np.sum(((points - points.mean(axis=0)) * spacing) ** 2, axis=1))
    return box, [int(index) + side.start for index, side in zip(points[nearest], box, strict=True)]


def _draw_object(figure, number, place, stacks, meant, box, middle, spacing):
    """Draw the three views of an object into a square, dimmer what is not meant."""
    depth, height, width = ((side.stop - side.start) * step for side, step in zip(box, spacing, strict=True))
    scale = (PANELS - GAP) / max(width + depth, height + depth)
    offsets = {"xy": (0, 0), "xz": (0, height * scale + GAP), "yz": (width * scale + GAP, 0)}
    limits = figures.display_range(stacks[0][box])
    for view, (through, down, across) in VIEWS.items():
        plane = tuple(middle[through] if axis == through else side for axis, side in enumerate(box))
        image, expected, found = (stack[plane] if down < across else stack[plane].T for stack in stacks)
        start = box[down].start, box[across].start
        sides = [((side.start - 0.5) * spacing[axis], (side.stop - 0.5) * spacing[axis]) for axis, side in enumerate(box)]
        extent = (*sides[across], *sides[down][::-1])
        axes = figures.add_panel(figure, place[0] + offsets[view][0], place[1] + offsets[view][1], extent, scale)
        axes.set_label(f"{number} {view}")
        figures.show_image(axes, image, limits)
        for labels, own, color, dashes in ((expected, meant[0], TRUTH_COLOR, None), (found, meant[1], FOUND_COLOR, FOUND_DASHES)):
            lines, colors = [], []
            for label in sorted(set(np.unique(labels)) - {0}, key=lambda label: (label in own, label)):
                traced = figures.outlines(labels == label, start, (spacing[down], spacing[across]))
                lines += traced
                colors += [color if label in own else DIM[color]] * len(traced)
            figures.draw_outlines(axes, lines, colors, dashes)
    figures.scale_bar(figure, place[0] + PANELS, place[1] + PANELS + 6, scale, figures.round_length(max(width, height) / 3))


def _add_legend(figure):
    width, height = figure.get_size_inches() * figures.DPI
    kinds = {"truth": (TRUTH_COLOR, "solid"), "found": (FOUND_COLOR, FOUND_DASHES)}
    lines = [Line2D([], [], color=color, linestyle=dashes, linewidth=2 * figures.PT) for color, dashes in kinds.values()]
    figure.legend(
        lines,
        list(kinds),
        loc="upper right",
        bbox_to_anchor=(1 - figures.MARGIN / width, 1 - figures.MARGIN / height),
        borderaxespad=0,
        handlelength=5,
        fontsize=figures.TEXT,
        facecolor="0.25",
        labelcolor="white",
        edgecolor="none",
        framealpha=1,
    )
