"""Marks of the user in figures: arrows, boxes and texts at places in um."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from cellstack.config.marks import ARROW, BOX, Mark
from cellstack.core.types import Spacing
from cellstack.figures.colors import COLORS
from cellstack.figures.drawing import PIXEL, TEXT_SIZE, shorten
from cellstack.figures.views import VIEWS

LINE_WIDTH, RIM = 1.8, 1.2  # pixels, of the line and of the dark rim on each side
HEAD = 12  # pixels, size of the head of an arrow
GAP = 3  # pixels between a mark and its text
MAX_TEXT = 300  # pixels, width of a text
MAX_COLORS = 14  # of a figure with a palette, those of marks and all others
DIAGONAL = 0.5**0.5


def draw_marks(
    axes: Axes,
    marks: Sequence[Mark],
    spacing: Spacing,
    view: str = "xy",
    plane: int | None = None,
) -> None:
    """Draw the marks that a view shows.

    Marks with a place outside the panel are not drawn. An arrow points at its place from the
    upper left, or from another side if that would be outside the view. A box and a text are
    centred on their place; the text of an arrow is at its tail, that of a box above it.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Panel, see :func:`cellstack.figures.drawing.add_panel`.
    marks : list of Mark
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    view : {"xy", "xz", "yz"}
    plane : int, optional
        The plane that is shown, counted from 0 along the line of sight. It has the marks that are
        at most half their size away, or half a voxel if that is more. By default, a projection,
        which has all marks.
    """
    through, down, across = VIEWS[view]
    step = spacing[through]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for mark in marks:
        reach = max(mark["size_um"], step) / 2
        if plane is not None and abs(mark["place_um"][through] - plane * step) > reach:
            continue
        x, y = mark["place_um"][across], mark["place_um"][down]
        if not (left <= x <= right and top <= y <= bottom):
            continue
        if mark["kind"] == ARROW:
            _draw_arrow(axes, mark, x, y)
        elif mark["kind"] == BOX:
            side = mark["size_um"]
            box = Rectangle(
                (x - side / 2, y - side / 2),
                side,
                side,
                fill=False,
                edgecolor=mark["color"],
                linewidth=LINE_WIDTH * PIXEL,
                path_effects=[_rim(LINE_WIDTH)],
            )
            axes.add_artist(box)
            _write(axes, mark, (x, y - side / 2), (0, 1))
        else:
            _write(axes, mark, (x, y), (0, 0))


def palette(marks: Sequence[Mark], colors: Sequence[str] = COLORS) -> Sequence[str]:
    """Return the colours of a PNG file with marks.

    Parameters
    ----------
    marks : list of Mark
    colors : sequence of str
        Colours of all else in the figure, except grey.

    Returns
    -------
    sequence of str
        See :func:`cellstack.figures.png.to_png`. There are none, and so all colours, if there are
        too many.

    Examples
    --------
    >>> palette([], ["red", "blue"])
    ['red', 'blue']
    """
    used = [*colors, *dict.fromkeys(mark["color"] for mark in marks)]
    return used if len(used) <= MAX_COLORS else []


def _draw_arrow(axes: Axes, mark: Mark, x: float, y: float) -> None:
    """Draw an arrow that ends at (x, y), with its text at the other end."""
    length = mark["size_um"] * DIAGONAL
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    # rows are numbered downwards: up is towards smaller y
    sideways = -1 if x - length >= left or x + length > right else 1
    upwards = -1 if y - length >= top or y + length > bottom else 1
    tail = (x + sideways * length, y + upwards * length)
    axes.annotate(
        "",
        xy=(x, y),
        xytext=tail,
        annotation_clip=True,
        arrowprops={
            "arrowstyle": "-|>",
            "mutation_scale": HEAD * PIXEL,
            "color": mark["color"],
            "linewidth": LINE_WIDTH * PIXEL,
            "shrinkA": 0,
            "shrinkB": 0,
            "path_effects": [_rim(LINE_WIDTH)],
        },
    )
    _write(axes, mark, tail, (sideways, -upwards))


def _write(axes: Axes, mark: Mark, place: tuple[float, float], towards: tuple[int, int]) -> None:
    """Write the text of a mark at a place, or beside it towards the right (1) and up (1).

    It is moved into the panel if it would not fit there.
    """
    if not mark["text"]:
        return
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    sideways, upwards = towards
    text = axes.annotate(
        shorten(figure, mark["text"], MAX_TEXT),
        xy=place,
        xytext=(sideways * GAP * PIXEL, upwards * GAP * PIXEL),
        textcoords="offset points",
        ha={-1: "right", 0: "center", 1: "left"}[sideways],
        va={-1: "top", 0: "center", 1: "bottom"}[upwards],
        fontsize=TEXT_SIZE,
        color=mark["color"],
        weight="bold",
        annotation_clip=False,
        clip_on=True,
        path_effects=[_rim(LINE_WIDTH)],
    )
    extent, panel = text.get_window_extent(), axes.bbox.padded(-GAP)
    offset = [
        gap * GAP + max(0, low - first) - max(0, last - high)
        for gap, first, last, low, high in zip(
            towards, extent.min, extent.max, panel.min, panel.max, strict=True
        )
    ]
    text.xyann = (offset[0] * PIXEL, offset[1] * PIXEL)


def _rim(width: float) -> withStroke:
    return withStroke(linewidth=(width + 2 * RIM) * PIXEL, foreground="black", alpha=0.6)
