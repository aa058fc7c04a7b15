"""Section of the gallery: intensities of all channels along a row of a plane."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from cellstack.core.planes import Stack
from cellstack.core.types import Spacing
from cellstack.figures import drawing
from cellstack.figures.colors import COLORS
from cellstack.gallery import panel_figures
from cellstack.gallery.sections import Panel, Section
from cellstack.gallery.views import View

TITLE = "Profile"
TEXT = (
    "Raw values along the marked row, one channel below the other. A stack is easy to segment if "
    "objects are much brighter than the gaps between them and values vary little from voxel to "
    "voxel. Choose another row with choose_view."
)
MAX_WIDTH, PLOT_HEIGHT = 960, 170  # pixels of all tiles, and of the plot of a channel
LEFT = 70  # pixels for the labels of the plots


def plot_profile(
    raws: Mapping[str, Stack], spacing: Spacing, view: View, panels: Sequence[Panel]
) -> Section:
    """Plot the raw values along the row of a view, below the plane of each channel.

    Parameters
    ----------
    raws : dict of str to (Z, Y, X) ndarray or stack
        Intensities by channel.
    spacing, view
        See :mod:`cellstack.gallery.sections`.
    panels : list of Panel
        One panel, with the snippet for this plane and row.

    Returns
    -------
    Section
    """
    plane, row = view["plane"], view["row"]

    def draw(panel: Panel) -> panel_figures.Picture:
        figure = draw_profile(raws, spacing, view)
        alt = f"Plane {plane} of each channel, and its values along row {row}"
        return figure, (), alt, f"plane {plane}, row {row}, counted from 0"

    return {"title": TITLE, "text": TEXT, "panels": panel_figures.draw_panels(panels, draw)}


def list_profile(raws: Mapping[str, Stack], spacing: Spacing, view: View) -> list[dict[str, float]]:
    """Return the values along the row of a view, one row of the table per voxel.

    Parameters
    ----------
    raws, spacing, view
        See :func:`plot_profile`.

    Returns
    -------
    list of dict
        ``x_um``, counted from the centre of the first voxel, and the raw value of each channel.

    Examples
    --------
    >>> raws = {"nuclei": np.array([[[5, 6], [7, 8]]], np.uint8)}
    >>> list_profile(raws, (1.0, 0.5, 0.25), {"plane": 0, "row": 1})
    [{'x_um': 0.0, 'nuclei': 7}, {'x_um': 0.25, 'nuclei': 8}]
    """
    values = {name: raw[view["plane"], view["row"]].tolist() for name, raw in raws.items()}
    return [
        {"x_um": position * float(spacing[2]), **dict(zip(values, each, strict=True))}
        for position, each in enumerate(zip(*values.values(), strict=True))
    ]


@drawing.default_style()
def draw_profile(raws: Mapping[str, Stack], spacing: Spacing, view: View) -> Figure:
    """Return the figure of the planes and of the values along the row; see :func:`plot_profile`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    plane, row = view["plane"], view["row"]
    images = {name: raw[plane] for name, raw in raws.items()}
    shape = next(iter(images.values())).shape
    width = min(panel_figures.WIDTH, MAX_WIDTH / len(images))
    scale = panel_figures.choose_scale(shape, spacing[1:], width)
    tiles = [panel_figures.Tile(shape, spacing[1:], scale, name) for name in images]
    figure, [row_of_axes], bottom = panel_figures.tile_figure(
        [tiles], below=PLOT_HEIGHT * len(images) + 10
    )
    positions = np.arange(shape[1]) * spacing[2]
    for number, (name, image) in enumerate(images.items()):
        axes = row_of_axes[number]
        drawing.show_image(axes, image, drawing.display_range(image))
        color = COLORS[number % len(COLORS)]
        axes.axhline(row * spacing[1], color=color, linewidth=1.2 * drawing.PIXEL)
        top = bottom + 10 + PLOT_HEIGHT * number
        plot = panel_figures.add_plot(figure, top, PLOT_HEIGHT, left=LEFT)
        width = 1.4 * drawing.PIXEL
        plot.plot(positions, image[row], color=color, linewidth=width, drawstyle="steps-mid")
        plot.set(xlim=drawing.edges(shape[1], spacing[2]))
        panel_figures.label_axes(plot, "x, µm", f"{name}, raw value")
    return figure
