"""Figure of the evaluation: F1 over the IoU threshold, a curve per stack."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from cellstack.core.counting import counted
from cellstack.evaluate.score_columns import OUTLINES
from cellstack.figures import drawing
from cellstack.figures.colors import CURVE_COLORS

Row = Mapping[str, str]

GREY = "0.65"
PLOT_WIDTH, PLOT_HEIGHT = 480, 320  # pixels between the axes
LEFT, BOTTOM, LEGEND_WIDTH = 54, 50, 260  # pixels beside and below them
HEADER = 96


@drawing.default_style()
def plot_scores(rows: Sequence[Row], kind: str) -> Figure:
    """Plot F1 over the IoU threshold at which an object counts as correct.

    Parameters
    ----------
    rows : list of dict of str to str
        The table scores.csv: a row per stack, kind of object and threshold, with the columns
        ``stack``, ``object``, ``ground_truth``, ``iou_threshold`` and ``f1``.
    kind : str
        Kind of objects, such as "nuclei". Rows of other kinds, and those that were scored by points
        and have no threshold, are left out.

    Returns
    -------
    matplotlib.figure.Figure
        A curve per stack, and a black one for their mean if there are several. The axes are
        labelled with the kind.
    """
    curves: dict[str, dict[float, float]] = {}
    for row in rows:
        if row["object"] == kind and row["ground_truth"] == OUTLINES:
            points = curves.setdefault(row["stack"], {})
            points[float(row["iou_threshold"])] = float(row["f1"])
    has_colors = len(curves) <= len(CURVE_COLORS)
    width = 2 * drawing.MARGIN + LEFT + PLOT_WIDTH + LEGEND_WIDTH
    height = HEADER + PLOT_HEIGHT + BOTTOM + drawing.MARGIN
    figure = drawing.new_figure(width, height)
    place = drawing.MARGIN
    title = f"F1 of {kind} over the IoU threshold"
    drawing.add_text(figure, place, place, title, fontsize=drawing.TITLE_SIZE, weight="bold")
    found = f"{counted(len(curves), 'stacks')} with outlines as ground truth"
    drawing.add_text(figure, place, place + 30, found, fontsize=drawing.HEADING_SIZE)
    left, bottom = drawing.MARGIN + LEFT, drawing.MARGIN + BOTTOM
    axes = figure.add_axes(
        (left / width, bottom / height, PLOT_WIDTH / width, PLOT_HEIGHT / height)
    )
    axes.set_label(kind)
    for number, (stack, points) in enumerate(curves.items()):
        axes.plot(
            list(points),
            list(points.values()),
            "o-",
            color=CURVE_COLORS[number] if has_colors else GREY,
            markersize=4 * drawing.PIXEL,
            linewidth=1.5 * drawing.PIXEL,
            label=drawing.shorten(figure, stack, LEGEND_WIDTH - 60)
            if has_colors
            else "one stack" * (number == 0),
        )
    if len(curves) > 1:
        thresholds = list(next(iter(curves.values())))
        means = [
            sum(points[threshold] for points in curves.values()) / len(curves)
            for threshold in thresholds
        ]
        axes.plot(thresholds, means, color="black", linewidth=2.5 * drawing.PIXEL, label="mean")
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.set_xlabel("IoU threshold", fontsize=drawing.TEXT_SIZE)
    axes.set_ylabel("F1", fontsize=drawing.TEXT_SIZE)
    axes.tick_params(labelsize=drawing.TEXT_SIZE)
    axes.grid(color="0.9", linewidth=0.8 * drawing.PIXEL)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if curves:
        axes.legend(
            loc="upper left", bbox_to_anchor=(1.02, 1), frameon=False, fontsize=drawing.TEXT_SIZE
        )
    return figure
