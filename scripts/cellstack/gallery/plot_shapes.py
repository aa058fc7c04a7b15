"""Section of the gallery: volume against solidity of all measured objects."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cellstack.core.counting import counted
from cellstack.figures import drawing
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
    measured = [np.asarray(values, float) for values in (volumes, solidities, intensities)]

    def draw(panel: Panel) -> panel_figures.Picture:
        figure = drawing.new_figure(*SIZE)
        top = panel_figures.COLOR_BAR_HEIGHT
        axes = panel_figures.add_plot(figure, top, SIZE[1] - top, left=64, right=24)
        points = axes.scatter(
            measured[0],
            measured[1],
            c=measured[2],
            cmap="viridis",
            s=70 * drawing.PIXEL**2,
            edgecolors="black",
            linewidths=0.5,
        )
        deviations = np.max([_deviations(values) for values in measured], axis=0)
        outliers = np.argsort(-deviations, kind="stable")[:MAX_NUMBERS]
        for i in outliers:
            axes.annotate(
                str(labels[i]),
                (measured[0][i], measured[1][i]),
                (5, 3),
                textcoords="offset points",
                fontsize=panel_figures.SMALL_TEXT_SIZE,
            )
        axes.set_xlim(0, 1.08 * measured[0].max())
        panel_figures.label_axes(axes, "volume, µm³", "solidity")
        label = f"mean intensity of {channel}, raw value"
        panel_figures.add_color_bar(figure, points, 4, label)
        alt = "Volume against solidity of all measured objects, coloured by mean intensity"
        caption = (
            f"{counted(len(labels), 'objects')}; number {labels[outliers[0]]} differs most from "
            "the others in one of the three quantities"
        )
        return figure, (), alt, caption

    panels: list[Panel] = [{"title": "volume and solidity"}] if len(labels) else []
    return {"title": TITLE, "text": TEXT, "panels": panel_figures.draw_panels(panels, draw)}


def _deviations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the deviations from the median in units of the median absolute deviation."""
    deviations = np.abs(values - np.median(values))
    return deviations / (np.median(deviations) or 1)
