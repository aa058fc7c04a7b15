"""Building blocks of the pictures in the gallery: tiles at true scale, outlines, seeds, plots."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from cellstack.core.labels import find_boxes
from cellstack.core.types import Labels
from cellstack.errors import InputError
from cellstack.figures import drawing, outlines, png
from cellstack.figures.colors import ORANGE, SKY_BLUE, VERMILLION
from cellstack.gallery.sections import DrawnPanel, Panel

Picture = tuple[Figure, Sequence[str], str, str]
"""Figure, colours of its file, description, caption; see :func:`draw_panels`."""

WIDTH = 480  # pixels of a tile
MAX_WIDTH = 720  # pixels of a tile in which each voxel takes one pixel
MAX_HEIGHT = 640  # pixels of a tile
GAP = 12  # pixels between tiles
NAME, BAR = 20, 24  # pixels for the name above a tile and the scale bar below it
COLOR_BAR_LEFT, COLOR_BAR_HEIGHT = 14, 44  # pixels, with its numbers
SMALL_TEXT_SIZE = 11 * drawing.PIXEL
MASK_COLOR, ADDED_COLOR, REMOVED_COLOR = ORANGE, SKY_BLUE, VERMILLION
KEPT_COLOR = "0.8"
BACKGROUND_BRIGHTNESS = 0.45  # outside a mask, relative to the image


@drawing.default_style()
def draw_panels(panels: Sequence[Panel], draw: Callable[[Panel], Picture]) -> list[DrawnPanel]:
    """Draw the panels of a comparison.

    Parameters
    ----------
    panels : list of Panel
    draw : callable
        Takes a panel; returns its figure, the colours of its file (see
        :func:`cellstack.figures.png.to_png`), a description for readers who cannot see the
        picture, and a caption. May raise InputError; the caption is then the error message.

    Returns
    -------
    list of DrawnPanel
        In the order of `panels`.
    """
    drawn = []
    for panel in panels:
        encoded: str | None
        try:
            figure, colors, alt, caption = draw(panel)
            encoded = base64.b64encode(png.to_png(figure, colors)).decode()
            width = round(drawing.figure_size(figure)[0])
        except InputError as error:
            encoded, width, alt, caption = None, 0, "", f"No picture: {error}"
        drawn.append(
            DrawnPanel(
                title=panel["title"],
                snippet=panel.get("snippet"),
                is_own=panel.get("is_own", False),
                png=encoded,
                width=width,
                alt=alt,
                caption=caption,
            )
        )
    return drawn


class Tile(NamedTuple):
    """An image to be shown."""

    shape: Sequence[int]
    """Rows and columns."""
    spacing: Sequence[float]
    """Pixel size along rows and columns in um."""
    scale: float
    """Pixels of the figure per um, see :func:`choose_scale`."""
    name: str = ""
    """Text above the image."""
    has_bar: bool = True
    """Whether there is a scale bar below the image."""


def choose_scale(shape: Sequence[int], spacing: Sequence[float], width: float = WIDTH) -> float:
    """Return the scale of an image, such that a voxel is a whole number of pixels if possible.

    Parameters
    ----------
    shape : (2,) sequence of int
        Rows and columns.
    spacing : (2,) sequence of float
        Pixel size along rows and columns in um.
    width : float
        Width of the tile in pixels.

    Returns
    -------
    float
        Pixels per um.

    Examples
    --------
    >>> choose_scale((96, 96), (0.4, 0.4))  # 5 pixels per voxel
    12.5
    """
    wanted = min(
        width / (shape[1] * spacing[1]), MAX_HEIGHT * width / WIDTH / (shape[0] * spacing[0])
    )
    magnification = round(wanted * spacing[1])
    if magnification < 1 and shape[1] <= MAX_WIDTH * width / WIDTH:
        magnification = 1
    return magnification / spacing[1] if magnification else wanted


def tile_figure(
    rows: Sequence[Sequence[Tile]], below: float = 0
) -> tuple[Figure, list[list[Axes]], float]:
    """Return a figure with tiles in rows.

    Parameters
    ----------
    rows : list of list of Tile
    below : float
        Height in pixels of the space below the tiles.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : list of list of matplotlib.axes.Axes
        One per tile, see :func:`cellstack.figures.drawing.add_panel`.
    bottom : float
        Where the space below the tiles begins, in pixels from the top.
    """
    sizes = [[_tile_size(tile) for tile in row] for row in rows]
    names = [NAME * any(tile.name for tile in row) for row in rows]
    heights = [
        max(down for _, down in size) + name + BAR * any(tile.has_bar for tile in row)
        for row, size, name in zip(rows, sizes, names, strict=True)
    ]
    across = max(sum(width for width, _ in size) + GAP * (len(size) - 1) for size in sizes)
    figure = drawing.new_figure(across + 2, sum(heights) + GAP * (len(rows) - 1) + below + 2)
    axes, top = [], 1.0
    for row, size, name, height in zip(rows, sizes, names, heights, strict=True):
        left, panels = 1.0, []
        for tile, (wide, down) in zip(row, size, strict=True):
            if tile.name:
                drawing.add_text(figure, left, top, tile.name)
            extent = drawing.image_extent(tile.shape, tile.spacing)
            panels.append(drawing.add_panel(figure, left, top + name, extent, tile.scale))
            if tile.has_bar:
                length = drawing.round_length(wide / tile.scale / 4)
                bottom = top + name + down + BAR - 6
                drawing.scale_bar(figure, left + wide, bottom, tile.scale, length)
            left += wide + GAP
        axes.append(panels)
        top += height + GAP
    return figure, axes, top - GAP


def _tile_size(tile: Tile) -> tuple[float, float]:
    """Return width and height of a tile in pixels."""
    (rows, columns), (row_step, column_step) = tile.shape, tile.spacing
    return columns * column_step * tile.scale, rows * row_step * tile.scale


def trace(image: Labels, spacing: Sequence[float]) -> tuple[list[outlines.Line], list[int]]:
    """Trace the outlines of all labels in a plane, or of a mask.

    Parameters
    ----------
    image : (Y, X) ndarray of uint8, uint16 or uint32
        0 is background; there may be gaps in the numbers.
    spacing : (2,) sequence of float
        Pixel size along rows and columns in um.

    Returns
    -------
    lines : list of (K, 2) ndarray
        See :func:`cellstack.figures.outlines.trace_outlines`.
    labels : list of int
        Label of each line.

    Examples
    --------
    >>> lines, labels = trace(np.array([[0, 7, 0, 9]], np.uint16), (1.0, 1.0))
    >>> labels
    [7, 9]
    """
    lines: list[outlines.Line] = []
    labels: list[int] = []
    for label, (_, rows, columns) in find_boxes(image[None]).items():
        mask = image[rows, columns] == label
        found = outlines.trace_outlines(mask, (rows.start, columns.start), spacing)
        lines += found
        labels += [label] * len(found)
    return lines, labels


def show_mask(
    axes: Axes,
    image: np.ndarray,
    limits: tuple[float, float],
    mask: NDArray[np.uint8],
    spacing: Sequence[float],
) -> None:
    """Show an image with the outline of a mask, darker outside the mask.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    image : (Y, X) ndarray
    limits : (float, float)
        Values shown as black and white.
    mask : (Y, X) ndarray of uint8
    spacing : (2,) sequence of float
        Pixel size along rows and columns in um.
    """
    darker = limits[0] + BACKGROUND_BRIGHTNESS * (image - limits[0])
    drawing.show_image(axes, np.where(mask > 0, image, darker), limits)
    lines, _ = trace(mask, spacing)
    outlines.draw_outlines(axes, lines, [MASK_COLOR] * len(lines))


def show_labels(
    axes: Axes,
    image: np.ndarray,
    limits: tuple[float, float],
    labels: Labels,
    spacing: Sequence[float],
    colors: Mapping[int, str],
) -> None:
    """Show an image with the outlines of labels.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    image : (Y, X) ndarray
    limits : (float, float)
        Values shown as black and white.
    labels : (Y, X) ndarray of unsigned int
    spacing : (2,) sequence of float
        Pixel size along rows and columns in um.
    colors : dict of int to str
        By label, see :func:`cellstack.figures.outlines.label_colors`.
    """
    drawing.show_image(axes, image, limits)
    lines, label_of_line = trace(labels, spacing)
    outlines.draw_outlines(axes, lines, [colors[label] for label in label_of_line])


def centroids(labels: Labels) -> NDArray[np.float64]:
    """Return the centroids of labels 1..n in voxels.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of unsigned int

    Returns
    -------
    (n, 3) ndarray of float
    """
    import cc3d

    found: NDArray[np.float64] = cc3d.statistics(labels)["centroids"][1:]
    return found


def show_points(axes: Axes, points: NDArray[np.float64], spacing: Sequence[float]) -> None:
    """Mark points by white dots with a dark rim.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    points : (n, 2) ndarray of float
        Row and column in pixels.
    spacing : (2,) sequence of float
        Pixel size along rows and columns in um.
    """
    y, x = (np.reshape(points, (-1, 2)) * spacing).T
    axes.plot(
        x,
        y,
        "o",
        markersize=7 * drawing.PIXEL,
        color="white",
        markeredgecolor="black",
        markeredgewidth=1.2 * drawing.PIXEL,
    )


def add_plot(
    figure: Figure, top: float, height: float, left: float = 46, right: float = 12
) -> Axes:
    """Add axes for a plot, as wide as the figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    top, height : float
        In pixels, including 36 pixels for the labels below the plot.
    left, right : float
        Margins in pixels; the left one contains the labels.

    Returns
    -------
    matplotlib.axes.Axes
    """
    width, figure_height = drawing.figure_size(figure)
    axes = figure.add_axes(
        (
            left / width,
            1 - (top + height - 36) / figure_height,
            (width - left - right) / width,
            (height - 44) / figure_height,
        )
    )
    axes.tick_params(labelsize=SMALL_TEXT_SIZE, length=3 * drawing.PIXEL, width=0.8 * drawing.PIXEL)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set(linewidth=0.8 * drawing.PIXEL)
    return axes


def label_axes(axes: Axes, x: str, y: str) -> None:
    """Label both axes of a plot."""
    axes.set_xlabel(x, fontsize=SMALL_TEXT_SIZE, labelpad=2)
    axes.set_ylabel(y, fontsize=SMALL_TEXT_SIZE, labelpad=2)


def add_color_bar(
    figure: Figure, image: AxesImage | PathCollection, top: float, label: str, width: float = 260
) -> None:
    """Add a colour bar at the left edge; it takes :data:`COLOR_BAR_HEIGHT` pixels.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    image : matplotlib.image.AxesImage or matplotlib.collections.PathCollection
        The artist whose colours the bar explains.
    top : float
        In pixels.
    label : str
        Quantity and unit.
    width : float
        In pixels.
    """
    figure_width, figure_height = drawing.figure_size(figure)
    axes = figure.add_axes(
        (
            COLOR_BAR_LEFT / figure_width,
            1 - (top + 16) / figure_height,
            width / figure_width,
            10 / figure_height,
        )
    )
    bar = figure.colorbar(image, cax=axes, orientation="horizontal")
    bar.ax.tick_params(labelsize=SMALL_TEXT_SIZE, length=3 * drawing.PIXEL, pad=2)
    bar.outline.set_linewidth(0.6 * drawing.PIXEL)
    drawing.add_text(figure, COLOR_BAR_LEFT + width + 12, top + 4, label)
