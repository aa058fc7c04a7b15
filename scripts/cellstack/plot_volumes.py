"""Show how volumes are distributed, in each stack and in each group of stacks."""

import numpy as np

from cellstack import figures

ROW, GAP, LABEL, PLOT = 30, 44, 260, 760  # pixels: height of a row, between blocks, room for names, width of the plot
MOST_ROWS = 60  # stacks that are shown one by one
DOT = 3.2  # pixels
UNNAMED = "(none)"  # stacks that have no value in the column they are grouped by


@figures.default_style()
def plot_volumes(volumes, groups, *, kind, group_by, note=""):
    """Draw the volumes of all measured objects, one row per stack, and one per group where there is more than one.

    Parameters
    ----------
    volumes : dict of str to (n,) sequence of float
        Volumes in um3 by stack, also of stacks without objects.
    groups : dict of str to str
        The group of each stack; empty for none.
    kind : str
        What the objects are.
    group_by : str
        What the groups are: the name of a column of the sheet.
    note : str
        A warning to print, or nothing.

    Returns
    -------
    matplotlib.figure.Figure
        Dots are objects, at heights that mean nothing. The bar reaches from the first to the third quartile, the line in it is the median.
        In the row of a group, diamonds are the medians of its stacks. Axes are labelled ``groups`` and ``stacks``.
    """
    named = {stack: groups.get(stack) or UNNAMED for stack in volumes}
    order = sorted(set(named.values()), key=lambda group: (group == UNNAMED, group))
    colors = {group: figures.COLORS[i % len(figures.COLORS)] for i, group in enumerate(order)}
    blocks = []
    if len(order) > 1:
        pooled = [[value for stack in volumes if named[stack] == group for value in volumes[stack]] for group in order]
        medians = [[np.median(volumes[stack]) for stack in volumes if named[stack] == group and len(volumes[stack])] for group in order]
        counts = [
            f"{len(values)} {kind}, {_stacks(list(named.values()).count(group))}" for group, values in zip(order, pooled, strict=True)
        ]
        blocks.append(("groups", f"By {group_by}", order, pooled, medians, [colors[group] for group in order], counts))
    shown = sorted(volumes, key=lambda stack: order.index(named[stack]))[:MOST_ROWS]
    title = "By stack" if len(shown) == len(volumes) else f"By stack: the first {len(shown)} of {len(volumes)}"
    rows = [volumes[stack] for stack in shown]
    counts = [f"{len(values)} {kind}" for values in rows]
    blocks.append(("stacks", title, shown, rows, [[]] * len(rows), [colors[named[stack]] for stack in shown], counts))

    header = figures.MARGIN + 76 + (24 if note else 0)
    heights = [ROW * len(names) + 74 for _, _, names, *_ in blocks]
    width = 2 * figures.MARGIN + LABEL + PLOT + 190
    figure = figures.new_figure(width, header + sum(heights) + GAP * (len(blocks) - 1) + figures.MARGIN)
    _add_header(figure, volumes, kind, note)
    top, limit = header, max((max(values) for values in volumes.values() if len(values)), default=1.0)
    for (label, *block), height in zip(blocks, heights, strict=True):
        _add_block(figure, top, limit * 1.03, *block).set_label(label)
        top += height + GAP
    return figure


def _stacks(count):
    return "1 stack" if count == 1 else f"{count} stacks"


def _add_header(figure, volumes, kind, note):
    figures.add_text(figure, figures.MARGIN, figures.MARGIN, f"Volumes of {kind}", fontsize=figures.TITLE, weight="bold")
    count = sum(len(values) for values in volumes.values())
    found = f"{count} measured {kind} in {_stacks(len(volumes))}" if count else f"no measured {kind}"
    style = {} if count else {"color": figures.ALERT, "weight": "bold"}
    figures.add_text(figure, figures.MARGIN, figures.MARGIN + 30, found, fontsize=15 * figures.PT, **style)
    if note:
        figures.add_text(figure, figures.MARGIN, figures.MARGIN + 54, note, color=figures.ALERT, weight="bold")


def _add_block(figure, top, limit, title, names, rows, medians, colors, counts):
    width, height = figure.get_size_inches() * figures.DPI
    left, down = figures.MARGIN + LABEL, ROW * len(names)
    figures.add_text(figure, figures.MARGIN, top, title, weight="bold", fontsize=15 * figures.PT)
    axes = figure.add_axes((left / width, 1 - (top + 28 + down) / height, PLOT / width, down / height))
    axes.set(xlim=(0, limit), ylim=(len(names) - 0.5, -0.5), yticks=range(len(names)))
    axes.set_yticklabels([name if len(name) <= 32 else f"{name[:31]}…" for name in names], fontsize=figures.TEXT)
    axes.tick_params(axis="x", labelsize=figures.TEXT)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("volume in µm³", fontsize=figures.TEXT)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", color="0.9", linewidth=0.8 * figures.PT)
    axes.set_axisbelow(True)
    rng = np.random.Generator(np.random.PCG64(0))  # the same figure on every run
    for row, (values, of_stacks, color, count) in enumerate(zip(rows, medians, colors, counts, strict=True)):
        axes.text(1.01, row, count, transform=axes.get_yaxis_transform(), va="center", fontsize=figures.TEXT, color=figures.SHADE)
        if len(values) == 0:
            continue
        low, middle, high = np.percentile(values, (25, 50, 75))
        axes.barh(row, high - low, left=low, height=0.62, color=color, alpha=0.35, linewidth=0)
        jitter = row + rng.uniform(-0.26, 0.26, len(values))
        axes.plot(
            values, jitter, ".", color=color, markersize=2 * DOT * figures.PT, markeredgecolor="0.25", markeredgewidth=0.4 * figures.PT
        )
        axes.plot([middle, middle], [row - 0.36, row + 0.36], color="black", linewidth=2 * figures.PT)
        axes.plot(of_stacks, [row] * len(of_stacks), "D", color="white", markeredgecolor="black", markersize=6 * figures.PT)
    return axes
