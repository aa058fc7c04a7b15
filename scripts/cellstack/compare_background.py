"""The methods of correct_background side by side, in the plane and from the side."""

from cellstack import figures, gallery_figures, views
from cellstack.correct_background import correct_background

TITLE = "Background"
TEXT = (
    "The plane, and below it the row of the view from the side, with z downwards. Each picture has its own range of grey. What is "
    "corrected serves the segmentation; intensities are measured on the raw values all the same."
)


def compare_background(raw, spacing, view, panels):
    """Draw a plane and a row of a stack under several settings of correct_background.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray of uint8, uint16 or float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    view : dict
        As of :func:`cellstack.choose_view.choose_view`.
    panels : list of dict
        As of :func:`cellstack.gallery_panels.list_panels` for correct_background.

    Returns
    -------
    dict
        ``title``, ``text`` and ``panels`` as of :func:`cellstack.gallery_figures.draw_panels`.
    """
    part = views.crop(raw, view)

    def draw(panel):
        stack = correct_background(part, spacing, **panel["arguments"])
        images = views.plane_of(stack, view), views.row_of(stack, view)
        limits = figures.display_range(*images)
        scale = gallery_figures.scale_of(images[0].shape, spacing[1:])
        steps = spacing[1:], spacing[::2]
        tiles = [[gallery_figures.Tile(image.shape, step, scale)] for image, step in zip(images, steps, strict=True)]
        figure, [[plane], [side]], _ = gallery_figures.tile_figure(tiles)
        for axes, image in zip((plane, side), images, strict=True):
            figures.show_image(axes, image, limits)
        caption = f"grey from {limits[0]:.4g} to {limits[1]:.4g}"
        return figure, figures.COLORS, f"{panel['title']}: plane and side view", caption

    return {"title": TITLE, "text": TEXT, "panels": gallery_figures.draw_panels(panels, draw)}
