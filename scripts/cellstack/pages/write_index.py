"""Page of a run: counts, plots of all stacks, a table of stacks, and the details of each."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from cellstack.config.columns import QUALITY_COLUMNS
from cellstack.config.object_columns import CHANNEL_OF
from cellstack.config.reasons import OTHER_DIAMETER, SUGGESTED
from cellstack.core.counting import counted
from cellstack.figures.colors import BLUE, VERMILLION
from cellstack.pages.charts import line_chart, line_colors, round_ticks
from cellstack.pages.html import (
    build_page,
    embed_jpeg,
    embed_png,
    escape,
    list_facts,
    write_keys,
)
from cellstack.pages.index_script import SCRIPT, STYLE

if TYPE_CHECKING:
    from cellstack.pages.pictures import Pictures  # it imports NumPy

Row: TypeAlias = Mapping[str, str]
Key: TypeAlias = tuple[str, str]
"""Names of a stack and of a kind of object."""

MAX_EMBEDDED = 13_000_000  # characters of pictures, so that the page has at most 25 MB
MAX_FILTER_VALUES = 20  # of a column of the sheet by whose values rows can be selected
MAX_COMPARISONS = 60  # of groups that are listed
PLOT_COUNT = 4
OK, FLAGGED, FAILED = "ok", "flagged", "failed"
STATES = {
    OK: "need no check",
    FLAGGED: "need a check",
    FAILED: "failed or were not run",
}
FAILED_STATUSES = ("failed", "not run")
NO_OBJECTS = "no objects"
REASONS_OF_DIAMETER = 10  # what a diameter that is probably wrong counts as
NOT_PLOTTED = ("voxel_size_", "shape_", "diameter_um")  # columns of stacks.csv that are not results
HOW_SORTED = (
    "The worst stacks come first: those that failed, those without objects, and then those with "
    "the highest score. The score is the number of reasons to check the stack, of which a diameter "
    "that is probably wrong counts as ten, plus the fraction of its measured objects that are "
    "flagged. Click a name for advice, figures, flagged objects, "
    "settings and files of the stack."
)
HOW_TO_PLOT = (
    "Each point is a stack: a blue circle if it needs no check, otherwise an orange "
    "triangle. The black line is the median of the group. Click a point for details."
)
HOW_MEASURED = (
    "Signal is the difference between bright and dark regions of a plane: percentile 99 minus "
    "percentile 5 of the means of blocks of 4 x 4 pixels. Below twice the noise of a voxel, it is "
    "lost in the noise. Point at a heading for its definition."
)
HOW_COMPARED = (
    "Differences between the means of groups. The sample size is the number of experimental units, "
    "not of objects. P values are corrected for all tests of the table."
)
COLORS_OF_OUTLINES = (
    "Outlines over the maximum projection: orange objects are flagged, blue ones are measured, "
    "white ones are found but not measured."
)
MAX_PLANES = 60  # of a profile along z; of more planes, only every second one or fewer are shown
QUALITY_HEADINGS = {
    "signal_to_noise_ratio": "signal to noise",
    "noise_sd_intensity": "noise, raw value",
    "dimming_ratio": "dimming",
    "signal_end_um": "signal down to, µm",
    "background_range_ratio": "background range",
    "saturated_fraction": "saturated",
    "zero_fraction": "zero",
    "count_grey_levels": "grey levels",
}
ADVICE = re.compile(r" \([^()]*\)$")  # end of a reason, which the table leaves out
TABLES = {  # of all stacks, which the default target makes
    "objects.csv": "measured objects",
    "stacks.csv": "stacks",
    "checks.csv": "figures behind the flags of stacks",
    "statistics.csv": "measurements of each stack",
    "quality.csv": "image quality of each channel",
    "columns.csv": "units and definitions of all columns",
    "config.yaml": "configuration with all defaults",
    "provenance.json": "versions, and hashes of the images",
    "methods.md": "methods section of a paper",
}
FURTHER_TABLES = {  # that a run has if the sheet or the configuration declares what they describe
    "neighbors.csv": "pairs of neighbouring objects",
    "regions.csv": "volume of tissue and regions, and density of objects",
    "spots.csv": "spots, and the objects they lie in",
    "classes.csv": "number of objects of each class",
    "class_distances.csv": "distances of objects to those of each class",
    "groups.csv": "comparison of groups",
    "group_units.csv": "means of the experimental units that are compared",
    "scores.csv": "agreement with the ground truth, by IoU",
    "stack_scores.csv": "scores of each stack",
    "spot_scores.csv": "scores of spots",
    "evaluation.html": "scores and the worst objects on one page",
}
PAGES = {  # in the folder of a stack, made if they are requested
    "explore.html": "Explore planes, stages and methods",
    "gallery/index.html": "Compare methods",
}
FILES = (  # in the folder of a stack, for each kind of object
    ("labels.ome.tif", "measured objects"),
    ("segmentation.tif", "all objects found"),
    ("objects.csv", "table of the measured objects"),
    ("selection.csv", "why objects are not measured"),
)


@dataclass(frozen=True)
class Run:
    """What the page of a run shows.

    Attributes
    ----------
    stacks, statistics, columns : list of dict of str to str
        Rows of the tables stacks.csv (with the columns of checks.csv), statistics.csv and
        columns.csv.
    user_columns : list of str
        The user's columns of the sheet.
    group_by : str
        The one of them by which stacks are grouped.
    facts : dict of str to str
        What was run, as plain text by name.
    channels : dict of str to list of str
        Channels by stack.
    settings : list of dict
        Settings that differ from the default, see
        :meth:`cellstack.config.study.Study.changed_settings`.
    quality : dict of str to dict
        By stack the content of quality.json: by channel its row of quality.csv and its profile.
    pictures : dict of (str, str) to Pictures
        By stack and kind of object.
    groups : list of dict of str to str
        Rows of the table groups.csv; empty if groups are not compared.
    further : list of str
        The files of :data:`FURTHER_TABLES` that the run has.
    pages : dict of str to list of str
        By stack those of its pages in :data:`PAGES` that exist.
    figures : dict of str to str
        By the path in the folder of results, the figure as a PNG file in base64; empty to refer to
        the file.
    provenance : dict
        See :func:`cellstack.pages.html.build_page`.
    """

    stacks: Sequence[Row]
    statistics: Sequence[Row]
    columns: Sequence[Row]
    user_columns: Sequence[str]
    group_by: str
    facts: Mapping[str, str]
    channels: Mapping[str, Sequence[str]]
    settings: Sequence[Mapping[str, Any]]
    quality: Mapping[str, Mapping[str, Any]]
    pictures: Mapping[Key, "Pictures"]
    further: Sequence[str]
    figures: Mapping[str, str]
    provenance: Mapping[str, Any]
    pages: Mapping[str, Sequence[str]]
    groups: Sequence[Row] = ()


def fit_on_page(pictures: Mapping[Key, "Pictures"], figure_bytes: int) -> bool:
    """Return whether all figures of a run fit on its page, besides the small pictures.

    Parameters
    ----------
    pictures : dict of (str, str) to Pictures
    figure_bytes : int
        Total size of the files.
    """
    small = sum(
        len(each["thumbnail"]) + sum(len(item["jpeg"]) for item in each["flagged"])
        for each in pictures.values()
    )
    return small + figure_bytes * 4 / 3 <= MAX_EMBEDDED


def state_of(row: Row) -> str:
    """Return whether a stack is ok, flagged or failed.

    Examples
    --------
    >>> state_of({"status": "ok", "flags": "haze"}), state_of({"status": "not run", "flags": ""})
    ('flagged', 'failed')
    """
    if row["status"] in FAILED_STATUSES:
        return FAILED
    return FLAGGED if row["flags"] or row["status"] == NO_OBJECTS else OK


def reasons_of(row: Row) -> list[str]:
    """Return the reasons to check a stack; that of a failed stack is one line.

    Examples
    --------
    >>> reasons_of({"status": "ok", "flags": "haze: a;saturated: b"})
    ['haze: a', 'saturated: b']
    """
    if row["status"] in FAILED_STATUSES:
        return [row["flags"]]
    return [flag for flag in row["flags"].split(";") if flag]


def score_of(row: Row) -> float:
    """Return the number of reasons plus the fraction of measured objects that are flagged.

    A diameter that is probably wrong makes all results wrong, and counts as ten reasons.

    Examples
    --------
    >>> score_of({"status": "ok", "flags": "haze", "count_flagged": "3", "count_measured": "4"})
    1.75
    """
    measured = int(row["count_measured"] or 0)
    share = int(row["count_flagged"] or 0) / measured if measured else 0.0
    reasons = reasons_of(row)
    of_diameter = sum(reason.startswith((OTHER_DIAMETER, SUGGESTED)) for reason in reasons)
    return len(reasons) + (REASONS_OF_DIAMETER - 1) * of_diameter + share


def sort_worst_first(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of stacks.csv in the order of the page.

    Parameters
    ----------
    rows : list of dict of str to str

    Returns
    -------
    list of dict of str to str
        Stacks that failed, stacks that were not run, stacks without objects, then the others by
        :func:`score_of`. Equal ones keep their order.
    """
    ranks = {status: rank for rank, status in enumerate((*FAILED_STATUSES, NO_OBJECTS))}
    return sorted(rows, key=lambda row: (ranks.get(row["status"], len(ranks)), -score_of(row)))


def write_index(run: Run) -> str:
    """Return the page of a run.

    Parameters
    ----------
    run : Run

    Returns
    -------
    str
        HTML. It needs no other file, except for figures that do not fit on it.
    """
    rows = sort_worst_first(run.stacks)
    thumbnails, objects = _choose_pictures(rows, run.pictures)
    by_stack: dict[str, list[Row]] = {}
    for row in rows:
        by_stack.setdefault(row["stack"], []).append(row)
    stacks = list(by_stack)
    figures: dict[str, list[str]] = {}
    for path in run.figures:
        figures.setdefault(path.partition("/")[0], []).append(path)
    details = [
        _details(run, name, i, by_stack[name], figures.get(name, []), objects)
        for i, name in enumerate(stacks)
    ]
    body = f"""<header>
<h1>Run of {counted(len(stacks), "stacks")}</h1>
{list_facts({**run.facts, "Diameter": _diameters(run.stacks)})}
{_tiles(_states(rows))}
<nav aria-label="Contents"><ul class="links"><li><a href="#plots">Compare stacks</a></li>
{'<li><a href="#groups">Groups</a></li>' if run.groups else ""}
<li><a href="#table">Stacks</a></li><li><a href="#files">Files of all stacks</a></li></ul></nav>
</header>
<main>
{_plots(run, rows)}
{_groups(run)}
{_table(run, rows, stacks, thumbnails)}
{_further_files(run, figures.get("figures", []))}
</main>
<dialog aria-labelledby="heading">
<nav><button type="button" id="previous">&#9664; previous</button>
<button type="button" id="next">next &#9654;</button>
<button type="button" id="close">close</button></nav>
<div></div>
</dialog>
{"".join(details)}
<script type="application/json" id="data">{_as_json(_data(run, rows, stacks))}</script>
<script>{SCRIPT}</script>"""
    return build_page(f"cellstack: {counted(len(stacks), 'stacks')}", body, STYLE, run.provenance)


def _states(rows: Sequence[Row]) -> dict[str, str]:
    """Return the state of each stack: the worst one of its kinds of object."""
    states: dict[str, str] = {}
    order = list(STATES)
    for row in rows:
        before = states.get(row["stack"], OK)
        states[row["stack"]] = max(before, state_of(row), key=order.index)
    return states


def _choose_pictures(
    rows: Sequence[Row], pictures: Mapping[Key, "Pictures"]
) -> tuple[dict[Key, str], dict[Key, int]]:
    """Return the thumbnails, and for each row how many of its objects are shown.

    What does not fit on the page is left out, beginning with the objects of the best stacks.
    """
    room = MAX_EMBEDDED
    thumbnails: dict[Key, str] = {}
    objects: dict[Key, int] = {}
    keys = [key for row in rows if (key := (row["stack"], row["object"])) in pictures]
    for key in keys:
        thumbnail = pictures[key]["thumbnail"]
        if len(thumbnail) <= room:
            thumbnails[key] = thumbnail
            room -= len(thumbnail)
    for key in keys:
        objects[key] = 0
        for each in pictures[key]["flagged"]:
            if len(each["jpeg"]) > room:
                break
            objects[key] += 1
            room -= len(each["jpeg"])
    return thumbnails, objects


def _diameters(rows: Sequence[Row]) -> str:
    """Return the diameters that sizes are derived from, by kind of object and source."""
    found: dict[Key, list[float]] = {}
    for row in rows:
        if row["diameter_um"]:
            key = (row["object"], row["diameter_source"])
            found.setdefault(key, []).append(float(row["diameter_um"]))
    listed = []
    for (kind, source), values in found.items():
        low, high = (f"{value:.3g}" for value in (min(values), max(values)))
        numbers = low if low == high else f"{low} to {high}"
        listed.append(f"{kind} {numbers} µm ({source})")
    return ", ".join(listed) or "not known"


def _tiles(states: Mapping[str, str]) -> str:
    counts = Counter(states.values())
    items = [
        f'<li><button type="button" class="{state}" data-state="{state}" aria-pressed="false" '
        f'title="Show the stacks that {meaning}"><b>{counts[state]}</b> {state}</button></li>'
        for state, meaning in STATES.items()
    ]
    return f'<ul class="tiles">{"".join(items)}</ul>'


def _plots(run: Run, rows: Sequence[Row]) -> str:
    kinds = _kinds(run.stacks)
    kind = _select("kind", "Objects", kinds) if len(kinds) > 1 else ""
    names = ["no groups", *run.user_columns]
    chosen = run.group_by if run.group_by in run.user_columns else names[0]
    figures = "\n".join(
        f"""<figure class="plot"><label>Plot {number}<select></select></label>
<div class="chart"></div><figcaption></figcaption></figure>"""
        for number in range(1, PLOT_COUNT + 1)
    )
    return f"""<section aria-labelledby="plots">
<h2 id="plots">Compare stacks</h2>
<p>{HOW_TO_PLOT}</p>
<div class="controls">{kind}{_select("group", "Groups", names, chosen)}</div>
<div class="plots">
{figures}
</div>
</section>"""


def _select(name: str, label: str, options: Sequence[str], chosen: str = "") -> str:
    items = "".join(
        f"<option{' selected' if option == chosen else ''}>{escape(option)}</option>"
        for option in options
    )
    return f'<label>{escape(label)}<br><select id="{name}">{items}</select></label>'


def _groups(run: Run) -> str:
    """Return the section with the comparison of groups; empty without groups."""
    if not run.groups:
        return ""
    heads = {"object": "text", "column": "text", "groups": "text", "units": "", "means": ""}
    heads |= {"difference": "", "interval": "", "p": "", "p corrected": "", "warnings": "text"}
    head = "".join(
        f'<th scope="col"{" class=text" * bool(kind)}>{name}</th>' for name, kind in heads.items()
    )
    lines = []
    for row in run.groups[:MAX_COMPARISONS]:
        interval = [_number(row[f"difference_{end}"]) for end in ("low", "high")]
        reasons = "".join(f"<li>{escape(each)}</li>" for each in row["warnings"].split(";") if each)
        cells = [
            f"{_number(row['mean_1'])}, {_number(row['mean_2'])}",
            f"{_number(row['difference'])} {escape(row['unit'])}",
            " to ".join(interval) if row["difference_low"] else "–",
            _number(row["p_value"]),
            _number(row["p_corrected"]),
        ]
        lines.append(
            f'<tr><td class="text">{escape(row["object"])}</td>'
            f'<td class="text"><code>{escape(row["column"])}</code></td>'
            f'<td class="text">{escape(row["group_1"])}, {escape(row["group_2"])}</td>'
            f"<td>{row['count_units_1']}, {row['count_units_2']}</td>"
            f"{''.join(f'<td>{cell}</td>' for cell in cells)}"
            f'<td class="text">{f"<ul class=reasons>{reasons}</ul>" if reasons else ""}</td></tr>\n'
        )
    left_out = len(run.groups) - len(lines)
    more = f"<p>{counted(left_out, 'more rows')} in the table.</p>" if left_out else ""
    return f"""<section aria-labelledby="groups">
<h2 id="groups">Groups</h2>
<p>{HOW_COMPARED} The complete table is <a href="groups.csv"><code>groups.csv</code></a>.</p>
<div class="wide"><table><thead><tr>{head}</tr></thead>
<tbody>{"".join(lines)}</tbody></table></div>{more}
</section>"""


def _number(cell: str) -> str:
    return f"{float(cell):.3g}" if cell else "–"


def _table(
    run: Run, rows: Sequence[Row], stacks: Sequence[str], thumbnails: Mapping[Key, str]
) -> str:
    heads = ["stack", "object", "state", "score", "reasons to check"]
    counts = ["found", "measured", "flagged"]
    names = [*heads, *counts, "median diameter, µm", *run.user_columns]
    texts = {*heads, *run.user_columns} - {"score"}
    places = {name: i for i, name in enumerate(stacks)}
    cells = [
        f'<th scope="col" aria-sort="none"{" class=text" * (name in texts)}>'
        f'<button type="button">{escape(name)}</button></th>'
        for name in names
    ]
    lines = [
        _table_row(run, row, i, places, thumbnails.get((row["stack"], row["object"])))
        for i, row in enumerate(rows)
    ]
    filters = [
        f'<label>{escape(name)}<br><select data-filter="{i}"{" id=state" * (i == 0)}>'
        f'<option value="">all</option>'
        + "".join(f'<option value="{escape(each)}">{escape(each)}</option>' for each in options)
        + "</select></label>"
        for i, (name, options) in enumerate(_filters(run, rows).items())
    ]
    return f"""<section id="stacks" aria-labelledby="table">
<h2 id="table">Stacks</h2>
<p>{HOW_SORTED} {COLORS_OF_OUTLINES}</p>
<div class="controls"><label>Search<br><input type="search" id="search"></label>
{"".join(filters)}<span id="shown" role="status"></span></div>
<div class="wide"><table>
<thead><tr><th scope="col"><span class="none">picture</span></th>{"".join(cells)}</tr></thead>
<tbody>
{"".join(lines)}</tbody>
</table></div>
</section>"""


def _filters(run: Run, rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return the values by which rows can be selected, by name; the state comes first."""
    filters = {"state": list(STATES)}
    if len(kinds := _kinds(run.stacks)) > 1:
        filters["object"] = kinds
    for name in run.user_columns:
        values = sorted({row.get(name, "") for row in rows} - {""})
        if 2 <= len(values) <= MAX_FILTER_VALUES and name not in filters:
            filters[name] = values
    return filters


def _table_row(
    run: Run, row: Row, number: int, places: Mapping[str, int], thumbnail: str | None
) -> str:
    name, kind, state = row["stack"], row["object"], state_of(row)
    picture = '<span class="none">no picture</span>'
    if thumbnail:
        picture = embed_jpeg(thumbnail, f"{kind} of {name} with outlines")
    short = [reason if state == FAILED else ADVICE.sub("", reason) for reason in reasons_of(row)]
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in short)
    score = "–" if state == FAILED else f"{score_of(row):.2f}"
    cells = [
        f'<td class="picture">{picture}</td>',
        f'<td class="text name"><a href="#stack-{escape(name)}">{escape(name)}</a></td>',
        f'<td class="text" data-name="object">{escape(kind)}</td>',
        f'<td class="text" data-name="state">{_state(state)}</td>',
        f'<td data-name="score" data-sort="{-number}">{score}</td>',
        f'<td class="text reasons">{f"<ul>{reasons}</ul>" if reasons else ""}</td>',
    ]
    for column in ("count_found", "count_measured", "count_flagged"):
        count = row[column]
        heading = column.removeprefix("count_")
        cells.append(f'<td data-name="{heading}" data-sort="{count}">{count or "–"}</td>')
    median = row["median_equivalent_diameter_um"]
    cells.append(
        f'<td data-name="median diameter" data-sort="{median}">{escape(_diameter(row))}</td>'
    )
    for column in run.user_columns:
        cell = escape(row.get(column, ""))
        cells.append(f'<td class="text" data-name="{escape(column)}">{cell}</td>')
    return f'<tr data-row="{number}" data-stack="{places[name]}">{"".join(cells)}</tr>\n'


def _state(state: str) -> str:
    return f'<span class="state {state}">{state}</span>'


def _corrected(row: Row) -> str:
    """Return how many objects were corrected by hand; empty without corrections."""
    if row.get("count_corrections", "0") in ("", "0"):
        return ""
    missing = row["count_corrections_not_applied"]
    not_applied = "" if missing == "0" else f" ({counted(int(missing), 'corrections')} not applied)"
    return f", {row['count_corrected']} corrected by hand{not_applied}"


def _diameter(row: Row) -> str:
    """Return the median diameter beside the one that was given or estimated."""
    median = f"{float(found):.3g}" if (found := row["median_equivalent_diameter_um"]) else "–"
    if not row["diameter_um"]:
        return median
    return f"{median} ({float(row['diameter_um']):.3g} {row['diameter_source']})"


def _kinds(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["object"] for row in rows))


def _further_files(run: Run, paths: Sequence[str]) -> str:
    """Return the section of figures of all stacks, and the list of tables."""
    links = "".join(
        f'<li><a href="{name}"><code>{name}</code></a> {what}</li>'
        for name, what in (TABLES | {name: FURTHER_TABLES[name] for name in run.further}).items()
    )
    figures = [_figure(run, path) for path in paths]
    return f"""<section aria-labelledby="files">
<h2 id="files">Files of all stacks</h2>
<div class="figures">{"".join(figures)}</div>
<p>In the folder of this page:</p>
<ul class="files">{links}</ul>
</section>"""


def _figure(run: Run, path: str) -> str:
    """Return a figure, or a link to it if it is not on the page."""
    png = run.figures[path]
    if not png:
        return f'<p><a href="{escape(path)}">{escape(path)}</a></p>'
    return (
        f"<figure>{embed_png(png, path)}<figcaption><code>{escape(path)}</code></figcaption>"
        "</figure>"
    )


def _details(
    run: Run,
    name: str,
    number: int,
    own: Sequence[Row],
    paths: Sequence[str],
    objects: Mapping[Key, int],
) -> str:
    """Return the details of a stack, which are shown when its name is clicked."""
    parts = [f"<h2>{escape(name)}</h2>"]
    facts = {column: own[0][column] for column in run.user_columns if own[0].get(column)}
    if facts:
        parts.append(list_facts(facts))
    if name in run.pages:
        links = [
            f'<li><a href="{escape(f"{name}/{page}")}">{PAGES[page]}</a></li>'
            for page in run.pages[name]
        ]
        parts.append(f'<ul class="links">{"".join(links)}</ul>')
    for row in own:
        parts.append(_kind_details(run, row, objects.get((name, row["object"]), 0)))
    quality = run.quality.get(name, {})
    if quality:
        parts.append(_quality({channel: quality[channel] for channel in run.channels[name]}))
    if figures := [_figure(run, path) for path in paths]:
        parts.append(f'<h3>Figures</h3><div class="figures">{"".join(figures)}</div>')
    parts.append(_settings(run, name))
    done = [row["object"] for row in own if state_of(row) != FAILED]
    parts.append(_files(run, name, done, paths))
    return f'<template id="details-{number}">{"".join(parts)}</template>\n'


def _kind_details(run: Run, row: Row, shown: int) -> str:
    kind, state = row["object"], state_of(row)
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in reasons_of(row))
    parts = [f"<h3>{escape(kind.capitalize())} {_state(state)}</h3>"]
    if state != FAILED:
        parts.append(
            f"<p>{row['count_found']} found, {row['count_measured']} measured, "
            f"{row['count_flagged']} flagged{_corrected(row)}. "
            f"Median diameter in µm: {escape(_diameter(row))}."
            f"{_cut_by_faces(row)}</p>"
        )
    if reasons:
        parts.append(f'<ul class="reasons">{reasons}</ul>')
    pictures = run.pictures.get((row["stack"], kind))
    if pictures is None or not pictures["flagged_count"]:
        return "".join(parts)
    count = pictures["flagged_count"]
    heading = f"Flagged {kind}, the worst first"
    if shown < count:
        heading += f": {shown} of {count}"
    parts.append(f"<h4>{escape(heading)}</h4>")
    if not shown:
        parts.append(f"<p>The table {row['stack']}/{kind}/objects.csv lists them.</p>")
    items = []
    for each in pictures["flagged"][:shown]:
        alt = f"{kind} {each['label']} in three planes: xy, xz and yz"
        flags = escape(each["reasons"].replace(";", "; "))
        items.append(
            f"<figure>{embed_jpeg(each['jpeg'], alt)}<figcaption><b>{each['label']}</b> {flags}"
            f" <span class=none>({each['width_um']:.3g} µm wide)</span></figcaption></figure>"
        )
    parts.append(f'<div class="objects">{"".join(items)}</div>')
    return "".join(parts)


def _cut_by_faces(row: Row) -> str:
    cut = row["cut_by_faces"].replace(";", ", ")
    return f" Objects at faces of the stack: {escape(cut)}." if cut else ""


def _quality(channels: Mapping[str, Any]) -> str:
    """Return the image quality of the channels of a stack: a table, and a chart of each."""
    lines, charts = [], []
    for channel, found in channels.items():
        row, flags = found["row"], found["row"]["flags"].split(";")
        cells = [_short_number(row[name]) for name in QUALITY_HEADINGS]
        reasons = "".join(f"<li>{escape(flag)}</li>" for flag in flags if flag)
        lines.append(
            f'<tr><td class="text">{escape(channel)}</td>'
            f"{''.join(f'<td>{cell}</td>' for cell in cells)}"
            f'<td class="text">{f"<ul class=reasons>{reasons}</ul>" if reasons else ""}</td></tr>'
        )
        charts.append(_profile_chart(channel, found["profile"], row["noise_sd_intensity"]))
    heads = "".join(
        f'<th scope="col" title="{escape(QUALITY_COLUMNS[name][1])}">{heading}</th>'
        for name, heading in QUALITY_HEADINGS.items()
    )
    return f"""<h3>Image quality</h3>
<p>{HOW_MEASURED}</p>
<div class="wide"><table><thead><tr><th scope="col" class="text">channel</th>{heads}
<th scope="col" class="text">reasons to check</th></tr></thead>
<tbody>{"".join(lines)}</tbody></table></div>
<div class="profiles">{"".join(charts)}</div>"""


def _profile_chart(channel: str, profile: Mapping[str, Any], noise: float) -> str:
    """Return a chart of the mean and the signal of each plane, and the limit of the signal."""
    step = max(1, -(-len(profile["mean"]) // MAX_PLANES))
    curves = {}
    for name, key in (("mean intensity", "mean"), ("signal", "signal")):
        curves[name] = [
            (z * profile["step_um"], value)
            for z, value in enumerate(profile[key])
            if value is not None and z % step == 0
        ]
    depth = (len(profile["mean"]) - 1) * profile["step_um"]
    curves["twice the noise"] = [(0.0, 2 * noise), (depth, 2 * noise)]
    values = [value for points in curves.values() for _, value in points]
    colors = line_colors(len(curves))
    chart = line_chart(
        curves,
        colors,
        x_label="z, µm",
        y_label="raw value",
        x_ticks=round_ticks(0, depth),
        y_ticks=round_ticks(min(0.0, *values), max(values)),
        description=f"Mean intensity and signal of channel {channel} over z",
    )
    keys = write_keys(list(zip(curves, colors, strict=True)))
    return f"<figure>{chart}<figcaption>{escape(channel)}{keys}</figcaption></figure>"


def _short_number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _settings(run: Run, name: str) -> str:
    lines = []
    for shared in run.settings:
        if name not in shared["stacks"]:
            continue
        for key, (value, default) in shared["changed"].items():
            lines.append(
                f'<tr><td class="text">{escape(shared["object"])}</td>'
                f'<td class="text"><code>{escape(key)}</code></td>'
                f'<td class="text">{escape(_as_text(value))}</td>'
                f'<td class="text">{escape(_as_text(default))}</td></tr>'
            )
    if not lines:
        return "<h3>Settings</h3><p>All settings of the stages have their defaults.</p>"
    head = "".join(
        f'<th scope="col" class="text">{each}</th>'
        for each in ("object", "setting", "value", "default")
    )
    return (
        "<h3>Settings that differ from the default</h3>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _files(run: Run, name: str, kinds: Sequence[str], figures: Sequence[str]) -> str:
    paths: dict[str, str] = {}
    for kind in kinds:
        paths |= {f"{name}/{kind}/{file}": f"{kind}: {what}" for file, what in FILES}
    if kinds:
        for channel in run.channels.get(name, ()):
            paths[f"{name}/channels/{channel}/raw.tif"] = f"channel {channel} as it was read"
    paths |= dict.fromkeys(figures, "figure")
    if not paths:
        return ""
    items = [
        f'<li><a href="{escape(path)}"><code>{escape(path)}</code></a> {escape(what)}</li>'
        for path, what in paths.items()
    ]
    return (
        f'<h3>Files</h3><p>In the folder of this page:</p><ul class="files">{"".join(items)}</ul>'
    )


def _data(run: Run, rows: Sequence[Row], stacks: Sequence[str]) -> dict[str, Any]:
    """Return what the script of the page needs: the rows, and the columns to plot."""
    kinds = _kinds(run.stacks)
    places = {name: i for i, name in enumerate(stacks)}
    columns = _plotted_columns(run, rows)
    names = [column["name"] for column in columns]
    filters = [
        [state_of(row) if name == "state" else row.get(name, "") for row in rows]
        for name in _filters(run, rows)
    ]
    return {
        "stacks": stacks,
        "kinds": kinds,
        "rows": [
            {"stack": places[row["stack"]], "kind": row["object"], "state": state_of(row)}
            for row in rows
        ],
        "columns": columns,
        "groups": [
            {"name": name, "values": [row.get(name, "") for row in rows]}
            for name in run.user_columns
        ],
        "defaults": {kind: _default_plots(kind, names) for kind in kinds},
        "filters": filters,
        "colors": {OK: BLUE, FLAGGED: VERMILLION},
    }


def _default_plots(kind: str, names: Sequence[str]) -> list[int]:
    """Return the columns that are plotted at first: count, volume, intensity and shape."""
    wanted = (
        "count_found",
        "median_volume_um3",
        f"mean_intensity_{CHANNEL_OF[kind]}",
        "sphericity",
    )
    return [names.index(name) if name in names else 0 for name in wanted]


def _plotted_columns(run: Run, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return all numeric columns of stacks.csv, and the median of each measurement."""
    definitions = {(row["table"], row["column"]): row for row in run.columns}
    columns = []
    for name in dict.fromkeys(name for row in rows for name in row):
        table = "stacks.csv" if ("stacks.csv", name) in definitions else "checks.csv"
        known = definitions.get((table, name))
        if name in run.user_columns or known is None or name.startswith(NOT_PLOTTED):
            continue
        values = _numbers([row.get(name, "") for row in rows])
        if values:
            columns.append(_column(table, name, known["definition"], known["unit"], values))
    medians = {(row["stack"], row["object"], row["column"]): row for row in run.statistics}
    shown = {column["name"] for column in columns}
    for name in dict.fromkeys(row["column"] for row in run.statistics):
        if f"median_{name}" in shown:
            continue
        own = [medians.get((row["stack"], row["object"], name), {}) for row in rows]
        values = _numbers([row.get("median", "") for row in own])
        known = definitions.get(("objects.csv", name)) or definitions.get(("pairs.csv", name), {})
        definition = f"Median over the objects: {known.get('definition', '')}"
        if values:
            unit = known.get("unit", "")
            columns.append(_column("objects.csv, median", name, definition, unit, values))
    for name, (unit, definition) in QUALITY_COLUMNS.items():
        if name in ("stack", "channel", "flags") or name in shown:
            continue
        found = [
            run.quality.get(row["stack"], {}).get(CHANNEL_OF[row["object"]], {"row": {}})["row"]
            for row in rows
        ]
        values = _numbers(["" if each.get(name) is None else str(each[name]) for each in found])
        if values:
            table = "quality.csv, channel of the objects"
            columns.append(_column(table, name, definition, unit, values))
    return columns


def _column(
    table: str, name: str, definition: str, unit: str, values: Sequence[float | None]
) -> dict[str, Any]:
    return {"table": table, "name": name, "definition": definition, "unit": unit, "values": values}


def _numbers(cells: Sequence[str]) -> list[float | None] | None:
    """Return the numbers in a column, None for empty cells; None if there are others, or none."""
    numbers: list[float | None] = []
    for cell in cells:
        try:
            number = float(f"{float(cell):.5g}") if cell else None
        except ValueError:
            return None
        numbers.append(number if number is not None and abs(number) < float("inf") else None)
    return numbers if any(number is not None for number in numbers) else None


def _as_json(value: object) -> str:
    """Return a value as JSON that cannot end the script element in which it stands."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
