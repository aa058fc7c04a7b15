"""What the pictures of the gallery share: tiles at true scale, masks, seeds, labels, lines under an image."""

import base64
from typing import NamedTuple

import numpy as np

from cellstack import figures
from cellstack.errors import InputError

WIDTH = 480  # pixels that a tile should have across
WIDEST = 720  # pixels that a tile may have across where each voxel takes a pixel
TALLEST = 640
GAP = 12  # pixels between tiles
NAME, BAR = 20, 24  # pixels for the name above and the scale bar below a tile
INDENT = 14  # pixels left of a bar of colours, for its first number
SMALL = 11 * figures.PT
MASK, ADDED, REMOVED = "#e69f00", "#56b4e9", "#d55e00"  # of figures.COLORS
KEPT = "0.8"
DIMMED = 0.45  # brightness of what is outside of a mask


@figures.default_style()
def draw_panels(panels, draw):
    """Draw the panels of a comparison, and say of each that cannot be drawn why.

    Parameters
    ----------
    panels : list of dict
        As of :func:`cellstack.gallery_panels.list_panels`; ``arguments`` and ``snippet`` may be missing.
    draw : callable
        Takes a panel; returns its figure, the colours of :func:`cellstack.figures.png` to save it with, a text in place of the picture
        for who cannot see it, and a caption. May raise InputError.

    Returns
    -------
    list of dict
        Ready for JSON, in the order of `panels`: ``title``, ``snippet`` or None, ``is_own``, ``png`` in base 64 or None, its
        ``width`` in pixels, ``alt``, ``caption``.
    """
    drawn = []
    for panel in panels:
        try:
            figure, colors, alt, caption = draw(panel)
            png, width = base64.b64encode(figures.png(figure, colors)).decode(), round(figure.get_size_inches()[0] * figures.DPI)
        except InputError as error:
            png, width, alt, caption = None, 0, "", f"No picture: {error}"
        known = {"title": panel["title"], "snippet": panel.get("snippet"), "is_own": panel.get("is_own", False)}
        drawn.append(known | {"png": png, "width": width, "alt": alt, "caption": caption})
    return drawn


class Tile(NamedTuple):
    """An image to be shown: rows and columns of pixels, their size in um, pixels of the figure per um, name, whether it has a scale bar."""

    shape: tuple
    spacing: tuple
    scale: float
    name: str = ""
    bar: bool = True


def scale_of(shape, spacing, width=WIDTH):
    """Choose the pixels per um of an image, such that a voxel is a whole number of pixels where there is room for it.

    Parameters
    ----------
    shape : (2,) sequence of int
        Rows and columns.
    spacing : (2,) sequence of float
        Pixel size along rows and columns in um.
    width : float
        Pixels that the image should have across.

    Returns
    -------
    float
    """
    wanted = min(width / (shape[1] * spacing[1]), TALLEST * width / WIDTH / (shape[0] * spacing[0]))
    magnified = round(wanted * spacing[1])
    if magnified < 1 and shape[1] <= WIDEST * width / WIDTH:
        magnified = 1
    return magnified / spacing[1] if magnified else wanted


def tile_figure(rows, below=0):
    """Lay tiles out in rows, each with its name above and its scale bar below.

    Parameters
    ----------
    rows : list of list of Tile
    below : int
        Pixels to be left free below.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : list of list of matplotlib.axes.Axes
        As of :func:`cellstack.figures.add_panel`, one for each tile, in um from the centre of the first pixel of its image.
    bottom : float
        Where the free room begins, in pixels from the top.
    """
    sizes = [[(tile.shape[1] * tile.spacing[1] * tile.scale, tile.shape[0] * tile.spacing[0] * tile.scale) for tile in row] for row in rows]
    heights = [
        max(down for _, down in size) + NAME * any(tile.name for tile in row) + BAR * any(tile.bar for tile in row)
        for row, size in zip(rows, sizes, strict=True)
    ]
    across = max(sum(width for width, _ in size) + GAP * (len(size) - 1) for size in sizes)
    figure = figures.new_figure(across + 2, sum(heights) + GAP * (len(rows) - 1) + below + 2)
    axes, top = [], 1.0
    for row, size, height in zip(rows, sizes, heights, strict=True):
        left, panels = 1.0, []
        begin = top + NAME * any(tile.name for tile in row)
        for tile, (wide, down) in zip(row, size, strict=True):
            if tile.name:
                figures.add_text(figure, left, top, tile.name)
            extent = (*figures.edges(tile.shape[1], tile.spacing[1]), *figures.edges(tile.shape[0], tile.spacing[0])[::-1])
            panels.append(figures.add_panel(figure, left, begin, extent, tile.scale))
            if tile.bar:
                length = figures.round_length(wide / tile.scale / 4)
                figures.scale_bar(figure, left + wide, begin + down + BAR - 6, tile.scale, length)
            left += wide + GAP
        axes.append(panels)
        top += height + GAP
    return figure, axes, top - GAP


def trace(image, spacing):
    """Trace the outlines of a mask or of all labels in a plane.

    Parameters
    ----------
    image : (Y, X) ndarray of uint8, uint16 or uint32
        0 is background.
    spacing : (2,) sequence of float
        Pixel size along rows and columns in um.

    Returns
    -------
    lines : list of (K, 2) ndarray
        As of :func:`cellstack.figures.outlines`.
    labels : list of int
        The label of each line.
    """
    lines, labels = [], []
    for label, box in enumerate(figures.find_boxes(image[None]), start=1):
        if box is not None:  # else the label is not in this plane
            found = figures.outlines(image[box[1:]] == label, [side.start for side in box[1:]], spacing)
            lines += found
            labels += [label] * len(found)
    return lines, labels


def show_mask(axes, image, limits, mask, spacing):
    """Show an image dimmed outside of a mask, with the outline of the mask."""
    figures.show_image(axes, np.where(mask > 0, image, limits[0] + DIMMED * (image - limits[0])), limits)
    lines, _ = trace(mask, spacing)
    figures.draw_outlines(axes, lines, [MASK] * len(lines))


def show_labels(axes, image, limits, labels, spacing, colors):
    """Show an image with the outlines of labels, which have a colour each."""
    figures.show_image(axes, image, limits)
    lines, named = trace(labels, spacing)
    figures.draw_outlines(axes, lines, [colors[label - 1] for label in named])


def middles(labels):
    """Give the middle of each label in voxels, as an (N, 3) ndarray of float."""
    import cc3d

    return cc3d.statistics(labels)["centroids"][1:]


def show_points(axes, points, spacing):
    """Mark points, (N, 2) rows and columns in pixels, by a dot with a dark rim."""
    y, x = (np.reshape(points, (-1, 2)) * spacing).T
    axes.plot(x, y, "o", markersize=7 * figures.PT, color="white", markeredgecolor="black", markeredgewidth=1.2 * figures.PT)


def plot_axes(figure, top, height, left=46, right=12):
    """Add axes for lines below the tiles of a figure, as wide as the figure, in pixels; labels take `left` and 36 below."""
    width, whole = figure.get_size_inches() * figures.DPI
    axes = figure.add_axes((left / width, 1 - (top + height - 36) / whole, (width - left - right) / width, (height - 44) / whole))
    axes.tick_params(labelsize=SMALL, length=3 * figures.PT, width=0.8 * figures.PT)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set(linewidth=0.8 * figures.PT)
    return axes


def label_axes(axes, across, up):
    """Name both axes."""
    axes.set_xlabel(across, fontsize=SMALL, labelpad=2)
    axes.set_ylabel(up, fontsize=SMALL, labelpad=2)


def colour_bar(figure, image, top, label, width=260):
    """Add a bar that tells the values of a map of colours, at the left below the tiles; it takes 44 pixels.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    image : matplotlib.image.AxesImage
    top : float
        In pixels.
    label : str
    width : float
        In pixels.
    """
    whole = figure.get_size_inches() * figures.DPI
    place = figure.add_axes((INDENT / whole[0], 1 - (top + 16) / whole[1], width / whole[0], 10 / whole[1]))
    bar = figure.colorbar(image, cax=place, orientation="horizontal")
    bar.ax.tick_params(labelsize=SMALL, length=3 * figures.PT, pad=2)
    bar.outline.set_linewidth(0.6 * figures.PT)
    figures.add_text(figure, INDENT + width + 12, top + 4, label)
