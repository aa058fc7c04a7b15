"""Details of a stack on the page of a run: facts, flagged objects, quality, settings, files."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cellstack.config.columns import QUALITY_COLUMNS
from cellstack.core.counting import counted, significant
from cellstack.pages.charts import line_chart, line_colors, round_ticks
from cellstack.pages.html import embed_jpeg, embed_png, escape, list_facts, write_keys
from cellstack.pages.index_run import FAILED, PAGES, Key, Row, Run, reasons_of, state_of

HOW_MEASURED = (
    "Signal is the difference between bright and dark regions of a plane: percentile 99 minus "
    "percentile 5 of the means of blocks of 4 x 4 pixels. Below twice the noise of a voxel, it is "
    "lost in the noise. Point at a heading for its definition."
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
FILES = (  # in the folder of a stack, for each kind of object
    ("labels.ome.tif", "measured objects"),
    ("segmentation.tif", "all objects found"),
    ("objects.csv", "table of the measured objects"),
    ("selection.csv", "why objects are not measured"),
)


def state_badge(state: str) -> str:
    """Return the state of a stack with its colour."""
    return f'<span class="state {state}">{state}</span>'


def _corrected(row: Row) -> str:
    """Return how many corrections by hand were applied; empty without corrections.

    Corrected objects are not counted: those that were deleted are not there.
    """
    count = int(row.get("count_corrections") or 0)
    if count == 0:
        return ""
    applied = count - int(row["count_corrections_not_applied"])
    some = "" if applied == count else f"{applied} of "
    return f", {some}{counted(count, 'corrections')} by hand applied"


def median_diameter(row: Row) -> str:
    """Return the median diameter, and in brackets the given or estimated diameter."""
    median = f"{float(found):.3g}" if (found := row["median_equivalent_diameter_um"]) else "–"
    if not row["diameter_um"]:
        return median
    return f"{median} ({float(row['diameter_um']):.3g} {row['diameter_source']})"


def figure_or_link(run: Run, path: str) -> str:
    """Return a figure, or a link to it if it is not on the page."""
    png = run.figures[path]
    if not png:
        return f'<p><a href="{escape(path)}">{escape(path)}</a></p>'
    return (
        f"<figure>{embed_png(png, path)}<figcaption><code>{escape(path)}</code></figcaption>"
        "</figure>"
    )


def stack_details(
    run: Run,
    name: str,
    number: int,
    own: Sequence[Row],
    paths: Sequence[str],
    objects: Mapping[Key, int],
) -> str:
    """Return the details of a stack, which are shown when its name is clicked.

    Parameters
    ----------
    run : Run
    name : str
        Of the stack.
    number : int
        Of the stack on the page.
    own : list of dict of str to str
        Its rows of stacks.csv, one per kind of object.
    paths : list of str
        Its figures.
    objects : dict of (str, str) to int
        How many flagged objects are shown, by stack and kind of object.

    Returns
    -------
    str
        An HTML template with the identifier ``details-NUMBER``.
    """
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
    if figures := [figure_or_link(run, path) for path in paths]:
        parts.append(f'<h3>Figures</h3><div class="figures">{"".join(figures)}</div>')
    parts.append(_settings(run, name))
    done = [row["object"] for row in own if state_of(row) != FAILED]
    parts.append(_files(run, name, done, paths))
    return f'<template id="details-{number}">{"".join(parts)}</template>\n'


def _kind_details(run: Run, row: Row, shown: int) -> str:
    kind, state = row["object"], state_of(row)
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in reasons_of(row))
    parts = [f"<h3>{escape(kind.capitalize())} {state_badge(state)}</h3>"]
    if state != FAILED:
        parts.append(
            f"<p>{row['count_found']} found, {row['count_measured']} measured, "
            f"{row['count_flagged']} flagged{_corrected(row)}. "
            f"Median diameter in µm: {escape(median_diameter(row))}."
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
            f" <span class=none>(picture {each['width_um']:.3g} µm wide)</span>"
            "</figcaption></figure>"
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
    return "–" if value is None else significant(value, 3)


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
