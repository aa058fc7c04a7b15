"""Plot the score of a sweep over each key that it varies."""

from cellstack import figures

AS_IT_STANDS = "as it stands"  # what an empty cell stands for
STACK_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito's that show on white
GREY = "0.65"
PANEL = (420, 300)  # pixels between the axes of a panel
LEFT, RIGHT, TOP, BOTTOM = 70, 30, 44, 96  # pixels round them
COLUMNS = 3
HEADER = 96


@figures.default_style()
def plot_sweep(rows, keys):
    """Plot F1 at IoU 0.5 over the values of each key.

    Parameters
    ----------
    rows : list of dict of str to str
        The table of scores: a row per run, stack and kind of object, with the columns ``run``, ``stack``, ``object``, ``f1`` and `keys`.
    keys : list of str
        The keys of the sweep.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each key: a dot per run (mean over its stacks), a coloured line per stack and kind of object, a black one for their
        mean; a line runs through the means over all runs with the same value. Values stand in their order, evenly spaced. Panels are
        labelled with the key.
    """
    kinds = {row["object"] for row in rows}
    series = dict.fromkeys(_name(row, kinds) for row in rows)
    colors = dict(zip(series, STACK_COLORS if len(series) <= len(STACK_COLORS) else [GREY] * len(series), strict=False))
    runs = {}
    for row in rows:
        runs.setdefault(row["run"], []).append(float(row["f1"]))
    means = {run: sum(values) / len(values) for run, values in runs.items()}
    settings_of = {row["run"]: row for row in rows}

    lines = -(-max(len(keys), 1) // COLUMNS)
    size = LEFT + PANEL[0] + RIGHT, TOP + PANEL[1] + BOTTOM
    width, height = 2 * figures.MARGIN + min(COLUMNS, max(len(keys), 2)) * size[0], HEADER + lines * size[1]
    figure = figures.new_figure(width, height)
    best = max(means, key=means.get)
    figures.add_text(figure, figures.MARGIN, figures.MARGIN, "Sweep: F1 at IoU 0.5", fontsize=figures.TITLE, weight="bold")
    said = f"{len(means) - 1} runs; run {best} is best with {means[best]:.3f}, the configuration as it stands has {means['0']:.3f}"
    figures.add_text(figure, figures.MARGIN, figures.MARGIN + 32, said, fontsize=15 * figures.PT)
    handles = {}
    for i, key in enumerate(keys):
        left, top = figures.MARGIN + i % COLUMNS * size[0] + LEFT, HEADER + i // COLUMNS * size[1] + TOP
        axes = figure.add_axes((left / width, 1 - (top + PANEL[1]) / height, PANEL[0] / width, PANEL[1] / height))
        axes.set_label(key)
        values = sort_values({row[key] or AS_IT_STANDS for row in rows})
        place = {value: at for at, value in enumerate(values)}
        dots = [(place[settings_of[run][key] or AS_IT_STANDS], mean) for run, mean in means.items()]
        handles["one run"] = axes.plot(*zip(*dots, strict=True), "o", color=GREY, markersize=6)[0]
        for name in series:
            own = [row for row in rows if _name(row, kinds) == name]
            handles[name] = axes.plot(*_means(own, key, place), "-", color=colors[name], linewidth=1.3)[0]
        handles["mean"] = axes.plot(*_means(rows, key, place), "o-", color="black", linewidth=2.2, markersize=4)[0]
        axes.set_title(key, fontsize=figures.TEXT, weight="bold", parse_math=False)
        axes.set_xticks(range(len(values)), values, rotation=30 if len(values) > 4 else 0, fontsize=figures.TEXT, parse_math=False)
        axes.set_xlim(-0.5, len(values) - 0.5)
        axes.set_ylim(min(0.9, *(float(row["f1"]) for row in rows)) - 0.03, 1.02)
        axes.tick_params(axis="y", labelsize=figures.TEXT)
        axes.set_ylabel("F1", fontsize=figures.TEXT)
        axes.grid(axis="y", color="0.9")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    if handles:
        figure.legend(
            list(handles.values()),
            list(handles),
            loc="upper right",
            bbox_to_anchor=(1 - figures.MARGIN / width, 1 - figures.MARGIN / height),
            ncols=min(len(handles), 5),
            fontsize=figures.TEXT,
            frameon=False,
        )
    return figure


def sort_values(values):
    """Put the values of a key into their order: what is not set first, numbers (also with a unit) by size, all else by letters."""

    def order(value):
        try:
            return value != AS_IT_STANDS, 0, float(value.split(" ")[0]), value
        except ValueError:
            return value != AS_IT_STANDS, 1, 0.0, value

    return sorted(values, key=order)


def _name(row, kinds):
    return row["stack"] if len(kinds) == 1 else f"{row['stack']} {row['object']}"


def _means(rows, key, place):
    """Average F1 over all rows with the same value of a key."""
    found = {}
    for row in rows:
        found.setdefault(place[row[key] or AS_IT_STANDS], []).append(float(row["f1"]))
    places = sorted(found)
    return places, [sum(found[at]) / len(found[at]) for at in places]
