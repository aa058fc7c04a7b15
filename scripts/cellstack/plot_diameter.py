"""Show how the diameter of a stack was estimated: circles of that size over a plane, the scales that were tried, the objects found."""

import math

import numpy as np
from matplotlib.collections import EllipseCollection

from cellstack import adjust_contrast, figures, half_height

WIDTH, HEIGHT = 700, 700  # pixels that the plane may take at most
NARROWEST = 300  # pixels that its caption needs
PLOT, PLOT_HEIGHT, GAP = 420, 230, 90  # pixels: width and height of a plot, and room for its labels
HEADING, NAME = 38, 26  # pixels above the plane and above a plot
SLAB = 2  # diameters: planes that are farther do not matter to what is bright near a plane
SIGMA, APART, SURROUND = 0.3, 0.6, 1.5  # of the diameter, as where objects are found
BINS = 30
LEAST = 0.25  # part of the contrast of a bright one that is circled
COLOR = figures.COLORS[0]


@figures.default_style()
def plot_diameter(raw, spacing, found, *, title, note=""):
    """Draw the estimate of a diameter.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray
        The channel. Shown is the plane with the highest mean.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    found : dict
        ``diameter_um``, ``source``, and the lists ``found_um``, ``scales_um``, ``sizes_um``, see
        :class:`cellstack.estimate_diameter.Estimate`.
    title : str
        The stack.
    note : str
        A warning to print, or nothing.

    Returns
    -------
    matplotlib.figure.Figure
        Its axes are labelled ``plane``, ``scales`` and ``objects``.
    """
    diameter, count = found["diameter_um"], len(found["found_um"])
    plane = int(np.argmax([image.mean() for image in raw]))
    high, wide = (size * step for size, step in zip(raw.shape[1:], spacing[1:], strict=True))
    scale = min(WIDTH / wide, HEIGHT / high)
    left, top = figures.MARGIN, figures.header_height(note)
    beside = left + max(NARROWEST, wide * scale) + GAP
    below = max(HEADING + high * scale, 2 * (NAME + PLOT_HEIGHT) + GAP)
    figure = figures.new_figure(beside + PLOT + figures.MARGIN, top + below + 60)
    figures.add_header(figure, title, count, f", estimated diameter {diameter:.3g} µm", raw.shape, spacing, note)

    limits = figures.display_range(raw[plane])
    figures.add_caption(figure, left, top, f"Plane {plane + 1}", limits)
    extent = (*figures.edges(raw.shape[2], spacing[2]), *figures.edges(raw.shape[1], spacing[1])[::-1])
    axes = figures.add_panel(figure, left, top + HEADING, extent, scale)
    axes.set_label("plane")
    figures.show_image(axes, raw[plane], limits)
    foot = top + HEADING + high * scale + 30
    figures.scale_bar(figure, left + wide * scale, foot, scale, figures.round_length(wide / 5))
    if count:
        _draw_circles(axes, *_circles(raw, spacing, plane, diameter))
        figures.add_text(figure, left, foot - 14, f"circles: balls of {diameter:.3g} µm, cut by the plane", color=figures.SHADE)

    _plot_scales(_add_plot(figure, beside, top, "Size found at each scale"), found, count)
    _plot_objects(_add_plot(figure, beside, top + NAME + PLOT_HEIGHT + GAP, "Objects found at the estimate"), found, count)
    return figure


def _circles(raw, spacing, plane, diameter):
    """Give middle (y, x) and diameter in um of the circles in which a plane cuts balls of the diameter about bright blobs."""
    reach = math.ceil(SLAB * diameter / spacing[0])
    first = max(0, plane - reach)
    slab = raw[first : plane + reach + 1]
    image = adjust_contrast.rescale(slab, *figures.display_range(slab))
    blobs = half_height.find_blobs(image, spacing, SIGMA * diameter, APART * diameter, SURROUND * diameter)
    kept = blobs.contrasts > LEAST * half_height.typical_bright(blobs.contrasts)
    middles = (blobs.middles[kept] + 0.5) * blobs.spacing - np.divide(spacing, 2)  # um from the centre of the first voxel of the slab
    squares = diameter**2 - 4 * (middles[:, 0] - (plane - first) * spacing[0]) ** 2
    return middles[squares > 0, 1:], np.sqrt(squares[squares > 0])


def _draw_circles(axes, middles, widths):
    for color, line in (("black", 3.0), (COLOR, 1.6)):
        circles = EllipseCollection(
            widths,
            widths,
            np.zeros(len(widths)),
            units="xy",
            offsets=middles[:, ::-1],
            transOffset=axes.transData,
            facecolors="none",
            edgecolors=color,
            linewidths=line * figures.PT,
        )
        axes.add_collection(circles)


def _add_plot(figure, left, top, name):
    width, height = figure.get_size_inches() * figures.DPI
    figures.add_text(figure, left, top, name, weight="bold", fontsize=15 * figures.PT)
    axes = figure.add_axes((left / width, 1 - (top + NAME + PLOT_HEIGHT) / height, PLOT / width, PLOT_HEIGHT / height))
    axes.tick_params(labelsize=figures.TEXT)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _plot_scales(axes, found, count):
    axes.set_label("scales")
    scales, sizes = (np.array(found[name], float) for name in ("scales_um", "sizes_um"))
    ends = [scales.min() / 1.2, scales.max() * 1.2]
    axes.plot(ends, ends, color="0.6", linewidth=1.2 * figures.PT)
    axes.text(ends[1], ends[1], "as large as looked for", ha="right", va="bottom", fontsize=figures.TEXT, color=figures.SHADE)
    axes.plot(scales, sizes, "o-", color="black", markersize=5 * figures.PT, linewidth=1.2 * figures.PT)
    axes.set(xscale="log", yscale="log", xlim=ends)
    axes.set_xlabel("diameter looked for, in µm", fontsize=figures.TEXT)
    axes.set_ylabel("diameter found, in µm", fontsize=figures.TEXT)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_major_locator(_log_ticks())
        axis.set_minor_formatter("")
    if count:
        _mark(axes, found["diameter_um"])


def _log_ticks():
    from matplotlib.ticker import LogLocator

    return LogLocator(subs=(1, 2, 5))


def _plot_objects(axes, found, count):
    axes.set_label("objects")
    sizes = np.array(found["found_um"])
    if count:
        end = 1.25 * max(sizes.max(), found["diameter_um"])
        axes.hist(sizes, bins=BINS, range=(0, end), color="0.6", edgecolor="white", linewidth=0.6 * figures.PT)
        axes.set_xlim(0, end)
        _mark(axes, found["diameter_um"])
    else:
        axes.text(0.5, 0.5, "no objects found", transform=axes.transAxes, ha="center", color=figures.ALERT, fontsize=figures.TEXT)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("diameter of an object, in µm", fontsize=figures.TEXT)
    axes.set_ylabel("objects", fontsize=figures.TEXT)


def _mark(axes, diameter):
    axes.axvline(diameter, color=figures.ALERT, linewidth=1.8 * figures.PT)
    place = axes.get_xaxis_transform()
    is_right = axes.transAxes.inverted().transform(axes.transData.transform((diameter, 1)))[0] > 0.7
    style = {"ha": "right" if is_right else "left", "va": "bottom", "fontsize": figures.TEXT, "weight": "bold", "color": figures.ALERT}
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8}
    axes.text(diameter, 0.02, f" {diameter:.3g} µm ", transform=place, bbox=box, **style)
