"""Page of the gallery of a stack, which contains all sections."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from cellstack.config.lengths import in_um
from cellstack.core.counting import significant
from cellstack.gallery.sections import DrawnPanel, Section
from cellstack.pages.html import build_page, embed_png, escape, list_facts

if TYPE_CHECKING:
    from cellstack.gallery.views import View  # it imports NumPy

STYLE = """
body { max-width: 100rem; }
p { max-width: 75ch; }
.panels { display: grid; gap: 1.4rem 1.6rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr)); }
.panels.medium { grid-template-columns: repeat(auto-fill, minmax(min(100%, 36rem), 1fr)); }
figure.full { grid-column: 1 / -1; }
.own { margin-left: .5rem; padding: 0 .45rem; border-radius: .6rem; background: #0b5394;
  color: #fff; font-size: .8rem; font-weight: normal; }
pre { margin: .3rem 0 0; padding: .5rem .7rem; background: #f3f3f3; border: 1px solid #ddd;
  font: 13px/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
td.text { text-align: left; white-space: pre-wrap; }
@media print {
  .panels, .panels.medium { grid-template-columns: 1fr 1fr; }
}
"""
MEDIUM_WIDTH, WIDE_WIDTH = 640, 1040  # pixels, above which a picture gets more width on the page
HOW_TO = (
    "The box below a picture is a piece of configuration. Paste it into <code>config.yaml</code> "
    "to use these settings for all stacks; it replaces the block of the same name. “d” stands for "
    "the diameter of an object, “v” for the volume of a sphere of that diameter. Each picture "
    "changes only the settings in its box; all others are as configured."
)


def write_gallery(
    sections: Mapping[str, Section],
    view: "View",
    *,
    stack: str,
    note: str,
    diameter_um: float,
    preset: str,
    provenance: Mapping[str, Any] | None = None,
) -> str:
    """Return the page of the gallery of a stack.

    Parameters
    ----------
    sections : dict of str to Section
        By name, in the order of the page.
    view : View
    stack : str
        Name of the stack.
    note : str
        A warning shown at the top; may be empty.
    diameter_um : float
        Diameter of the objects in um.
    preset : str
        Preset of the stack.
    provenance : dict, optional
        See :func:`cellstack.pages.html.build_page`.

    Returns
    -------
    str
        HTML.
    """
    title = escape(stack)
    links = []
    for name, section in sections.items():
        links.append(f'<li><a href="#{name}">{escape(section["title"])}</a></li>')
    warning = f'<p class="alert">{escape(note)}</p>' if note else ""
    content = "\n".join(_section(name, section, diameter_um) for name, section in sections.items())
    body = f"""<header>
<h1>Gallery of {title}</h1>
{warning}
{list_facts(_facts(view, diameter_um, preset))}
<p>{HOW_TO}{_preset_note(preset)}</p>
<nav aria-label="Contents"><ul class="links">{"".join(links)}</ul></nav>
</header>
<main>
{content}
</main>"""
    return build_page(f"{stack}: gallery", body, STYLE, provenance)


def _facts(view: "View", diameter_um: float, preset: str) -> dict[str, str]:
    """Return what is shown, by name."""
    (z, y, x), (dz, dy, dx) = view["shape"], view["spacing"]
    sides = [last - first for first, last in view["region"]]
    region = "the whole stack"
    if sides != view["shape"]:
        lengths, voxels = [], []
        for axis in (2, 1, 0):
            first, last = view["region"][axis]
            lengths.append(f"{sides[axis] * view['spacing'][axis]:.4g}")
            voxels.append(f"{'zyx'[axis]} {first} to {last - 1}")
        region = (
            f"{' × '.join(lengths)} µm (x, y, z) of the stack: voxels {', '.join(voxels)}. "
            "Comparisons are computed on this part alone"
        )
    return {
        "Stack": (
            f"{x} × {y} × {z} voxels of {dx:.4g} × {dy:.4g} × {dz:.4g} µm (x, y, z): "
            f"{x * dx:.4g} × {y * dy:.4g} × {z * dz:.4g} µm"
        ),
        "Diameter": f"{diameter_um:g} µm",
        "Preset": preset,
        "Region": region,
        "Shown": (
            f"plane {view['plane']}, counted from 0; profile along row {view['row']}. "
            "To change them, set choose_view in the configuration"
        ),
    }


def _preset_note(preset: str) -> str:
    if preset == "default":
        return ""
    return (
        f" This stack has the preset <code>{escape(preset)}</code>, which takes precedence over "
        "the configuration: to change a stage that the preset sets, change the preset."
    )


def _section(name: str, section: Section, diameter_um: float) -> str:
    panels = "\n".join(_panel(panel, diameter_um) for panel in section["panels"])
    table = _table(section.get("table", []))
    panels = panels or ("" if table else '<p class="alert">There are no objects to show.</p>')
    is_medium = any(MEDIUM_WIDTH < panel["width"] <= WIDE_WIDTH for panel in section["panels"])
    return f"""<section id="{name}">
<h2>{escape(section["title"])}</h2>
<p>{escape(section["text"])}</p>
<div class="panels{" medium" if is_medium else ""}">
{panels}
</div>
{table}</section>"""


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of rows, without columns that are empty in all of them."""
    columns = [name for name in (rows[0] if rows else ()) if any(row[name] for row in rows)]
    if not columns:
        return ""
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(_cell(row[name]) for name in columns)}</tr>\n" for row in rows)
    return f"""<div class="wide"><table>
<thead><tr>{head}</tr></thead>
<tbody>
{body}</tbody>
</table></div>
"""


def _cell(value: object) -> str:
    if value is None or isinstance(value, str):
        text = "<br>".join(escape(line) for line in (value or "").splitlines())
        return f'<td class="text">{text}</td>'
    return f"<td>{significant(value, 3)}</td>" if isinstance(value, float) else f"<td>{value}</td>"


def _panel(panel: DrawnPanel, diameter_um: float) -> str:
    own = '<span class="own">your settings</span>' if panel["is_own"] else ""
    picture = f"{embed_png(panel['png'], panel['alt'])}\n" if panel["png"] else ""
    caption = f"<p>{escape(panel['caption'])}</p>" if panel["caption"] else ""
    if panel["snippet"]:
        caption += f"<pre><code>{escape(as_yaml(panel['snippet']))}</code></pre>"
        sizes = _sizes_in_um(panel["snippet"], diameter_um)
        if sizes:
            listed = ", ".join(f"{size} = {text}" for size, text in sizes.items())
            caption += f"<p>{listed}</p>"
    width = ' class="full"' if panel["width"] > WIDE_WIDTH else ""
    return f"""<figure{width}>
<h3>{escape(panel["title"])}{own}</h3>
{picture}<figcaption>{caption}</figcaption>
</figure>"""


def as_yaml(snippet: Mapping[str, Any]) -> str:
    """Return a piece of configuration as YAML, in the style of a configuration file.

    Parameters
    ----------
    snippet : dict

    Returns
    -------
    str
        One line per key of a stage.

    Examples
    --------
    >>> print(as_yaml({"denoise": {"method": "median", "median": {"radius_um": 0.5}}}), end="")
    denoise:
      method: median
      median: {radius_um: 0.5}
    """
    return yaml.safe_dump(
        snippet,
        sort_keys=False,
        default_flow_style=None,
        allow_unicode=True,
        width=10_000,  # the browser wraps lines
    )


def _sizes_in_um(value: Any, diameter_um: float) -> dict[str, str]:
    """Return each size in a snippet that depends on the diameter, with its value in um or um3."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        sizes: dict[str, str] = {}
        for part in value:
            sizes |= _sizes_in_um(part, diameter_um)
        return sizes
    number = in_um(value, diameter_um)
    if number is value:
        return {}
    return {value: f"{number:g} {'µm' if value.endswith('d') else 'µm³'}"}
