"""Section of the gallery: the methods of adjust_contrast, each with the histogram of its values."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from cellstack.core.types import RawVolume, Spacing, Volume
from cellstack.enhance.adjust_contrast import adjust_contrast
from cellstack.figures import drawing
from cellstack.figures.colors import COLORS
from cellstack.gallery import panel_figures, views
from cellstack.gallery.sections import Panel, Section
from cellstack.gallery.views import View

TITLE = "Contrast"
TEXT = (
    "Each picture has the range from 0 to its highest value. Below it are the histogram of "
    "the region (grey, on a logarithmic axis) and the cumulative distribution (orange). The "
    "adjusted stack is used for segmentation only; intensities are measured on the raw values."
)
BINS = 128
PLOT_HEIGHT = 150  # pixels
PLOT_LEFT = 84  # pixels, for counts of up to millions


def compare_contrast(
    raw: RawVolume | Volume, spacing: Spacing, view: View, panels: Sequence[Panel]
) -> Section:
    """Compare settings of adjust_contrast.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray of uint8, uint16 or float32
        Intensities, raw or with the background corrected.
    spacing, view, panels
        See :mod:`cellstack.gallery.sections`.

    Returns
    -------
    Section
    """
    part = views.crop(raw, view)

    def draw(panel: Panel) -> panel_figures.Picture:
        stack = adjust_contrast(part, spacing, **panel["arguments"])
        image, limits = views.plane_of(stack, view), (0.0, float(stack.max(initial=0)))
        scale = panel_figures.choose_scale(image.shape, spacing[1:])
        tile = panel_figures.Tile(image.shape, spacing[1:], scale)
        figure, [[axes]], bottom = panel_figures.tile_figure([[tile]], below=PLOT_HEIGHT)
        drawing.show_image(axes, image, limits)
        plot = panel_figures.add_plot(figure, bottom, PLOT_HEIGHT, PLOT_LEFT, right=40)
        _draw_distribution(plot, stack)
        alt = f"{panel['title']}: plane, histogram and cumulative distribution"
        return figure, COLORS, alt, f"{drawing.describe_range(limits)}; mean {stack.mean():.3g}"

    return {"title": TITLE, "text": TEXT, "panels": panel_figures.draw_panels(panels, draw)}


def _draw_distribution(axes: Axes, stack: Volume) -> None:
    counts, edges = np.histogram(stack, BINS, (0, 1))
    axes.stairs(counts, edges, fill=True, color="0.6")
    ticks = [10**power for power in (0, 2, 4, 6)]
    highest = 2 * counts.max(initial=1)
    axes.set(xlim=(0, 1), yscale="symlog", ylim=(0, highest), yticks=ticks)
    axes.set_ylim(0, highest)  # again, as the ticks have extended the axis
    axes.yaxis.set_major_formatter("{x:,.0f}")  # the default writes formulas, here shown as text
    panel_figures.label_axes(axes, "intensity", "voxels")
    cumulative = axes.twinx()
    cumulative.plot(
        edges,
        np.append(0, np.cumsum(counts)) / max(1, stack.size),
        color=COLORS[0],
        linewidth=1.8 * drawing.PIXEL,
    )
    cumulative.set(ylim=(0, 1.03), yticks=[0, 0.5, 1])
    cumulative.tick_params(
        labelsize=panel_figures.SMALL_TEXT_SIZE,
        length=3 * drawing.PIXEL,
        width=0.8 * drawing.PIXEL,
    )
    cumulative.spines[["top", "left"]].set_visible(False)
