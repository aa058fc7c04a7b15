"""HTML pages, each in one file: style, frame, provenance, embedded pictures.

A page refers to no file that it needs, so it opens from a disk, from an e-mail and without a
network. Everything that comes from the user is escaped: it is text on the page.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from cellstack import __version__

__all__ = [
    "STYLE",
    "build_page",
    "embed_jpeg",
    "embed_json",
    "embed_png",
    "escape",
    "list_facts",
    "write_keys",
]

STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 1rem 1.5rem 4rem; max-width: 112rem;
  font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.7rem; margin: .4rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.4rem 0 .3rem; padding-top: .6rem; border-top: 1px solid #ccc; }
h3 { font-size: 1rem; margin: 0 0 .4rem; }
p { max-width: 80ch; margin: .3rem 0 .8rem; }
a { color: #0b5394; }
img, svg { max-width: 100%; height: auto; }
.links { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .3rem 0;
  list-style: none; }
.alert { color: #b34700; font-weight: bold; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ddd; }
th { border-bottom: 2px solid #888; }
th[title] { cursor: help; }
dl.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .1rem 1rem;
  margin: .6rem 0 1rem; }
dl.facts dt { color: #555; }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 0; min-width: 0; break-inside: avoid; }
figure img { display: block; }
figcaption, figcaption p { margin: .2rem 0; color: #444; font-size: .9rem; }
svg text { font: 13px system-ui, sans-serif; fill: #1a1a1a; }
.curve polyline { fill: none; stroke-width: 2; }
.curve:hover polyline { stroke-width: 5; }
.keys { list-style: none; padding: 0; columns: 14rem; max-width: 100ch; }
.keys span { display: inline-block; width: 1.6rem; height: 4px; margin-right: .5rem;
  vertical-align: middle; }
footer { margin-top: 3rem; padding-top: .6rem; border-top: 1px solid #ccc; color: #444;
  font-size: .9rem; overflow-wrap: anywhere; }
footer td, footer th { text-align: left; overflow-wrap: anywhere; }
summary { cursor: pointer; }
/* marks of the writing direction in names do not affect the text around them */
a, b, code, label, option, span { unicode-bidi: isolate; } /* blocks are isolated anyway */
:focus-visible { outline: 3px solid #0b5394; outline-offset: 2px; }
@media print {
  body { padding: 0; max-width: none; font-size: 10pt; }
  h2, h3 { break-after: avoid; }
  nav { display: none; }
}
"""


def build_page(
    title: str, body: str, style: str = "", provenance: Mapping[str, Any] | None = None
) -> str:
    """Return a page.

    Parameters
    ----------
    title : str
        Title in the browser, as plain text.
    body : str
        HTML of the body.
    style : str
        CSS after :data:`STYLE`.
    provenance : dict, optional
        Versions and images, see :func:`cellstack.files.provenance.describe_images`. The footer
        lists them in a collapsed section.

    Returns
    -------
    str
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{STYLE}{style}</style>
</head>
<body>
{body}
<footer>{_provenance(provenance or {})}</footer>
</body>
</html>
"""


def _provenance(provenance: Mapping[str, Any]) -> str:
    version = f"cellstack {__version__}"
    if not provenance:
        return version
    commit = provenance["commit"]
    if commit:
        version += f", commit {escape(commit)}"
    libraries = {"Python": provenance["python"]} | provenance["packages"]
    listed = ", ".join(f"{escape(name)} {escape(number)}" for name, number in libraries.items())
    rows = []
    for image in provenance["images"]:
        cells = [image["stack"], image["channel"], image["image"], image["sha256"] or "–"]
        rows.append(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>\n")
    return f"""{version}
<details><summary>Versions of libraries, and hashes of the images</summary>
<p>{listed}</p>
<p>The hash is that of <code>sha256sum</code>; for an image in several files, that of their names
and contents. Images without a hash are simulated, remote or larger than 2 GB.</p>
<div class="wide"><table>
<thead><tr><th>stack</th><th>channel</th><th>image</th><th>SHA-256</th></tr></thead>
<tbody>
{"".join(rows)}</tbody>
</table></div>
</details>"""


def list_facts(facts: Mapping[str, str]) -> str:
    """Return a list of facts with their names.

    Parameters
    ----------
    facts : dict of str to str
        Plain text by name.

    Returns
    -------
    str

    Examples
    --------
    >>> list_facts({"Preset": "a<b"})
    '<dl class="facts"><dt>Preset</dt><dd>a&lt;b</dd></dl>'
    """
    items = [f"<dt>{escape(name)}</dt><dd>{escape(fact)}</dd>" for name, fact in facts.items()]
    return f'<dl class="facts">{"".join(items)}</dl>'


def write_keys(keys: Sequence[tuple[str, str]]) -> str:
    """Return the legend of a chart.

    Parameters
    ----------
    keys : list of (str, str)
        Name, as plain text, and colour.

    Returns
    -------
    str
    """
    items = [
        f'<li><span style="background: {color}"></span>{escape(name)}</li>' for name, color in keys
    ]
    return f'<ul class="keys">{"".join(items)}</ul>'


def embed_png(png: str, alt: str) -> str:
    """Return an image element that contains its picture.

    Parameters
    ----------
    png : str
        PNG file in base64.
    alt : str
        Description for readers who cannot see the picture, as plain text.

    Returns
    -------
    str

    Examples
    --------
    >>> embed_png("iVBORw0KGgo=", "a < b")
    '<img alt="a &lt; b" src="data:image/png;base64,iVBORw0KGgo=">'
    """
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{png}">'


def embed_jpeg(jpeg: str, alt: str) -> str:
    """Return an image element that contains its picture, see :func:`embed_png`."""
    return f'<img alt="{escape(alt)}" src="data:image/jpeg;base64,{jpeg}">'


def embed_json(value: object) -> str:
    r"""Return the script element ``data`` that contains a value as JSON, for scripts of the page.

    No text in the value can end the element.

    Examples
    --------
    >>> embed_json({"stack": "</script>"})
    '<script type="application/json" id="data">{"stack":"\\u003c/script>"}</script>'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f'<script type="application/json" id="data">{text}</script>'
