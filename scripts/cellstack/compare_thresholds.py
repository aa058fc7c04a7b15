"""The thresholds of binarize side by side: where each lies in the histogram, and its mask."""

import numpy as np

from cellstack import figures, gallery_figures, views
from cellstack.binarize import binarize, find_threshold

TITLE = "Thresholds"
TEXT = (
    "Values and masks are those of the whole stack, whatever the region. The threshold decides where the outline of an object lies, so all "
    "volumes depend on it: look at the outlines of dim objects and of bright ones. hysteresis has two values, local has one for each voxel."
)
HISTOGRAM = "histogram"
BINS = 200
SIZE = (1100, 380)  # pixels of the histogram
LINE_STYLES = ("-", "--", ":")


def compare_thresholds(contrast, denoised, spacing, view, panels):
    """Draw the histogram of a stack with the thresholds, and the mask of each in the plane of a view.

    Parameters
    ----------
    contrast, denoised : (Z, Y, X) ndarray of float32
        The stack before and after denoising.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    view : dict
        As of :func:`cellstack.choose_view.choose_view`.
    panels : list of dict
        As of :func:`cellstack.gallery_panels.list_panels` for binarize.

    Returns
    -------
    dict
        ``title``, ``text`` and ``panels`` as of :func:`cellstack.gallery_figures.draw_panels`. The first panel is the histogram.
    """
    image = views.plane_of(views.crop(denoised, view), view)
    limits = figures.display_range(image)
    values = {}

    def draw(panel):
        found = find_threshold(denoised, **panel["arguments"])
        values[panel["title"]] = _values_of(found)
        mask = binarize(denoised, found, spacing, contrast)
        scale = gallery_figures.scale_of(image.shape, spacing[1:])
        figure, [[axes]], _ = gallery_figures.tile_figure([[gallery_figures.Tile(image.shape, spacing[1:], scale)]])
        gallery_figures.show_mask(axes, image, limits, views.plane_of(views.crop(mask, view), view), spacing[1:])
        numbers = " and ".join(f"{value:.3g}" for value in values[panel["title"]].values())
        caption = (f"threshold {numbers}; " if numbers else "a threshold for each voxel; ") + f"foreground {mask.mean():.1%}"
        return figure, figures.COLORS, f"{panel['title']}: mask in the plane", caption

    masks = gallery_figures.draw_panels(panels, draw)
    histogram = gallery_figures.draw_panels([{"title": HISTOGRAM}], lambda panel: _draw_histogram(contrast, denoised, values))
    return {"title": TITLE, "text": TEXT, "panels": histogram + masks}


def _values_of(found):
    """Give the values that hold for the whole stack, by what is said of them."""
    if not callable(found):
        return {"": found}
    return {f" {name}": found.keywords["factor"] * found.keywords[name] for name in ("low", "high") if name in found.keywords}


def _draw_histogram(contrast, denoised, values):
    figure = figures.new_figure(*SIZE)
    axes = gallery_figures.plot_axes(figure, 0, SIZE[1], left=70, right=260)
    highest = 1
    for stack, name, style in ((contrast, "before denoising", {"fill": True, "color": "0.8"}), (denoised, "denoised", {"color": "black"})):
        counts, edges = np.histogram(stack, BINS, (0, 1))
        axes.stairs(counts, edges, label=name, linewidth=1.2 * figures.PT, **style)
        highest = max(highest, counts.max())
    lines = sorted((value, name + which) for name, each in values.items() for which, value in each.items())
    for number, (value, name) in enumerate(lines):
        color, style = figures.COLORS[number % len(figures.COLORS)], LINE_STYLES[number // len(figures.COLORS) % len(LINE_STYLES)]
        axes.axvline(value, color=color, linestyle=style, linewidth=2 * figures.PT, label=f"{name} {value:.3g}")
    axes.set(xlim=(0, 1), yscale="log", ylim=(0.8, 2 * highest))
    gallery_figures.label_axes(axes, "intensity after adjust_contrast", "voxels of the whole stack")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, fontsize=figures.TEXT, frameon=False)
    said = ", ".join(f"{name} {value:.3g}" for value, name in lines)
    return figure, (), f"Histogram of the stack before and after denoising, with the thresholds {said}", ""
