"""What the figures share: panels at true scale, grey range, outlines, label colours, scale bar, header, saving.

Figures are laid out in pixels from the top left corner, so that a panel of an image gets exactly its size in um times one scale.
Positions in um count from the centre of the first voxel, as the centroids in the tables do.
"""

from contextlib import contextmanager
from io import BytesIO

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from PIL import Image

from cellstack import relabel, whole_files

DPI = 100
PT = 72 / DPI  # points in a pixel
TEXT, TITLE = 13 * PT, 19 * PT
MARGIN = 20  # pixels round the figure
GREY_PERCENTILES = (0.5, 99.5)
SHADE = "0.35"  # of text that comes second
ALERT = "#d55e00"  # of text that must not be missed
# Okabe and Ito's without black: of the sets compared, the one that stays most distinct under each kind of colour blindness
COLORS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
NEUTRAL = "white"
LINE_WIDTH, NEUTRAL_WIDTH = 1.3, 0.9  # pixels
NEUTRAL_DASHES = (0, (4, 2))
STRONGEST_TINT = 0.6  # opacity
MOST_COVERED = 0.25  # share of a panel that lines may take before they get thinner, down to half


@contextmanager
def default_style():
    """Draw with matplotlib's own defaults, whatever the matplotlibrc of the user says; serves as a decorator too."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


def new_figure(width, height):
    """Return a white figure of `width` x `height` pixels with an Agg canvas (no pyplot: half the import time)."""
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def add_panel(figure, left, top, extent, scale):
    """Add the frame of an image to a figure, in um and at a given scale.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    left, top : float
        The panel's top left corner in pixels from that of the figure.
    extent : (4,) sequence of float
        The image's left, right, bottom and top edge in um; bottom is the larger one, as rows count downwards.
    scale : float
        Pixels per um, on both axes.

    Returns
    -------
    matplotlib.axes.Axes
        Without ticks.
    """
    width, height = figure.get_size_inches() * DPI
    across, down = (extent[1] - extent[0]) * scale, (extent[2] - extent[3]) * scale
    axes = figure.add_axes((left / width, 1 - (top + down) / height, across / width, down / height))
    axes.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[], facecolor="black")
    axes.spines[:].set(color="0.5", linewidth=0.8 * PT)
    return axes


def show_image(axes, image, limits, cmap="gray"):
    """Show an image between two values, from edge to edge of a panel, and return the artist; voxels stay squares where there is room."""
    extent = (*axes.get_xlim(), *axes.get_ylim())
    magnified = min(axes.bbox.height / image.shape[0], axes.bbox.width / image.shape[1])
    filtering = {"interpolation": "nearest" if magnified >= 1.5 else "hanning", "interpolation_stage": "data"}
    return axes.imshow(image, cmap=cmap, vmin=limits[0], vmax=limits[1], extent=extent, aspect="auto", **filtering)


def show_tint(axes, image, limits, color):
    """Lay an image over the one that is there, as a tint: none at the one value, strongest at the other and above."""
    low, high = limits
    extent = (*axes.get_xlim(), *axes.get_ylim())
    strength = np.clip((image.astype(np.float32) - low) / ((high - low) or 1), 0, 1)
    tint = np.empty((*image.shape, 4), np.float32)
    tint[..., :3], tint[..., 3] = to_rgb(color), STRONGEST_TINT * strength
    axes.imshow(tint, extent=extent, aspect="auto", interpolation="nearest")


def add_text(figure, left, top, text, **style):
    """Write plain text at a place given in pixels from the figure's top left corner, and return the artist."""
    width, height = figure.get_size_inches() * DPI
    style = {"fontsize": TEXT, "va": "top", "parse_math": False} | style
    return figure.text(left / width, 1 - top / height, text, **style)


def edges(count, step):
    """Return where an axis of `count` voxels of `step` um begins and ends, in um from the centre of its first voxel."""
    return -step / 2, (count - 0.5) * step


def display_range(*images):
    """Find the values to show as black and white.

    Parameters
    ----------
    *images : ndarray
        All that is to be shown at one range.

    Returns
    -------
    low, high : float
        The 0.5 and 99.5 percentiles; the whole range where these are equal.
    """
    values = np.concatenate([image.ravel() for image in images])
    low, high = np.percentile(values, GREY_PERCENTILES)
    if low == high:
        low, high = values.min(), values.max()
    return float(low), float(high)


def find_boxes(labels):
    """Find the bounding box of each object.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        1..n without gaps, 0 is background.

    Returns
    -------
    list of tuple of slice
        The box of label 1, 2 ... n; empty where there are no objects.
    """
    return list(relabel.find_boxes(labels).values())


def label_colors(boxes):
    """Give each object one of seven colours, such that objects of one colour lie far apart.

    In the order of the labels, each object takes the colour whose nearest bearer is farthest away. The distance of two objects is that of
    their boxes' centres in units of their sizes: below 1, ellipsoids in these boxes touch. The answer hangs on the objects alone, so an
    object has the same colour in all figures. Nothing forbids touching objects the same colour: it happens to a few pairs where cells
    fill the space and have more neighbours than there are colours.

    Parameters
    ----------
    boxes : list of tuple of slice
        What :func:`find_boxes` found.

    Returns
    -------
    list of str
        A colour per object, as #rrggbb. The colour-blind can tell them apart.

    References
    ----------
    M. Okabe and K. Ito, Color universal design, 2008, https://jfly.uni-koeln.de/color/
    """
    bounds = np.array([[(side.start, side.stop) for side in box] for box in boxes], dtype=float).reshape(-1, 3, 2)
    centre, half = bounds.mean(axis=2), np.diff(bounds, axis=2)[..., 0] / 2
    chosen = np.empty(len(boxes), int)
    for i in range(len(boxes)):
        apart = np.linalg.norm((centre[:i] - centre[i]) / (half[:i] + half[i]), axis=1)
        nearest = np.full(len(COLORS), np.inf)
        np.minimum.at(nearest, chosen[:i], apart)
        chosen[i] = np.argmax(nearest)
    return [COLORS[i] for i in chosen]


def outlines(mask, start, spacing):
    """Trace the outline of one object in one view, along the edges between its pixels and others.

    Parameters
    ----------
    mask : (M, N) ndarray of bool
        The object within its bounding box. Beyond the array is background.
    start : (2,) sequence of int
        Row and column of the mask's first pixel in the whole view.
    spacing : (2,) sequence of float
        Pixel size along rows and columns in um.

    Returns
    -------
    list of (K, 2) ndarray
        Closed lines, columns first and then rows, in um: holes and parts have lines of their own. Lines run through the middles of the
        pixels' outer edges and cut the corners between them.
    """
    from contourpy import contour_generator

    padded = np.pad(mask, 1).astype(float)
    rows, columns = ((np.arange(size) + first - 1) * step for size, first, step in zip(padded.shape, start, spacing, strict=True))
    return contour_generator(x=columns, y=rows, z=padded).lines(0.5)


def draw_outlines(axes, lines, colors=None, dashes=None):
    """Draw outlines over an image, thinner where they would bury it, each with a dark rim that sets it off from bright ground.

    A line lies just inside of the edge that it marks, so that those of two touching objects lie side by side.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        As of :func:`add_panel`.
    lines : list of (K, 2) ndarray
        As of :func:`outlines`.
    colors : list of str, optional
        A colour per line. Without, the lines are thin, broken and white.
    dashes : tuple, optional
        Breaks the coloured lines, as matplotlib's ``linestyle``. They have no rim then, so that what is drawn below shows in the gaps.
    """
    across, down = axes.bbox.width, axes.bbox.height
    scale = across / abs(np.diff(axes.get_xlim())[0])
    length = scale * sum(np.hypot(*np.diff(line, axis=0).T).sum() for line in lines)
    widest, style = (NEUTRAL_WIDTH, NEUTRAL_DASHES) if colors is None else (LINE_WIDTH, dashes or "solid")
    width = widest if length == 0 else np.clip(MOST_COVERED * across * down / length, widest / 2, widest)
    inner = [_inset(line, width / 2 / scale) for line in lines]
    paint = NEUTRAL if colors is None else colors
    if dashes is None:
        axes.add_collection(LineCollection(inner, colors="black", linewidths=1.7 * width * PT, alpha=0.45), autolim=False)
    axes.add_collection(LineCollection(inner, colors=paint, linewidths=width * PT, linestyles=[style]), autolim=False)


def _inset(line, distance):
    """Move the sides of a closed line to their left, where contourpy has the higher values, that is the object."""
    sides = np.diff(line, axis=0)
    left = np.column_stack([-sides[:, 1], sides[:, 0]]) / np.hypot(*sides.T)[:, None]
    before = np.roll(left, 1, axis=0)
    cosine = np.sum(left * before, axis=1, keepdims=True)
    moved = line[:-1] + distance * (left + before) / np.maximum(1 + cosine, 0.3)  # bounded, or sharp corners would fly off
    return np.concatenate([moved, moved[:1]])


def round_length(limit):
    """Return the largest of ... 0.5, 1, 2, 5, 10, 20, 50 ... that is not above `limit`."""
    power = 10.0 ** np.floor(np.log10(limit))
    # 0.5, as the logarithm of what lies just below a power of ten is rounded up
    return float(max(step * power for step in (0.5, 1, 2, 5) if step * power <= limit))


def scale_bar(figure, right, bottom, scale, length):
    """Draw a scale bar with its length beside it, outside of the images so that it hides nothing.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    right, bottom : float
        Its lower right corner in pixels from the figure's top left corner.
    scale : float
        Pixels per um of the panels that it holds for.
    length : float
        In um, as of :func:`round_length`.

    Returns
    -------
    matplotlib.lines.Line2D
        The bar, in figure coordinates.
    """
    width, height = figure.get_size_inches() * DPI
    ends = np.array([right - length * scale, right])
    y = 1 - (bottom - 2) / height
    bar = Line2D(ends / width, (y, y), color="black", linewidth=4 * PT, solid_capstyle="butt")
    figure.add_artist(bar)
    add_text(figure, ends[0] - 8, bottom + 4, f"{length:g} µm", ha="right", va="bottom")
    return bar


def header_height(note):
    """Return the pixels that :func:`add_header` takes, with and without a note."""
    return MARGIN + 82 + (24 if note else 0)


def add_header(figure, title, count, summary, shape, spacing, note):
    """Write what is shown above the panels.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    title : str
        The stack.
    count : int
        The number of objects found.
    summary : str
        What is to be said behind that number; not said where there are no objects.
    shape : (3,) sequence of int
        Voxels along z, y, x.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    note : str
        A warning that must be seen, such as "simulated data"; may be empty.
    """
    (z, y, x), (dz, dy, dx) = shape, spacing
    add_text(figure, MARGIN, MARGIN, title, fontsize=TITLE, weight="bold")
    found = {0: "no objects found", 1: f"1 object{summary}"}.get(count, f"{count} objects{summary}")
    alert = {} if count else {"color": ALERT, "weight": "bold"}
    add_text(figure, MARGIN, MARGIN + 30, found, fontsize=15 * PT, **alert)
    detail = f"{x} × {y} × {z} voxels of {dx:g} × {dy:g} × {dz:g} µm (x, y, z): {x * dx:.4g} × {y * dy:.4g} × {z * dz:.4g} µm"
    add_text(figure, MARGIN, MARGIN + 54, detail, color=SHADE)
    if note:
        add_text(figure, MARGIN, MARGIN + 78, note, color=ALERT, weight="bold")


def add_caption(figure, left, top, text, limits, more=""):
    """Name a block of panels, and the values that are black and white in it; `more` is said behind that."""
    name = add_text(figure, left, top, text, weight="bold", fontsize=15 * PT)
    end = name.get_window_extent(figure.canvas.get_renderer()).x1
    low, high = limits
    scale = f"grey from {low:.4g} to {high:.4g}" if low < high else f"nothing to see: all values are {low:.4g}"
    add_text(figure, end + 12, top + 1, scale + more, color=SHADE if low < high else ALERT)


def add_legend(figure, entries):
    """Explain the outlines, in the figure's top right corner.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    entries : dict of str to bool
        What is said of a kind of outline; True for the coloured one, False for the neutral one.
    """
    width, height = figure.get_size_inches() * DPI
    coloured = tuple(Line2D([], [], color=color, linewidth=2.5 * PT) for color in COLORS)
    neutral = Line2D([], [], color=NEUTRAL, linewidth=NEUTRAL_WIDTH * PT, linestyle=NEUTRAL_DASHES)
    figure.legend(
        [coloured if is_coloured else neutral for is_coloured in entries.values()],
        list(entries),
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
        loc="upper right",
        bbox_to_anchor=(1 - MARGIN / width, 1 - MARGIN / height),
        borderaxespad=0,
        handlelength=6,
        fontsize=TEXT,
        facecolor="0.25",
        labelcolor="white",
        edgecolor="none",
        framealpha=1,
    )


def save(figure, path, colors=()):
    """Write a figure as PNG, whole or not at all.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path-like
        Ends in .png.
    colors : sequence of str, optional
        As of :func:`png`.
    """
    with whole_files.whole_file(path) as partial:
        partial.write_bytes(png(figure, colors))


@default_style()
def png(figure, colors=()):
    """Give a figure as the bytes of a PNG file, the same for the same figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    colors : sequence of str, optional
        Where given, the file holds 64 greys, these colours and their blends with grey and nothing else. An image of noise takes a third of
        the room then.

    Returns
    -------
    bytes
    """
    figure.canvas.draw()
    image = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    if colors:
        palette = Image.new("P", (1, 1))
        palette.putpalette(_palette(colors).tobytes())
        image = image.quantize(palette=palette, dither=Image.Dither.NONE)
    file = BytesIO()
    image.save(file, "PNG", dpi=(DPI, DPI))
    return file.getvalue()


def _palette(colors):
    # Pillow looks pixels up by their upper six bits: with greys at multiples of four, and white, it finds each at its own value
    greys = np.repeat([*range(0, 252, 4), 255], 3).reshape(-1, 3)
    pure = np.array([to_rgb(color) for color in colors]) * 255
    blends = [share * pure + (1 - share) * ground for ground in (0, 64, 128, 255) for share in (0.75, 0.5, 0.25)]
    return np.concatenate([greys, pure, *blends]).round().astype(np.uint8)
