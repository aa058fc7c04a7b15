"""Edges found within the planes against edges found in 3D, in three views, and their difference."""

import numpy as np

from cellstack import figures, gallery_figures, views
from cellstack.detect_edges import detect_edges

TITLE = "Edges"
TEXT = (
    "Slope of the denoised stack per µm, seen along z (large), along x (right) and along y (below), through the plane and the row of the "
    "view and the middle column. Within the planes, edges towards the planes above and below are not seen. The stage runs only where "
    "split_objects goes by edges."
)
WIDTH = 560  # pixels across of the plane and the view along x
DIFFERENCE = "PuOr_r"  # two hues that the colour-blind can tell apart, white in between


def compare_edges(denoised, spacing, view, panels):
    """Draw three views of the edges under several settings of detect_edges, and the first less the second.

    Parameters
    ----------
    denoised : (Z, Y, X) ndarray of float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    view : dict
        As of :func:`cellstack.choose_view.choose_view`.
    panels : list of dict
        As of :func:`cellstack.gallery_panels.list_panels` for detect_edges.

    Returns
    -------
    dict
        ``title``, ``text`` and ``panels`` as of :func:`cellstack.gallery_figures.draw_panels`.
    """
    part = views.crop(denoised, view)
    found = [_three_views(detect_edges(part, spacing, **panel["arguments"]), view) for panel in panels]
    highest = max(float(np.percentile(np.concatenate([image.ravel() for image in images]), 99.8)) for images in found)
    shown = {panel["title"]: images for panel, images in zip(panels, found, strict=True)}
    first, second, *_ = shown
    difference = f"{first} − {second}"
    shown[difference] = [one - other for one, other in zip(shown[first], shown[second], strict=True)]
    largest = max(float(np.abs(image).max(initial=0)) for image in shown[difference])

    def draw(panel):
        images, is_difference = shown[panel["title"]], panel["title"] == difference
        figure, axes, bottom = _tiles(images, spacing)
        limits = (-largest or -1.0, largest or 1.0) if is_difference else (0.0, highest or 1.0)
        for each, image in zip(axes, images, strict=True):
            artist = figures.show_image(each, image, limits, DIFFERENCE if is_difference else "viridis")
        gallery_figures.colour_bar(figure, artist, bottom, "per µm")
        caption = "orange: stronger in the first; violet: stronger in the second" if is_difference else ""
        return figure, (), f"{panel['title']}: strength of edges seen along z, x and y", caption

    return {"title": TITLE, "text": TEXT, "panels": gallery_figures.draw_panels([*panels, {"title": difference}], draw)}


def _three_views(stack, view):
    """Show the plane, the middle column from the side with z to the right, and the row from the side with z downwards."""
    return [views.plane_of(stack, view), stack[:, :, stack.shape[2] // 2].T, views.row_of(stack, view)]


def _tiles(images, spacing):
    z, y, x = spacing
    part = images[0].shape[1] * x / (images[0].shape[1] * x + images[1].shape[1] * z)
    scale = gallery_figures.scale_of(images[0].shape, (y, x), WIDTH * part)
    tile = gallery_figures.Tile
    rows = [
        [tile(images[0].shape, (y, x), scale, "plane (y down, x across)", False), tile(images[1].shape, (y, z), scale, "along x", False)],
        [tile(images[2].shape, (z, x), scale, "along y (z down, x across)")],
    ]
    figure, [[plane, column], [row]], bottom = gallery_figures.tile_figure(rows, below=44)
    return figure, [plane, column, row], bottom
