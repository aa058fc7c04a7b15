"""Figure of the spots of a channel: its projection and some of its planes, with circles."""

from collections.abc import Sequence

import numpy as np
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cellstack.config.marks import Mark
from cellstack.core.counting import counted
from cellstack.core.planes import Stack
from cellstack.core.types import Spacing
from cellstack.figures import drawing, grid, marking, views
from cellstack.figures.colors import ORANGE
from cellstack.figures.plot_planes import choose_planes

MAX_PLANES = 5
CIRCLE = 2.5  # diameter, in diameters of a spot, so that the spot is seen
MIN_CIRCLE = 7  # diameter in pixels
LINE_WIDTH = 1.4 * drawing.PIXEL


@drawing.default_style()
def plot_spots(
    raw: Stack,
    positions_um: NDArray[np.float64],
    spacing: Spacing,
    diameters_um: list[float],
    *,
    title: str,
    channel: str,
    note: str = "",
    marks: Sequence[Mark] = (),
) -> Figure:
    """Draw circles around spots, on the maximum projection and on up to five planes.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack
        Intensities.
    positions_um : (n, 3) ndarray of float
        Centres of the spots along z, y, x in um.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    diameters_um : (3,) sequence of float
        Diameter of a spot along z, y, x in um. A plane has the spots within half a diameter, or
        half a voxel if that is more.
    title, channel : str
        Names of the stack and of the channel.
    note : str
        A warning shown in the header; may be empty.
    marks : list of Mark
        Marks of the user.

    Returns
    -------
    matplotlib.figure.Figure
        The axes are labelled ``projection`` and ``plane 0`` ... by the index of the plane in the
        stack, counted from 0 as in the tables.
    """
    planes = choose_planes(0, len(raw), MAX_PLANES)
    images = {f"plane {z}": raw[z] for z in planes}
    within = max(diameters_um[0], spacing[0]) / 2
    shown = {f"plane {z}": abs(positions_um[:, 0] - z * spacing[0]) <= within for z in planes}
    captions = {f"plane {z}": f"z = {z * spacing[0]:.4g} µm (plane {z})" for z in planes}
    plane_of: dict[str, int | None] = {f"plane {z}": z for z in planes}
    plane_of["projection"] = None
    if len(raw) > 1:
        images = {"projection": views.project(raw, ["xy"])["xy"]} | images
        shown["projection"] = np.ones(len(positions_um), bool)
        captions["projection"] = "maximum projection"
    top = drawing.header_height(note)
    layout = grid.lay_out(raw.shape, spacing, len(images), top)
    figure = drawing.new_figure(*layout.size)
    summary = f" found in channel {channel}"
    drawing.add_header(
        figure, title, len(positions_um), summary, raw.shape, spacing, note, noun="spots"
    )
    limits = drawing.display_range(*(images[f"plane {z}"] for z in planes))
    caption = f"Spots of {diameters_um[1]:g} µm"
    drawing.add_caption(figure, drawing.MARGIN, top, caption, limits, " in the planes")
    layout.add_scale_bar(figure)
    diameter = max(CIRCLE * diameters_um[1], MIN_CIRCLE / layout.scale)
    for number, (name, image) in enumerate(images.items()):
        here = positions_um[shown[name]]
        text = f"{captions[name]}: {counted(len(here), 'spots')}"
        axes = layout.add_panel(figure, number, text)
        axes.set_label(name)
        own = drawing.display_range(image) if name == "projection" else limits
        drawing.show_image(axes, image, own)
        sizes = np.full(len(here), diameter)
        circles = EllipseCollection(
            sizes, sizes, np.zeros(len(here)),
            units="xy", offsets=here[:, [2, 1]], offset_transform=axes.transData,
            facecolors="none", edgecolors=ORANGE, linewidths=LINE_WIDTH,
        )  # fmt: skip
        axes.add_collection(circles)
        marking.draw_marks(axes, marks, spacing, plane=plane_of[name])
    return figure
