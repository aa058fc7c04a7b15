"""Page of a run: counts, plots of all stacks, a table of stacks, and the details of each."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cellstack.core.counting import counted, significant
from cellstack.pages.html import build_page, embed_jpeg, embed_json, escape, list_facts
from cellstack.pages.index_plots import data_of_script, filters_of
from cellstack.pages.index_run import (
    FAILED,
    FURTHER_TABLES,
    OK,
    STATES,
    Key,
    Row,
    Run,
    kinds_of,
    reasons_of,
    score_of,
    sort_worst_first,
    state_of,
)
from cellstack.pages.index_script import SCRIPT, STYLE
from cellstack.pages.stack_details import (
    figure_or_link,
    median_diameter,
    stack_details,
    state_badge,
)

if TYPE_CHECKING:
    from cellstack.pages.pictures import Pictures  # it imports NumPy


MAX_EMBEDDED = 13_000_000  # characters of pictures, so that the page has at most 25 MB
MAX_COMPARISONS = 60  # of groups that are listed
PLOT_COUNT = 4
HOW_SORTED = (
    "The worst stacks come first: those that failed, those without objects, and then those with "
    "the highest score. The score is the number of reasons to check the stack plus the fraction of "
    "its measured objects that are flagged. A diameter that is probably wrong counts as ten "
    "reasons. Click a name for advice, figures, flagged objects, settings and files of the stack."
)
HOW_TO_PLOT = (
    "Each point is a stack: a blue circle if it needs no check, otherwise an orange "
    "triangle. The black line is the median of the group. Click a point for details."
)
HOW_COMPARED = (
    "Differences between the means of groups, that of the second minus that of the first, with "
    "confidence intervals. The sample size is the number of experimental units, not of objects. P "
    "values are corrected for all tests of the table."
)
COLORS_OF_OUTLINES = (
    "Outlines over the maximum projection: orange objects are flagged, blue ones are measured, "
    "white ones are found but not measured."
)
ADVICE = re.compile(r" \([^()]*\)$")  # end of a reason, which the table leaves out
TABLES = {  # of all stacks, which the default target makes
    "objects.csv": "measured objects",
    "stacks.csv": "stacks",
    "checks.csv": "numbers that the flags of stacks are based on",
    "statistics.csv": "measurements of each stack",
    "quality.csv": "image quality of each channel",
    "columns.csv": "units and definitions of all columns",
    "config.yaml": "configuration with all defaults",
    "provenance.json": "versions, and hashes of the images",
    "methods.md": "methods section of a paper",
}


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
        stack_details(run, name, i, by_stack[name], figures.get(name, []), objects)
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
{_plots(run)}
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
{embed_json(data_of_script(run, rows, stacks))}
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


def _plots(run: Run) -> str:
    kinds = kinds_of(run.stacks)
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
    confident = {float(row["confidence"]) for row in run.groups if row["confidence"]}
    interval_head = " ".join([*(f"{100 * each:.3g} %" for each in confident), "interval"])
    heads |= {"difference": "", interval_head: "", "p": "", "p corrected": "", "warnings": "text"}
    head = "".join(
        f'<th scope="col"{" class=text" * bool(kind)}>{name}</th>' for name, kind in heads.items()
    )
    lines = []
    for row in run.groups[:MAX_COMPARISONS]:
        interval = [_number(row[f"difference_{end}"]) for end in ("low", "high")]
        reasons = "".join(f"<li>{escape(each)}</li>" for each in row["warnings"].split(";") if each)
        cells = [
            f"{_number(row['mean_1'])}, {_number(row['mean_2'])}",
            f"{_number(row['difference'])} {escape(row['unit'])}" if row["difference"] else "–",
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
    return significant(float(cell), 3) if cell else "–"


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
        for i, (name, options) in enumerate(filters_of(run, rows).items())
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
        f'<td class="text" data-name="state">{state_badge(state)}</td>',
        f'<td data-name="score" data-sort="{-number}">{score}</td>',
        f'<td class="text reasons">{f"<ul>{reasons}</ul>" if reasons else ""}</td>',
    ]
    for column in ("count_found", "count_measured", "count_flagged"):
        count = row[column]
        heading = column.removeprefix("count_")
        cells.append(f'<td data-name="{heading}" data-sort="{count}">{count or "–"}</td>')
    median = row["median_equivalent_diameter_um"]
    cells.append(
        f'<td data-name="median diameter" data-sort="{median}">{escape(median_diameter(row))}</td>'
    )
    for column in run.user_columns:
        cell = escape(row.get(column, ""))
        cells.append(f'<td class="text" data-name="{escape(column)}">{cell}</td>')
    return f'<tr data-row="{number}" data-stack="{places[name]}">{"".join(cells)}</tr>\n'


def _further_files(run: Run, paths: Sequence[str]) -> str:
    """Return the section of figures of all stacks, and the list of tables."""
    links = "".join(
        f'<li><a href="{name}"><code>{name}</code></a> {what}</li>'
        for name, what in (TABLES | {name: FURTHER_TABLES[name] for name in run.further}).items()
    )
    figures = [figure_or_link(run, path) for path in paths]
    return f"""<section aria-labelledby="files">
<h2 id="files">Files of all stacks</h2>
<div class="figures">{"".join(figures)}</div>
<p>In the folder of this page:</p>
<ul class="files">{links}</ul>
</section>"""
