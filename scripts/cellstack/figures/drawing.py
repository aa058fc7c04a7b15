"""Building blocks of figures: panels at true scale, scale bar, header, legend.

Figures are laid out in pixels from the top left corner, so that the panel of an image has exactly
its size in um times one scale. Positions in um count from the centre of the first voxel, like the
centroids in the tables.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.image import AxesImage
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.text import Text

from cellstack.core.counting import counted, significant
from cellstack.core.planes import Planes
from cellstack.core.types import Spacing
from cellstack.errors import InputError
from cellstack.figures.colors import ALERT, SECONDARY

DPI = 100
PIXEL = 72 / DPI  # one pixel in points, matplotlib's unit of line widths and font sizes
TEXT_SIZE, HEADING_SIZE, TITLE_SIZE = 13 * PIXEL, 15 * PIXEL, 19 * PIXEL
MARGIN = 20  # pixels around the figure
GREY_PERCENTILES = (0.5, 99.5)
MAX_TINT_OPACITY = 0.6
MAX_CHARACTERS = 400  # a longer text is cut to this length before its width is measured
GREY = "gray"  # the colour map of images, unless another one is chosen

_color_map = ContextVar("color_map", default=GREY)


@contextmanager
def use_color_map(name: str) -> Iterator[None]:
    """Show images of intensities in another colour map.

    Parameters
    ----------
    name : str
        Name of a colour map of matplotlib.

    Examples
    --------
    >>> with use_color_map("viridis"):
    ...     describe_range((3.0, 800.0))
    'viridis from 3 to 800'
    """
    token = _color_map.set(name)
    try:
        yield
    finally:
        _color_map.reset(token)


def is_grey() -> bool:
    """Return whether images of intensities are shown in grey, see :func:`use_color_map`."""
    return _color_map.get() == GREY


def describe_range(limits: tuple[float, float]) -> str:
    """Return the colour map of images of intensities and the values shown, for a caption.

    Examples
    --------
    >>> describe_range((3.0, 800.0))
    'grey from 3 to 800'
    """
    name = "grey" if is_grey() else _color_map.get()
    return f"{name} from {significant(limits[0], 4)} to {significant(limits[1], 4)}"


@contextmanager
def default_style() -> Iterator[None]:
    """Draw with matplotlib's own defaults, whatever the user's matplotlibrc sets.

    All text is plain: a dollar sign in a name of the user does not start a formula. Use it in a
    ``with`` statement or as a decorator.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams["text.parse_math"] = False
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty white figure.

    It has an Agg canvas; pyplot is not used, because it would double the import time.

    Parameters
    ----------
    width, height : float
        In pixels.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def figure_size(figure: Figure) -> tuple[float, float]:
    """Return width and height of a figure in pixels."""
    width, height = figure.get_size_inches() * DPI
    return float(width), float(height)


def check_shapes(title: str, images: Mapping[str, Planes]) -> None:
    """Raise an error if images of one stack differ in shape.

    Parameters
    ----------
    title : str
        Name of the stack, for the message.
    images : dict of str to ndarray or planes
        By name, for the message.

    Raises
    ------
    InputError
    """
    if len({image.shape for image in images.values()}) > 1:
        shapes = ", ".join(f"{name} {image.shape}" for name, image in images.items())
        raise InputError(
            f"{title}: images differ in shape ({shapes}); delete these files and run the "
            "workflow again"
        )


def add_panel(
    figure: Figure, left: float, top: float, extent: Sequence[float], scale: float
) -> Axes:
    """Add axes without ticks for an image, at a given scale.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    left, top : float
        Top left corner of the panel, in pixels from that of the figure.
    extent : (4,) sequence of float
        Left, right, bottom and top edge of the image in um, see :func:`image_extent`.
    scale : float
        Pixels per um, on both axes.

    Returns
    -------
    matplotlib.axes.Axes
    """
    width, height = figure_size(figure)
    across, down = (extent[1] - extent[0]) * scale, (extent[2] - extent[3]) * scale
    axes = figure.add_axes((left / width, 1 - (top + down) / height, across / width, down / height))
    axes.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[], facecolor="black")
    axes.spines[:].set(color="0.5", linewidth=0.8 * PIXEL)
    return axes


def show_image(
    axes: Axes, image: np.ndarray, limits: tuple[float, float], cmap: str | None = None
) -> AxesImage:
    """Show an image from edge to edge of a panel.

    Magnified voxels are shown as squares; an image that has to be shrunk is smoothed.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Panel, see :func:`add_panel`.
    image : (M, N) ndarray or (M, N, 3) ndarray of uint8
        Values, or red, green and blue.
    limits : (float, float)
        Values shown in the first and the last colour; without effect on colours.
    cmap : str, optional
        Name of a colour map of matplotlib; by default that of :func:`use_color_map`.

    Returns
    -------
    matplotlib.image.AxesImage
    """
    extent = (*axes.get_xlim(), *axes.get_ylim())
    magnification = min(axes.bbox.height / image.shape[0], axes.bbox.width / image.shape[1])
    return axes.imshow(
        image,
        cmap=cmap or _color_map.get(),
        vmin=limits[0],
        vmax=limits[1],
        extent=extent,
        aspect="auto",
        interpolation="nearest" if magnification >= 1.5 else "hanning",
        interpolation_stage="data",
    )


def show_tint(axes: Axes, image: np.ndarray, limits: tuple[float, float], color: str) -> None:
    """Overlay a second image as a transparent tint.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Panel that shows the first image.
    image : (M, N) ndarray
    limits : (float, float)
        Values of no tint and of the strongest one.
    color : str
    """
    low, high = limits
    extent = (*axes.get_xlim(), *axes.get_ylim())
    strength = np.clip((image.astype(np.float32) - low) / ((high - low) or 1), 0, 1)
    tint = np.empty((*image.shape, 4), np.float32)
    tint[..., :3], tint[..., 3] = to_rgb(color), MAX_TINT_OPACITY * strength
    axes.imshow(tint, extent=extent, aspect="auto", interpolation="nearest")


def add_text(figure: Figure, left: float, top: float, text: str, **style: Any) -> Text:
    """Write text on a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    left, top : float
        Top left corner of the text, in pixels from that of the figure.
    text : str
    **style
        Properties of :class:`matplotlib.text.Text`, such as alignment, size and colour.

    Returns
    -------
    matplotlib.text.Text
    """
    width, height = figure_size(figure)
    defaults: dict[str, Any] = {"fontsize": TEXT_SIZE, "va": "top"}
    return figure.text(left / width, 1 - top / height, text, **(defaults | style))


def shorten(figure: Figure, text: str, room: float, **style: Any) -> str:
    """Return a text on one line, cut to fit a width.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    text : str
        Letters that the font lacks are replaced by their code, such as U+5BFE, so that names in
        other alphabets remain different.
    room : float
        Width in pixels.
    **style
        Properties of :class:`matplotlib.text.Text`.

    Returns
    -------
    str
        The text; it ends in "…" if it was cut.

    Examples
    --------
    >>> shorten(new_figure(200, 100), "a name of many letters", 100)
    'a name of m…'
    """
    font = get_font(findfont(FontProperties()))
    letters = " ".join(text.split())[:MAX_CHARACTERS]
    line = "".join(
        letter if font.get_char_index(ord(letter)) else f"U+{ord(letter):04X}" for letter in letters
    )
    probe = Text(**({"fontsize": TEXT_SIZE} | style))
    probe.set_figure(figure)

    def width(count: int) -> float:
        probe.set_text(line[:count] + "…" * (count < len(line)))
        return float(probe.get_window_extent().width)

    if width(len(line)) > room:
        # the first character is always kept
        count = max(bisect_right(range(len(line)), room, key=width) - 1, 1)
        line = f"{line[:count].rstrip()}…"
    return line


def edges(count: int, step: float) -> tuple[float, float]:
    """Return where an axis of an image begins and ends.

    Parameters
    ----------
    count : int
        Number of voxels.
    step : float
        Voxel size in um.

    Returns
    -------
    first, last : float
        Outer edges in um from the centre of the first voxel.

    Examples
    --------
    >>> edges(10, 0.5)
    (-0.25, 4.75)
    """
    return -step / 2, (count - 0.5) * step


def image_extent(shape: Sequence[int], spacing: Sequence[float]) -> tuple[float, ...]:
    """Return the outer edges of an image.

    Parameters
    ----------
    shape : (2,) sequence of int
        Rows and columns.
    spacing : (2,) sequence of float
        Pixel size along rows and columns in um.

    Returns
    -------
    left, right, bottom, top : float
        In um from the centre of the first pixel; bottom > top, as rows are numbered downwards.

    Examples
    --------
    >>> image_extent((10, 20), (0.5, 0.5))
    (-0.25, 9.75, 4.75, -0.25)
    """
    top, bottom = edges(shape[0], spacing[0])
    return (*edges(shape[1], spacing[1]), bottom, top)


def display_range(*images: np.ndarray) -> tuple[float, float]:
    """Return the values to show as black and white.

    Parameters
    ----------
    *images : ndarray
        Images to be shown with one common range.

    Returns
    -------
    low, high : float
        The 0.5 and 99.5 percentiles, or minimum and maximum if these are equal.

    Examples
    --------
    >>> display_range(np.arange(1001))
    (5.0, 995.0)
    """
    values = np.concatenate([image.ravel() for image in images])
    low, high = np.percentile(values, GREY_PERCENTILES)
    if low == high:
        low, high = values.min(), values.max()
    return float(low), float(high)


def round_length(limit: float) -> float:
    """Return the largest of ... 0.5, 1, 2, 5, 10, 20, 50 ... that is not above a limit.

    Parameters
    ----------
    limit : float
        Above 0.

    Returns
    -------
    float

    Examples
    --------
    >>> round_length(47.0)
    20.0
    """
    power = 10.0 ** np.floor(np.log10(limit))
    # 0.5, as the logarithm of a number just below a power of ten is rounded up
    return float(max(step * power for step in (0.5, 1, 2, 5) if step * power <= limit))


def scale_bar(figure: Figure, right: float, bottom: float, scale: float, length: float) -> Line2D:
    """Draw a scale bar with its length to the left of it.

    It is drawn beside the images, so that it covers none of them.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    right, bottom : float
        Lower right corner of the bar, in pixels from the top left corner of the figure.
    scale : float
        Pixels per um of the panels.
    length : float
        In um, see :func:`round_length`.

    Returns
    -------
    matplotlib.lines.Line2D
        The bar, in figure coordinates.
    """
    width, height = figure_size(figure)
    ends = np.array([right - length * scale, right])
    y = 1 - (bottom - 2) / height
    bar = Line2D(ends / width, (y, y), color="black", linewidth=4 * PIXEL, solid_capstyle="butt")
    figure.add_artist(bar)
    add_text(figure, ends[0] - 8, bottom + 4, f"{length:g} µm", ha="right", va="bottom")
    return bar


def header_height(note: str) -> int:
    """Return the height of the header in pixels, which depends on whether there is a note."""
    return MARGIN + 82 + (24 if note else 0)


def add_header(
    figure: Figure,
    title: str,
    count: int,
    summary: str,
    shape: Sequence[int],
    spacing: Spacing,
    note: str,
    noun: str = "objects",
) -> None:
    """Write the header of a figure of one stack: name, number of objects, size, note.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    title : str
        Name of the stack.
    count : int
        Number of objects found.
    summary : str
        Text after that number; left out if there are no objects.
    shape : (3,) sequence of int
        Voxels along z, y, x.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    note : str
        A warning, such as "simulated data"; may be empty.
    noun : str
        What is counted, in the plural.
    """
    (z, y, x), (dz, dy, dx) = shape, spacing
    bold = {"fontsize": TITLE_SIZE, "weight": "bold"}
    room = figure_size(figure)[0] - 2 * MARGIN
    add_text(figure, MARGIN, MARGIN, shorten(figure, title, room, **bold), **bold)
    found = f"{counted(count, noun)}{summary}" if count else f"no {noun} found"
    style = {} if count else {"color": ALERT, "weight": "bold"}
    add_text(figure, MARGIN, MARGIN + 30, found, fontsize=HEADING_SIZE, **style)
    voxel = " × ".join(significant(step, 4) for step in (dx, dy, dz))
    voxels = f"{x} × {y} × {z} voxels of {voxel} µm (x, y, z)"
    size = f"{x * dx:.4g} × {y * dy:.4g} × {z * dz:.4g} µm"
    add_text(figure, MARGIN, MARGIN + 54, f"{voxels}: {size}", color=SECONDARY)
    if note:
        add_text(figure, MARGIN, MARGIN + 78, note, color=ALERT, weight="bold")


def add_caption(
    figure: Figure,
    left: float,
    top: float,
    text: str,
    limits: tuple[float, float],
    more: str = "",
) -> None:
    """Write the caption of a group of panels, with the values shown in black and white.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    left, top : float
        In pixels from the top left corner of the figure.
    text : str
        What the panels show.
    limits : (float, float)
        See :func:`display_range`.
    more : str
        Text after the range of values.
    """
    name = add_text(figure, left, top, text, weight="bold", fontsize=HEADING_SIZE)
    low, high = limits
    if low < high:
        detail, color = describe_range(limits), SECONDARY
    else:
        detail, color = f"constant: all values are {significant(low, 4)}", ALERT
    add_text(figure, name.get_window_extent().x1 + 12, top + 1, detail + more, color=color)


def add_legend(figure: Figure, handles: Mapping[str, Any], **style: Any) -> None:
    """Add a legend of outlines in the top right corner of a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    handles : dict of str to (Line2D or tuple of Line2D)
        Lines by their description; those of a tuple are drawn side by side.
    **style
        Further options of :meth:`matplotlib.figure.Figure.legend`.
    """
    width, height = figure_size(figure)
    figure.legend(
        list(handles.values()),
        list(handles),
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
        loc="upper right",
        bbox_to_anchor=(1 - MARGIN / width, 1 - MARGIN / height),
        borderaxespad=0,
        fontsize=TEXT_SIZE,
        facecolor="0.25",
        labelcolor="white",
        edgecolor="none",
        framealpha=1,
        **style,
    )
