"""The methods of adjust_contrast side by side, each with the distribution of its values."""

import numpy as np

from cellstack import figures, gallery_figures, views
from cellstack.adjust_contrast import adjust_contrast

TITLE = "Contrast"
TEXT = (
    "Each picture is grey from 0 to its greatest value. Below it: how many voxels of the region have which value (grey, logarithmic), and "
    "which part of them lies at or below it (orange). Contrast serves the segmentation; intensities are measured on the raw values all the "
    "same."
)
BINS = 128
LINES = 150  # pixels of the axes


def compare_contrast(raw, spacing, view, panels):
    """Draw the plane of a view under several settings of adjust_contrast.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray of uint8, uint16 or float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    view : dict
        As of :func:`cellstack.choose_view.choose_view`.
    panels : list of dict
        As of :func:`cellstack.gallery_panels.list_panels` for adjust_contrast.

    Returns
    -------
    dict
        ``title``, ``text`` and ``panels`` as of :func:`cellstack.gallery_figures.draw_panels`.
    """
    part = views.crop(raw, view)

    def draw(panel):
        stack = adjust_contrast(part, spacing, **panel["arguments"])
        image, limits = views.plane_of(stack, view), (0.0, float(stack.max(initial=0)))
        scale = gallery_figures.scale_of(image.shape, spacing[1:])
        figure, [[axes]], bottom = gallery_figures.tile_figure([[gallery_figures.Tile(image.shape, spacing[1:], scale)]], below=LINES)
        figures.show_image(axes, image, limits)
        _draw_distribution(gallery_figures.plot_axes(figure, bottom, LINES, right=40), stack)
        caption = f"grey from 0 to {limits[1]:.4g}; mean {stack.mean():.3g}"
        return figure, figures.COLORS, f"{panel['title']}: plane, histogram and cumulative distribution", caption

    return {"title": TITLE, "text": TEXT, "panels": gallery_figures.draw_panels(panels, draw)}


def _draw_distribution(axes, stack):
    counts, edges = np.histogram(stack, BINS, (0, 1))
    axes.stairs(counts, edges, fill=True, color="0.6")
    axes.set(xlim=(0, 1), yscale="symlog", ylim=(0, 2 * counts.max(initial=1)), yticks=[10**power for power in (0, 2, 4, 6)])
    axes.set_ylim(0, 2 * counts.max(initial=1))
    gallery_figures.label_axes(axes, "intensity", "voxels")
    part = axes.twinx()
    part.plot(edges, np.append(0, np.cumsum(counts)) / max(1, stack.size), color=figures.COLORS[0], linewidth=1.8 * figures.PT)
    part.set(ylim=(0, 1.03), yticks=[0, 0.5, 1])
    part.tick_params(labelsize=gallery_figures.SMALL, length=3 * figures.PT, width=0.8 * figures.PT)
    part.spines[["top", "left"]].set_visible(False)
