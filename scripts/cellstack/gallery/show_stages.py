"""Section of the gallery: the result of each stage, as configured."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from cellstack.core.counting import counted
from cellstack.core.labels import find_boxes, highest_label
from cellstack.core.planes import Stack
from cellstack.core.types import Spacing
from cellstack.figures import drawing, outlines
from cellstack.figures.colors import COLORS
from cellstack.gallery import panel_figures, views
from cellstack.gallery.sections import Panel, Section
from cellstack.gallery.views import View

TITLE = "The stages as configured"
TEXT = (
    "The result of each stage in the plane, from the raw stack to the measured objects, with the "
    "settings of the stage. The comparisons below show the results of other settings."
)
GREY_IMAGES = ("raw", "corrected", "contrast", "denoised")
MASKS = ("mask", "mask_clean")
NEAR_DIAMETERS = 0.5  # largest distance of a seed from the plane in which it is shown


def show_stages(
    stages: Mapping[str, Stack],
    spacing: Spacing,
    view: View,
    diameter_um: float,
    panels: Sequence[Panel],
) -> Section:
    """Show the result of each stage in the plane of a view.

    Parameters
    ----------
    stages : dict of str to (Z, Y, X) ndarray or stack
        ``raw``, ``contrast``, ``denoised``, ``mask``, ``mask_clean``, ``distance``, ``seeds``, the
        label images ``components``, ``watershed``, ``merged``, ``segmentation`` and ``labels``, and
        ``corrected`` if there is one.
    spacing, view
        See :mod:`cellstack.gallery.sections`.
    diameter_um : float
        Diameter of the objects in um.
    panels : list of Panel
        Each with its ``snippet``, and the name of its ``image`` in `stages`, or ``views`` for the
        raw stack in three planes at right angles.

    Returns
    -------
    Section
    """
    shown = {name: views.read_plane(stack, view) for name, stack in stages.items()}
    raw, denoised = shown["raw"], shown["denoised"]
    scale = panel_figures.choose_scale(raw.shape, spacing[1:])
    tile = panel_figures.Tile(raw.shape, spacing[1:], scale)

    def draw(panel: Panel) -> panel_figures.Picture:
        name, alt = panel["image"], f"{panel['title']}: the plane"
        if name == "views":
            figure, caption = _draw_views(stages["raw"], raw, spacing, view, scale)
            return figure, (), f"{panel['title']}: sections along x, y and z", caption
        if name == "distance":
            figure, caption = _draw_distance(
                shown[name], stages["seeds"], spacing, view, diameter_um, tile
            )
            return figure, (), alt, caption
        figure, [[axes]], _ = panel_figures.tile_figure([[tile]])
        if name in GREY_IMAGES:
            limits = drawing.display_range(shown[name])
            drawing.show_image(axes, shown[name], limits)
            caption = drawing.describe_range(limits)
        elif name in MASKS:
            limits = drawing.display_range(denoised)
            panel_figures.show_mask(axes, denoised, limits, shown[name], spacing[1:])
            foreground = sum(np.count_nonzero(plane) for plane in stages[name])
            caption = f"foreground: {foreground / stages[name].size:.1%} of the stack"
        else:
            boxes = find_boxes(stages[name])
            limits, colors = drawing.display_range(raw), outlines.label_colors(boxes)
            panel_figures.show_labels(axes, raw, limits, shown[name], spacing[1:], colors)
            kind = "components" if name == "components" else "objects"
            caption = f"{counted(len(boxes), kind)} in the stack"
        return figure, COLORS, alt, caption

    return {"title": TITLE, "text": TEXT, "panels": panel_figures.draw_panels(panels, draw)}


def _draw_views(
    stack: Stack, plane: np.ndarray, spacing: Spacing, view: View, scale: float
) -> tuple[Figure, str]:
    """Draw three sections at right angles, one of them the plane; also return the caption."""
    region = views.crop(stack, view)
    (_, (first_row, last_row), (first_column, _)) = view["region"]
    row = min(max(view["row"], first_row), last_row - 1)  # it may lie outside
    column = region.shape[2] // 2
    sections = ((plane, region[:, :, column].T), (region[:, row - first_row],))
    z, y, x = spacing
    steps = (((y, x), (y, z)), ((z, x),))
    names = (
        (f"plane {view['plane']}", f"column {first_column + column}"),
        (f"row {row}",),
    )
    tiles = [
        [
            panel_figures.Tile(image.shape, step, scale, title)
            for image, step, title in zip(*each, strict=True)
        ]
        for each in zip(sections, steps, names, strict=True)
    ]
    figure, axes, _ = panel_figures.tile_figure(tiles)
    limits = drawing.display_range(plane)
    for panels_of_row, images in zip(axes, sections, strict=True):
        for axis, image in zip(panels_of_row, images, strict=True):
            drawing.show_image(axis, image, limits)
    caption = f"x and y, z and y, x and z; {drawing.describe_range(limits)}"
    return figure, caption


def _draw_distance(
    image: np.ndarray,
    seeds: Stack,
    spacing: Spacing,
    view: View,
    diameter_um: float,
    tile: panel_figures.Tile,
) -> tuple[Figure, str]:
    """Draw the distance map, and the seeds near the plane; also return the caption."""
    figure, [[axes]], bottom = panel_figures.tile_figure(
        [[tile]], below=panel_figures.COLOR_BAR_HEIGHT
    )
    limits = (0, float(image.max(initial=0)) or 1.0)
    artist = drawing.show_image(axes, image, limits, "viridis")
    panel_figures.add_color_bar(figure, artist, bottom, "distance to background, µm")
    points = panel_figures.centroids(views.crop(seeds, view))
    distances = np.abs(points[:, 0] - (view["plane"] - view["region"][0][0])) * spacing[0]
    is_near = distances <= NEAR_DIAMETERS * diameter_um
    panel_figures.show_points(axes, points[is_near, 1:], spacing[1:])
    caption = (
        f"{counted(highest_label(seeds), 'seeds')} in the stack; those at most half "
        "a diameter from the plane are marked"
    )
    return figure, caption
