"""Figure of a sweep: the score over each key that it varies."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellstack.core.counting import counted
from cellstack.evaluate.score_columns import named_threshold
from cellstack.figures import drawing
from cellstack.figures.colors import CURVE_COLORS

Row = Mapping[str, str]

AS_CONFIGURED = "as configured"  # shown for a key that a run does not set
GREY = "0.65"
PANEL_WIDTH, PANEL_HEIGHT = 420, 300  # pixels between the axes of a panel
LEFT, RIGHT, TOP, BOTTOM = 70, 30, 44, 96  # pixels around them
COLUMNS = 3
HEADER = 82  # pixels above the legend
LEGEND_ROW, LEGEND_ENTRY = 21, 250  # height and width of an entry, in pixels
MIN_F1 = 0.9  # that the axis always includes
MAX_UPRIGHT_TICKS = 4  # more tick labels are rotated
# Maximum length of a rotated tick label, and gap between upright ones, in pixels.
ROTATED_TICK, TICK_GAP = 150, 8
ONE_STACK = "one stack"  # in the legend, if there are too many for colours
MAX_NAME = 200  # maximum width of a name in the legend, in pixels


@drawing.default_style()
def plot_sweep(rows: Sequence[Row], keys: Sequence[str]) -> Figure:
    """Plot F1 over the values of each key, at IoU 0.5 or by points.

    Parameters
    ----------
    rows : list of dict of str to str
        The table of scores: a row per run, stack and kind of object, with the columns ``run``,
        ``stack``, ``object``, ``ground_truth``, ``f1`` and `keys`. Run 0 is the configuration
        itself.
    keys : list of str
        The keys of the sweep.

    Returns
    -------
    matplotlib.figure.Figure
        A panel per key, with a dot per run (its mean over stacks), a coloured line per stack and
        kind of object, and a black line for their mean. Lines connect the means of all runs with
        the same value, except that of runs that do not set the key, which is shown on the left.
        Values are sorted and evenly spaced. The axes are labelled with the key.
    """
    series: dict[str, list[Row]] = {}
    kinds = {row["object"] for row in rows}
    for row in rows:
        name = row["stack"] if len(kinds) == 1 else f"{row['stack']} {row['object']}"
        series.setdefault(name, []).append(row)
    has_colors = len(series) <= len(CURVE_COLORS)
    colors = CURVE_COLORS[: len(series)] if has_colors else [GREY] * len(series)
    lowest = min(MIN_F1, *(float(row["f1"]) for row in rows)) - 0.03
    means = _mean_by_run(rows)

    lines = -(-max(len(keys), 1) // COLUMNS)
    cell_width, cell_height = LEFT + PANEL_WIDTH + RIGHT, TOP + PANEL_HEIGHT + BOTTOM
    width = 2 * drawing.MARGIN + min(COLUMNS, max(len(keys), 2)) * cell_width
    across = int((width - 2 * drawing.MARGIN) // LEGEND_ENTRY)
    entries = 2 + (len(series) if has_colors else 1)
    header = HEADER + -(-entries // across) * LEGEND_ROW
    height = header + lines * cell_height
    figure = drawing.new_figure(width, height)
    _add_header(figure, means, named_threshold({row["ground_truth"] for row in rows}))
    handles = {}
    for i, key in enumerate(keys):
        left = drawing.MARGIN + i % COLUMNS * cell_width + LEFT
        top = header + i // COLUMNS * cell_height + TOP
        bottom = 1 - (top + PANEL_HEIGHT) / height
        axes = figure.add_axes((left / width, bottom, PANEL_WIDTH / width, PANEL_HEIGHT / height))
        values = sort_values({row[key] or AS_CONFIGURED for row in rows})
        _set_up_axes(figure, axes, key, values, lowest)
        place = {value: at for at, value in enumerate(values)}
        value_of_run = {row["run"]: row[key] or AS_CONFIGURED for row in rows}
        handles["one run"] = axes.plot(
            [place[value_of_run[run]] for run in means],
            list(means.values()),
            "o",
            color=GREY,
            markersize=6,
        )[0]
        for (name, own), color in zip(series.items(), colors, strict=True):
            points = _mean_by_value(own, key, place)
            (line,) = axes.plot(*points, "o-", color=color, linewidth=1.3, markersize=2)
            handles[name if has_colors else ONE_STACK] = line
        points = _mean_by_value(rows, key, place)
        handles["mean"] = axes.plot(*points, "o-", color="black", linewidth=2.2, markersize=4)[0]
    if handles:
        figure.legend(
            list(handles.values()),
            [drawing.shorten(figure, name, MAX_NAME) for name in handles],
            loc="upper left",
            bbox_to_anchor=(drawing.MARGIN / width, 1 - (HEADER - 4) / height),
            borderaxespad=0,
            borderpad=0,
            ncols=min(len(handles), across),
            fontsize=drawing.TEXT_SIZE,
            frameon=False,
        )
    return figure


def _add_header(figure: Figure, means: Mapping[str, float], threshold: str) -> None:
    best = max(means, key=lambda run: means[run])
    text = f"{counted(len(means) - 1, 'runs')}; "
    if best == "0":
        text += f"none is better than the configuration itself, which has {means['0']:.3f}"
    else:
        text += (
            f"run {best} is the best with {means[best]:.3f}, "
            f"the configuration itself has {means['0']:.3f}"
        )
    left = top = drawing.MARGIN
    title = f"Sweep: F1 {threshold}"
    drawing.add_text(figure, left, top, title, fontsize=drawing.TITLE_SIZE, weight="bold")
    drawing.add_text(figure, left, top + 32, text, fontsize=drawing.HEADING_SIZE)


def _set_up_axes(figure: Figure, axes: Axes, key: str, values: list[str], lowest: float) -> None:
    is_rotated = len(values) > MAX_UPRIGHT_TICKS
    room = ROTATED_TICK if is_rotated else PANEL_WIDTH / len(values) - TICK_GAP
    axes.set_label(key)
    axes.set_title(key, fontsize=drawing.TEXT_SIZE, weight="bold")
    axes.set_xticks(
        range(len(values)),
        [drawing.shorten(figure, value, room) for value in values],
        rotation=30 if is_rotated else 0,
        fontsize=drawing.TEXT_SIZE,
    )
    axes.set_xlim(-0.5, len(values) - 0.5)
    axes.set_ylim(lowest, 1.02)
    axes.tick_params(axis="y", labelsize=drawing.TEXT_SIZE)
    axes.set_ylabel("F1", fontsize=drawing.TEXT_SIZE)
    axes.grid(axis="y", color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def sort_values(values: Iterable[str]) -> list[str]:
    """Sort the values of a key.

    Parameters
    ----------
    values : iterable of str

    Returns
    -------
    list of str
        First :data:`AS_CONFIGURED`, then numbers, with or without a unit, by size, then all else
        in alphabetical order.

    Examples
    --------
    >>> sort_values(["otsu", "0.1 d", "0.02 d", "as configured"])
    ['as configured', '0.02 d', '0.1 d', 'otsu']
    """

    def order(value: str) -> tuple[bool, int, float, str]:
        try:
            return value != AS_CONFIGURED, 0, float(value.split(" ")[0]), value
        except ValueError:
            return value != AS_CONFIGURED, 1, 0.0, value

    return sorted(values, key=order)


def _mean_by_run(rows: Iterable[Row]) -> dict[str, float]:
    scores: dict[str, list[float]] = {}
    for row in rows:
        scores.setdefault(row["run"], []).append(float(row["f1"]))
    return {run: _mean(values) for run, values in scores.items()}


def _mean_by_value(
    rows: Iterable[Row], key: str, place: Mapping[str, int]
) -> tuple[list[float], list[float]]:
    """Return the places of the values of a key, and the mean F1 of all rows with each value.

    A gap follows :data:`AS_CONFIGURED`, which is not the value before the first one.
    """
    scores: dict[int, list[float]] = {}
    for row in rows:
        scores.setdefault(place[row[key] or AS_CONFIGURED], []).append(float(row["f1"]))
    places: list[float] = [*sorted(scores)]
    f1 = [_mean(scores[at]) for at in sorted(scores)]
    if place.get(AS_CONFIGURED) in scores:
        places.insert(1, math.nan)
        f1.insert(1, math.nan)
    return places, f1


def _mean(values: Collection[float]) -> float:
    return sum(values) / len(values)
