"""Section of the gallery: morphological operations on grey values and on the mask."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb

from cellstack.core.types import Mask, RawVolume, Spacing, Volume
from cellstack.enhance.adjust_contrast import adjust_contrast
from cellstack.figures import drawing
from cellstack.figures.colors import COLORS
from cellstack.gallery import panel_figures, views
from cellstack.gallery.panel_figures import ADDED_COLOR, KEPT_COLOR, REMOVED_COLOR
from cellstack.gallery.sections import Panel, Section
from cellstack.gallery.views import View
from cellstack.segment.clean_mask import clean_mask

TITLE = "Morphology"
TEXT = (
    "First on grey values, as a step of adjust_contrast, all with the same range. Then on the "
    "mask of binarize: light grey was kept, vermillion removed, blue added. Erosion, dilation, "
    "opening and closing move outlines, and so change all volumes."
)


def compare_morphology(
    image: RawVolume | Volume,
    mask: Mask,
    spacing: Spacing,
    view: View,
    grey_panels: Sequence[Panel],
    panels: Sequence[Panel],
) -> Section:
    """Compare settings of adjust_contrast and of clean_mask.

    Parameters
    ----------
    image : (Z, Y, X) ndarray of uint8, uint16 or float32
        Intensities, the input of adjust_contrast.
    mask : (Z, Y, X) ndarray of uint8
        The input of clean_mask.
    spacing, view
        See :mod:`cellstack.gallery.sections`.
    grey_panels, panels : list of Panel
        Settings of adjust_contrast and of clean_mask.

    Returns
    -------
    Section
        The panels of adjust_contrast come first.
    """
    part, foreground = views.crop(image, view), views.crop(mask, view)
    before = views.plane_of(foreground, view)
    scale = panel_figures.choose_scale(before.shape, spacing[1:])
    tile = panel_figures.Tile(before.shape, spacing[1:], scale)
    colors = np.array(
        [to_rgb(color) for color in ("black", REMOVED_COLOR, ADDED_COLOR, KEPT_COLOR)]
    )

    def draw_grey(panel: Panel) -> panel_figures.Picture:
        stack = adjust_contrast(part, spacing, **panel["arguments"])
        figure, [[axes]], _ = panel_figures.tile_figure([[tile]])
        drawing.show_image(axes, views.plane_of(stack, view), (0, 1))
        return figure, COLORS, f"{panel['title']}: the plane", f"mean {stack.mean():.3g}"

    def draw_mask(panel: Panel) -> panel_figures.Picture:
        cleaned = clean_mask(foreground, spacing, **panel["arguments"])
        after = views.plane_of(cleaned, view)
        figure, [[axes]], _ = panel_figures.tile_figure([[tile]])
        extent = (*axes.get_xlim(), *axes.get_ylim())
        painted = colors[before + 2 * after]
        axes.imshow(painted, extent=extent, aspect="auto", interpolation="nearest")
        total = max(1, int(np.count_nonzero(foreground)))
        removed = np.count_nonzero(foreground > cleaned) / total
        added = np.count_nonzero(foreground < cleaned) / total
        alt = f"{panel['title']}: what is kept, removed and added in the plane"
        caption = f"removed {removed:.1%}, added {added:.1%} of the foreground"
        return figure, COLORS, alt, caption

    drawn = panel_figures.draw_panels(grey_panels, draw_grey)
    drawn += panel_figures.draw_panels(panels, draw_mask)
    return {"title": TITLE, "text": TEXT, "panels": drawn}
