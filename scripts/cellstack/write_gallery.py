"""The page of the gallery: one HTML file that holds its pictures, so that it opens from disk, in a mail and without a network."""

import html

import yaml

from cellstack.sizes import in_um

STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 1rem 1.5rem 4rem; max-width: 100rem;
  font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.7rem; margin: .4rem 0; }
h2 { font-size: 1.3rem; margin: 2.4rem 0 .3rem; padding-top: .6rem; border-top: 1px solid #ccc; }
h3 { font-size: 1rem; margin: 0 0 .4rem; }
p { max-width: 75ch; margin: .3rem 0 .8rem; }
a { color: #0b5394; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .6rem 0 1rem; }
dt { color: #555; }
dd { margin: 0; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .3rem 0; list-style: none; }
.alert { color: #b34700; font-weight: bold; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr)); gap: 1.4rem 1.6rem; align-items: start; }
.panels.medium { grid-template-columns: repeat(auto-fill, minmax(min(100%, 36rem), 1fr)); }
figure { margin: 0; min-width: 0; break-inside: avoid; }
figure.wide { grid-column: 1 / -1; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption p { margin: .2rem 0; color: #444; font-size: .9rem; }
.own { margin-left: .5rem; padding: 0 .45rem; border-radius: .6rem; background: #0b5394; color: #fff;
  font-size: .8rem; font-weight: normal; }
pre { margin: .3rem 0 0; padding: .5rem .7rem; background: #f3f3f3; border: 1px solid #ddd; font: 13px/1.4 ui-monospace, monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; }
@media print {
  body { padding: 0; max-width: none; font-size: 10pt; }
  .panels, .panels.medium { grid-template-columns: 1fr 1fr; }
  h2, h3 { break-after: avoid; }
  nav { display: none; }
}
"""
MEDIUM, WIDE = 640, 1040  # pixels: pictures wider than this get columns of more width, and the whole width
HOW_TO = (
    "The box below a picture is a piece of configuration. Put it into <code>config.yaml</code> to get for all stacks what the picture "
    "shows for this one; a block of that name that is there already gives way to it. “d” stands for the diameter of an object, “v” for "
    "the volume of a sphere of that diameter. What a picture does not change is as you have it configured."
)


def write_gallery(sections, view, *, stack, note, diameter_um, preset):
    """Write the page of one stack.

    Parameters
    ----------
    sections : dict of str to dict
        By name, in their order: ``title``, ``text`` and ``panels`` as of :func:`cellstack.gallery_figures.draw_panels`.
    view : dict
        As of :func:`cellstack.choose_view.choose_view`.
    stack : str
        Name of the stack.
    note : str
        A warning to print, or nothing.
    diameter_um : float
        Diameter of an object in um.
    preset : str
        The preset of the stack.

    Returns
    -------
    str
        HTML that names no other file. Pictures stand in it as data.
    """
    title = html.escape(stack)
    listed = "".join(f'<li><a href="#{name}">{html.escape(section["title"])}</a></li>' for name, section in sections.items())
    facts = "".join(f"<dt>{name}</dt><dd>{html.escape(fact)}</dd>" for name, fact in _facts(view, diameter_um, preset).items())
    warning = f'<p class="alert">{html.escape(note)}</p>' if note else ""
    body = "\n".join(_section(name, section, diameter_um) for name, section in sections.items())
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}: gallery</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>Gallery of {title}</h1>
{warning}
<dl>{facts}</dl>
<p>{HOW_TO}{_preset_note(preset)}</p>
<nav aria-label="Contents"><ul>{listed}</ul></nav>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def _facts(view, diameter_um, preset):
    (z, y, x), (dz, dy, dx) = view["shape"], view["spacing"]
    sides = [last - first for first, last in view["region"]]
    size = " × ".join(f"{side * step:.4g}" for side, step in zip(sides[::-1], (dx, dy, dz), strict=True))
    spans = ", ".join(f"{axis} {first} to {last - 1}" for axis, (first, last) in zip("xyz", view["region"][::-1], strict=True))
    is_whole = sides == view["shape"]
    region = (
        "the whole stack" if is_whole else f"{size} µm (x, y, z) of it: voxels {spans}. What is compared is computed on this part alone"
    )
    return {
        "Stack": f"{x} × {y} × {z} voxels of {dx:.4g} × {dy:.4g} × {dz:.4g} µm (x, y, z): {x * dx:.4g} × {y * dy:.4g} × {z * dz:.4g} µm",
        "Diameter": f"{diameter_um:g} µm",
        "Preset": preset,
        "Region": region,
        "Shown": f"plane {view['plane']}, counted from 0; profile along row {view['row']}. choose_view in the configuration sets them",
    }


def _preset_note(preset):
    if preset == "default":
        return ""
    name = html.escape(preset)
    return (
        f" This stack has the preset <code>{name}</code>, which goes before the configuration: where both name a stage, change the preset."
    )


def _section(name, section, diameter_um):
    panels = "\n".join(_panel(panel, diameter_um) for panel in section["panels"]) or '<p class="alert">There are no objects to show.</p>'
    is_medium = any(MEDIUM < panel["width"] <= WIDE for panel in section["panels"])
    return (
        f'<section id="{name}">\n<h2>{html.escape(section["title"])}</h2>\n<p>{html.escape(section["text"])}</p>\n'
        f'<div class="panels{" medium" if is_medium else ""}">\n{panels}\n</div>\n</section>'
    )


def _panel(panel, diameter_um):
    own = '<span class="own">as you have it</span>' if panel["is_own"] else ""
    picture = f'<img alt="{html.escape(panel["alt"])}" src="data:image/png;base64,{panel["png"]}">\n' if panel["png"] else ""
    caption = f"<p>{html.escape(panel['caption'])}</p>" if panel["caption"] else ""
    if panel["snippet"]:
        sizes = ", ".join(f"{size} = {text}" for size, text in _sizes(panel["snippet"], diameter_um).items())
        caption += f"<pre><code>{html.escape(as_yaml(panel['snippet']))}</code></pre>" + (f"<p>{sizes}</p>" if sizes else "")
    width = ' class="wide"' if panel["width"] > WIDE else ""
    return f"<figure{width}>\n<h3>{html.escape(panel['title'])}{own}</h3>\n{picture}<figcaption>{caption}</figcaption>\n</figure>"


def as_yaml(snippet):
    """Write a piece of configuration as a user would.

    Parameters
    ----------
    snippet : dict

    Returns
    -------
    str
        YAML: a block per stage and key, what is below in one line.
    """
    return yaml.safe_dump(snippet, sort_keys=False, default_flow_style=None, allow_unicode=True, width=10_000)  # the browser wraps


def _sizes(value, diameter_um):
    """Tell what each size in a snippet comes to, in the order in which they stand there."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return {size: text for part in value for size, text in _sizes(part, diameter_um).items()}
    number = in_um(value, diameter_um)
    return {} if number is value else {value: f"{number:g} {'µm' if value.endswith('d') else 'µm³'}"}
