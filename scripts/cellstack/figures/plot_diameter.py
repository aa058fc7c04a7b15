"""Figure of an estimated diameter: circles over a plane, sizes found at each scale, histogram."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cellstack.config.marks import Mark
from cellstack.core.blobs import find_blobs
from cellstack.core.intensities import rescale
from cellstack.core.planes import Stack
from cellstack.core.thresholds import typical_bright
from cellstack.core.types import Spacing
from cellstack.figures import drawing, marking
from cellstack.figures.colors import ALERT, ORANGE, SECONDARY

MAX_WIDTH, MAX_HEIGHT = 700, 700  # pixels of the plane
MIN_WIDTH = 300  # pixels, for the caption of the plane
PLOT_WIDTH, PLOT_HEIGHT, PLOT_GAP = 420, 230, 90  # pixels of a plot, and for its labels
HEADING, PLOT_HEADING = 38, 26  # pixels above the plane and above a plot
SLAB_DIAMETERS = 2  # farther planes do not affect the blobs near a plane
SIGMA_DIAMETERS, DISTANCE_DIAMETERS, BACKGROUND_DIAMETERS = 0.3, 0.6, 1.5  # as in find_seeds
BINS = 30
MIN_RELATIVE_CONTRAST = 0.25  # of a circled blob, relative to the typical bright one
CIRCLE_COLOR = ORANGE

Values = NDArray[np.floating]


@drawing.default_style()
def plot_diameter(
    raw: Stack,
    spacing: Spacing,
    estimate: Mapping[str, Any],
    *,
    title: str,
    note: str = "",
    marks: Sequence[Mark] = (),
) -> Figure:
    """Draw how the diameter of the objects of a stack was estimated.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack
        Intensities. The plane with the highest mean is shown.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    estimate : dict
        ``diameter_um``, ``source``, and the lists ``found_um``, ``scales_um`` and ``sizes_um``, see
        :class:`cellstack.prepare.estimate_diameter.Estimate`.
    title : str
        Name of the stack.
    note : str
        A warning shown in the header; may be empty.
    marks : list of Mark
        Marks of the user.

    Returns
    -------
    matplotlib.figure.Figure
        The axes are labelled ``plane``, ``scales`` and ``objects``.
    """
    diameter: float = estimate["diameter_um"]
    count = len(estimate["found_um"])
    plane = int(np.argmax([image.mean() for image in raw]))
    height, width = (size * step for size, step in zip(raw.shape[1:], spacing[1:], strict=True))
    scale = min(MAX_WIDTH / width, MAX_HEIGHT / height)
    left, top = drawing.MARGIN, drawing.header_height(note)
    plot_left = left + max(MIN_WIDTH, width * scale) + PLOT_GAP
    below = max(HEADING + height * scale, 2 * (PLOT_HEADING + PLOT_HEIGHT) + PLOT_GAP)
    figure = drawing.new_figure(plot_left + PLOT_WIDTH + drawing.MARGIN, top + below + 60)
    summary = f", estimated diameter {diameter:.3g} µm"
    drawing.add_header(figure, title, count, summary, raw.shape, spacing, note)

    limits = drawing.display_range(raw[plane])
    drawing.add_caption(figure, left, top, f"Plane {plane}, counted from 0", limits)
    extent = drawing.image_extent(raw.shape[1:], spacing[1:])
    axes = drawing.add_panel(figure, left, top + HEADING, extent, scale)
    axes.set_label("plane")
    drawing.show_image(axes, raw[plane], limits)
    foot = top + HEADING + height * scale + 30
    drawing.scale_bar(figure, left + width * scale, foot, scale, drawing.round_length(width / 5))
    if count:
        _draw_circles(axes, *_find_circles(raw, spacing, plane, diameter))
        text = f"circles: balls of {diameter:.3g} µm, cut by the plane"
        drawing.add_text(figure, left, foot + 6, text, color=SECONDARY)  # below the scale bar

    marking.draw_marks(axes, marks, spacing, plane=plane)

    _plot_scales(_add_plot(figure, plot_left, top, "Size found at each scale"), estimate)
    top += PLOT_HEADING + PLOT_HEIGHT + PLOT_GAP
    _plot_objects(_add_plot(figure, plot_left, top, "Objects found at the estimate"), estimate)
    return figure


def _find_circles(
    raw: Stack, spacing: Spacing, plane: int, diameter: float
) -> tuple[Values, Values]:
    """Return the sections of a plane through balls of the given diameter around bright blobs.

    These are the centres (y, x) and the diameters of circles in um.
    """
    reach = math.ceil(SLAB_DIAMETERS * diameter / spacing[0])
    first = max(0, plane - reach)
    slab = raw[first : plane + reach + 1]
    blobs = find_blobs(
        rescale(slab, *drawing.display_range(slab)),
        spacing,
        SIGMA_DIAMETERS * diameter,
        DISTANCE_DIAMETERS * diameter,
        BACKGROUND_DIAMETERS * diameter,
    )
    is_bright = blobs.contrasts > MIN_RELATIVE_CONTRAST * typical_bright(blobs.contrasts)
    # in um from the centre of the first voxel of the slab
    centres = (blobs.centres[is_bright] + 0.5) * blobs.spacing - np.divide(spacing, 2)
    squares = diameter**2 - 4 * (centres[:, 0] - (plane - first) * spacing[0]) ** 2
    return centres[squares > 0, 1:], np.sqrt(squares[squares > 0])


def _draw_circles(
    axes: Axes, centres: NDArray[np.floating], diameters: NDArray[np.floating]
) -> None:
    for color, width in (("black", 3.0), (CIRCLE_COLOR, 1.6)):
        circles = EllipseCollection(
            diameters,
            diameters,
            np.zeros(len(diameters)),
            units="xy",
            offsets=centres[:, ::-1],
            transOffset=axes.transData,
            facecolors="none",
            edgecolors=color,
            linewidths=width * drawing.PIXEL,
        )
        axes.add_collection(circles)


def _add_plot(figure: Figure, left: float, top: float, name: str) -> Axes:
    width, height = drawing.figure_size(figure)
    drawing.add_text(figure, left, top, name, weight="bold", fontsize=drawing.HEADING_SIZE)
    bottom = 1 - (top + PLOT_HEADING + PLOT_HEIGHT) / height
    axes = figure.add_axes((left / width, bottom, PLOT_WIDTH / width, PLOT_HEIGHT / height))
    axes.tick_params(labelsize=drawing.TEXT_SIZE)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _plot_scales(axes: Axes, estimate: Mapping[str, Any]) -> None:
    from matplotlib.ticker import LogLocator

    axes.set_label("scales")
    scales, sizes = (np.array(estimate[name], float) for name in ("scales_um", "sizes_um"))
    ends = [scales.min() / 1.2, scales.max() * 1.2]
    axes.plot(ends, ends, color="0.6", linewidth=1.2 * drawing.PIXEL)
    axes.text(
        ends[1],
        ends[1],
        "found = searched for",
        ha="right",
        va="bottom",
        fontsize=drawing.TEXT_SIZE,
        color=SECONDARY,
    )
    width = 1.2 * drawing.PIXEL
    axes.plot(scales, sizes, "o-", color="black", markersize=5 * drawing.PIXEL, linewidth=width)
    axes.set(xscale="log", yscale="log", xlim=ends)
    axes.set_xlabel("diameter searched for, in µm", fontsize=drawing.TEXT_SIZE)
    axes.set_ylabel("diameter found, in µm", fontsize=drawing.TEXT_SIZE)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_formatter("")
    if estimate["found_um"]:
        _mark_diameter(axes, estimate["diameter_um"])


def _plot_objects(axes: Axes, estimate: Mapping[str, Any]) -> None:
    axes.set_label("objects")
    sizes: Sequence[float] = estimate["found_um"]
    if sizes:
        end = 1.25 * max(*sizes, estimate["diameter_um"])
        axes.hist(
            sizes,
            bins=BINS,
            range=(0, end),
            color="0.6",
            edgecolor="white",
            linewidth=0.6 * drawing.PIXEL,
        )
        axes.set_xlim(0, end)
        _mark_diameter(axes, estimate["diameter_um"])
    else:
        axes.text(
            0.5,
            0.5,
            "no objects found",
            transform=axes.transAxes,
            ha="center",
            color=ALERT,
            fontsize=drawing.TEXT_SIZE,
        )
    locator: Any = axes.yaxis.get_major_locator()
    locator.set_params(integer=True)
    axes.set_xlabel("diameter of an object, in µm", fontsize=drawing.TEXT_SIZE)
    axes.set_ylabel("objects", fontsize=drawing.TEXT_SIZE)


def _mark_diameter(axes: Axes, diameter: float) -> None:
    """Draw a line at the estimate, with its value on the side where there is more room."""
    axes.axvline(diameter, color=ALERT, linewidth=1.8 * drawing.PIXEL)
    position = axes.transAxes.inverted().transform(axes.transData.transform((diameter, 1)))[0]
    axes.text(
        diameter,
        0.02,
        f" {diameter:.3g} µm ",
        transform=axes.get_xaxis_transform(),
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8},
        ha="right" if position > 0.7 else "left",
        va="bottom",
        fontsize=drawing.TEXT_SIZE,
        weight="bold",
        color=ALERT,
    )
