"""Section of the gallery: the methods of denoise, with two objects enlarged."""

from collections.abc import Sequence

import numpy as np

from cellstack.core.types import Spacing, Volume
from cellstack.enhance.denoise import denoise
from cellstack.figures import drawing
from cellstack.figures.colors import COLORS
from cellstack.gallery import panel_figures, views
from cellstack.gallery.sections import Panel, Section
from cellstack.gallery.views import View

TITLE = "Denoising"
TEXT = (
    "The region, and below it two neighbouring objects, all with the same range. A filter "
    "should remove the noise, and keep the edges of objects and the gaps between them."
)
SLAB_DIAMETERS = 0.5  # planes farther from the view are left out, as some methods are slow


def compare_denoising(
    contrast: Volume,
    spacing: Spacing,
    view: View,
    diameter_um: float,
    panels: Sequence[Panel],
) -> Section:
    """Compare settings of denoise.

    Parameters
    ----------
    contrast : (Z, Y, X) ndarray of float32
        Intensities in [0, 1].
    spacing, view, panels
        See :mod:`cellstack.gallery.sections`.
    diameter_um : float
        Diameter of the objects in um. Planes farther than half of it from that of the view are
        left out.

    Returns
    -------
    Section
    """
    part, view = views.slab(views.crop(contrast, view), view, SLAB_DIAMETERS * diameter_um)
    limits = drawing.display_range(views.plane_of(part, view))

    def draw(panel: Panel) -> panel_figures.Picture:
        stack = denoise(part, spacing, **panel["arguments"])
        images = [views.plane_of(stack, view, zoomed) for zoomed in (False, True)]
        tiles = []
        for image in images:
            scale = panel_figures.choose_scale(image.shape, spacing[1:])
            tiles.append([panel_figures.Tile(image.shape, spacing[1:], scale)])
        figure, rows, _ = panel_figures.tile_figure(tiles)
        for [axes], image in zip(rows, images, strict=True):
            drawing.show_image(axes, image, limits)
        change = np.sqrt(np.mean((stack - part) ** 2))
        caption = f"values change by {change:.2g} (root mean square)"
        return figure, COLORS, f"{panel['title']}: plane, and two objects enlarged", caption

    return {"title": TITLE, "text": TEXT, "panels": panel_figures.draw_panels(panels, draw)}
