"""Figure of the distribution of volumes in each stack and in each group of stacks."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter
from natsort import natsort_keygen, ns

from cellstack.config.paging import STACKS_PER_PAGE
from cellstack.core.counting import counted
from cellstack.figures import drawing
from cellstack.figures.colors import ALERT, COLORS, SECONDARY

ROW_HEIGHT, GAP = 30, 44  # pixels of a row, and between blocks
NAME_WIDTH, PLOT_WIDTH, COUNT_WIDTH = 260, 760, 190  # pixels
NAME_GAP = 6  # pixels between a name and the plot
MAX_RATIO_FOR_LINEAR = 20  # of the largest volume to the median
DOT_RADIUS = 3.2  # pixels
KEY = "Dots: {kind}. Bars: first to third quartile. Black lines: medians."
KEY_OF_GROUPS = " Diamonds: medians of the stacks of a group."
NO_GROUP = "(none)"  # name of the group of stacks without a value in the column of the groups


class _Row(NamedTuple):
    name: str
    volumes: Sequence[float]  # in um3
    medians: list[float]  # of the stacks of a group
    color: str
    summary: str  # number of objects, in words


@drawing.default_style()
def plot_volumes(
    volumes: Mapping[str, Sequence[float]],
    groups: Mapping[str, str],
    *,
    kind: str,
    group_by: str,
    note: str = "",
    page: int = 1,
) -> Figure:
    """Draw the volumes of all measured objects.

    Parameters
    ----------
    volumes : dict of str to (n,) sequence of float
        Volumes in um3 by stack, including stacks without objects.
    groups : dict of str to str
        Group by stack; stacks may be missing.
    kind : str
        Kind of the objects, such as "nuclei".
    group_by : str
        Column of the sheet that the groups come from.
    note : str
        A warning shown in the header; may be empty.
    page : int
        Number of the page, from 1. A page shows up to
        :data:`cellstack.config.paging.STACKS_PER_PAGE` stacks.

    Returns
    -------
    matplotlib.figure.Figure
        A row per stack, and above these a row per group if there are several. Dots are objects,
        at random heights in their row. The bar extends from the first to the third quartile, the
        line is the median. In the row of a group, diamonds are the medians of its stacks. The axes
        are labelled ``groups`` and ``stacks``. They are logarithmic if the largest volume of all
        stacks is more than 20 times the median.
    """
    group_of = {stack: groups.get(stack) or NO_GROUP for stack in volumes}
    natural = natsort_keygen(alg=ns.FLOAT)  # a dose of 5 comes before one of 10
    order = sorted(
        sorted(set(group_of.values())), key=lambda group: (group == NO_GROUP, natural(group))
    )
    colors = {group: COLORS[i % len(COLORS)] for i, group in enumerate(order)}
    blocks = {}
    if len(order) > 1:
        rows = []
        for group in order:
            members = [volumes[stack] for stack in volumes if group_of[stack] == group]
            rows.append(_pool(group, members, kind, colors[group]))
        blocks["groups"] = (f"By {group_by}", rows)
    ordered = sorted(volumes, key=lambda stack: order.index(group_of[stack]))
    shown = ordered[(page - 1) * STACKS_PER_PAGE : page * STACKS_PER_PAGE]
    title = "By stack"
    if len(shown) < len(volumes):
        pages = -(-len(volumes) // STACKS_PER_PAGE)
        title += f": page {page} of {pages}, {len(shown)} of {len(volumes)} stacks"
    rows = []
    for stack in shown:
        count = counted(len(volumes[stack]), kind)
        rows.append(_Row(stack, volumes[stack], [], colors[group_of[stack]], count))
    blocks["stacks"] = (title, rows)

    header = drawing.MARGIN + 98 + (24 if note else 0)
    heights = [ROW_HEIGHT * len(rows) + 74 for _, rows in blocks.values()]
    figure = drawing.new_figure(
        2 * drawing.MARGIN + NAME_WIDTH + PLOT_WIDTH + COUNT_WIDTH,
        header + sum(heights) + GAP * (len(blocks) - 1) + drawing.MARGIN,
    )
    _add_header(figure, volumes, kind, note, has_groups="groups" in blocks)
    limits = _limits([value for values in volumes.values() for value in values])
    top = header
    for (label, (title, rows)), height in zip(blocks.items(), heights, strict=True):
        _add_block(figure, top, limits, title, rows).set_label(label)
        top += height + GAP
    return figure


def _pool(group: str, volumes: list[Sequence[float]], kind: str, color: str) -> _Row:
    """Return the row of a group, from the volumes of its stacks."""
    pooled = [value for values in volumes for value in values]
    medians = [float(np.median(values)) for values in volumes if len(values)]
    count = f"{counted(len(pooled), kind)}, {counted(len(volumes), 'stacks')}"
    return _Row(group, pooled, medians, color, count)


def _add_header(
    figure: Figure,
    volumes: Mapping[str, Sequence[float]],
    kind: str,
    note: str,
    *,
    has_groups: bool,
) -> None:
    title = f"Volumes of {kind}"
    left = top = drawing.MARGIN
    drawing.add_text(figure, left, top, title, fontsize=drawing.TITLE_SIZE, weight="bold")
    count = sum(len(values) for values in volumes.values())
    if count:
        found, style = f"{counted(count, kind)} measured in {counted(len(volumes), 'stacks')}", {}
    else:
        found, style = f"no measured {kind}", {"color": ALERT, "weight": "bold"}
    drawing.add_text(figure, left, top + 30, found, fontsize=drawing.HEADING_SIZE, **style)
    key = KEY.format(kind=kind) + KEY_OF_GROUPS * has_groups
    drawing.add_text(figure, left, top + 53, key if count else "", color=SECONDARY)
    if note:
        drawing.add_text(figure, left, top + 76, note, color=ALERT, weight="bold")


def _limits(volumes: Sequence[float]) -> tuple[float, float]:
    """Return the limits of the axis of volumes; the first is above 0 if it is logarithmic."""
    largest = max(volumes, default=1.0)
    if largest <= MAX_RATIO_FOR_LINEAR * np.median(volumes or [largest]):
        return 0.0, 1.03 * largest
    return min(volumes) / 1.1, 1.1 * largest


def _add_block(
    figure: Figure, top: float, limits: tuple[float, float], title: str, rows: list[_Row]
) -> Axes:
    pixel = drawing.PIXEL
    width, height = drawing.figure_size(figure)
    left, down = drawing.MARGIN + NAME_WIDTH, ROW_HEIGHT * len(rows)
    size = drawing.HEADING_SIZE
    title = drawing.shorten(figure, title, width - 2 * drawing.MARGIN, weight="bold", fontsize=size)
    drawing.add_text(figure, drawing.MARGIN, top, title, weight="bold", fontsize=size)
    axes = figure.add_axes(
        (left / width, 1 - (top + 28 + down) / height, PLOT_WIDTH / width, down / height)
    )
    axes.set(xscale="log" if limits[0] > 0 else "linear", xlim=limits)
    axes.set(ylim=(len(rows) - 0.5, -0.5), yticks=range(len(rows)))
    names = [drawing.shorten(figure, row.name, NAME_WIDTH - NAME_GAP) for row in rows]
    axes.set_yticklabels(names, fontsize=drawing.TEXT_SIZE)
    axes.tick_params(axis="x", labelsize=drawing.TEXT_SIZE)
    axes.tick_params(axis="y", length=0)
    scale = ", logarithmic" if limits[0] > 0 else ""
    if limits[0] > 0:
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"volume in µm³{scale}", fontsize=drawing.TEXT_SIZE)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", color="0.9", linewidth=0.8 * pixel)
    axes.set_axisbelow(True)
    rng = np.random.Generator(np.random.PCG64(0))  # the same figure on every run
    for place, row in enumerate(rows):
        axes.text(
            1.01,
            place,
            row.summary,
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=drawing.TEXT_SIZE,
            color=SECONDARY,
        )
        if len(row.volumes):
            _draw_row(axes, place, row, rng)
    return axes


def _draw_row(axes: Axes, place: int, row: _Row, rng: np.random.Generator) -> None:
    pixel = drawing.PIXEL
    low, middle, high = np.percentile(row.volumes, (25, 50, 75))
    axes.barh(place, high - low, left=low, height=0.62, color=row.color, alpha=0.35, linewidth=0)
    axes.plot(
        row.volumes,
        place + rng.uniform(-0.26, 0.26, len(row.volumes)),
        ".",
        color=row.color,
        markersize=2 * DOT_RADIUS * pixel,
        markeredgecolor="0.25",
        markeredgewidth=0.4 * pixel,
    )
    axes.plot([middle] * 2, [place - 0.36, place + 0.36], color="black", linewidth=2 * pixel)
    axes.plot(
        row.medians,
        [place] * len(row.medians),
        "D",
        color="white",
        markeredgecolor="black",
        markersize=6 * pixel,
    )
