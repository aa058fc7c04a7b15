"""Section of the gallery: volume against solidity of all measured objects."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cellstack.core.counting import counted
from cellstack.figures import drawing
from cellstack.figures.colors import ALERT
from cellstack.gallery import panel_figures
from cellstack.gallery.sections import Panel, Section

TITLE = "Shapes"
TEXT = (
    "Each point is a measured object. Those that differ most from the others are marked with their "
    "label in labels.ome.tif. Solidity is the volume divided by the volume of the convex hull. "
    "Check the outliers: bright objects of low solidity are often in mitosis, large objects "
    "of low solidity are often two that were not split."
)
SIZE = (900, 540)  # pixels
MAX_NUMBERS = 12  # objects marked by their number


def plot_shapes(
    volumes: Sequence[float],
    solidities: Sequence[float],
    intensities: Sequence[float],
    labels: Sequence[int],
    channel: str,
) -> Section:
    """Plot volume against solidity, coloured by intensity.

    Parameters
    ----------
    volumes, solidities, intensities : (n,) sequence of float
        Volume in um3, solidity and mean raw value of each object.
    labels : (n,) sequence of int
        Label of each object.
    channel : str
        Channel of the intensities.

    Returns
    -------
    Section
        Without panels if there are no objects.
    """

    def draw(panel: Panel) -> panel_figures.Picture:
        figure = draw_shapes(volumes, solidities, intensities, labels, channel)
        alt = "Volume against solidity of all measured objects, coloured by mean intensity"
        (first, *_) = _outliers((volumes, solidities, intensities))
        caption = (
            f"{counted(len(labels), 'objects')}; number {labels[first]} differs most from the "
            "others in one of the three quantities"
        )
        return figure, (), alt, caption

    panels: list[Panel] = [{"title": "volume and solidity"}] if len(labels) else []
    return {"title": TITLE, "text": TEXT, "panels": panel_figures.draw_panels(panels, draw)}


@drawing.default_style()
def draw_shapes(
    volumes: Sequence[float],
    solidities: Sequence[float],
    intensities: Sequence[float],
    labels: Sequence[int],
    channel: str,
) -> Figure:
    """Return the figure of volume against solidity; see :func:`plot_shapes`.

    Without objects it says so.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = drawing.new_figure(*SIZE)
    top = panel_figures.COLOR_BAR_HEIGHT
    axes = panel_figures.add_plot(figure, top, SIZE[1] - top, left=64, right=24)
    panel_figures.label_axes(axes, "volume, µm³", "solidity")
    if not len(labels):
        style = {"color": ALERT, "weight": "bold"}
        drawing.add_text(figure, drawing.MARGIN, drawing.MARGIN, "no measured objects", **style)
        return figure
    points = axes.scatter(
        volumes,
        solidities,
        c=intensities,
        cmap="viridis",
        s=70 * drawing.PIXEL**2,
        edgecolors="black",
        linewidths=0.5,
    )
    for i in _outliers((volumes, solidities, intensities)):
        axes.annotate(
            str(labels[i]),
            (volumes[i], solidities[i]),
            (5, 3),
            textcoords="offset points",
            fontsize=panel_figures.SMALL_TEXT_SIZE,
        )
    axes.set_xlim(0, 1.08 * max(volumes))
    panel_figures.add_color_bar(figure, points, 4, f"mean intensity of {channel}, raw value")
    return figure


def _outliers(measured: Sequence[Sequence[float]]) -> NDArray[np.intp]:
    """Return the indices of the objects that are marked, the one that differs most first."""
    deviations = np.max([_deviations(np.asarray(values, float)) for values in measured], axis=0)
    return np.argsort(-deviations, kind="stable")[:MAX_NUMBERS]


def _deviations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the deviations from the median in units of the median absolute deviation."""
    deviations = np.abs(values - np.median(values))
    return deviations / (np.median(deviations) or 1)
