"""Morphology side by side: of grey values, and of the mask, with what each operation takes from it and adds to it."""

import numpy as np
from matplotlib.colors import to_rgb

from cellstack import figures, gallery_figures, views
from cellstack.adjust_contrast import adjust_contrast
from cellstack.clean_mask import clean_mask

TITLE = "Morphology"
TEXT = (
    "First on grey values, as a step of adjust_contrast, all with the same range of grey; then on the mask of binarize: light grey is "
    "kept, vermillion was removed, blue was added. Erosion, dilation, opening and closing move outlines, and with them all volumes."
)


def compare_morphology(image, mask, spacing, view, grey_panels, panels):
    """Draw what several settings of adjust_contrast and clean_mask change in the plane of a view.

    Parameters
    ----------
    image : (Z, Y, X) ndarray of uint8, uint16 or float32
        What adjust_contrast starts from.
    mask : (Z, Y, X) ndarray of uint8
        As binarize made it.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    view : dict
        As of :func:`cellstack.choose_view.choose_view`.
    grey_panels, panels : list of dict
        As of :func:`cellstack.gallery_panels.list_panels` for adjust_contrast and for clean_mask.

    Returns
    -------
    dict
        ``title``, ``text`` and ``panels`` as of :func:`cellstack.gallery_figures.draw_panels`, the grey ones first.
    """
    part, foreground = (views.crop(stack, view) for stack in (image, mask))
    before = views.plane_of(foreground, view)
    tile = gallery_figures.Tile(before.shape, spacing[1:], gallery_figures.scale_of(before.shape, spacing[1:]))
    colors = np.array([to_rgb(color) for color in ("black", gallery_figures.REMOVED, gallery_figures.ADDED, gallery_figures.KEPT)])

    def draw_grey(panel):
        stack = adjust_contrast(part, spacing, **panel["arguments"])
        figure, [[axes]], _ = gallery_figures.tile_figure([[tile]])
        figures.show_image(axes, views.plane_of(stack, view), (0, 1))
        return figure, figures.COLORS, f"{panel['title']}: the plane", f"mean {stack.mean():.3g}"

    def draw_mask(panel):
        cleaned = clean_mask(foreground, spacing, **panel["arguments"])
        after = views.plane_of(cleaned, view)
        figure, [[axes]], _ = gallery_figures.tile_figure([[tile]])
        extent = (*axes.get_xlim(), *axes.get_ylim())
        axes.imshow(colors[before + 2 * after], extent=extent, aspect="auto", interpolation="nearest")
        whole = max(1, np.count_nonzero(foreground))
        removed, added = np.count_nonzero(foreground > cleaned) / whole, np.count_nonzero(foreground < cleaned) / whole
        caption = f"removed {removed:.1%}, added {added:.1%} of the foreground"
        return figure, figures.COLORS, f"{panel['title']}: what is kept, removed and added in the plane", caption

    drawn = gallery_figures.draw_panels(grey_panels, draw_grey) + gallery_figures.draw_panels(panels, draw_mask)
    return {"title": TITLE, "text": TEXT, "panels": drawn}
