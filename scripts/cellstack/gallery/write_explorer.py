"""Page to explore a stack by hand: planes, contrast, stages and methods side by side."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cellstack.core.types import Spacing
from cellstack.gallery.explorer_script import SCRIPT, STYLE
from cellstack.pages.html import build_page, embed_json, escape, list_facts

if TYPE_CHECKING:
    from cellstack.gallery.explorer_layers import Grid, Layer  # it imports NumPy and Pillow

GROUPS = {  # of layers with another name on the page
    "adjust_contrast": "methods of adjust_contrast",
    "denoise": "methods of denoise",
    "detect_edges": "methods of detect_edges",
    "binarize": "masks by the methods of binarize",
    "sweep": "nuclei in rows of the sweep",
}
HOW_TO = (
    "Choose an image and the outlines drawn over it in each panel. Move the sliders, or select one "
    "and press the arrow keys, to go through the planes. Click in an image to go to that place "
    "in all panels. Point at an image to read the value and the position in µm, which you can use "
    "in a table of corrections or of seed points."
)
SCALE = (
    "Images have 256 grey levels between the lowest and the highest value of the sliders; "
    "brighter pixels have the highest level. Compression changes values slightly: measure in the "
    "files, not on this page."
)


def write_explorer(
    layers: Sequence["Layer"],
    grid: "Grid",
    spacing: Spacing,
    objects: Mapping[str, Mapping[int, str]],
    *,
    stack: str,
    note: str,
    provenance: Mapping[str, Any] | None = None,
) -> str:
    """Return the page to explore a stack.

    Parameters
    ----------
    layers : list of Layer
        See :mod:`cellstack.gallery.explorer_layers`.
    grid : Grid
        Their pixels.
    spacing : (3,) sequence of float
        Voxel size of the stack along z, y, x in um.
    objects : dict of str to dict of int to str
        Text for each label of a layer, see
        :func:`cellstack.gallery.explorer_layers.describe_objects`.
    stack : str
        Name of the stack.
    note : str
        A warning shown at the top; may be empty.
    provenance : dict, optional
        See :func:`cellstack.pages.html.build_page`.

    Returns
    -------
    str
        HTML, which contains all images.
    """
    warning = f'<p class="alert">{escape(note)}</p>' if note else ""
    data = {
        "shape": grid.shown,
        "first": [grid.first, (grid.pixels - 1) / 2, (grid.pixels - 1) / 2],
        "steps": [grid.planes, grid.pixels, grid.pixels],
        "spacing": spacing,
        "layers": [layer | {"group": _name(layer["group"])} for layer in layers],
        "objects": objects,
    }
    body = f"""<header>
<h1>Explore {escape(stack)}</h1>
{warning}
{list_facts(_facts(grid, spacing))}
<details><summary>How to use this page</summary><p>{HOW_TO}</p><p>{SCALE}</p></details>
</header>
<main>
<noscript><p class="alert">This page needs JavaScript, which this browser does not run.</p>
</noscript>
<div id="controls">
<label>z <input id="z" type="range" min="0"> <output for="z"></output></label>
<label class="sides">y <input id="y" type="range" min="0"> <output for="y"></output></label>
<label class="sides">x <input id="x" type="range" min="0"> <output for="x"></output></label>
<label>zoom <input id="zoom" type="range" min="1" max="8" step="0.5" value="1">
<output for="zoom"></output></label>
<label>panels <select id="count"><option>1</option><option selected>2</option><option>3</option>
<option>4</option></select></label>
<label><input id="sides" type="checkbox"> three views</label>
<label><input id="linked" type="checkbox"> same contrast limits as panel 1</label>
</div>
<p id="pointed" role="status">&nbsp;</p>
<div id="panels"></div>
</main>
{embed_json(data)}
<script>{SCRIPT}</script>"""
    return build_page(f"{stack}: explore", body, STYLE, provenance)


def _name(group: str) -> str:
    return GROUPS.get(group, group)


def _facts(grid: "Grid", spacing: Spacing) -> dict[str, str]:
    (z, y, x), (dz, dy, dx) = grid.shape, spacing
    facts = {
        "Stack": (
            f"{x} × {y} × {z} voxels of {dx:.4g} × {dy:.4g} × {dz:.4g} µm (x, y, z): "
            f"{x * dx:.4g} × {y * dy:.4g} × {z * dz:.4g} µm"
        )
    }
    reduced = []
    if grid.pixels > 1:
        reduced.append(
            f"squares of {grid.pixels} × {grid.pixels} pixels in x and y are averaged, and labels "
            "sampled"
        )
    if grid.planes > 1:
        reduced.append(f"one of every {grid.planes} planes is shown")
    if reduced:
        facts["Reduced"] = f"{'; '.join(reduced)}. The files have all voxels"
    return facts
