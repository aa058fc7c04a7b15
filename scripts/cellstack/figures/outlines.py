"""Outlines of objects: tracing and drawing."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from cellstack.core.counting import agree
from cellstack.figures.colors import ALERT
from cellstack.figures.drawing import PIXEL
from cellstack.figures.objects import Number as Number
from cellstack.figures.objects import Numbers as Numbers
from cellstack.figures.objects import label_colors as label_colors
from cellstack.figures.objects import read_numbers as read_numbers

Line: TypeAlias = NDArray[np.float64]
"""Vertices of a line in um, of shape (K, 2): columns (x) first, then rows (y)."""

Dashes: TypeAlias = tuple[float, tuple[float, ...]]
"""Offset and lengths of strokes and gaps, as matplotlib's ``linestyle``."""

NEUTRAL_COLOR = "white"  # of outlines without a colour per object
LINE_WIDTH, NEUTRAL_LINE_WIDTH = 1.3, 0.9  # pixels
NEUTRAL_DASHES = (0, (4, 2))
NUMBER_SIZE = 11  # pixels
MIN_WIDTH_OF_NUMBER = 20  # pixels; smaller objects are not numbered
FLAGGED = "!"  # after the number of a flagged object
MAX_OUTLINE_COVERAGE = 0.25  # fraction of a panel; outlines that would cover more are thinner


def trace_outlines(
    mask: NDArray[np.bool_], start: Sequence[int], spacing: Sequence[float]
) -> list[Line]:
    """Trace the outline of an object along the edges of its pixels.

    Parameters
    ----------
    mask : (M, N) ndarray of bool
        The object within its bounding box. Pixels outside the array count as background.
    start : (2,) sequence of int
        Row and column of the first pixel of `mask` in the whole image.
    spacing : (2,) sequence of float
        Pixel size along rows and columns in um.

    Returns
    -------
    list of (K, 2) ndarray
        Closed lines in um, columns first: one per connected part and one per hole. Lines run
        through the middles of the pixel edges and cut the corners between them.

    Examples
    --------
    >>> (line,) = trace_outlines(np.ones((1, 1), bool), (0, 0), (1, 1))
    >>> line.tolist()
    [[-0.5, 0.0], [0.0, -0.5], [0.5, 0.0], [0.0, 0.5], [-0.5, 0.0]]
    """
    from contourpy import contour_generator

    padded = np.pad(mask, 1).astype(float)
    rows, columns = (
        (np.arange(size) + first - 1) * step
        for size, first, step in zip(padded.shape, start, spacing, strict=True)
    )
    lines = contour_generator(x=columns, y=rows, z=padded).lines(0.5)
    return cast("list[Line]", lines)


def draw_outlines(
    axes: Axes,
    lines: Sequence[Line],
    colors: Sequence[str] | None = None,
    dashes: Dashes | None = None,
) -> None:
    """Draw outlines over an image.

    Lines have a dark rim, which makes them visible on a bright image. They lie just inside the
    outline, so that the lines of touching objects lie side by side, and get thinner where they
    would cover too much of the image.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Panel, see :func:`cellstack.figures.drawing.add_panel`.
    lines : list of (K, 2) ndarray
        See :func:`trace_outlines`.
    colors : list of str, optional
        One per line. By default, lines are thin, dashed and white.
    dashes : tuple, optional
        Dash pattern of coloured lines. Dashed lines have no rim, so that lines below them show in
        the gaps.
    """
    across, down = axes.bbox.width, axes.bbox.height
    left, right = axes.get_xlim()
    scale = across / abs(right - left)
    length = scale * sum(np.hypot(*np.diff(line, axis=0).T).sum() for line in lines)
    width = NEUTRAL_LINE_WIDTH if colors is None else LINE_WIDTH
    if length > 0:
        width = np.clip(MAX_OUTLINE_COVERAGE * across * down / length, width / 2, width)
    inner = [_inset(line, width / 2 / scale) for line in lines]
    if dashes is None:
        rims = LineCollection(inner, colors="black", linewidths=1.7 * width * PIXEL, alpha=0.45)
        axes.add_collection(rims, autolim=False)
    style: Any = [NEUTRAL_DASHES if colors is None else dashes or "solid"]
    axes.add_collection(
        LineCollection(
            inner,
            colors=NEUTRAL_COLOR if colors is None else colors,
            linewidths=width * PIXEL,
            linestyles=style,
        ),
        autolim=False,
    )


def draw_numbers(axes: Axes, lines: Iterable[tuple[int, Line]], numbers: Numbers) -> None:
    """Write the number of each object at the middle of its outline, with a mark if it is flagged.

    Objects whose outline is smaller than the text, and those without a number, are left out.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Panel, see :func:`cellstack.figures.drawing.add_panel`.
    lines : iterable of (int, (K, 2) ndarray)
        Labels and outlines. The longest outline of an object gets its number.
    numbers : dict of int to Number
        By label.
    """
    left, right = axes.get_xlim()
    scale = axes.bbox.width / abs(right - left)
    longest: dict[int, Line] = {}
    for label, line in lines:
        if label in numbers and np.ptp(line, axis=0).sum() > (
            np.ptp(longest[label], axis=0).sum() if label in longest else 0
        ):
            longest[label] = line
    for label, line in longest.items():
        if scale * np.ptp(line, axis=0).min() < MIN_WIDTH_OF_NUMBER:
            continue
        number, is_marked, _ = numbers[label]
        x, y = (line.min(axis=0) + line.max(axis=0)) / 2
        axes.text(
            x,
            y,
            f"{number}{FLAGGED if is_marked else ''}",
            fontsize=NUMBER_SIZE * PIXEL,
            color="white",
            weight="bold" if is_marked else "normal",
            ha="center",
            va="center",
            clip_on=True,
            path_effects=[
                withStroke(linewidth=2.2 * PIXEL, foreground=ALERT if is_marked else "black")
            ],
        )


def count_flagged(numbers: Numbers) -> str:
    """Return the number of flagged objects for the header of a figure; empty without any.

    It is that of ``stacks.csv`` and of the page of the run, and says how many of them are marked.

    Parameters
    ----------
    numbers : dict of int to Number

    Examples
    --------
    >>> count_flagged({1: Number(1, False, True), 2: Number(2, True), 5: Number(3, False)})
    ', 2 flagged: 1 marked with !, 1 only because it touches a face'
    """
    marked = sum(each.is_marked for each in numbers.values())
    touching = sum(each.only_touches for each in numbers.values())
    if not marked and not touching:
        return ""
    because = f"only because {agree(touching, 'it touches', 'they touch')} a face"
    if not touching:
        return f", {marked} flagged ({FLAGGED})"
    if not marked:
        return f", {touching} flagged, {because}"
    reasons = f"{marked} marked with {FLAGGED}, {touching} {because}"
    return f", {marked + touching} flagged: {reasons}"


def _inset(line: Line, distance: float) -> Line:
    """Move the sides of a closed line to their left, where contourpy has the higher values."""
    sides = np.diff(line, axis=0)
    left = np.column_stack([-sides[:, 1], sides[:, 0]]) / np.hypot(*sides.T)[:, None]
    before = np.roll(left, 1, axis=0)
    cosine = np.sum(left * before, axis=1, keepdims=True)
    # without the bound, sharp corners would be moved very far
    moved = line[:-1] + distance * (left + before) / np.maximum(1 + cosine, 0.3)
    return np.concatenate([moved, moved[:1]])
