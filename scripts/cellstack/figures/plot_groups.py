"""Figure of the comparison of groups: objects pale, means of units bold (a SuperPlot)."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellstack.compare.unit_means import UnitMean
from cellstack.core.counting import counted
from cellstack.figures import drawing
from cellstack.figures.colors import ALERT, CURVE_COLORS, SECONDARY

Row: TypeAlias = Mapping[str, str]
Values: TypeAlias = Mapping[tuple[str, str, str], Sequence[float]]
"""Values of objects by group, pair and unit."""

MAX_DOTS = 600  # objects of a group that are drawn
FEW_DOTS = 100  # up to which they are larger
MAX_UNITS_IN_COLORS = 12  # of all groups; of more units, those of a group have one colour
NO_VALUES = "no values"  # of a group in a column
MARKERS = ("o", "s", "^", "D", "v", "P")
SPREAD = 0.28  # half the width of a group of dots; groups are 1 apart
AXIS_PERCENTILES = (0.5, 99.5)  # of the objects that an axis covers
GROUP_WIDTH, MIN_PANEL_WIDTH, MAX_FIGURE_WIDTH = 110, 230, 1250  # pixels
PANEL_HEIGHT, LEFT, TOP, BOTTOM, GAP = 250, 86, 58, 56, 26  # pixels of a panel and around it
SUFFIXES = {"_um3": "µm³", "_um2": "µm²", "_um": "µm", "_per_mm3": "1/mm³", "_voxels": "voxels"}
EXPLANATION = (
    "Pale dots: objects, at most {dots} per group. Large markers: means of the units ({unit}), "
    "of which n is the number.\nBlack: mean and standard deviation of the units."
)


@drawing.default_style()
def plot_groups(
    units: Sequence[UnitMean],
    rows: Sequence[Row],
    objects: Mapping[str, Values],
    *,
    kind: str,
    group_by: str,
    unit: str,
    note: str = "",
) -> Figure:
    """Draw the values of groups, a panel for each column.

    Parameters
    ----------
    units : sequence of UnitMean
        Values of the units of one kind of object.
    rows : sequence of dict of str to str
        Rows of ``groups.csv`` of this kind.
    objects : dict of str to dict of (str, str, str) to sequence of float
        By column, then by group, pair and unit, the values of the objects; a column without objects
        may be missing.
    kind : str
        Kind of object, such as "nuclei".
    group_by : str
        Column of the sheet that the groups come from.
    unit : str
        What the units are, such as "mouse".
    note : str
        A warning shown in the header; may be empty.

    Returns
    -------
    matplotlib.figure.Figure
        Groups are side by side, in the order of `rows`. Units have their own colours and markers,
        the same in all panels, if they are not more than 12; paired units are joined by lines. An
        axis covers 99 % of the objects and all units. The axes are labelled with the column.
    """
    columns = list(dict.fromkeys(each.column for each in units))
    groups = _order([each for row in rows for each in (row["group_1"], row["group_2"])], units)
    panel = max(MIN_PANEL_WIDTH, GROUP_WIDTH * len(groups))
    room = MAX_FIGURE_WIDTH - 2 * drawing.MARGIN
    across = max(1, min(len(columns), room // (panel + LEFT + GAP)))
    down = -(-len(columns) // across)
    header = drawing.MARGIN + 84 + (24 if note else 0)
    width = 2 * drawing.MARGIN + max(across * (panel + LEFT + GAP), 720)
    height = header + down * (TOP + PANEL_HEIGHT + BOTTOM + GAP) + drawing.MARGIN
    figure = drawing.new_figure(width, height)
    _add_header(figure, kind, group_by, unit, note, bool(columns))
    places = {key: i for i, key in enumerate(dict.fromkeys(map(_color_key, units)))}
    for number, column in enumerate(columns):
        left = drawing.MARGIN + LEFT + number % across * (panel + LEFT + GAP)
        top = header + TOP + number // across * (TOP + PANEL_HEIGHT + BOTTOM + GAP)
        axes = figure.add_axes(
            (left / width, 1 - (top + PANEL_HEIGHT) / height, panel / width, PANEL_HEIGHT / height)
        )
        axes.set_label(column)
        own = [each for each in units if each.column == column]
        compared = [row for row in rows if row["column"] == column]
        _draw_panel(figure, axes, own, objects.get(column, {}), groups, kind, places)
        title, quantity = _name(column, compared)
        texts = [(title, {"weight": "bold", "fontsize": drawing.HEADING_SIZE})]
        texts += [(text, {"color": SECONDARY}) for text in _results(compared)]
        for place, (text, style) in enumerate(texts):
            shown = drawing.shorten(figure, text, panel + LEFT + GAP - 8, **style)
            y = top - TOP + 19 * place
            drawing.add_text(figure, left - LEFT + 8, y, shown, **style)
        axes.set_ylabel(quantity, fontsize=drawing.TEXT_SIZE)
        _mark_p_values(axes, compared, groups)
    return figure


def _order(groups: Sequence[str], units: Sequence[UnitMean]) -> list[str]:
    """Return the groups in the order of the table, then those without a row."""
    return list(dict.fromkeys([*groups, *(each.group for each in units)]))


def _color_key(unit: UnitMean) -> tuple[str, str]:
    """Return what units of one colour share: their pair, or else group and name."""
    return ("", unit.pair) if unit.pair else (unit.group, unit.name)


def _add_header(
    figure: Figure, kind: str, group_by: str, unit: str, note: str, has_columns: bool
) -> None:
    room = drawing.figure_size(figure)[0] - 2 * drawing.MARGIN
    left = top = drawing.MARGIN
    bold = {"fontsize": drawing.TITLE_SIZE, "weight": "bold"}
    title = f"{kind.capitalize()} by {group_by}"
    drawing.add_text(figure, left, top, drawing.shorten(figure, title, room, **bold), **bold)
    explained = EXPLANATION.format(dots=MAX_DOTS, unit=unit)
    lines = explained.splitlines() if has_columns else ["no values to compare"]
    for number, line in enumerate(lines):
        text = drawing.shorten(figure, line, room)
        drawing.add_text(figure, left, top + 30 + 19 * number, text, color=SECONDARY)
    if note:
        drawing.add_text(figure, left, top + 72, note, color=ALERT, weight="bold")


def _name(column: str, rows: Sequence[Row]) -> tuple[str, str]:
    """Return the title of a panel and the label of its axis."""
    unit = rows[0]["unit"] if rows else ""
    for suffix, written in SUFFIXES.items():
        if column.endswith(suffix):
            return column.removesuffix(suffix).replace("_", " "), written
    return column.replace("_", " "), unit


def _results(rows: Sequence[Row]) -> list[str]:
    """Return what the header of a panel says about the comparison."""
    if not rows:
        return []
    if len(rows) > 1:
        p_value = rows[0]["p_all_groups_corrected"]
        of_all = f"all groups: {_p(p_value)}" if p_value else ""
        return ["; ".join(filter(None, [of_all, _of_pairs(rows)]))]
    (row,) = rows
    if not row["p_value"]:
        return [row["warnings"].split(";")[0].partition(":")[0]]
    return [f"{_p(row['p_value'])}, corrected {_p(row['p_corrected'])}"]


def _of_pairs(rows: Sequence[Row]) -> str:
    """Return what is said about pairs of groups: what p values are, or the smallest of them."""
    tested = [row for row in rows if row["p_corrected"]]
    if not tested:
        return "too few units for a test of two groups"
    if _has_reference(rows):
        return f"above: corrected p, compared with {rows[0]['group_1']}"
    best = min(tested, key=lambda row: float(row["p_corrected"]))
    pair = f"{best['group_1']} and {best['group_2']}"
    return f"smallest of pairs: {_p(best['p_corrected'])} (corrected), {pair}"


def _has_reference(rows: Sequence[Row]) -> bool:
    return len({row["group_1"] for row in rows}) == 1


def _p(cell: str) -> str:
    return "p < 0.001" if float(cell) < 0.001 else f"p = {float(cell):.2g}"


def _mark_p_values(axes: Axes, rows: Sequence[Row], groups: Sequence[str]) -> None:
    """Write the corrected p value above each group that is compared with a reference."""
    if len(rows) < 2 or not _has_reference(rows):
        return
    for row in rows:
        axes.text(
            groups.index(row["group_2"]),
            1.0,
            _p(row["p_corrected"]) if row["p_corrected"] else "no test",
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=drawing.TEXT_SIZE,
            color=SECONDARY,
        )


def _draw_panel(
    figure: Figure,
    axes: Axes,
    units: Sequence[UnitMean],
    objects: Values,
    groups: Sequence[str],
    kind: str,
    places: Mapping[tuple[str, str], int],
) -> None:
    pixel = drawing.PIXEL
    rng = np.random.Generator(np.random.PCG64(0))  # the same figure on every run
    pairs = list(dict.fromkeys(each.pair for each in units if each.pair))
    has_colors = bool(pairs) or len(places) <= MAX_UNITS_IN_COLORS
    lines: dict[str, dict[int, list[tuple[float, float]]]] = {pair: {} for pair in pairs}
    labels, limits = [], [each.mean for each in units]
    for place, group in enumerate(groups):
        own = [each for each in units if each.group == group]
        count = sum(each.count_objects for each in own)
        name = drawing.shorten(figure, group, GROUP_WIDTH - 6)
        labels.append(f"{name}\nn = {len(own)}\n{counted(count, kind) if own else NO_VALUES}")
        drawn = [np.asarray(objects.get((group, each.pair, each.name), ()), float) for each in own]
        dots = sum(map(len, drawn))
        share = min(1.0, MAX_DOTS / dots) if dots else 1.0
        size = 5 if dots > FEW_DOTS else 8  # pixels
        width = SPREAD / max(len(own) - 1, 1)
        for number, (each, values) in enumerate(zip(own, drawn, strict=True)):
            index = places[_color_key(each)]
            color = CURVE_COLORS[(index if has_colors else place) % len(CURVE_COLORS)]
            marker = MARKERS[index // len(CURVE_COLORS) % len(MARKERS) if has_colors else 0]
            x = place + (2 * number - len(own) + 1) * width if len(own) > 1 else place
            if len(values):
                limits += np.percentile(values, AXIS_PERCENTILES).tolist()
                chosen = rng.permutation(len(values))[: int(np.ceil(share * len(values)))]
                spread = rng.uniform(-0.5, 0.5, len(chosen)) * max(1.6 * width, 0.08)
                _draw_objects(axes, x + spread, values[chosen], color, size)
            axes.plot(
                x,
                each.mean,
                marker,
                color=color,
                markersize=11 * pixel,
                markeredgecolor="black",
                markeredgewidth=1.2 * pixel,
                zorder=4,
            )
            if each.pair:
                lines[each.pair].setdefault(place, []).append((x, each.mean))
        if own:
            means = np.array([each.mean for each in own])
            _draw_mean(axes, place, means)
            deviation = means.std(ddof=1) if len(means) > 1 else 0.0
            limits += [means.mean() - deviation, means.mean() + deviation]
    for of_pair in lines.values():
        points = np.array([np.mean(each, axis=0) for each in of_pair.values()])
        axes.plot(points[:, 0], points[:, 1], color="0.4", linewidth=1 * pixel, zorder=2)
    _set_limits(axes, limits, len(groups))
    axes.set_xticks(range(len(groups)), labels, fontsize=drawing.TEXT_SIZE)
    axes.tick_params(labelsize=drawing.TEXT_SIZE)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", color="0.92", linewidth=0.8 * pixel)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_objects(axes: Axes, x: np.ndarray, values: np.ndarray, color: str, size: int) -> None:
    """Draw objects of a unit as dots of a size in pixels."""
    axes.plot(
        x,
        values,
        ".",
        color=color,
        alpha=0.35,
        markersize=size * drawing.PIXEL,
        markeredgewidth=0,
        rasterized=True,
        zorder=1,
    )


def _set_limits(axes: Axes, shown: Sequence[float], count: int) -> None:
    """Set the limits of the axes of some groups so that the values to be shown fit in."""
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    margin = 0.06 * (high - low) or abs(high) / 10 or 1.0
    axes.set(xlim=(-0.6, count - 0.4), ylim=(low - margin, high + margin))


def _draw_mean(axes: Axes, place: int, means: np.ndarray) -> None:
    pixel = drawing.PIXEL
    middle = means.mean()
    style: dict[str, Any] = {"color": "black", "solid_capstyle": "butt", "zorder": 3}
    half = SPREAD + 0.12
    axes.plot([place - half, place + half], [middle] * 2, linewidth=2 * pixel, **style)
    if len(means) > 1:
        deviation = means.std(ddof=1)
        ends = [middle - deviation, middle + deviation]
        axes.plot([place] * 2, ends, linewidth=1.4 * pixel, **style)
        for end in ends:
            axes.plot([place - 0.06, place + 0.06], [end] * 2, linewidth=1.4 * pixel, **style)
