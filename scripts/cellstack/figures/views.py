"""Views of a stack along its three axes, at true scale: maximum projections and planes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellstack.core.planes import Planes, Stack, section
from cellstack.core.types import Boxes, Spacing
from cellstack.figures import drawing

VIEWS = {"xy": (0, 1, 2), "xz": (1, 0, 2), "yz": (2, 1, 0)}
"""Axes of each view: the one along the line of sight, the vertical and the horizontal one."""

MIN_DEPTH_TO_WIDTH = 1 / 250  # of a stack; in flatter stacks, side views would be mere lines
MAX_WIDTH, MAX_HEIGHT = 1720, 1200  # pixels of all blocks together
MIN_WIDTH, MIN_BLOCK_WIDTH = 1000, 420  # pixels, for the header and for a caption with scale bar
CAPTION, GAP = 34, 14  # pixels above a block, between its views
LEFT, BELOW = 30, 34  # pixels left of the views and below them
AXIS_LABEL = 90  # pixels of "z = 123.4 µm"
BAR_TEXT = 80  # pixels of "0.5 µm" beside a scale bar, with gaps

Point = tuple[float, float]


def busiest_planes(boxes: Boxes, shape: Sequence[int]) -> list[int]:
    """Return for each axis the plane that cuts most objects, the most central one of several.

    Parameters
    ----------
    boxes : dict of int to tuple of slice
        Bounding boxes by label, see :func:`cellstack.core.labels.find_boxes`.
    shape : (3,) sequence of int
        Shape of the stack.

    Returns
    -------
    list of int
        Counted from 0; the middle planes if there are no objects.

    Examples
    --------
    >>> busiest_planes({1: np.s_[0:3, 4:6, 0:9], 2: np.s_[2:4, 5:9, 0:9]}, (9, 9, 9))
    [2, 5, 4]
    """
    chosen = []
    for axis, size in enumerate(shape):
        changes = np.zeros(size + 1, int)
        for box in boxes.values():
            changes[box[axis].start] += 1
            changes[box[axis].stop] -= 1
        counts = changes.cumsum()[:size]
        busiest = np.flatnonzero(counts == counts.max())
        chosen.append(int(busiest[np.argmin(np.abs(busiest - size // 2))]))
    return chosen


def look_along(stack: np.ndarray, view: str, index: Sequence[int] | None) -> np.ndarray:
    """Return a view of a stack.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray
    view : {"xy", "xz", "yz"}
    index : (3,) sequence of int or None
        The plane along each axis; None for the maximum projection.

    Returns
    -------
    (M, N) ndarray
        Of the type of `stack`.
    """
    through, down, across = VIEWS[view]
    image: np.ndarray
    image = stack.max(axis=through) if index is None else stack.take(index[through], axis=through)
    return image if down < across else image.T


def project(stack: Planes, views: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the maximum projections of a stack, which is read plane by plane.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes
    views : sequence of {"xy", "xz", "yz"}

    Returns
    -------
    dict of str to (M, N) ndarray
        See :func:`look_along`.

    Examples
    --------
    >>> project(np.arange(8).reshape(2, 2, 2), ["xy", "yz"])
    {'xy': array([[4, 5],
           [6, 7]]), 'yz': array([[1, 5],
           [3, 7]])}
    """
    found: dict[str, np.ndarray] = {}
    along: dict[str, list[np.ndarray]] = {view: [] for view in views if view != "xy"}
    for plane in stack:
        if "xy" in views:
            found["xy"] = np.maximum(found["xy"], plane) if "xy" in found else plane
        for view, lines in along.items():
            lines.append(plane.max(axis=VIEWS[view][0] - 1))
    found |= {view: np.stack(lines, axis=1 if view == "yz" else 0) for view, lines in along.items()}
    return {view: found[view] for view in views}


class Layout(NamedTuple):
    """The arrangement of the views of a stack: a block of projections and one of planes.

    Positions are in pixels from the top left corner of the figure.
    """

    shape: tuple[int, ...]
    spacing: Spacing
    planes: list[int]
    """The plane along each axis that the block of planes shows."""
    size: Point
    """Of the figure."""
    scale: float
    """Pixels per um."""
    captions: Mapping[str, str]
    """Of the blocks: "projection", if the stack has several planes, and "plane"."""
    corners: Mapping[str, Point]
    """Of the blocks."""
    offsets: Mapping[str, Point]
    """Of the views, from the corner of their block; of "xy" alone if the stack is very thin."""
    bar_right: float
    """Right end of the scale bar, from the corner of its block."""

    @property
    def blocks(self) -> list[str]:
        """Names of the blocks."""
        return list(self.corners)

    @property
    def views(self) -> list[str]:
        """Names of the views in each block."""
        return list(self.offsets)

    def images(self, stack: Stack, block: str) -> dict[str, np.ndarray]:
        """Return each view of a stack, see :func:`look_along`."""
        if block == "projection":
            return project(stack, self.views)
        images = {}
        for view in self.views:
            through, down, across = VIEWS[view]
            image = section(stack, through, self.planes[through])
            images[view] = image if down < across else image.T
        return images

    def plane_of(self, block: str, view: str) -> int | None:
        """Return the plane along the line of sight that a view shows; None for a projection."""
        return self.planes[VIEWS[view][0]] if block == "plane" else None

    @property
    def bar_length(self) -> float:
        """Length of the scale bars in um."""
        return drawing.round_length(self.shape[2] * self.spacing[2] / 5)

    @property
    def bar_left(self) -> float:
        """Left end of the scale bar and its text, from the corner of its block."""
        return self.bar_right - self.bar_length * self.scale - BAR_TEXT

    def add_scale_bar(self, figure: Figure, block: str) -> None:
        """Draw the scale bar of a block."""
        left, top = self.corners[block]
        right, bottom = left + self.bar_right, top + CAPTION - 10
        drawing.scale_bar(figure, right, bottom, self.scale, self.bar_length)

    def add_view(self, figure: Figure, block: str, view: str) -> Axes:
        """Add the panel of a view, with names of its axes and ticks at the planes.

        Returns
        -------
        matplotlib.axes.Axes
            Labelled ``projection xy``, ``plane xz`` ...
        """
        has_sides = len(self.offsets) > 1
        corner, offset = self.corners[block], self.offsets[view]
        place = (corner[0] + offset[0], corner[1] + offset[1])
        _, down, across = VIEWS[view]
        extent = drawing.image_extent(
            (self.shape[down], self.shape[across]), (self.spacing[down], self.spacing[across])
        )
        axes = drawing.add_panel(figure, *place, extent, self.scale)
        axes.set_label(f"{block} {view}")
        is_plane = block == "plane"
        planes = self.planes if is_plane else [size // 2 for size in self.shape]
        at = {axis: planes[axis] * self.spacing[axis] for axis in (down, across)}
        is_marked = is_plane and has_sides
        text = {
            axis: f"{'zyx'[axis]} = {at[axis]:.4g} µm" if is_marked else "zyx"[axis] for axis in at
        }
        if is_marked:
            axes.set(xticks=[at[across]], yticks=[at[down]])
            axes.tick_params(
                length=5 * drawing.PIXEL,
                width=1.5 * drawing.PIXEL,
                labelbottom=False,
                labelleft=False,
                top=True,
                right=True,
            )
        if view != "yz":
            y = place[1] + (at[down] - extent[3]) * self.scale
            drawing.add_text(
                figure, place[0] - 8, y, text[down], rotation=90, ha="right", va="center"
            )
        if view != "xy" or not has_sides:
            # a label wider than its view starts where the view does, so that it does not overlap
            # the view to the left
            x = place[0] + max(
                (at[across] - extent[0]) * self.scale, AXIS_LABEL / 2 if is_marked else 0
            )
            y = place[1] + (extent[2] - extent[3]) * self.scale + 8
            drawing.add_text(figure, x, y, text[across], ha="center")
        return axes


def lay_out(
    shape: tuple[int, ...],
    spacing: Spacing,
    boxes: Boxes,
    header: float,
    *,
    projections: bool = True,
) -> Layout:
    """Arrange the blocks side by side or one below the other, whichever shows them larger.

    Parameters
    ----------
    shape : (3,) tuple of int
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    boxes : dict of int to tuple of slice
        Bounding boxes of the objects. The planes are those that cut most objects, or the middle
        planes without objects.
    header : float
        Height of the header in pixels.
    projections : bool
        Whether there is a block of projections, if the stack has several planes.

    Returns
    -------
    Layout
    """
    planes = busiest_planes(boxes, shape)
    depth, height, width = (size * step for size, step in zip(shape, spacing, strict=True))
    has_sides = shape[0] > 1 and depth >= width * MIN_DEPTH_TO_WIDTH
    names = ["plane"] if shape[0] == 1 or not projections else ["projection", "plane"]
    count = len(names)
    across, down = (width + depth, height + depth) if has_sides else (width, height)
    gap = GAP if has_sides else 0
    axis_label = AXIS_LABEL if has_sides else 0

    def scale_of(columns: int) -> float:
        room = MAX_WIDTH / columns - LEFT - gap
        return min(
            room / across,
            (room - AXIS_LABEL) / width,
            (MAX_HEIGHT * columns / count - CAPTION - gap - BELOW) / down,
        )

    columns = max((count, 1), key=scale_of)
    scale = scale_of(columns)
    content = LEFT + gap + max(across * scale, width * scale + axis_label, MIN_BLOCK_WIDTH)
    block = (content + drawing.MARGIN, CAPTION + gap + down * scale + BELOW)
    corners = {
        name: (drawing.MARGIN + i % columns * block[0], header + i // columns * block[1])
        for i, name in enumerate(names)
    }
    size = (
        max(MIN_WIDTH, drawing.MARGIN + columns * block[0]),
        header + count // columns * block[1],
    )
    beside, below = LEFT + width * scale + GAP, CAPTION + height * scale + GAP
    offsets: dict[str, Point] = {"xy": (LEFT, CAPTION)}
    captions = {"projection": "Max projections"}
    if has_sides:
        offsets |= {"xz": (LEFT, below), "yz": (beside, CAPTION)}
        captions["plane"] = "Planes with most objects" if boxes else "Middle planes"
    else:
        captions["plane"] = f"Plane {planes[0]} of {shape[0]}, counted from 0"
    bar_right = LEFT + gap + max(across * scale, MIN_BLOCK_WIDTH)
    return Layout(shape, spacing, planes, size, scale, captions, corners, offsets, bar_right)
