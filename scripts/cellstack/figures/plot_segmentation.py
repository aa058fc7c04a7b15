"""Figure of a segmentation: maximum projections, and planes with most objects, in three views."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cellstack.core.labels import find_boxes
from cellstack.core.types import Boxes, Labels, Spacing
from cellstack.figures import drawing, outlines
from cellstack.figures.colors import COLORS, SKY_BLUE

VIEWS = {"xy": (0, 1, 2), "xz": (1, 0, 2), "yz": (2, 1, 0)}
"""Axes of each view: the one along the line of sight, the vertical and the horizontal one."""

MIN_DEPTH_TO_WIDTH = 1 / 250  # of a stack; in flatter stacks, side views would be mere lines
MAX_WIDTH, MAX_HEIGHT = 1720, 1200  # pixels of all blocks together
MIN_WIDTH, MIN_BLOCK_WIDTH = 1000, 420  # pixels, for the header and for a caption with scale bar
CAPTION, GAP = 34, 14  # pixels above a block, between its views
LEFT, BELOW = 30, 34  # pixels left of the views and below them
AXIS_LABEL = 90  # pixels of "z = 123.4 µm"
NUCLEI_COLOR = SKY_BLUE

ObjectLines = list[tuple[int, outlines.Line]]
Point = tuple[float, float]


@drawing.default_style()
def plot_segmentation(
    raw: np.ndarray,
    segmentation: Labels,
    labels: Labels,
    spacing: Spacing,
    *,
    title: str,
    note: str = "",
    nuclei: np.ndarray | None = None,
    numbers: outlines.Numbers = MappingProxyType({}),
) -> Figure:
    """Draw the outlines of all objects over the raw data.

    Objects that are measured have coloured outlines, the others thin white ones.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray
        Intensities. Each block of panels has the grey range of the 0.5 to 99.5 percentiles of its
        images.
    segmentation : (Z, Y, X) ndarray of uint16 or uint32
        All objects found.
    labels : (Z, Y, X) ndarray of uint16 or uint32
        The objects of `segmentation` that were selected for measurement; their numbers may differ.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    title : str
        Name of the stack.
    note : str
        A warning shown in the header; may be empty.
    nuclei : (Z, Y, X) ndarray, optional
        Intensities of a second channel, shown as a blue tint.
    numbers : dict of int to (int, bool)
        Number of each measured object by its label in `segmentation`, and whether it is flagged.
        It is written into the views along z.

    Returns
    -------
    matplotlib.figure.Figure
        A block of maximum projections and one of the planes that cut most objects, without side
        views if the stack is very thin. A single plane is shown alone. In a projection, the
        outline of an object is that of its own projection, so outlines may cross. The axes are
        labelled ``projection xy``, ``plane xz`` ...

    Raises
    ------
    InputError
        The images differ in shape.
    """
    images = {"raw": raw, "segmentation": segmentation, "labels": labels}
    drawing.check_shapes(title, images if nuclei is None else images | {"nuclei": nuclei})
    is_plane = len(raw) == 1
    depth, _, width = (size * step for size, step in zip(raw.shape, spacing, strict=True))
    views = ("xy",) if is_plane or depth < width * MIN_DEPTH_TO_WIDTH else tuple(VIEWS)
    blocks = ("plane",) if is_plane else ("projection", "plane")
    boxes = find_boxes(segmentation)
    chosen = busiest_planes(boxes, raw.shape)
    panels = [(block, view) for block in blocks for view in views]
    lines, is_measured = _trace(segmentation, labels, boxes, spacing, chosen, panels)
    colors = outlines.label_colors(boxes)
    layout = _lay_out(raw.shape, spacing, len(views) > 1, len(blocks), drawing.header_height(note))

    figure = drawing.new_figure(*layout.size)
    measured = sum(is_measured.values())
    summary = f", {measured} measured{outlines.count_flagged(numbers)}"
    drawing.add_header(figure, title, len(boxes), summary, raw.shape, spacing, note)
    if boxes:
        _add_legend(figure, measured, len(boxes) - measured)
    for block, (left, top) in zip(blocks, layout.corners, strict=True):
        index = chosen if block == "plane" else None
        shown = {view: _look_along(raw, view, index) for view in views}
        tints = {} if nuclei is None else {view: _look_along(nuclei, view, index) for view in views}
        limits = drawing.display_range(*shown.values())
        if index is None:
            caption = "Max projections"
        elif len(views) > 1:
            caption = "Planes with most objects" if boxes else "Middle planes"
        else:
            caption = f"Plane {chosen[0]} of {len(raw)}, counted from 0"
        more = ", nuclei in blue" if tints else ""
        drawing.add_caption(figure, left + LEFT, top, caption, limits, more)
        length = drawing.round_length(width / 5)
        drawing.scale_bar(figure, left + layout.bar_right, top + CAPTION - 10, layout.scale, length)
        for view, image in shown.items():
            place = (left + layout.offsets[view][0], top + layout.offsets[view][1])
            has_sides = len(views) > 1
            axes = _add_view(
                figure, place, view, raw.shape, spacing, layout.scale, index, has_sides
            )
            axes.set_label(f"{block} {view}")
            drawing.show_image(axes, image, limits)
            if tints:
                tint_limits = drawing.display_range(*tints.values())
                drawing.show_tint(axes, tints[view], tint_limits, NUCLEI_COLOR)
            objects = lines[block, view]
            outlines.draw_outlines(
                axes, [line for label, line in objects if not is_measured[label]]
            )
            outlines.draw_outlines(
                axes,
                [line for label, line in objects if is_measured[label]],
                [colors[label] for label, _ in objects if is_measured[label]],
            )
            if view == "xy":
                outlines.draw_numbers(axes, objects, numbers)
    return figure


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


def _look_along(stack: np.ndarray, view: str, index: list[int] | None) -> np.ndarray:
    """Return a view of a stack: the maximum projection, or the plane at `index` of the axes."""
    through, down, across = VIEWS[view]
    image: np.ndarray
    image = stack.max(axis=through) if index is None else stack.take(index[through], axis=through)
    return image if down < across else image.T


def _trace(
    segmentation: Labels,
    labels: Labels,
    boxes: Boxes,
    spacing: Spacing,
    chosen: list[int],
    panels: list[tuple[str, str]],
) -> tuple[dict[tuple[str, str], ObjectLines], dict[int, bool]]:
    """Return the outlines of each panel with their labels, and whether each object is measured."""
    lines: dict[tuple[str, str], ObjectLines] = {panel: [] for panel in panels}
    is_measured = {}
    for label, box in boxes.items():
        mask = segmentation[box] == label
        is_measured[label] = bool(labels[box][mask].any())
        within = [index - side.start for index, side in zip(chosen, box, strict=True)]
        for block, view in panels:
            through, down, across = VIEWS[view]
            if block == "projection" or 0 <= within[through] < mask.shape[through]:
                seen = _look_along(mask, view, within if block == "plane" else None)
                start = (box[down].start, box[across].start)
                found = outlines.trace_outlines(seen, start, (spacing[down], spacing[across]))
                lines[block, view] += [(label, line) for line in found]
    return lines, is_measured


def _add_legend(figure: Figure, measured: int, others: int) -> None:
    pixel = drawing.PIXEL
    handles: dict[str, Line2D | tuple[Line2D, ...]] = {}
    if measured:
        handles[f"measured ({measured})"] = tuple(
            Line2D([], [], color=color, linewidth=2.5 * pixel) for color in COLORS
        )
    if others:
        handles[f"found, not measured ({others})"] = Line2D(
            [],
            [],
            color=outlines.NEUTRAL_COLOR,
            linewidth=outlines.NEUTRAL_LINE_WIDTH * pixel,
            linestyle=outlines.NEUTRAL_DASHES,
        )
    drawing.add_legend(figure, handles, handlelength=6)


def _add_view(
    figure: Figure,
    place: Point,
    view: str,
    shape: tuple[int, ...],
    spacing: Spacing,
    scale: float,
    index: list[int] | None,
    has_sides: bool,
) -> Axes:
    """Add the panel of a view, with names of its axes and ticks at the planes at `index`."""
    _, down, across = VIEWS[view]
    extent = drawing.image_extent((shape[down], shape[across]), (spacing[down], spacing[across]))
    axes = drawing.add_panel(figure, *place, extent, scale)
    planes = [size // 2 for size in shape] if index is None else index
    at = {axis: planes[axis] * spacing[axis] for axis in (down, across)}
    is_marked = index is not None and has_sides
    text = {axis: f"{'zyx'[axis]} = {at[axis]:.4g} µm" if is_marked else "zyx"[axis] for axis in at}
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
        y = place[1] + (at[down] - extent[3]) * scale
        drawing.add_text(figure, place[0] - 8, y, text[down], rotation=90, ha="right", va="center")
    if view != "xy" or not has_sides:
        # a label wider than its view starts where the view does, so that it does not overlap the
        # view to the left
        x = place[0] + max((at[across] - extent[0]) * scale, AXIS_LABEL / 2 if is_marked else 0)
        y = place[1] + (extent[2] - extent[3]) * scale + 8
        drawing.add_text(figure, x, y, text[across], ha="center")
    return axes


class _Layout(NamedTuple):
    """Positions in pixels from the top left corner."""

    size: Point  # of the figure
    scale: float  # pixels per um
    corners: list[Point]  # of the blocks
    offsets: dict[str, Point]  # of the views, from the corner of their block
    bar_right: float  # right end of the scale bar, from the corner of its block


def _lay_out(
    shape: tuple[int, ...], spacing: Spacing, has_sides: bool, count: int, header: float
) -> _Layout:
    """Arrange the blocks side by side or one below the other, whichever shows them larger."""
    depth, height, width = (size * step for size, step in zip(shape, spacing, strict=True))
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
    corners = [
        (drawing.MARGIN + i % columns * block[0], header + i // columns * block[1])
        for i in range(count)
    ]
    size = (
        max(MIN_WIDTH, drawing.MARGIN + columns * block[0]),
        header + count // columns * block[1],
    )
    beside, below = LEFT + width * scale + GAP, CAPTION + height * scale + GAP
    offsets = {"xy": (LEFT, CAPTION), "xz": (LEFT, below), "yz": (beside, CAPTION)}
    bar_right = LEFT + gap + max(across * scale, MIN_BLOCK_WIDTH)
    return _Layout(size, scale, corners, offsets, bar_right)
