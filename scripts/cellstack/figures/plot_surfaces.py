"""Figure of a segmentation in three dimensions: shaded surfaces of all objects."""

from collections.abc import Iterator
from itertools import product
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from cellstack.core.labels import find_boxes
from cellstack.core.meshes import Mesh, surface_mesh
from cellstack.core.planes import Stack
from cellstack.core.types import Boxes, Spacing
from cellstack.figures import drawing, outlines, rendering
from cellstack.figures.colors import COLORS

MAX_WIDTH, MAX_HEIGHT = 1100, 860  # pixels of the box of the stack
MIN_WIDTH = 1000  # pixels, for the header
BESIDE, BELOW = 90, 70  # pixels for the labels of the axes
TICK, TICK_LABEL, AXIS_LABEL = 6, 22, 52  # pixels from an edge of the box
PIXELS_PER_STEP = 2  # of the grid of the meshes
OTHERS_COLOR = "#c8c8c8"  # of objects that are not measured
BOX_COLOR = "0.55"
MIN_AXIS = 60  # pixels; a shorter edge has no ticks


@drawing.default_style()
def plot_surfaces(
    segmentation: Stack,
    spacing: Spacing,
    *,
    title: str,
    note: str = "",
    numbers: outlines.Numbers = MappingProxyType({}),
) -> Figure:
    """Draw the surfaces of all objects in the box of the stack.

    Parameters
    ----------
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects found.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    title : str
        Name of the stack.
    note : str
        A warning shown in the header; may be empty.
    numbers : dict of int to Number
        Number of each measured object by its label in `segmentation`. Measured objects have the
        colours of the other figures, the others are grey.

    Returns
    -------
    matplotlib.figure.Figure
        A parallel projection, so that lengths along the same direction can be compared. The edges
        of the box have ticks in um; z is the depth from the first plane, which is on top. The axes
        are labelled ``surfaces``.
    """
    boxes = find_boxes(segmentation)
    colors = outlines.label_colors(boxes)
    ends = [
        drawing.edges(size, step) for size, step in zip(segmentation.shape, spacing, strict=True)
    ]
    corners = np.array(list(product(*ends)))
    view, (width, height) = rendering.fit_view(corners, MAX_WIDTH, MAX_HEIGHT)
    picture = rendering.render(
        (
            (mesh, colors[label] if label in numbers else OTHERS_COLOR)
            for label, mesh in _meshes(segmentation, boxes, spacing, PIXELS_PER_STEP / view.scale)
        ),
        view,
        (width, height),
    )

    top = drawing.header_height(note)
    size = (max(MIN_WIDTH, width + 2 * BESIDE), top + height + BELOW)
    figure = drawing.new_figure(*size)
    measured = sum(label in numbers for label in boxes)
    drawing.add_header(
        figure, title, len(boxes), f", {measured} measured", segmentation.shape, spacing, note
    )
    if boxes:
        _add_legend(figure, measured, len(boxes) - measured)
    left = (size[0] - width) / 2
    bounds = (left / size[0], 1 - (top + height) / size[1], width / size[0], height / size[1])
    axes = figure.add_axes(bounds)
    axes.set_label("surfaces")
    axes.set_axis_off()
    _draw_box(figure, view, ends, left, top)
    axes.imshow(picture, extent=(0, width, height, 0), aspect="auto", interpolation="nearest")
    axes.set(xlim=(0, width), ylim=(height, 0))
    return figure


def _meshes(
    segmentation: Stack, boxes: Boxes, spacing: Spacing, min_step: float
) -> Iterator[tuple[int, Mesh]]:
    for label, box in boxes.items():
        start = [side.start for side in box]
        mask = segmentation[box] == label
        yield label, surface_mesh(mask, spacing, start, segmentation.shape, min_step)


def _draw_box(
    figure: Figure,
    view: rendering.View,
    ends: list[tuple[float, float]],
    left: float,
    top: float,
) -> None:
    """Draw the three faces of the box that are behind the objects, with axes along three edges."""
    (z0, z1), (y0, y1), (x0, x1) = ends
    canvas = _Canvas(figure, view, left, top)
    for start, end in (
        ((z1, y0, x0), (z1, y0, x1)),
        ((z0, y0, x0), (z0, y0, x1)),
        ((z0, y0, x0), (z1, y0, x0)),
        ((z0, y0, x1), (z1, y0, x1)),
        ((z0, y0, x0), (z0, y1, x0)),
        ((z1, y0, x0), (z1, y1, x0)),
    ):
        canvas.line(start, end, BOX_COLOR)
    canvas.axis("x", (z1, y1, x0), (z1, y1, x1), outwards=(0, 1, 0))
    canvas.axis("y", (z1, y0, x1), (z1, y1, x1), outwards=(0, 0, 1))
    canvas.axis("z", (z0, y1, x0), (z1, y1, x0), outwards=(0, 0, -1))


class _Canvas(NamedTuple):
    """A figure on which lines are drawn between points in um."""

    figure: Figure
    view: rendering.View
    left: float
    top: float

    def place(self, point: ArrayLike) -> NDArray[np.float64]:
        """Return x and y of a point (z, y, x) in pixels from the top left corner of the figure."""
        ((row, column, _),) = self.view.project(np.asarray(point)[None])
        return np.array([column + self.left, row + self.top])

    def line(self, start: ArrayLike, end: ArrayLike, color: str = "black") -> None:
        """Draw a line behind the objects."""
        size = np.array(drawing.figure_size(self.figure))
        (xs, ys) = (np.array([self.place(start), self.place(end)]) / size).T
        width = drawing.PIXEL
        self.figure.add_artist(Line2D(xs, 1 - ys, color=color, linewidth=width, zorder=-1))

    def axis(
        self,
        name: str,
        start: tuple[float, float, float],
        end: tuple[float, float, float],
        outwards: tuple[float, float, float],
    ) -> None:
        """Draw an edge of the box with ticks in um; `outwards` points away from the box."""
        self.line(start, end)
        if np.linalg.norm(self.place(end) - self.place(start)) < MIN_AXIS:
            return
        along = "zyx".index(name)
        step = drawing.round_length((end[along] - start[along]) / 2)
        direction = self.place(np.add(start, outwards)) - self.place(start)
        direction /= np.linalg.norm(direction)
        tick = np.array(outwards) * TICK / self.view.scale
        for number in range(int(end[along] // step) + 1):
            point = np.array(start)
            point[along] = number * step
            self.line(point, point + tick)
            x, y = self.place(point) + direction * TICK_LABEL
            text = f"{number * step:g}"
            drawing.add_text(self.figure, x, y, text, ha="center", va="center")
        middle = (np.array(start) + np.array(end)) / 2
        x, y = self.place(middle) + direction * AXIS_LABEL
        drawing.add_text(self.figure, x, y, f"{name}, µm", ha="center", va="center", weight="bold")


def _add_legend(figure: Figure, measured: int, others: int) -> None:
    width = 9 * drawing.PIXEL
    handles: dict[str, Line2D | tuple[Line2D, ...]] = {}
    if measured:
        handles[f"measured ({measured})"] = tuple(
            Line2D([], [], color=color, linewidth=width, solid_capstyle="butt") for color in COLORS
        )
    if others:
        handles[f"found, not measured ({others})"] = Line2D(
            [], [], color=OTHERS_COLOR, linewidth=width, solid_capstyle="butt"
        )
    drawing.add_legend(figure, handles, handlelength=6)
