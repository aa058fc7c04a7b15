"""The methods of denoise side by side, whole and zoomed in on two objects."""

import numpy as np

from cellstack import figures, gallery_figures, views
from cellstack.denoise import denoise

TITLE = "Denoising"
TEXT = (
    "The region, and below it two neighbouring objects in it, all with the same range of grey. A filter should keep the edge of an object "
    "and the gap between two of them, and remove the grain."
)
SLAB = 0.5  # of the diameter, to either side: no method that is used with sense looks farther, and some are slow


def compare_denoising(contrast, spacing, view, diameter_um, panels):
    """Draw the plane of a view under several settings of denoise.

    Parameters
    ----------
    contrast : (Z, Y, X) ndarray of float32
        In [0, 1].
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    view : dict
        As of :func:`cellstack.choose_view.choose_view`.
    diameter_um : float
        Diameter of an object in um. Planes that are farther than half of it from that of the view are left out.
    panels : list of dict
        As of :func:`cellstack.gallery_panels.list_panels` for denoise.

    Returns
    -------
    dict
        ``title``, ``text`` and ``panels`` as of :func:`cellstack.gallery_figures.draw_panels`.
    """
    part, view = views.slab(views.crop(contrast, view), view, SLAB * diameter_um)
    limits = figures.display_range(views.plane_of(part, view))

    def draw(panel):
        stack = denoise(part, spacing, **panel["arguments"])
        images = [views.plane_of(stack, view, zoomed) for zoomed in (False, True)]
        scales = [gallery_figures.scale_of(image.shape, spacing[1:]) for image in images]
        tiles = [[gallery_figures.Tile(image.shape, spacing[1:], scale)] for image, scale in zip(images, scales, strict=True)]
        figure, [[whole], [zoom]], _ = gallery_figures.tile_figure(tiles)
        for each, image in zip((whole, zoom), images, strict=True):
            figures.show_image(each, image, limits)
        caption = f"values change by {np.sqrt(np.mean((stack - part) ** 2)):.2g} (root mean square)"
        return figure, figures.COLORS, f"{panel['title']}: plane, and two objects enlarged", caption

    return {"title": TITLE, "text": TEXT, "panels": gallery_figures.draw_panels(panels, draw)}
