"""Section of the gallery: the methods of correct_background, in a plane and from the side."""

from collections.abc import Sequence

from cellstack.core.types import RawVolume, Spacing
from cellstack.enhance.correct_background import correct_background
from cellstack.figures import drawing
from cellstack.figures.colors import COLORS
from cellstack.gallery import panel_figures, views
from cellstack.gallery.sections import Panel, Section
from cellstack.gallery.views import View

TITLE = "Background"
TEXT = (
    "The plane, and below it a side view along the row, with z downwards. Each picture has its own "
    "range. The corrected stack is used for segmentation only; intensities are measured on "
    "the raw values."
)


def compare_background(
    raw: RawVolume, spacing: Spacing, view: View, panels: Sequence[Panel]
) -> Section:
    """Compare settings of correct_background.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray of uint8, uint16 or float32
        Intensities.
    spacing, view, panels
        See :mod:`cellstack.gallery.sections`.

    Returns
    -------
    Section
    """
    part = views.crop(raw, view)

    def draw(panel: Panel) -> panel_figures.Picture:
        stack = correct_background(part, spacing, **panel["arguments"])
        plane, side = views.plane_of(stack, view), views.row_of(stack, view)
        limits = drawing.display_range(plane, side)
        scale = panel_figures.choose_scale(plane.shape, spacing[1:])
        tiles = [
            [panel_figures.Tile(plane.shape, spacing[1:], scale)],
            [panel_figures.Tile(side.shape, spacing[::2], scale)],
        ]
        figure, [[above], [below]], _ = panel_figures.tile_figure(tiles)
        drawing.show_image(above, plane, limits)
        drawing.show_image(below, side, limits)
        caption = drawing.describe_range(limits)
        return figure, COLORS, f"{panel['title']}: plane and side view", caption

    return {"title": TITLE, "text": TEXT, "panels": panel_figures.draw_panels(panels, draw)}
