"""Volume against solidity of all measured objects, coloured by their mean intensity."""

import numpy as np

from cellstack import figures, gallery_figures

TITLE = "Shapes"
TEXT = (
    "Each point is a measured object; those farthest from the others bear their number in labels.ome.tif. Solidity is the volume over that "
    "of the convex hull. Objects that stand apart are worth a look: bright ones of low solidity are often in mitosis, large ones of low "
    "solidity are often two that were not split."
)
SIZE = (900, 540)  # pixels
MOST_NUMBERS = 12
TOP = 44  # pixels for the bar of colours


def plot_shapes(volumes, solidities, intensities, labels, channel):
    """Draw volume against solidity, coloured by intensity.

    Parameters
    ----------
    volumes, solidities, intensities : (N,) sequence of float
        Of each object: um3, from 0 to 1, raw values.
    labels : (N,) sequence of int
        Its number.
    channel : str
        Of which the intensities are.

    Returns
    -------
    dict
        ``title``, ``text`` and ``panels`` as of :func:`cellstack.gallery_figures.draw_panels`; no panels where there are no objects.
    """
    volumes, solidities, intensities = (np.asarray(values, float) for values in (volumes, solidities, intensities))

    def draw(panel):
        figure = figures.new_figure(*SIZE)
        axes = gallery_figures.plot_axes(figure, TOP, SIZE[1] - TOP, left=64, right=24)
        points = axes.scatter(volumes, solidities, c=intensities, cmap="viridis", s=70 * figures.PT**2, edgecolors="black", linewidths=0.5)
        apart = np.max([_from_median(values) for values in (volumes, solidities, intensities)], axis=0)
        farthest = np.argsort(-apart, kind="stable")[:MOST_NUMBERS]
        for i in farthest:
            axes.annotate(str(labels[i]), (volumes[i], solidities[i]), (5, 3), textcoords="offset points", fontsize=gallery_figures.SMALL)
        axes.set_xlim(0, 1.08 * volumes.max())
        gallery_figures.label_axes(axes, "volume, µm³", "solidity")
        gallery_figures.colour_bar(figure, points, 4, f"mean intensity of {channel}, raw value")
        caption = f"{len(labels)} objects; number {labels[farthest[0]]} stands farthest from the others in one of the three"
        return figure, (), "Volume against solidity of all measured objects, coloured by mean intensity", caption

    panels = [{"title": "volume and solidity"}] if len(labels) else []
    return {"title": TITLE, "text": TEXT, "panels": gallery_figures.draw_panels(panels, draw)}


def _from_median(values):
    """Give the distance of each value from the median, in units of the median of these distances."""
    apart = np.abs(values - np.median(values))
    return apart / (np.median(apart) or 1)
