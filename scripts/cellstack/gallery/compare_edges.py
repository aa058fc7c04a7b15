"""Section of the gallery: the methods of detect_edges in three views, and their difference."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellstack.core.types import Spacing, Volume
from cellstack.enhance.detect_edges import detect_edges
from cellstack.figures import drawing
from cellstack.gallery import panel_figures, views
from cellstack.gallery.panel_figures import Tile
from cellstack.gallery.sections import Panel, Section
from cellstack.gallery.views import View

TITLE = "Edges"
TEXT = (
    "Gradient magnitude of the denoised stack per µm, seen along z (large), along x (right) and "
    "along y (below), in the plane and the row of the view and the middle column. Edge filters "
    "applied slice by slice do not detect edges towards the planes above and below. This stage "
    "runs only if the method of split_objects uses edges."
)
WIDTH = 560  # pixels of the plane and the view along x together
DIFFERENCE_COLORS = "PuOr_r"  # orange and violet, which colour-blind readers can tell apart
UPPER_PERCENTILE = 99.8  # of all values of a method, shown in the brightest colour


def compare_edges(
    denoised: Volume, spacing: Spacing, view: View, panels: Sequence[Panel]
) -> Section:
    """Compare settings of detect_edges.

    Parameters
    ----------
    denoised : (Z, Y, X) ndarray of float32
        Denoised intensities.
    spacing, view, panels
        See :mod:`cellstack.gallery.sections`; two panels at least.

    Returns
    -------
    Section
        After the panels comes one of the first minus the second.
    """
    part = views.crop(denoised, view)
    shown = {}
    for panel in panels:
        edges = detect_edges(part, spacing, **panel["arguments"])
        shown[panel["title"]] = _three_views(edges, view)
    highest = max(
        float(np.percentile(np.concatenate([image.ravel() for image in images]), UPPER_PERCENTILE))
        for images in shown.values()
    )
    first, second, *_ = shown
    difference = f"{first} − {second}"
    shown[difference] = [
        one - other for one, other in zip(shown[first], shown[second], strict=True)
    ]
    largest = max(float(np.abs(image).max(initial=0)) for image in shown[difference])

    def draw(panel: Panel) -> panel_figures.Picture:
        images = shown[panel["title"]]
        figure, axes_of_views, bottom = _lay_out(images, spacing)
        if panel["title"] == difference:
            limits, colors = (-largest or -1.0, largest or 1.0), DIFFERENCE_COLORS
            caption = "orange: stronger in the first; violet: stronger in the second"
        else:
            limits, colors, caption = (0.0, highest or 1.0), "viridis", ""
        for axes, image in zip(axes_of_views, images, strict=True):
            artist = drawing.show_image(axes, image, limits, colors)
        panel_figures.add_color_bar(figure, artist, bottom, "per µm")
        return figure, (), f"{panel['title']}: strength of edges seen along z, x and y", caption

    drawn = panel_figures.draw_panels([*panels, {"title": difference}], draw)
    return {"title": TITLE, "text": TEXT, "panels": drawn}


def _three_views(stack: Volume, view: View) -> list[Volume]:
    """Return the plane, the middle column with z to the right, and the row with z downwards."""
    column = stack[:, :, stack.shape[2] // 2].T
    return [views.plane_of(stack, view), column, views.row_of(stack, view)]


def _lay_out(images: list[Volume], spacing: Spacing) -> tuple[Figure, list[Axes], float]:
    z, y, x = spacing
    plane, column, row = (image.shape for image in images)
    width = WIDTH * plane[1] * x / (plane[1] * x + column[1] * z)
    scale = panel_figures.choose_scale(plane, (y, x), width)
    tiles = [
        [
            Tile(plane, (y, x), scale, "plane (y down, x across)", has_bar=False),
            Tile(column, (y, z), scale, "along x", has_bar=False),
        ],
        [Tile(row, (z, x), scale, "along y (z down, x across)")],
    ]
    figure, axes, bottom = panel_figures.tile_figure(tiles, panel_figures.COLOR_BAR_HEIGHT)
    return figure, [*axes[0], *axes[1]], bottom
