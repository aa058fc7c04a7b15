"""Section of the gallery: the methods of binarize, in the histogram and as masks."""

from collections.abc import Sequence

import numpy as np

from cellstack.core.types import Spacing, Volume
from cellstack.figures import drawing
from cellstack.figures.colors import COLORS
from cellstack.gallery import panel_figures, views
from cellstack.gallery.sections import Panel, Section
from cellstack.gallery.views import View
from cellstack.segment.binarize import Rule, binarize, find_threshold

TITLE = "Thresholds"
TEXT = (
    "Thresholds and masks are those of the whole stack, not of the region alone. The threshold "
    "determines where the outline of an object is, so all volumes depend on it: look at the "
    "outlines of dim and of bright objects. hysteresis has two thresholds, local has one for each "
    "voxel."
)
HISTOGRAM = "histogram"
BINS = 200
SIZE = (1100, 380)  # pixels of the histogram
LINE_STYLES = ("-", "--", ":")


def compare_thresholds(
    contrast: Volume,
    denoised: Volume,
    spacing: Spacing,
    view: View,
    panels: Sequence[Panel],
) -> Section:
    """Compare settings of binarize.

    Parameters
    ----------
    contrast, denoised : (Z, Y, X) ndarray of float32
        Intensities before and after denoising.
    spacing, view, panels
        See :mod:`cellstack.gallery.sections`.

    Returns
    -------
    Section
        The first panel is the histogram of the stack with all thresholds.
    """
    image = views.plane_of(views.crop(denoised, view), view)
    limits = drawing.display_range(image)
    scale = panel_figures.choose_scale(image.shape, spacing[1:])
    tile = panel_figures.Tile(image.shape, spacing[1:], scale)
    thresholds: list[tuple[float, str]] = []

    def draw(panel: Panel) -> panel_figures.Picture:
        found = find_threshold(denoised, **panel["arguments"])
        named = _name_thresholds(found, panel["title"])
        thresholds.extend(named)
        mask = binarize(denoised, found, spacing, contrast)
        figure, [[axes]], _ = panel_figures.tile_figure([[tile]])
        seen = views.plane_of(views.crop(mask, view), view)
        panel_figures.show_mask(axes, image, limits, seen, spacing[1:])
        caption = "a threshold for each voxel; "
        if named:
            caption = f"threshold {' and '.join(f'{value:.3g}' for value, _ in named)}; "
        caption += f"foreground {mask.mean():.1%}"
        return figure, COLORS, f"{panel['title']}: mask in the plane", caption

    masks = panel_figures.draw_panels(panels, draw)  # fills `thresholds`
    histogram = panel_figures.draw_panels(
        [{"title": HISTOGRAM}],
        lambda panel: _draw_histogram(contrast, denoised, sorted(thresholds)),
    )
    return {"title": TITLE, "text": TEXT, "panels": histogram + masks}


def _name_thresholds(found: float | Rule, title: str) -> list[tuple[float, str]]:
    """Return the thresholds that apply to the whole stack, each with its name."""
    if callable(found):
        options = found.keywords
        return [
            (options["factor"] * options[name], f"{title} {name}")
            for name in ("low", "high")
            if name in options
        ]
    return [(found, title)]


def _draw_histogram(
    contrast: Volume, denoised: Volume, thresholds: Sequence[tuple[float, str]]
) -> panel_figures.Picture:
    figure = drawing.new_figure(*SIZE)
    axes = panel_figures.add_plot(figure, 0, SIZE[1], left=70, right=260)
    width = 1.2 * drawing.PIXEL
    before, edges = np.histogram(contrast, BINS, (0, 1))
    after, _ = np.histogram(denoised, BINS, (0, 1))
    axes.stairs(before, edges, label="before denoising", linewidth=width, fill=True, color="0.8")
    axes.stairs(after, edges, label="denoised", linewidth=width, color="black")
    for number, (value, name) in enumerate(thresholds):
        axes.axvline(
            value,
            color=COLORS[number % len(COLORS)],
            linestyle=LINE_STYLES[number // len(COLORS) % len(LINE_STYLES)],
            linewidth=2 * drawing.PIXEL,
            label=f"{name} {value:.3g}",
        )
    highest = max(1, before.max(), after.max())
    axes.set(xlim=(0, 1), yscale="log", ylim=(0.8, 2 * highest))
    axes.yaxis.set_major_formatter("{x:,.0f}")  # the default writes formulas, here shown as text
    panel_figures.label_axes(axes, "intensity after adjust_contrast", "voxels of the whole stack")
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1),
        borderaxespad=0,
        fontsize=drawing.TEXT_SIZE,
        frameon=False,
    )
    listed = ", ".join(f"{name} {value:.3g}" for value, name in thresholds)
    alt = f"Histogram of the stack before and after denoising, with the thresholds {listed}"
    return figure, (), alt, ""
